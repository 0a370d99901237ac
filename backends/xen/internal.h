/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations that the files of the Xen backends share.  README.md describes the ABI.
 */
#ifndef XEN_INTERNAL_H
#define XEN_INTERNAL_H

#include <pvops/backend.h>
#include <pvops/batch.h>
#include <pvops/port.h>
#include "interface.h"
#include "kernel.h"

/* A name in assembly; Linux has its own for what it shares with the backend. */
#define XEN_STR_(name)	#name
#define XEN_STR(name)	XEN_STR_(name)

/*
 * Registered with Xen; must not cross a page.  Assembly uses three offsets: pending 0,
 * mask 1, cr2 16; assembly.c checks them.
 */
typedef struct vcpu_info pvxen_vcpu_area __attribute__((aligned(64)));
PV_PERCPU_DECLARE(pvxen_vcpu_area, pvxen_vcpu_info);
#define XEN_VCPU_INFO	PV_PERCPU_ASM XEN_STR(pvxen_vcpu_info)

/* As large as its alignment, so that there can be arrays of it. */
union pvxen_runstate {
	struct vcpu_runstate_info info;
	u8 bytes[64];
} __attribute__((aligned(64)));
PV_PERCPU_DECLARE(union pvxen_runstate, pvxen_runstate);

/* Copies for the read ops.  A write op changes the original and its copy. */
PV_PERCPU_DECLARE(u64, pvxen_cr0);
PV_PERCPU_DECLARE(u64, pvxen_cr3);
PV_PERCPU_DECLARE(u64, pvxen_cr4);

/* Counts of this CPU's hypercalls, by number; the stub counts. */
#define XEN_HYPERCALLS	64
struct pvxen_hypercall_counts {
	u64 nr[XEN_HYPERCALLS];
};
PV_PERCPU_DECLARE(struct pvxen_hypercall_counts, pvxen_hypercall_count);

/* Start of day. */
extern const struct start_info *pvxen_start;
extern struct shared_info *pvxen_shared;
/* The guest's list of MFNs by PFN.  A kernel may replace it by a list of its own. */
extern unsigned long *pvxen_p2m_addr;
extern unsigned long pvxen_p2m_size;

/*
 * Hypercalls.  64-bit PV ABI: number in rax; arguments in rdi, rsi, rdx, r10;
 * result in rax.  SYSCALL changes rcx and r11; a debug build of Xen also changes the
 * argument registers.
 */
#define XEN_CALL(...)							\
	do {								\
		long ret_;						\
									\
		asm volatile("call pvxen_hypercall"			\
			     : "=a" (ret_), "+r" (PV_STACK_POINTER), ##__VA_ARGS__ \
			     : "0" ((unsigned long)nr)			\
			     : "rcx", "r11", "memory", "cc");		\
		return ret_;						\
	} while (0)

/* In a test kernel, inject.c may make a call fail before it is made. */
#ifdef PV_PORT_INJECT
bool pvxen_inject(u32 nr, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  long *result);
#define XEN_INJECT(...)							\
	do {								\
		long result_;						\
									\
		if (pvxen_inject(nr, __VA_ARGS__, &result_))		\
			return result_;					\
	} while (0)
#else
#define XEN_INJECT(...)	do { } while (0)
#endif

static __always_inline long pvxen_call1(u32 nr, unsigned long a1)
{
	XEN_INJECT(a1, 0, 0, 0);
	XEN_CALL("+D" (a1));
}

static __always_inline long pvxen_call2(u32 nr, unsigned long a1, unsigned long a2)
{
	XEN_INJECT(a1, a2, 0, 0);
	XEN_CALL("+D" (a1), "+S" (a2));
}

static __always_inline long pvxen_call3(u32 nr, unsigned long a1, unsigned long a2,
				      unsigned long a3)
{
	XEN_INJECT(a1, a2, a3, 0);
	XEN_CALL("+D" (a1), "+S" (a2), "+d" (a3));
}

/* Never fails by injection: for inject.c, and for calls whose refusal cannot be reported. */
static __always_inline long pvxen_raw4(u32 nr, unsigned long a1, unsigned long a2,
				       unsigned long a3, unsigned long a4)
{
	register unsigned long r10 asm("r10") = a4;

	XEN_CALL("+D" (a1), "+S" (a2), "+d" (a3), "+r" (r10));
}

static __always_inline long pvxen_call4(u32 nr, unsigned long a1, unsigned long a2,
				      unsigned long a3, unsigned long a4)
{
	XEN_INJECT(a1, a2, a3, a4);
	return pvxen_raw4(nr, a1, a2, a3, a4);
}

static __always_inline long pvxen_mmuext(const struct mmuext_op *op, u32 count)
{
	return pvxen_call4(__HYPERVISOR_mmuext_op, (unsigned long)op, count, 0, DOMID_SELF);
}

static __always_inline long pvxen_vcpu_op(u32 cmd, u32 vcpu, const void *arg)
{
	return pvxen_call3(__HYPERVISOR_vcpu_op, cmd, vcpu, (unsigned long)arg);
}

static __always_inline long pvxen_sched_op(u32 cmd, const void *arg)
{
	return pvxen_call2(__HYPERVISOR_sched_op, cmd, (unsigned long)arg);
}

static __always_inline long pvxen_evtchn_op(u32 cmd, void *arg)
{
	return pvxen_call2(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg);
}

/* Frames. */
static __always_inline pv_mfn_t pvxen_mfn(pv_pfn_t pfn)
{
	if (pv_pfn_nr(pfn) >= pvxen_p2m_size)
		return pv_mfn(~0UL);
	return pv_mfn(pvxen_p2m_addr[pv_pfn_nr(pfn)]);
}

static __always_inline pv_mfn_t pvxen_virt_to_mfn(const void *va)
{
	return pvxen_mfn(pv_port_virt_to_pfn(va));
}

static __always_inline u64 pvxen_virt_to_maddr(const void *va)
{
	return pv_mfn_nr(pvxen_virt_to_mfn(va)) << PV_PAGE_SHIFT |
	       ((unsigned long)va & (PV_PAGE_SIZE - 1));
}

/*
 * Reports a refusal outside of the update queue: op, caller, error, and the result of
 * the retry (batch.h).
 */
void pvxen_refused(enum pv_op op, unsigned long caller, u64 arg1, u64 arg2, long error,
		   long again);

/*
 * pvxen_check - make a hypercall; report a refusal, and retry once
 * @call: the expression that makes it; it is evaluated again for the retry
 *
 * The result is that of the last call: 0 or a negative errno.  The call must be safe to
 * repeat.  All calls of the layer are, except lists of which Xen may have done a part
 * that it cannot repeat (pinning).
 */
#define pvxen_check(call, op, caller, arg1, arg2)			\
	({								\
		long error_ = (call);					\
									\
		if (__builtin_expect(error_ < 0, 0)) {			\
			long first_ = error_;				\
									\
			error_ = pv_batch_errno(call);			\
			pvxen_refused(op, caller, arg1, arg2, first_, error_);	\
		}							\
		error_ < 0 ? error_ : 0;				\
	})

#define XEN_CALLER()	((unsigned long)PV_CALLER())

/*
 * Multicalls: hypercalls that wait for the end of a PV_BATCH_CPU, per CPU.  A refused
 * call is retried alone, and reported by op and caller.  XEN_QUIET(op) may be refused:
 * it is not reported if the retry is refused, too.
 */
#define XEN_QUIET_BIT	(1U << 16)
#define XEN_QUIET(op)	((enum pv_op)((op) | XEN_QUIET_BIT))

/* pvxen_mc_add - make a hypercall now, or at the end of an open PV_BATCH_CPU */
void pvxen_mc_add(enum pv_op op, unsigned long caller, u32 nr, unsigned long a1,
		unsigned long a2, unsigned long a3);
/* pvxen_mc_mmuext - the same for MMU operations, which are copied */
void pvxen_mc_mmuext(enum pv_op op, unsigned long caller, const struct mmuext_op *ops, u32 count);
void pvxen_mc_flush(void);
/* pvxen_multicall - make the caller's entries; returns how many also failed at the retry */
u32 pvxen_multicall(enum pv_op op, unsigned long caller, struct multicall_entry *entry, u32 count);

static __always_inline void pvxen_mc_entry(struct multicall_entry *entry, u32 nr,
					 unsigned long a1, unsigned long a2,
					 unsigned long a3, unsigned long a4)
{
	entry->op = nr;
	/* If Xen cannot read the list to its end, it leaves this error in the rest. */
	entry->result = (unsigned long)-XEN_EFAULT;
	entry->args[0] = a1;
	entry->args[1] = a2;
	entry->args[2] = a3;
	entry->args[3] = a4;
	entry->args[4] = 0;
	entry->args[5] = 0;
}

static __always_inline struct mmuext_op pvxen_mmuext_mfn(u32 cmd, pv_mfn_t mfn)
{
	struct mmuext_op op = { .cmd = cmd };

	op.arg1.mfn = pv_mfn_nr(mfn);
	return op;
}

/* A lock of this backend.  Interrupts are masked while it is held. */
struct pvxen_lock {
	u8 taken;
	/* how often a CPU has found it taken */
	u32 waits;
};

static __always_inline void pvxen_lock_spin(struct pvxen_lock *lock)
{
	if (__builtin_expect(!__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE), 1))
		return;
	__atomic_fetch_add(&lock->waits, 1, __ATOMIC_RELAXED);
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			asm volatile("pause");
}

static __always_inline void pvxen_unlock_spin(struct pvxen_lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

/* The functions of table cpu; several files define them. */
#define PV_OP(table, name, site, conv, ret, n, args, test) ret pvxen_##name PV_PROTO##n args;
#define PV_TOGETHER(name, other)
#include <pvops/ops/cpu.h>
#undef PV_OP
#undef PV_TOGETHER

/* assembly.c */
void pvxen_hypercall(void);
pv_flags_t pvxen_save_fl(void);
void pvxen_restore_fl(pv_flags_t flags);
u8 pvxen_irqs_disabled_flags(pv_flags_t flags);
void pvxen_irq_disable(void);
void pvxen_irq_enable(void);
void pvxen_adjust_exception_frame(void);
u64 pvxen_read_cr3(void);
void pvxen_nothing(void);
void pvxen_syscall_entry(void);
void pvxen_failsafe_entry(void);
void pvxen_enter(u64 rip, u64 rsp, u64 rdi) __attribute__((noreturn));
u64 pvxen_pte_val(pv_pte_t pte);
pv_pte_t pvxen_make_pte(u64 val);
u64 pvxen_pmd_val(pv_pmd_t pmd);
pv_pmd_t pvxen_make_pmd(u64 val);
u64 pvxen_pud_val(pv_pud_t pud);
pv_pud_t pvxen_make_pud(u64 val);
u64 pvxen_p4d_val(pv_p4d_t p4d);
pv_p4d_t pvxen_make_p4d(u64 val);

static __always_inline pv_flags_t pvxen_lock(struct pvxen_lock *lock)
{
	pv_flags_t flags = pvxen_save_fl();

	pvxen_irq_disable();
	pvxen_lock_spin(lock);
	return flags;
}

static __always_inline void pvxen_unlock(struct pvxen_lock *lock, pv_flags_t flags)
{
	pvxen_unlock_spin(lock);
	pvxen_restore_fl(flags);
}

/* mmu.c: conversions for frames that are not this guest's memory */
u64 pvxen_foreign_val(u64 entry);
u64 pvxen_foreign_entry(u64 val);

/* tables.c: protection, in the linear map, of pages that must be read-only for Xen */
u64 pvxen_linear_entry(pv_pfn_t pfn, bool writable);
long pvxen_set_linear(enum pv_op op, unsigned long caller, pv_pfn_t pfn, bool writable);
/* tables.c: drop cached roots, because the kernel half has changed */
void pvxen_forget_roots(void);
/* tables.c: tables that are plain memory now: their number, and is this one of them? */
extern u32 pvxen_unpinned_tables;
bool pvxen_is_unpinned(pv_pfn_t pfn);
/* tables.c: get the user root of a kernel root; 0 if it has none */
pv_mfn_t pvxen_user_root(pv_pfn_t root);
bool pvxen_user_root_pfn(pv_pfn_t root, pv_pfn_t *user);

/* vcpu.c: register a CPU's vcpu_info, in @frame, once; returns 0 or an error */
long pvxen_register_info(u32 cpu, struct vcpu_info *info, pv_mfn_t frame, enum pv_op op);
/* vcpu.c: register this CPU's vcpu_info, or panic, and its runstate area */
void pvxen_register_vcpu(u32 cpu, pv_mfn_t frame);
/* vcpu.c: ask Xen to shut down; callers do their own part before */
void pvxen_ask_shutdown(enum pv_shutdown_reason reason) __attribute__((noreturn));

/* detect.c: the types of Xen guests, and their detection */
enum pvxen_guest {
	PVXEN_NONE,		/* no Xen, or none that a guest can use */
	PVXEN_BAD_START,	/* entered as PV, but without Xen 3's start_info page */
	PVXEN_PV,
	PVXEN_PVH,
	PVXEN_HVM,
};

/* *leaves: Xen's CPUID leaves for PVH and HVM, else NULL */
enum pvxen_guest pvxen_guest_type(const struct pv_platform *platform,
				  const struct pv_cpuid_range **leaves);
/* detect() of the hardware-virtualized guest's descriptor */
int pvxen_hvm_detect(const struct pv_platform *platform, const char **why);

/* hvm_console.c: the domain's console ring */
void pvxen_ring_init(void);
void pvxen_ring_write(const char *text, size_t bytes);
/* wait until the reader has read all text, but not for ever */
void pvxen_ring_drain(void);
/* hvm.c: read a parameter of this domain; returns false after one log line */
bool pvxen_hvm_param(u32 index, u64 *val);

/* The files' parts of cpu_init(), and functions for start-up. */
void pvxen_events_init(u32 cpu);
void pvxen_time_init(u32 cpu);
void pvxen_time_stop(u32 cpu);
void pvxen_trap_entry(struct trap_info *trap, u32 vector, const struct pv_gate *gate);
/* Notes the GDT that Xen uses now, by its linear address. */
void pvxen_gdt_loaded(const u64 *gdt, u32 entries);
long pvxen_prepare_gdt(enum pv_op op, unsigned long caller, const struct pv_dtr *dtr,
		       pv_mfn_t *mfn);

/* tables.c, events.c: ops whose table is in another file */
pv_pfn_t pvxen_alloc_pte(void);
pv_pfn_t pvxen_alloc_pmd(void);
pv_pfn_t pvxen_alloc_pud(void);
void pvxen_release_pte(pv_pfn_t pfn);
void pvxen_release_pmd(pv_pfn_t pfn);
void pvxen_release_pud(pv_pfn_t pfn);
pv_pfn_t pvxen_alloc_unpinned(void);
u32 pvxen_pin_table(pv_pfn_t pfn);
u32 pvxen_unpin_table(pv_pfn_t pfn, u32 level);
pv_pfn_t pvxen_pgd_alloc(void);
void pvxen_pgd_free(pv_pfn_t pfn);
void pvxen_pgd_activate(pv_pfn_t pfn);
u32 pvxen_table_cache(u32 bound);
void pvxen_send_ipi(u32 cpu, u32 vector);
void pvxen_send_ipi_mask(const struct pv_cpumask *mask, u32 vector);
void pvxen_lock_kick(u32 cpu);
/* events.c: wait for a kick of this CPU; none is lost */
void pvxen_kick_wait(enum pv_op op, unsigned long caller);

extern const struct pv_time_impls pvxen_time_impls;
extern const struct pv_smp_impls pvxen_smp_impls;
extern const struct pv_lock_impls pvxen_lock_impls;

#endif
