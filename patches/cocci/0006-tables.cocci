// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/pvops: Roots and last levels may be the backend's, too
//
// Functions of mm/pgtable.c allocate and free these tables, and fill the
// kernel half of a root.
//
// The backend's root pages have the kernel half already. A root that is on no
// list of sync_global_pgds() misses entries that the kernel half gets
// meanwhile. They are added when the root is put on such a list.
//
// Files: arch/x86/mm/pgtable.c

@@
identifier mm;
@@
 pte_alloc_one(struct mm_struct *mm)
 {
+if (paravirt_tables_replaced())
+	return pvops_pte_alloc(mm);
 return ...;
 }

@@
identifier mm, pgd;
expression e;
expression list range;
@@
 pgd_ctor(struct mm_struct *mm, pgd_t *pgd)
 {
(
+if (paravirt_tables_replaced()) {
+	pvops_pgd_fill(pgd);
+} else
 if (e)
-	clone_pgd_range(range);
+{
+	clone_pgd_range(range);
+}
|
+if (paravirt_tables_replaced()) {
+	pvops_pgd_fill(pgd);
+} else
 if (e) { clone_pgd_range(...); }
)
 ...
 }

// Not PAE's functions, which have more than one statement.
@@ @@
 _pgd_alloc(...)
 {
+if (paravirt_tables_replaced())
+	return pvops_pgd_alloc();
 return ...;
 }

@@
identifier pgd, release = { free_pages, __pgd_free };
@@
 _pgd_free(..., pgd_t *pgd)
 {
+if (paravirt_tables_replaced()) {
+	pvops_pgd_free(pgd);
+	return;
+}
 release(...);
 }
