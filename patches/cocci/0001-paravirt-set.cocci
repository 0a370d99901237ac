// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/paravirt: Set operations with paravirt_set()
//
// Platform code puts its own functions into pv_ops. Give that a name, so
// that it can be implemented by something else than a table of pointers.
// With CONFIG_PVOPS=n the text of vmlinux does not change.

// Later releases have a table of its own for locks, pv_ops_lock.

@@
symbol pv_ops, pv_ops_lock;
identifier group, member;
expression f;
@@
(
- pv_ops.group.member = f
+ paravirt_set(group, member, f)
|
- pv_ops_lock.member = f
+ paravirt_set(lock, member, f)
)
