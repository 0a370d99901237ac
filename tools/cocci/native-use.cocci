// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// The native form of an op, called where the op is meant.  Backends may: they run
// where they know what is right.
// Files: pvops tests/guest

@use@
position call;
identifier f =~ "^(pv_native|pvnative_fn)_";
@@
f@call(...)

@script:python@
call << use.call;
f << use.f;
@@
print(f"{call[0].file}:{call[0].line}: {call[0].current_element}: {f}() is called, not the op")
