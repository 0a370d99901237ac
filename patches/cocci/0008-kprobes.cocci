// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/kprobes: Emulate sites of the pvops layer
//
// A call under a kprobe is emulated. The return address is that of a call
// of five bytes, whatever the instruction's length. A call site of the pvops
// layer can be a call with a prefix, six bytes long; the emulated call
// returned into its last byte.
//
// Kprobes step an instruction with interrupts masked, and take care of CLI,
// STI, PUSHF and POPF. Under Xen a site can be a MOV from or to the mask of
// events: stepped, it read a mask that was not the probed code's, and the
// code left interrupts masked; or it masked nothing. Such a site becomes a
// call of the op's function, which is emulated like any call.
//
// Files: arch/x86/kernel/kprobes/core.c

// 7.2 returns behind the instruction, whatever its length.
// Releases: 6.1 6.12
@@
identifier p, regs, func;
@@
 kprobe_emulate_call(struct kprobe *p, struct pt_regs *regs)
 {
 ...
+if (IS_ENABLED(CONFIG_PVOPS)) {
+	/* A call site of the pvops layer can have a prefix. */
+	regs->ip += p->ainsn.size - CALL_INSN_SIZE;
+}
 int3_emulate_call(regs, func);
 }

// The end of prepare_emulation(): spatch cannot follow all paths of its switch.
@@
identifier p, insn;
@@
 p->ainsn.size = insn->length;
+#ifdef CONFIG_PVOPS
+if (!p->ainsn.emulate_op && pvops_probe_far_side(insn)) {
+	p->ainsn.emulate_op = kprobe_emulate_call;
+	p->ainsn.rel32 = pvops_probe_far_side(insn);
+	p->ainsn.rel32 -= (unsigned long)p->addr + insn->length;
+}
+#endif
 return 0;
