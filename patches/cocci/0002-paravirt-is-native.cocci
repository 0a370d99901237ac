// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/paravirt: Compare operations with paravirt_is_native()
//
// This code asks whether platform code has replaced an operation. Give
// that a name: without a table of pointers there is no pointer to compare.

@@
symbol pv_ops, pv_ops_lock;
identifier group, member;
expression f;
@@
(
- pv_ops.group.member.func == f
+ paravirt_is_native(group, member, f)
|
- pv_ops_lock.member.func == f
+ paravirt_is_native(lock, member, f)
)
