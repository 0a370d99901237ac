// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
pgtable_t pte_alloc_one(struct mm_struct *mm)
{
	if (paravirt_tables_replaced())
		return pvops_pte_alloc(mm);
	return __pte_alloc_one(mm, one);
}

/* As in 6.1 */
static void pgd_ctor(struct mm_struct *mm, pgd_t *pgd)
{
	/* One */
	if (paravirt_tables_replaced()) {
		pvops_pgd_fill(pgd);
	} else if (CONFIG_PGTABLE_LEVELS == 2 ||
	    CONFIG_PGTABLE_LEVELS >= 4) {
		clone_pgd_range(pgd + KERNEL_PGD_BOUNDARY,
				swapper_pg_dir + KERNEL_PGD_BOUNDARY,
				KERNEL_PGD_PTRS);
	}

	two();
}

/* As in 7.2 */
static void pgd_ctor(struct mm_struct *mm, pgd_t *pgd)
{
	/* One */
	if (paravirt_tables_replaced()) {
		pvops_pgd_fill(pgd);
	} else if (!IS_ENABLED(CONFIG_X86_PAE)) {
		clone_pgd_range(pgd + KERNEL_PGD_BOUNDARY,
				swapper_pg_dir + KERNEL_PGD_BOUNDARY,
				KERNEL_PGD_PTRS);
	}

	two();
}

static inline pgd_t *_pgd_alloc(struct mm_struct *mm)
{
	/* One */
	if (paravirt_tables_replaced())
		return pvops_pgd_alloc();
	return two();
}

static inline void _pgd_free(pgd_t *pgd)
{
	if (paravirt_tables_replaced()) {
		pvops_pgd_free(pgd);
		return;
	}
	free_pages((unsigned long)pgd, PGD_ALLOCATION_ORDER);
}

static inline void _pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	if (paravirt_tables_replaced()) {
		pvops_pgd_free(pgd);
		return;
	}
	__pgd_free(mm, pgd);
}
