// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// A hypercall whose result nobody looks at.
// Files: backends tests/guest patches/linux

@ignored@
position call;
identifier f =~ "^(pvxen_call[0-9]|pvxen_(mmuext|vcpu_op|sched_op|evtchn_op|set_linear|prepare_gdt)|hypercall|pvhyperv_call[a-z0-9_]*)$";
@@
f@call(...);

@script:python@
call << ignored.call;
f << ignored.f;
@@
print(f"{call[0].file}:{call[0].line}: {call[0].current_element}: the result of {f}() is ignored")
