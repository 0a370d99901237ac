// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/pvops: Start the layer first thing in C, and on other CPUs
//
// Sites call through a table until they are patched. The table is empty
// before a backend is chosen, and x86_64_start_kernel() begins with a read
// of CR4. The table is in .bss. So .bss must be clear before the choice,
// and must not be cleared again.
//
// The first choice is native, and executes no CPUID: in a confidential
// guest CPUID is an exception, and its handler is not there yet.
// Instrumented code cannot run yet, either.
//
// A backend's queue of page-table updates is per CPU. A CPU must tell the
// hypervisor the address of its linear map before its first update.
//
// Files: arch/x86/kernel/head64.c arch/x86/kernel/smpboot.c

@@ @@
 x86_64_start_kernel(...)
 {
 ...
+#ifdef CONFIG_PVOPS
+/* The layer's state is in .bss, and the next line already uses it. */
+clear_bss();
+pvops_early_init();
+#endif
+
 cr4_init_shadow();
 ...
-clear_bss();
+if (!IS_ENABLED(CONFIG_PVOPS))
+	clear_bss();
 ...
 }

@@
identifier starting = { rcu_cpu_starting, rcutree_report_cpu_starting };
@@
 start_secondary(...)
 {
 <...
+#ifdef CONFIG_PVOPS
+pvops_cpu_init();
+#endif
 starting(...);
 ...>
 }
