// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/paravirt: Compare operations with paravirt_is_native()
//
// What is asked is whether platform code has replaced an operation. Say
// so, because another implementation than a table of pointers does not
// find that out by comparing a pointer.

@@
symbol pv_ops;
identifier group, member;
expression f;
@@
- pv_ops.group.member.func == f
+ paravirt_is_native(group, member, f)
