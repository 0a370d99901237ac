// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/paravirt: Set operations with paravirt_set()
//
// Platform code puts functions of its own into pv_ops. Name that, so that
// another implementation than a table of pointers can be behind it. With
// CONFIG_PVOPS=n the text of vmlinux stays what it is.

@@
symbol pv_ops;
identifier group, member;
expression f;
@@
- pv_ops.group.member = f
+ paravirt_set(group, member, f)
