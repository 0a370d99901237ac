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

/*
 * Kept tables: a list of each CPU, and one that all CPUs share.  A pair of roots is kept by
 * its kernel root.  The lock of a CPU's list is free, except while table_cache() empties
 * the lists of all CPUs.
 */
#define KEPT_MAX	64

struct kept_tables {
	struct pvxen_lock lock;
	/* of the lists of all CPUs that have kept a table */
	struct kept_tables *next;
	bool listed;
	struct {
		u32 count;
		pv_pfn_t pfn[KEPT_MAX];
	} level[ROOT_LEVEL];
};

static PV_PERCPU_DEFINE(struct kept_tables, pvxen_kept);
static struct kept_tables shared, *all_kept;

/* As many go from a CPU's list to the shared one, and back, at once. */
#define MOVED_MAX	16
#define OWN_MAX		(2 * MOVED_MAX)

/* Most tables per level in a CPU's list, and in the shared one. */
static u32 own_bound = OWN_MAX, shared_bound = KEPT_MAX;

u64 pvxen_lock_waits(void)
{
	u64 waits = __atomic_load_n(&shared.lock.waits, __ATOMIC_RELAXED);
	const struct kept_tables *kept = __atomic_load_n(&all_kept, __ATOMIC_ACQUIRE);

	for (; kept; kept = kept->next)
		waits += __atomic_load_n(&kept->lock.waits, __ATOMIC_RELAXED);
	return waits;
}

/*
 * pv_port_page_word(): a root's has the address of its user root, and that of an unpinned
 * table this bit.
 */
#define UNPINNED	4ULL

u32 pvxen_unpinned_tables;

bool pvxen_is_unpinned(pv_pfn_t pfn)
{
	const u64 *word = pv_port_page_word(pfn);

	return word && *word & UNPINNED;
}

static void mark_unpinned(pv_pfn_t pfn)
{
	*pv_port_page_word(pfn) |= UNPINNED;
	__atomic_fetch_add(&pvxen_unpinned_tables, 1, __ATOMIC_RELAXED);
}

static void unmark_unpinned(pv_pfn_t pfn)
{
	*pv_port_page_word(pfn) = 0;
	__atomic_fetch_sub(&pvxen_unpinned_tables, 1, __ATOMIC_RELAXED);
}

/* No lock: a context switch reads it. */
bool pvxen_user_root_pfn(pv_pfn_t root, pv_pfn_t *user)
{
	const u64 *word = pv_port_page_word(root);

	if (!word || !*word || *word & UNPINNED)
		return false;
	*user = pv_pfn(*word >> PV_PAGE_SHIFT);
	return true;
}

pv_mfn_t pvxen_user_root(pv_pfn_t root)
{
	pv_pfn_t user;

	return pvxen_user_root_pfn(root, &user) ? pvxen_mfn(user) : pv_mfn(0);
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
	*pv_port_page_word(root) = 0;
	give_back(op, caller, pair, 2);
}

/* Moves tables to the end of another list.  The lists are locked. */
static void move_tables(struct kept_tables *from, struct kept_tables *to, u32 level, u32 bound)
{
	u32 *left = &from->level[level - 1].count, *count = &to->level[level - 1].count, moved;

	for (moved = 0; moved < MOVED_MAX && *left && *count < bound; moved++)
		to->level[level - 1].pfn[(*count)++] = from->level[level - 1].pfn[--*left];
}

static pv_pfn_t take(u32 level)
{
	pv_pfn_t pfn = PV_PFN_NONE;
	pv_flags_t flags = pvxen_save_fl();
	struct kept_tables *own;
	u32 *count;

	pvxen_irq_disable();
	own = PV_PERCPU_PTR(pvxen_kept);
	count = &own->level[level - 1].count;
	pvxen_lock_spin(&own->lock);
	if (!*count && shared.level[level - 1].count) {
		pvxen_lock_spin(&shared.lock);
		move_tables(&shared, own, level, own_bound);
		pvxen_unlock_spin(&shared.lock);
	}
	if (*count)
		pfn = own->level[level - 1].pfn[--*count];
	pvxen_unlock(&own->lock, flags);
	return pfn;
}

static u32 take_surplus(struct kept_tables *kept, u32 level, u32 left, pv_pfn_t *pfn, u32 most)
{
	pv_flags_t flags = pvxen_lock(&kept->lock);
	u32 *count = &kept->level[level - 1].count, taken;

	for (taken = 0; taken < most && *count > left; taken++)
		pfn[taken] = kept->level[level - 1].pfn[--*count];
	pvxen_unlock(&kept->lock, flags);
	return taken;
}

/* Keeps a table in the CPU's list, half of which goes to the shared list when it is full. */
static bool keep(u32 level, pv_pfn_t pfn)
{
	pv_flags_t flags = pvxen_save_fl();
	struct kept_tables *own;
	u32 *count;
	bool room;

	pvxen_irq_disable();
	own = PV_PERCPU_PTR(pvxen_kept);
	count = &own->level[level - 1].count;
	pvxen_lock_spin(&own->lock);
	if (*count >= own_bound || !own->listed) {
		pvxen_lock_spin(&shared.lock);
		if (!own->listed) {
			own->next = all_kept;
			__atomic_store_n(&all_kept, own, __ATOMIC_RELEASE);
			own->listed = true;
		}
		if (*count >= own_bound)
			move_tables(own, &shared, level, shared_bound);
		pvxen_unlock_spin(&shared.lock);
	}
	room = *count < own_bound;
	if (room)
		own->level[level - 1].pfn[(*count)++] = pfn;
	pvxen_unlock(&own->lock, flags);
	return room;
}

/* Both lists are full: gives some tables back, with one TLB flush for all, for the next. */
static void make_room(enum pv_op op, unsigned long caller, u32 level)
{
	pv_pfn_t pfn[GIVE_MAX];
	u32 count = take_surplus(&shared, level, 0, pfn, GIVE_MAX);

	if (count)
		give_back(op, caller, pfn, count);
}

/*
 * Unpinned tables are not read-only any more, but TLBs of other CPUs may say so until the
 * first of them is freed: one flush is enough for all that were unpinned before.
 */
static u32 unpins, flushed_unpins;

static void free_unpinned(enum pv_op op, unsigned long caller, pv_pfn_t pfn)
{
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_ALL };
	u32 now = __atomic_load_n(&unpins, __ATOMIC_ACQUIRE);

	if ((s32)(now - __atomic_load_n(&flushed_unpins, __ATOMIC_ACQUIRE)) > 0) {
		pvxen_check(pvxen_mmuext(&flush, 1), op, caller, 0, 0);
		/* Another CPU may write an older number: one more flush. */
		__atomic_store_n(&flushed_unpins, now, __ATOMIC_RELEASE);
	}
	unmark_unpinned(pfn);
	pv_port_free_page(pfn);
}

pv_pfn_t pvxen_alloc_unpinned(void)
{
	pv_pfn_t pfn = pv_port_alloc_page();

	if (pfn != PV_PFN_NONE)
		mark_unpinned(pfn);
	return pfn;
}

/*
 * Xen refuses a table with an entry that it refuses.  So the table is pinned empty, and
 * filled by updates, which report that entry.
 */
static __attribute__((__noinline__)) bool pin_empty(pv_pfn_t pfn, unsigned long caller)
{
	static u64 copy[PV_TABLE_ENTRIES];
	static struct pvxen_lock copy_lock;
	u64 *table = pv_port_pfn_to_virt(pfn), maddr;
	pv_flags_t flags;
	bool pinned, restored;
	u32 i;

	/* The first try has made it read-only. */
	if (pvxen_set_linear(PV_OP_pin_table, caller, pfn, true))
		return false;
	flags = pvxen_lock(&copy_lock);
	for (i = 0; i < PV_TABLE_ENTRIES; i++) {
		copy[i] = table[i];
		table[i] = 0;
	}
	pinned = pin(PV_OP_pin_table, caller, &pfn, 1, 1);
	maddr = pv_maddr_nr(pv_mfn_to_maddr(pvxen_mfn(pfn)));
	/* Else it is still read-only, and its entries are lost. */
	restored = pinned || !pvxen_set_linear(PV_OP_pin_table, caller, pfn, true);
	for (i = 0; restored && i < PV_TABLE_ENTRIES; i++) {
		if (!pinned)
			table[i] = copy[i];
		else if (copy[i])
			pv_batch_append(PV_OP_pin_table, caller, maddr + i * 8UL, copy[i]);
	}
	pvxen_unlock(&copy_lock, flags);
	return pinned;
}

/* The TLBs of other CPUs may let them write: Xen flushes what matters to it. */
u32 pvxen_pin_table(pv_pfn_t pfn)
{
	unsigned long caller = XEN_CALLER();

	pv_batch_drain();
	if (!pin(PV_OP_pin_table, caller, &pfn, 1, 1) && !pin_empty(pfn, caller)) {
		pv_port_log("pvops: xen: page 0x%llx does not become a table: Xen does not pin it",
			    (unsigned long long)pv_pfn_nr(pfn));
		return 0;
	}
	unmark_unpinned(pfn);
	return 1;
}

u32 pvxen_unpin_table(pv_pfn_t pfn, u32 level)
{
	struct multicall_entry entry[3];
	pv_pfn_t table[2] = { pfn };
	struct mmuext_op ext[2];
	u32 i, done, count = 1;

	pv_batch_drain();
	if (level == ROOT_LEVEL && pvxen_user_root_pfn(pfn, &table[1]))
		count = 2;
	for (i = 0; i < count; i++) {
		ext[i] = pvxen_mmuext_mfn(MMUEXT_UNPIN_TABLE, pvxen_mfn(table[i]));
		linear_entry(&entry[i + 1], table[i], true);
		entry[i + 1].args[2] = UVMF_INVLPG | UVMF_LOCAL;
	}
	pin_entry(&entry[0], ext, count, &done);
	if (pvxen_multicall(PV_OP_unpin_table, XEN_CALLER(), entry, count + 1)) {
		pin(PV_OP_unpin_table, XEN_CALLER(), table, count, level);
		return 0;
	}
	mark_unpinned(pfn);
	__atomic_fetch_add(&unpins, 1, __ATOMIC_ACQ_REL);
	return 1;
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
	if (pvxen_is_unpinned(pfn)) {
		free_unpinned(op, caller, pfn);
		return;
	}
	used = count_entries(pfn, 0, PV_TABLE_ENTRIES);
	if (used <= clear_max[level - 1] && own_bound) {
		if (used) {
			pv_batch_begin(PV_BATCH_MMU);
			clear_entries(op, caller, pfn, PV_TABLE_ENTRIES);
			pv_batch_end(PV_BATCH_MMU);
			pv_batch_drain();
			used = count_entries(pfn, 0, PV_TABLE_ENTRIES);
		}
		if (!used) {
			if (keep(level, pfn))
				return;
			make_room(op, caller, level);
			if (keep(level, pfn))
				return;
		}
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
	*pv_port_page_word(pair[0]) = pv_pfn_nr(pair[1]) << PV_PAGE_SHIFT;
	if (pin(PV_OP_pgd_alloc, XEN_CALLER(), pair, 2, ROOT_LEVEL))
		return pair[0];
	free_pair(PV_OP_pgd_alloc, XEN_CALLER(), pair[0]);
	return PV_PFN_NONE;
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
	if (pvxen_is_unpinned(pfn)) {
		user = pv_pfn(*pv_port_page_word(pfn) >> PV_PAGE_SHIFT);
		free_unpinned(PV_OP_pgd_free, XEN_CALLER(), pfn);
		pv_port_free_page(user);
		return;
	}
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
	if (used || !keep(ROOT_LEVEL, pfn))
		free_pair(PV_OP_pgd_free, XEN_CALLER(), pfn);
}

/* Both roots are pinned at allocation. */
void pvxen_pgd_activate(pv_pfn_t pfn)
{
	(void)pfn;
	pv_batch_drain();
}

/* Gives back what is more than the bounds in the lists of all CPUs, several at a time. */
static u32 give_surplus(enum pv_op op, unsigned long caller, u32 level, u32 own, u32 in_shared)
{
	struct kept_tables *kept = __atomic_load_n(&all_kept, __ATOMIC_ACQUIRE);
	pv_pfn_t pfn[GIVE_MAX];
	u32 i, count, given = 0;

	if (!kept)
		kept = &shared;
	for (;;) {
		count = take_surplus(kept, level, kept == &shared ? in_shared : own, pfn, GIVE_MAX);
		if (level == ROOT_LEVEL)
			for (i = 0; i < count; i++)
				free_pair(op, caller, pfn[i]);
		else if (count == 1)
			give_back_one(op, caller, pfn[0]);
		else if (count)
			give_back(op, caller, pfn, count);
		given += level == ROOT_LEVEL ? 2 * count : count;
		if (count == GIVE_MAX)
			continue;
		if (kept == &shared)
			return given;
		/* The shared one is the last: a CPU may move tables there meanwhile. */
		kept = kept->next ? kept->next : &shared;
	}
}

void pvxen_forget_roots(void)
{
	give_surplus(PV_OP_set_p4d, XEN_CALLER(), ROOT_LEVEL, 0, 0);
}

u32 pvxen_tables_kept(void)
{
	const struct kept_tables *kept = &shared;
	u32 level, count = 0;

	/* Read without locks: an estimate while other CPUs keep and take tables. */
	while (kept) {
		for (level = 1; level < ROOT_LEVEL; level++)
			count += kept->level[level - 1].count;
		count += 2 * kept->level[ROOT_LEVEL - 1].count;
		kept = kept == &shared ? __atomic_load_n(&all_kept, __ATOMIC_ACQUIRE) : kept->next;
	}
	return count;
}

u32 pvxen_table_cache(u32 bound)
{
	u32 half = bound / 2, level, given = 0;

	pv_batch_drain();
	own_bound = half < OWN_MAX ? half : OWN_MAX;
	shared_bound = half < KEPT_MAX ? half : KEPT_MAX;
	for (level = 1; level <= ROOT_LEVEL; level++)
		given += give_surplus(PV_OP_table_cache, XEN_CALLER(), level, own_bound,
					  shared_bound);
	return given;
}
