// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Table pages: pinned, read-only, and kept for reuse while they are empty.
 *
 * Xen validates all 512 entries of a table when it is pinned, and again when it is
 * unpinned (README.md, "Measured").  So a released table is emptied, if that is cheaper,
 * and used again with its pin.  A root is a pair: the kernel root, and the user root with
 * the same user half.
 */
#include "internal.h"

/* Most tables kept per level; table_cache() lowers the bound. */
#define CACHE_MAX	64

/*
 * A table with more entries than this is unpinned and given back, not emptied and kept.
 * Cost for n entries at level 1: 470 + 461 n to empty it, 22,000 + 145 n to unpin it, map
 * it and pin it again; equal at n = 68.  At levels 2 and 3: 330 + 1,152 n and 44,400 +
 * 111 n; equal at 42.  Roots have few entries and are always emptied.
 */
static const u32 clear_max[] = { 64, 40, 40 };

#define ROOT_LEVEL	4

/*
 * Most tables that a full cache gives back at once, with one TLB flush for all.  The
 * stack frame has room for as many (port.h, PV_STACK_FRAME).
 */
#define GIVE_MAX	4

struct table_cache {
	pv_pfn_t pfn[CACHE_MAX];
	u32 count;
};

/* Levels 1 to 4; a pair of roots is kept by its kernel root. */
static struct table_cache caches[ROOT_LEVEL];
static u32 bound = CACHE_MAX;
static struct pvxen_lock cache_lock;

/*
 * The user root of each root: a hash table by PFN, whose records are in port pages
 * that are never freed.
 */
struct root_pair {
	pv_pfn_t kernel;
	pv_pfn_t user;
	struct root_pair *next;
};

#define BUCKETS		256

static struct root_pair *bucket[BUCKETS];
static struct root_pair *free_pairs;
static struct pvxen_lock pair_lock;

static struct root_pair **bucket_of(pv_pfn_t pfn)
{
	return &bucket[pv_pfn_nr(pfn) % BUCKETS];
}

bool pvxen_user_root_pfn(pv_pfn_t root, pv_pfn_t *user)
{
	pv_flags_t flags = pvxen_lock(&pair_lock);
	const struct root_pair *pair = *bucket_of(root);

	while (pair && pair->kernel != root)
		pair = pair->next;
	if (pair)
		*user = pair->user;
	pvxen_unlock(&pair_lock, flags);
	return pair;
}

pv_mfn_t pvxen_user_root(pv_pfn_t root)
{
	pv_pfn_t user;

	return pvxen_user_root_pfn(root, &user) ? pvxen_mfn(user) : pv_mfn(0);
}

static bool more_pairs(void)
{
	pv_pfn_t pfn = pv_port_alloc_page();
	struct root_pair *pair;
	pv_flags_t flags;
	u32 i;

	if (pfn == PV_PFN_NONE)
		return false;
	pair = pv_port_pfn_to_virt(pfn);
	flags = pvxen_lock(&pair_lock);
	for (i = 0; i < PV_PAGE_SIZE / sizeof(*pair); i++) {
		pair[i].next = free_pairs;
		free_pairs = &pair[i];
	}
	pvxen_unlock(&pair_lock, flags);
	return true;
}

static bool add_pair(pv_pfn_t kernel, pv_pfn_t user)
{
	struct root_pair *pair;
	pv_flags_t flags;

	do {
		flags = pvxen_lock(&pair_lock);
		pair = free_pairs;
		if (pair) {
			free_pairs = pair->next;
			pair->kernel = kernel;
			pair->user = user;
			pair->next = *bucket_of(kernel);
			*bucket_of(kernel) = pair;
		}
		pvxen_unlock(&pair_lock, flags);
	} while (!pair && more_pairs());
	return pair;
}

static void remove_pair(pv_pfn_t kernel)
{
	pv_flags_t flags = pvxen_lock(&pair_lock);
	struct root_pair **at = bucket_of(kernel);

	while (*at && (*at)->kernel != kernel)
		at = &(*at)->next;
	if (*at) {
		struct root_pair *pair = *at;

		*at = pair->next;
		pair->next = free_pairs;
		free_pairs = pair;
	}
	pvxen_unlock(&pair_lock, flags);
}

/* The linear map's entry for a page, with another writable bit. */
u64 pvxen_linear_entry(pv_pfn_t pfn, bool writable)
{
	pv_pte_t *ptep = pv_port_linear_pte(pfn);
	u64 flags = PV_PTE_PRESENT | PV_PTE_ACCESSED | PV_PTE_DIRTY;

	if (ptep)
		flags = (__force u64)*(volatile pv_pte_t *)ptep & ~PV_FRAME_MASK;
	flags = writable ? flags | PV_PTE_RW : flags & ~PV_PTE_RW;
	return pv_maddr_nr(pv_mfn_to_maddr(pvxen_mfn(pfn))) | flags;
}

/* A stale read-only TLB entry would fault later, on any CPU. */
static unsigned long linear_flags(bool writable)
{
	return writable ? UVMF_INVLPG | UVMF_ALL : UVMF_NONE;
}

long pvxen_set_linear(enum pv_op op, unsigned long caller, pv_pfn_t pfn, bool writable)
{
	u64 va = (unsigned long)pv_port_pfn_to_virt(pfn);
	u64 val = pvxen_linear_entry(pfn, writable);

	return pvxen_check(pvxen_call3(__HYPERVISOR_update_va_mapping, va, val,
				       linear_flags(writable)), op, caller, va, val);
}

static void linear_entry(struct multicall_entry *entry, pv_pfn_t pfn, bool writable)
{
	pvxen_mc_entry(entry, __HYPERVISOR_update_va_mapping,
		     (unsigned long)pv_port_pfn_to_virt(pfn),
		     pvxen_linear_entry(pfn, writable), linear_flags(writable), 0);
}

/*
 * A pin or unpin cannot be repeated, so Xen reports how much of the list it has done.
 */
static void pin_entry(struct multicall_entry *entry, const struct mmuext_op *ext, u32 count,
		      u32 *done)
{
	*done = 0;
	pvxen_mc_entry(entry, __HYPERVISOR_mmuext_op, (unsigned long)ext, count,
		     count > 1 ? (unsigned long)done : 0, DOMID_SELF);
	/* For the retry (multicall.c). */
	entry->args[4] = (unsigned long)ext;
	entry->args[5] = count;
}

/* Makes pages read-only and pins them, in one hypercall; returns true if all succeed. */
static bool pin(enum pv_op op, unsigned long caller, const pv_pfn_t *pfn, u32 count, u32 level)
{
	struct multicall_entry entry[3];
	struct mmuext_op ext[2];
	u32 i, done;

	for (i = 0; i < count; i++) {
		linear_entry(&entry[i], pfn[i], false);
		ext[i] = pvxen_mmuext_mfn(MMUEXT_PIN_L1_TABLE + level - 1, pvxen_mfn(pfn[i]));
	}
	pin_entry(&entry[count], ext, count, &done);
	return !pvxen_multicall(op, caller, entry, count + 1);
}

/*
 * Unpin pages, make them writable and return them to the kernel.  A page that Xen still
 * takes for a table is not used again.
 */
static __attribute__((__noinline__)) void give_back_one(enum pv_op op, unsigned long caller,
							pv_pfn_t pfn)
{
	struct mmuext_op ext = pvxen_mmuext_mfn(MMUEXT_UNPIN_TABLE, pvxen_mfn(pfn));
	struct multicall_entry entry[2];
	u32 done;

	pin_entry(&entry[0], &ext, 1, &done);
	linear_entry(&entry[1], pfn, true);
	pvxen_multicall(op, caller, entry, 2);
	if ((long)entry[0].result >= 0 && (long)entry[1].result >= 0)
		pv_port_free_page(pfn);
	else
		pv_port_log("pvops: xen: table page 0x%llx is never used again: Xen does not release it",
			    (unsigned long long)pv_pfn_nr(pfn));
}

/* The same for several pages.  Pages with a refusal are given back again one by one. */
static __attribute__((__noinline__)) void give_back(enum pv_op op, unsigned long caller,
						    const pv_pfn_t *pfn, u32 count)
{
	struct mmuext_op ext[GIVE_MAX], flush = { .cmd = MMUEXT_TLB_FLUSH_ALL };
	struct multicall_entry entry[GIVE_MAX + 1];
	u32 i, done;

	for (i = 0; i < count; i++) {
		ext[i] = pvxen_mmuext_mfn(MMUEXT_UNPIN_TABLE, pvxen_mfn(pfn[i]));
		linear_entry(&entry[i + 1], pfn[i], true);
		entry[i + 1].args[2] = i == count - 1 ? UVMF_TLB_FLUSH | UVMF_ALL : UVMF_NONE;
	}
	pin_entry(&entry[0], ext, count, &done);
	pvxen_multicall(op, caller, entry, count + 1);
	/* The last entry contains the TLB flush. */
	if ((long)entry[count].result < 0)
		pvxen_check(pvxen_mmuext(&flush, 1), op, caller, 0, 0);
	for (i = 0; i < count; i++) {
		if ((long)entry[0].result >= 0 && (long)entry[i + 1].result >= 0)
			pv_port_free_page(pfn[i]);
		else
			give_back_one(op, caller, pfn[i]);
	}
}

static void free_pair(enum pv_op op, unsigned long caller, pv_pfn_t root)
{
	pv_pfn_t pair[2] = { root, PV_PFN_NONE };

	if (!pvxen_user_root_pfn(root, &pair[1]))
		return;
	remove_pair(root);
	give_back(op, caller, pair, 2);
}

static pv_pfn_t take(u32 level)
{
	struct table_cache *cache = &caches[level - 1];
	pv_pfn_t pfn = PV_PFN_NONE;
	pv_flags_t flags;

	if (!cache->count)
		return pfn;
	flags = pvxen_lock(&cache_lock);
	if (cache->count)
		pfn = cache->pfn[--cache->count];
	pvxen_unlock(&cache_lock, flags);
	return pfn;
}

/* Gives tables back, several at a time, until @left remain.  Returns their number. */
static u32 give_all_but(enum pv_op op, unsigned long caller, u32 level, u32 left, u32 most)
{
	struct table_cache *cache = &caches[level - 1];
	pv_pfn_t pfn[GIVE_MAX];
	u32 count, given = 0;

	do {
		pv_flags_t flags = pvxen_lock(&cache_lock);

		for (count = 0; count < GIVE_MAX && given < most && cache->count > left; given++)
			pfn[count++] = cache->pfn[--cache->count];
		pvxen_unlock(&cache_lock, flags);
		if (count == 1)
			give_back_one(op, caller, pfn[0]);
		else if (count)
			give_back(op, caller, pfn, count);
	} while (count == GIVE_MAX);
	return given;
}

/* Keeps a table in the cache.  A full cache first gives some tables back. */
static bool keep(enum pv_op op, unsigned long caller, u32 level, pv_pfn_t pfn)
{
	struct table_cache *cache = &caches[level - 1];
	pv_flags_t flags;
	bool room;

	/* Not for roots, which are two pages each, and few. */
	if (cache->count >= bound && level != ROOT_LEVEL)
		give_all_but(op, caller, level, 0, GIVE_MAX);
	flags = pvxen_lock(&cache_lock);
	room = cache->count < bound;
	if (room)
		cache->pfn[cache->count++] = pfn;
	pvxen_unlock(&cache_lock, flags);
	return room;
}

static u32 count_entries(pv_pfn_t pfn, u32 first, u32 end)
{
	const u64 *table = pv_port_pfn_to_virt(pfn);
	u32 i, j, count = 0;

	/* Eight at a time, because most are empty. */
	for (i = first; i < end; i += 8) {
		const u64 *e = table + i;

		if (!(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]))
			continue;
		for (j = 0; j < 8; j++)
			count += !!e[j];
	}
	return count;
}

static void clear_entries(enum pv_op op, unsigned long caller, pv_pfn_t pfn, u32 end)
{
	const u64 *table = pv_port_pfn_to_virt(pfn);
	u64 maddr = pv_maddr_nr(pv_mfn_to_maddr(pvxen_mfn(pfn)));
	u32 i;

	for (i = 0; i < end; i++)
		if (table[i])
			pv_batch_append(op, caller, maddr + i * 8UL, 0);
}

static pv_pfn_t alloc_table(enum pv_op op, unsigned long caller, u32 level)
{
	pv_pfn_t pfn = take(level);

	if (pfn != PV_PFN_NONE)
		return pfn;
	pfn = pv_port_alloc_page();
	if (pfn == PV_PFN_NONE)
		return pfn;
	if (pin(op, caller, &pfn, 1, level))
		return pfn;
	give_back_one(op, caller, pfn);
	return PV_PFN_NONE;
}

static void release_table(enum pv_op op, unsigned long caller, pv_pfn_t pfn, u32 level)
{
	u32 used;

	pv_batch_drain();
	used = count_entries(pfn, 0, PV_TABLE_ENTRIES);
	if (used <= clear_max[level - 1] && bound) {
		if (used) {
			pv_batch_begin(PV_BATCH_MMU);
			clear_entries(op, caller, pfn, PV_TABLE_ENTRIES);
			pv_batch_end(PV_BATCH_MMU);
			pv_batch_drain();
			used = count_entries(pfn, 0, PV_TABLE_ENTRIES);
		}
		if (!used && keep(op, caller, level, pfn))
			return;
	}
	give_back_one(op, caller, pfn);
}

pv_pfn_t pvxen_alloc_pte(void)
{
	return alloc_table(PV_OP_alloc_pte, XEN_CALLER(), 1);
}

pv_pfn_t pvxen_alloc_pmd(void)
{
	return alloc_table(PV_OP_alloc_pmd, XEN_CALLER(), 2);
}

pv_pfn_t pvxen_alloc_pud(void)
{
	return alloc_table(PV_OP_alloc_pud, XEN_CALLER(), 3);
}

void pvxen_release_pte(pv_pfn_t pfn)
{
	release_table(PV_OP_release_pte, XEN_CALLER(), pfn, 1);
}

void pvxen_release_pmd(pv_pfn_t pfn)
{
	release_table(PV_OP_release_pmd, XEN_CALLER(), pfn, 2);
}

void pvxen_release_pud(pv_pfn_t pfn)
{
	release_table(PV_OP_release_pud, XEN_CALLER(), pfn, 3);
}

/* Xen's own root entries, which it fills in when it validates the table. */
#define XEN_SLOT_FIRST	256
#define XEN_SLOT_END	272

pv_pfn_t pvxen_pgd_alloc(void)
{
	const u64 *from = pv_port_pfn_to_virt(pv_port_kernel_root());
	pv_pfn_t root = take(ROOT_LEVEL);
	pv_pfn_t pair[2];
	u64 *to;
	u32 i;

	if (root != PV_PFN_NONE)
		return root;
	pair[0] = pv_port_alloc_page();
	if (pair[0] == PV_PFN_NONE)
		return PV_PFN_NONE;
	pair[1] = pv_port_alloc_page();
	if (pair[1] == PV_PFN_NONE)
		goto no_user;
	to = pv_port_pfn_to_virt(pair[0]);
	for (i = XEN_SLOT_END; i < PV_TABLE_ENTRIES; i++)
		to[i] = from[i];
	pv_port_user_root(pv_port_pfn_to_virt(pair[1]));
	if (!add_pair(pair[0], pair[1]))
		goto no_pair;
	if (pin(PV_OP_pgd_alloc, XEN_CALLER(), pair, 2, ROOT_LEVEL))
		return pair[0];
	free_pair(PV_OP_pgd_alloc, XEN_CALLER(), pair[0]);
	return PV_PFN_NONE;
no_pair:
	pv_port_free_page(pair[1]);
no_user:
	pv_port_free_page(pair[0]);
	return PV_PFN_NONE;
}

static u32 count_pair(pv_pfn_t kernel, pv_pfn_t user)
{
	return count_entries(kernel, 0, XEN_SLOT_FIRST) + count_entries(user, 0, XEN_SLOT_FIRST);
}

void pvxen_pgd_free(pv_pfn_t pfn)
{
	pv_pfn_t user;
	u32 used;

	pv_batch_drain();
	if (!pvxen_user_root_pfn(pfn, &user)) {
		pvxen_refused(PV_OP_pgd_free, XEN_CALLER(), pv_pfn_nr(pfn), 0, -XEN_ENOENT,
			      PV_BATCH_NOT_TRIED);
		return;
	}
	/* The kernel releases the tables below, which have their own pins. */
	used = count_pair(pfn, user);
	if (used) {
		pv_batch_begin(PV_BATCH_MMU);
		clear_entries(PV_OP_pgd_free, XEN_CALLER(), pfn, XEN_SLOT_FIRST);
		clear_entries(PV_OP_pgd_free, XEN_CALLER(), user, XEN_SLOT_FIRST);
		pv_batch_end(PV_BATCH_MMU);
		pv_batch_drain();
		used = count_pair(pfn, user);
	}
	if (used || !keep(PV_OP_pgd_free, XEN_CALLER(), ROOT_LEVEL, pfn))
		free_pair(PV_OP_pgd_free, XEN_CALLER(), pfn);
}

/* Both roots are pinned at allocation. */
void pvxen_pgd_activate(pv_pfn_t pfn)
{
	(void)pfn;
	pv_batch_drain();
}

void pvxen_forget_roots(void)
{
	pv_pfn_t pfn;

	while ((pfn = take(ROOT_LEVEL)) != PV_PFN_NONE)
		free_pair(PV_OP_set_p4d, XEN_CALLER(), pfn);
}

u32 pvxen_table_cache(u32 new_bound)
{
	u32 level, given = 0;

	pv_batch_drain();
	bound = new_bound < CACHE_MAX ? new_bound : CACHE_MAX;
	for (level = 1; level < ROOT_LEVEL; level++)
		given += give_all_but(PV_OP_table_cache, XEN_CALLER(), level, new_bound, ~0U);
	while (caches[ROOT_LEVEL - 1].count > new_bound) {
		pv_pfn_t pfn = take(ROOT_LEVEL);

		if (pfn == PV_PFN_NONE)
			break;
		free_pair(PV_OP_table_cache, XEN_CALLER(), pfn);
		given += 2;
	}
	return given;
}
