// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/paravirt: Set operations with paravirt_set()
//
// Platform code puts its own functions into pv_ops. Give that a name, so
// that it can be implemented by something else than a table of pointers.
// With CONFIG_PVOPS=n the text of vmlinux does not change.

@@
symbol pv_ops;
identifier group, member;
expression f;
@@
- pv_ops.group.member = f
+ paravirt_set(group, member, f)
