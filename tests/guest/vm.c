// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory: frames, the kernel's map, address spaces.  The kernel half is at
 * KERNEL_BASE (a linear map of all memory) and one L3 slot above it (fixed
 * addresses and device mappings); the user half is everything below bit 47.
 */
#include "guest.h"

#define FRAMES_MAX	(64UL << 20 >> PV_PAGE_SHIFT)
#define FIXMAP_BASE	(KERNEL_BASE + 0x40000000UL)
#define DEVICE_BASE	(FIXMAP_BASE + FIXMAP_COUNT * PAGE)

struct mm kernel_mm;
bool vm_text_protected;

extern u8 __pv_text_start[], __pv_text_end[], rodata_end[], ro_after_init_start[];
extern u64 boot_l1[];

static struct spinlock frame_lock;
static u32 frame_next[FRAMES_MAX];
static u16 frame_refs[FRAMES_MAX];
static u64 frame_word[FRAMES_MAX];
static u32 free_head;
static u32 free_count;
static pv_pfn_t low_page;
static u64 device_next = DEVICE_BASE;

static void frame_release(u64 nr)
{
	frame_next[nr] = free_head;
	free_head = (u32)nr;
	free_count++;
}

pv_pfn_t pv_port_alloc_page(void)
{
	pv_flags_t flags = spin_lock(&frame_lock);
	u32 nr = free_head;

	if (nr) {
		free_head = frame_next[nr];
		free_count--;
		frame_refs[nr] = 1;
	}
	spin_unlock(&frame_lock, flags);
	if (!nr)
		return PV_PFN_NONE;
	memset(pv_port_pfn_to_virt(pv_pfn(nr)), 0, PAGE);
	return pv_pfn(nr);
}

void pv_port_free_page(pv_pfn_t pfn)
{
	page_put(pfn);
}

u64 *pv_port_page_word(pv_pfn_t pfn)
{
	return pv_pfn_nr(pfn) < FRAMES_MAX ? &frame_word[pv_pfn_nr(pfn)] : NULL;
}

pv_pfn_t page_alloc(void)
{
	return pv_port_alloc_page();
}

void page_get(pv_pfn_t pfn)
{
	pv_flags_t flags = spin_lock(&frame_lock);

	frame_refs[pv_pfn_nr(pfn)]++;
	spin_unlock(&frame_lock, flags);
}

void page_put(pv_pfn_t pfn)
{
	pv_flags_t flags = spin_lock(&frame_lock);
	u64 nr = pv_pfn_nr(pfn);

	if (!frame_refs[nr])
		pv_port_panic("page freed twice");
	if (!--frame_refs[nr]) {
		if (frame_word[nr])
			pv_port_panic("page freed with its word in use");
		frame_release(nr);
	}
	spin_unlock(&frame_lock, flags);
}

u32 page_refs(pv_pfn_t pfn)
{
	return frame_refs[pv_pfn_nr(pfn)];
}

u32 pages_free(void)
{
	return free_count;
}

pv_pfn_t pv_port_low_page(void)
{
	return low_page;
}

void pv_port_user_root(u64 *root)
{
	(void)root;
}

/* The guest has no foreign frames: no device memory, no other domain's pages. */
u64 pv_port_foreign_pfn(u64 mfn)
{
	(void)mfn;
	return ~0ULL;
}

u64 pv_port_foreign_mfn(u64 pfn)
{
	(void)pfn;
	return ~0ULL;
}

pv_pfn_t pv_port_kernel_root(void)
{
	return boot_info.root;
}

static u32 index_of(u64 va, u32 level)
{
	return va >> (12 + 9 * (level - 1)) & 511;
}

static pv_pfn_t frame_of(u64 val)
{
	return pv_pfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT);
}

static u64 table_entry(pv_pfn_t pfn)
{
	return pv_pfn_nr(pfn) << PV_PAGE_SHIFT | PTE_TABLE;
}

/* Returns the entry for @va; with @create, makes missing tables. */
pv_pte_t *vm_walk(pv_pfn_t root, u64 va, bool create, struct mm *mm)
{
	pv_p4d_t *p4dp = (pv_p4d_t *)pv_port_pfn_to_virt(root) + index_of(va, 4);
	pv_pud_t *pudp;
	pv_pmd_t *pmdp;
	pv_pfn_t pfn;
	u64 val;

	val = pv_p4d_val(*p4dp);
	if (!(val & PV_PTE_PRESENT)) {
		if (!create)
			return NULL;
		pfn = pv_alloc_pud();
		if (pfn == PV_PFN_NONE)
			return NULL;
		val = table_entry(pfn);
		pv_set_p4d(p4dp, pv_make_p4d(val));
		/* A queued entry cannot be read back, but the walk continues below it. */
		pv_batch_flush();
		mm->tables++;
	}
	pudp = (pv_pud_t *)pv_port_pfn_to_virt(frame_of(val)) + index_of(va, 3);
	val = pv_pud_val(*pudp);
	if (!(val & PV_PTE_PRESENT)) {
		if (!create)
			return NULL;
		pfn = pv_alloc_pmd();
		if (pfn == PV_PFN_NONE)
			return NULL;
		val = table_entry(pfn);
		pv_set_pud(pudp, pv_make_pud(val));
		pv_batch_flush();
		mm->tables++;
	}
	pmdp = (pv_pmd_t *)pv_port_pfn_to_virt(frame_of(val)) + index_of(va, 2);
	val = pv_pmd_val(*pmdp);
	if (!(val & PV_PTE_PRESENT)) {
		if (!create)
			return NULL;
		pfn = pv_alloc_pte();
		if (pfn == PV_PFN_NONE)
			return NULL;
		val = table_entry(pfn);
		pv_set_pmd(pmdp, pv_make_pmd(val));
		pv_batch_flush();
		mm->tables++;
	}
	return (pv_pte_t *)pv_port_pfn_to_virt(frame_of(val)) + index_of(va, 1);
}

pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn)
{
	return vm_walk(boot_info.root, (unsigned long)pv_port_pfn_to_virt(pfn), false, NULL);
}

pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va)
{
	if (index >= FIXMAP_COUNT)
		return NULL;
	*va = FIXMAP_BASE + index * PAGE;
	return vm_walk(boot_info.root, *va, false, NULL);
}

void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags)
{
	u64 va = device_next, at = pv_maddr_nr(maddr) & ~(PAGE - 1);
	u64 count = ((pv_maddr_nr(maddr) & (PAGE - 1)) + bytes + PAGE - 1) / PAGE;
	u64 i;

	for (i = 0; i < count; i++) {
		pv_pte_t *ptep = vm_walk(boot_info.root, va + i * PAGE, true, &kernel_mm);

		if (!ptep) {
			pv_port_log("map of 0x%lx: out of memory", (unsigned long)at);
			return NULL;
		}
		/* A device frame is a machine frame, so the entry is not converted. */
		pv_set_pte(ptep, (__force pv_pte_t)((at + i * PAGE) | flags | PV_PTE_PRESENT |
						    PV_PTE_ACCESSED | PV_PTE_DIRTY));
	}
	device_next += count * PAGE;
	return (void *)(va + (pv_maddr_nr(maddr) & (PAGE - 1)));
}

/* A hypervisor's code, in pages that were data. */
static u64 code_start, code_end;

/* Changes the boot tables, before any op works; they map all memory executable. */
static void boot_writable(u64 start, u64 end, bool writable)
{
	u64 va;

	for (va = start; va < end; va += PAGE) {
		u64 *entry = boot_l1 + ((va - KERNEL_BASE) >> PV_PAGE_SHIFT);

		*entry = writable ? *entry | PV_PTE_RW : *entry & ~PV_PTE_RW;
		pv_native_flush_tlb_one(va);
	}
}

bool pv_port_code_area(const void *start, size_t bytes)
{
	boot_writable(code_start, code_end, true);
	code_start = (unsigned long)start;
	code_end = code_start + bytes;
	boot_writable(code_start, code_end, false);
	return true;
}

static u64 kernel_flags(u64 pfn)
{
	u64 va = KERNEL_BASE + (pfn << PV_PAGE_SHIFT);
	u64 flags = PV_PTE_PRESENT | PV_PTE_ACCESSED | PV_PTE_DIRTY;

	if (va >= (unsigned long)__pv_text_start && va < (unsigned long)__pv_text_end)
		return flags;
	if (va >= (unsigned long)__pv_text_end && va < (unsigned long)rodata_end)
		return flags | PV_PTE_NX;
	return flags | PV_PTE_RW | PV_PTE_NX;
}

/* Extends the linear map beyond the boot tables, by one table. */
static void extend(u64 first)
{
	struct mm none = { PV_PFN_NONE, 0, 0 };
	pv_pte_t *ptep = vm_walk(boot_info.root, KERNEL_BASE + (first << PV_PAGE_SHIFT),
				 true, &none);
	u32 i;

	if (!ptep)
		pv_port_panic("no memory for the linear map");
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < PV_TABLE_ENTRIES && first + i < boot_info.memory_end; i++)
		pv_set_pte(ptep + i, pv_make_pte((first + i) << PV_PAGE_SHIFT |
						 kernel_flags(first + i)));
	pv_batch_leave(PV_BATCH_MMU);
	for (i = 0; i < PV_TABLE_ENTRIES && first + i < boot_info.memory_end; i++)
		frame_release(first + i);
}

void vm_setup(void)
{
	u64 nr, mapped = boot_info.mapped_end;
	u64 va;

	kernel_mm.root = boot_info.root;
	for (nr = mapped; nr-- > boot_info.first_free;)
		frame_release(nr);
	/* A page below the image, for start-up code of a bare machine's CPUs. */
	low_page = pv_pfn(0x8);
	for (nr = mapped; nr < boot_info.memory_end; nr += PV_TABLE_ENTRIES)
		extend(nr);
	/* The tables of the fixed addresses are made before any address space. */
	for (va = FIXMAP_BASE; va < FIXMAP_BASE + (2UL << 20); va += 2UL << 20)
		if (!vm_walk(boot_info.root, va, true, &kernel_mm))
			pv_port_panic("no memory for fixed addresses");
}

static void protect_range(u64 start, u64 end, u64 flags)
{
	u64 va;

	pv_batch_enter(PV_BATCH_MMU);
	for (va = start; va < end; va += PAGE) {
		pv_pte_t *ptep = vm_walk(boot_info.root, va, false, NULL);

		pv_set_pte(ptep, pv_make_pte((va - KERNEL_BASE) | flags));
	}
	pv_batch_leave(PV_BATCH_MMU);
	pv_flush_tlb_kernel();
}

void vm_text_writable(bool writable)
{
	u64 flags = PV_PTE_PRESENT | PV_PTE_ACCESSED | PV_PTE_DIRTY;

	protect_range((unsigned long)__pv_text_start, (unsigned long)__pv_text_end,
		      writable ? flags | PV_PTE_RW : flags);
}

void vm_ro_after_init_writable(bool writable)
{
	u64 flags = PV_PTE_PRESENT | PV_PTE_ACCESSED | PV_PTE_DIRTY | PV_PTE_NX;

	protect_range((unsigned long)ro_after_init_start, (unsigned long)rodata_end,
		      writable ? flags | PV_PTE_RW : flags);
}

/* Makes memory of the boot tables not executable; page tables in it stay read-only. */
static void not_executable(u64 start, u64 end)
{
	u64 va;

	pv_batch_enter(PV_BATCH_MMU);
	for (va = start; va < end; va += PAGE) {
		pv_pte_t *ptep = vm_walk(boot_info.root, va, false, NULL);
		u64 val = ptep ? pv_pte_val(*ptep) : 0;

		if ((val & PV_PTE_PRESENT) && (va < code_start || va >= code_end))
			pv_set_pte(ptep, pv_make_pte(val | PV_PTE_NX));
	}
	pv_batch_leave(PV_BATCH_MMU);
}

/* Makes text and read-only data not writable, and data not executable. */
void vm_protect_kernel(void)
{
	u64 flags = PV_PTE_PRESENT | PV_PTE_ACCESSED | PV_PTE_DIRTY;

	not_executable(KERNEL_BASE, (unsigned long)__pv_text_start);
	not_executable((unsigned long)rodata_end,
		       KERNEL_BASE + (boot_info.mapped_end << PV_PAGE_SHIFT));

	vm_text_writable(false);
	protect_range((unsigned long)__pv_text_end, (unsigned long)rodata_end,
		      flags | PV_PTE_NX);
	vm_text_protected = true;
}

bool mm_create(struct mm *mm)
{
	mm->pages = 0;
	mm->tables = 0;
	mm->root = pv_pgd_alloc();
	if (mm->root == PV_PFN_NONE)
		return false;
	pv_pgd_activate(mm->root);
	return true;
}

static u64 user_flags(bool writable)
{
	return PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_ACCESSED |
	       (writable ? PV_PTE_RW | PV_PTE_DIRTY : 0);
}

static bool is_current(const struct mm *mm)
{
	return pv_read_cr3() >> PV_PAGE_SHIFT == pv_pfn_nr(mm->root);
}

static void flush(const struct mm *mm, u64 va, u32 count)
{
	if (!is_current(mm))
		return;
	preempt_disable();
	if (count == 1)
		pv_flush_tlb_one(va);
	else
		pv_flush_tlb_user();
	preempt_enable();
}

bool mm_map(struct mm *mm, u64 va, u32 count, bool writable)
{
	bool done = true;
	u32 i;

	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < count; i++) {
		pv_pte_t *ptep = vm_walk(mm->root, va + i * PAGE, true, mm);
		pv_pfn_t pfn = ptep ? page_alloc() : PV_PFN_NONE;

		if (pfn == PV_PFN_NONE) {
			done = false;
			break;
		}
		pv_set_pte(ptep, pv_make_pte(pv_pfn_nr(pfn) << PV_PAGE_SHIFT |
					     user_flags(writable)));
		mm->pages++;
	}
	pv_batch_leave(PV_BATCH_MMU);
	return done;
}

/* Frees frames only when no table and no TLB refers to them any more. */
void mm_unmap(struct mm *mm, u64 va, u32 count)
{
	static u32 scratch[PV_MAX_CPUS][512];
	u32 *gone = scratch[pv_port_this_cpu()];

	while (count) {
		u32 chunk = count < 512 ? count : 512, n = 0, i;

		pv_batch_enter(PV_BATCH_MMU);
		for (i = 0; i < chunk; i++) {
			pv_pte_t *ptep = vm_walk(mm->root, va + i * PAGE, false, mm);
			u64 val = ptep ? pv_pte_val(*ptep) : 0;

			if (!(val & PV_PTE_PRESENT))
				continue;
			gone[n++] = (u32)pv_pfn_nr(frame_of(val));
			pv_set_pte(ptep, pv_make_pte(0));
		}
		pv_batch_leave(PV_BATCH_MMU);
		flush(mm, va, chunk);
		for (i = 0; i < n; i++)
			page_put(pv_pfn(gone[i]));
		mm->pages -= n;
		va += chunk * PAGE;
		count -= chunk;
	}
}

/* A page that is shared since a fork becomes writable by a copy. */
void mm_protect(struct mm *mm, u64 va, u32 count, bool writable)
{
	u32 i;

	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < count; i++) {
		pv_pte_t *ptep = vm_walk(mm->root, va + i * PAGE, false, mm);
		pv_pte_t pte;
		u64 val;

		if (!ptep || !(pv_pte_val(*ptep) & PV_PTE_PRESENT))
			continue;
		pte = pv_ptep_modify_prot_start(ptep);
		val = pv_pte_val(pte) & ~(PV_PTE_RW | PTE_COW);
		if (writable)
			val |= page_refs(frame_of(val)) > 1 ? PTE_COW : PV_PTE_RW;
		pv_ptep_modify_prot_commit(ptep, pv_make_pte(val));
	}
	pv_batch_leave(PV_BATCH_MMU);
	flush(mm, va, count);
}

static bool copy_table(struct mm *to, struct mm *from, pv_pfn_t pte_table, u64 base)
{
	pv_pte_t *ptes = pv_port_pfn_to_virt(pte_table);
	u32 i;

	for (i = 0; i < PV_TABLE_ENTRIES; i++) {
		u64 val = pv_pte_val(ptes[i]);
		pv_pte_t *ptep;

		if (!(val & PV_PTE_PRESENT))
			continue;
		ptep = vm_walk(to->root, base + i * PAGE, true, to);
		if (!ptep)
			return false;
		if (val & PV_PTE_RW) {
			val = (val & ~PV_PTE_RW) | PTE_COW;
			pv_set_pte(&ptes[i], pv_make_pte(val));
		}
		pv_set_pte(ptep, pv_make_pte(val));
		page_get(frame_of(val));
		to->pages++;
	}
	(void)from;
	return true;
}

/* Calls @fn for each level-1 table of the user half, with its frame and first address. */
static bool each_table(struct mm *mm, bool (*fn)(struct mm *to, struct mm *from, pv_pfn_t table,
						 u64 base), struct mm *to)
{
	pv_p4d_t *p4ds = pv_port_pfn_to_virt(mm->root);
	u64 i4, i3, i2;

	for (i4 = 0; i4 < PV_TABLE_ENTRIES / 2; i4++) {
		u64 val = pv_p4d_val(p4ds[i4]);
		pv_pud_t *puds = pv_port_pfn_to_virt(frame_of(val));

		if (!(val & PV_PTE_PRESENT))
			continue;
		for (i3 = 0; i3 < PV_TABLE_ENTRIES; i3++) {
			pv_pmd_t *pmds;

			val = pv_pud_val(puds[i3]);
			if (!(val & PV_PTE_PRESENT))
				continue;
			pmds = pv_port_pfn_to_virt(frame_of(val));
			for (i2 = 0; i2 < PV_TABLE_ENTRIES; i2++) {
				val = pv_pmd_val(pmds[i2]);
				if ((val & PV_PTE_PRESENT) &&
				    !fn(to, mm, frame_of(val), i4 << 39 | i3 << 30 | i2 << 21))
					return false;
			}
		}
	}
	return true;
}

bool mm_copy(struct mm *to, struct mm *from)
{
	bool done;

	if (!mm_create(to))
		return false;
	pv_batch_enter(PV_BATCH_MMU);
	done = each_table(from, copy_table, to);
	pv_batch_leave(PV_BATCH_MMU);
	/* The parent's pages became read-only, too. */
	flush(from, 0, 2);
	return done;
}

#define GONE_PAGES	8192
#define GONE_TABLES	64

/*
 * One per CPU, which destroys one address space at a time.  Of the tasks only the test
 * runner moves, so it may go on with that of another CPU.
 */
struct gone {
	u32 tables[3][GONE_TABLES];
	u32 pages[GONE_PAGES];
	u32 page_count;
};

static struct gone scratch[PV_MAX_CPUS];

static bool gather_pages(struct mm *to, struct mm *from, pv_pfn_t table, u64 base)
{
	struct gone *gone = &scratch[pv_port_this_cpu()];
	pv_pte_t *ptes = pv_port_pfn_to_virt(table);
	u32 i;

	(void)to;
	(void)from;
	(void)base;
	for (i = 0; i < PV_TABLE_ENTRIES; i++) {
		u64 val = pv_pte_val(ptes[i]);

		if (!(val & PV_PTE_PRESENT))
			continue;
		if (gone->page_count == GONE_PAGES)
			pv_port_panic("address space too large to tear down");
		gone->pages[gone->page_count++] = (u32)pv_pfn_nr(frame_of(val));
	}
	return true;
}

/* Frees the tree from the top down; a frame is free when no table refers to it. */
void mm_destroy(struct mm *mm)
{
	u32 (*tables)[GONE_TABLES];
	u32 count[3] = { 0, 0, 0 };
	pv_p4d_t *p4ds = pv_port_pfn_to_virt(mm->root);
	struct gone *gone;
	u32 i, n;

	preempt_disable();
	gone = &scratch[pv_port_this_cpu()];
	tables = gone->tables;
	gone->page_count = 0;
	each_table(mm, gather_pages, NULL);
	preempt_enable();
	for (i = 0; i < PV_TABLE_ENTRIES / 2; i++) {
		u64 val = pv_p4d_val(p4ds[i]);

		if (val & PV_PTE_PRESENT)
			tables[0][count[0]++] = (u32)pv_pfn_nr(frame_of(val));
	}
	for (n = 0; n < count[0]; n++) {
		pv_pud_t *puds = pv_port_pfn_to_virt(pv_pfn(tables[0][n]));

		for (i = 0; i < PV_TABLE_ENTRIES; i++) {
			u64 val = pv_pud_val(puds[i]);

			if (val & PV_PTE_PRESENT)
				tables[1][count[1]++] = (u32)pv_pfn_nr(frame_of(val));
		}
	}
	for (n = 0; n < count[1]; n++) {
		pv_pmd_t *pmds = pv_port_pfn_to_virt(pv_pfn(tables[1][n]));

		for (i = 0; i < PV_TABLE_ENTRIES; i++) {
			u64 val = pv_pmd_val(pmds[i]);

			if (!(val & PV_PTE_PRESENT))
				continue;
			if (count[2] == GONE_TABLES)
				pv_port_panic("address space has too many tables");
			tables[2][count[2]++] = (u32)pv_pfn_nr(frame_of(val));
		}
	}

	pv_pgd_free(mm->root);
	for (n = 0; n < count[0]; n++)
		pv_release_pud(pv_pfn(tables[0][n]));
	for (n = 0; n < count[1]; n++)
		pv_release_pmd(pv_pfn(tables[1][n]));
	for (n = 0; n < count[2]; n++)
		pv_release_pte(pv_pfn(tables[2][n]));
	for (i = 0; i < gone->page_count; i++)
		page_put(pv_pfn(gone->pages[i]));
	mm->pages = 0;
	mm->tables = 0;
	mm->root = PV_PFN_NONE;
}

/* Handles copy on write; returns false for any other fault. */
bool mm_fault(struct mm *mm, u64 va, u64 error)
{
	pv_pte_t *ptep = vm_walk(mm->root, va, false, mm);
	u64 val = ptep ? pv_pte_val(*ptep) : 0;
	pv_pfn_t old = frame_of(val), copy;

	if (!(error & 2) || !(val & PV_PTE_PRESENT) || !(val & PTE_COW))
		return false;
	va &= ~(PAGE - 1);
	val = (val & ~(PTE_COW | PV_FRAME_MASK)) | PV_PTE_RW | PV_PTE_DIRTY;
	if (page_refs(old) == 1) {
		pv_set_pte(ptep, pv_make_pte(val | pv_pfn_nr(old) << PV_PAGE_SHIFT));
		flush(mm, va, 1);
		return true;
	}
	copy = page_alloc();
	if (copy == PV_PFN_NONE)
		return false;
	memcpy(pv_port_pfn_to_virt(copy), pv_port_pfn_to_virt(old), PAGE);
	pv_set_pte(ptep, pv_make_pte(val | pv_pfn_nr(copy) << PV_PAGE_SHIFT));
	flush(mm, va, 1);
	page_put(old);
	return true;
}

bool mm_copy_in(struct mm *mm, u64 va, const void *from, size_t bytes)
{
	const u8 *at = from;

	while (bytes) {
		pv_pte_t *ptep = vm_walk(mm->root, va, false, mm);
		u64 val = ptep ? pv_pte_val(*ptep) : 0;
		size_t chunk = PAGE - (va & (PAGE - 1));

		if (!(val & PV_PTE_PRESENT))
			return false;
		if (chunk > bytes)
			chunk = bytes;
		memcpy((u8 *)pv_port_pfn_to_virt(frame_of(val)) + (va & (PAGE - 1)), at, chunk);
		va += chunk;
		at += chunk;
		bytes -= chunk;
	}
	return true;
}
