// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// A batch that is begun and, on some path, not ended.
// Files: pvops backends tests/guest patches/linux

@open exists@
expression kind;
position begun;
@@
(
pv_batch_enter@begun(kind);
|
pv_batch_begin@begun(kind);
)
... when != pv_batch_leave(kind)
    when != pv_batch_end(kind)
    when != pv_port_panic(...)
return ...;

@script:python@
begun << open.begun;
@@
print(f"{begun[0].file}:{begun[0].line}: {begun[0].current_element}: a batch is begun, and not ended on some path")
