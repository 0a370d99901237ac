// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fake backends' tables; the functions behind them are in fake_ops.S.
 * Tables are filled for all ops by the preprocessor, then the constructor puts
 * in the entries that a form of site needs: inline code of every length, code
 * too long for its site, empty ops, a function out of reach, required ops.
 */
#include <string.h>

#include <pvops/native.h>

#include "fake_backend.h"

struct fake_backend fake_backend[FAKE_COUNT];
u64 fake_calls[2][PV_OP_COUNT];
u64 fake_result[2][PV_OP_COUNT];
u64 fake_args[4];
u32 fake_last_op;
u64 fake_flags;
const struct pv_impl *fake_impls[2][PV_OP_COUNT];

#define KEEP0()						((void)0)
#define KEEP1(t1, a1)					(fake_args[0] = (__force u64)(a1))
#define KEEP2(t1, a1, t2, a2)				KEEP1(t1, a1), (fake_args[1] = (__force u64)(a2))
#define KEEP3(t1, a1, t2, a2, t3, a3)			\
	KEEP2(t1, a1, t2, a2), (fake_args[2] = (__force u64)(a3))
#define KEEP4(t1, a1, t2, a2, t3, a3, t4, a4)		\
	KEEP3(t1, a1, t2, a2, t3, a3), (fake_args[3] = (__force u64)(a4))

#define BODY_ASM(prefix, backend, name, ret, n, args)	\
	ret prefix##name PV_PROTO##n args;
#define BODY_C(prefix, backend, name, ret, n, args)	\
ret prefix##name PV_PROTO##n args;			\
ret prefix##body_##name PV_PROTO##n args;		\
ret prefix##body_##name PV_PROTO##n args		\
{							\
	fake_calls[backend][PV_OP_##name]++;		\
	fake_last_op = PV_OP_##name;			\
	KEEP##n args;					\
	return (__force ret)fake_result[backend][PV_OP_##name]; \
}

#define PV_OP(table, name, site, conv, ret, n, args, test) \
	BODY_##conv(fake_native_, FAKE_NATIVE, name, ret, n, args)
#include <pvops/catalogue.h>
#define PV_OP(table, name, site, conv, ret, n, args, test) \
	BODY_##conv(fake_fake_, FAKE_FAKE, name, ret, n, args)
#include <pvops/catalogue.h>

/* Only BRANCH sites have native code in line behind them. */
#define FLAGS_CALL6	0
#define FLAGS_CALL9	0
#define FLAGS_ASM6	0
#define FLAGS_JUMP6	0
#define FLAGS_BRANCH	PV_IMPL_BEHIND_BRANCH

#define ENTRY_NATIVE(name, site)	.name = PV_FN(fake_native_##name, FLAGS_##site),
#define ENTRY_FAKE(name, site)		.name = PV_FN(fake_fake_##name, 0),

#define PV_TOGETHER(name, other)
#define PV_OP(table, name, site, conv, ret, n, args, test) ENTRY_NATIVE(name, site)
static struct pv_irq_impls native_irq = {
#include <pvops/ops/irq.h>
};
static struct pv_cpu_impls native_cpu = {
#include <pvops/ops/cpu.h>
};
static struct pv_mmu_impls native_mmu = {
#include <pvops/ops/mmu.h>
};
static struct pv_time_impls native_time = {
#include <pvops/ops/time.h>
};
static struct pv_smp_impls native_smp = {
#include <pvops/ops/smp.h>
};
static struct pv_lock_impls native_lock = {
#include <pvops/ops/lock.h>
};
#ifdef PV_CATALOGUE_EXTENSION
const struct pv_kernel_impls pv_native_kernel_impls = {
#include PV_CATALOGUE_EXTENSION
};
#endif
#undef PV_OP

#define PV_OP(table, name, site, conv, ret, n, args, test) ENTRY_FAKE(name, site)
static struct pv_irq_impls fake_irq = {
#include <pvops/ops/irq.h>
};
static struct pv_cpu_impls fake_cpu = {
#include <pvops/ops/cpu.h>
};
static struct pv_mmu_impls fake_mmu = {
#include <pvops/ops/mmu.h>
};
static struct pv_time_impls fake_time = {
#include <pvops/ops/time.h>
};
static struct pv_smp_impls fake_smp = {
#include <pvops/ops/smp.h>
};
static struct pv_lock_impls fake_lock = {
#include <pvops/ops/lock.h>
};
#ifdef PV_CATALOGUE_EXTENSION
static struct pv_kernel_impls fake_kernel = {
#include PV_CATALOGUE_EXTENSION
};
#define FAKE_KERNEL_IMPLS	(&fake_kernel)
#else
#define FAKE_KERNEL_IMPLS	NULL
#endif
#undef PV_OP
#undef PV_TOGETHER

pv_flags_t host_save_fl(void);
void host_restore_fl(pv_flags_t flags);
void host_irq_disable(void);
void host_irq_enable(void);

/* Absolute operands: the program is linked at a fixed low address. */
PV_CODE(code_save_fl, "movq fake_flags, %rax");			/* 8 in 9: prefix */
PV_CODE(code_irq_disable, "andb $0xfd, fake_flags + 1");	/* 8 in 9: prefix */
PV_CODE(code_irq_enable, "orb $0x02, fake_flags + 1");		/* 8 in 6: too long */
PV_CODE(code_read_cr0, "pushq $0x21\n\tpopq %rax");		/* 3 in 6: prefixes */
PV_CODE(code_read_cr2, "movl $0x22, %eax");			/* 5 in 9: one NOP */
PV_CODE(code_read_cr3, "movq $0x23, %rax");			/* 7 in 9: prefixes before REX */
PV_CODE(code_read_cr4, "xorl %eax, %eax\n\tmovb $0x24, %al");	/* 4 in 6 */
PV_CODE(code_store_tr, "movl $0x25, %eax");			/* 5 in 6 */
PV_CODE(code_wbinvd, "cld");					/* 1 in 6: one NOP */
PV_CODE(code_lock_wait, "pause");				/* 2 in 6, has a prefix */
PV_CODE(code_clock_read, "movl $0x26, %eax\n\tcld");	/* 6 in 6 */
PV_CODE(code_iret, "ret");					/* a jump site's */
PV_CODE(code_fake_read_cr2, "movabsq $0x2002b, %rax");	/* 10 in 9: too long */
PV_CODE(code_fake_read_cr3, "movl $0x33, %eax\n\tnotq %rax\n\tnop");	/* 9 in 9 */
PV_CODE(code_fake_irq_disable, "movb $0, fake_flags + 1");	/* 8 in 9 */
PV_CODE(code_fake_pte_val, "leaq 9(%rdi), %rax");		/* 4 in 6, far side of a branch */

/* Native functions must do what the in-line code does. */
static void host_set_pte(pv_pte_t *ptep, pv_pte_t pte)
{
	pv_native_set_pte(ptep, pte);
}

static u8 host_irqs_disabled_flags(pv_flags_t flags)
{
	return !((__force u64)flags & PV_RFLAGS_IF);
}

#define SET(table, name, ...) \
	(table.name = (__typeof__(table.name))__VA_ARGS__)

static void __attribute__((constructor)) fill_tables(void)
{
	static const struct pv_impl *const native[] = {
		(const void *)&native_irq, (const void *)&native_cpu, (const void *)&native_mmu,
		(const void *)&native_time, (const void *)&native_smp, (const void *)&native_lock,
		(const void *)PV_NATIVE_KERNEL_IMPLS,
	};
	static const struct pv_impl *const fake[] = {
		(const void *)&fake_irq, (const void *)&fake_cpu, (const void *)&fake_mmu,
		(const void *)&fake_time, (const void *)&fake_smp, (const void *)&fake_lock,
		(const void *)FAKE_KERNEL_IMPLS,
	};
	static const u32 size[] = {
		sizeof(native_irq), sizeof(native_cpu), sizeof(native_mmu),
		sizeof(native_time), sizeof(native_smp), sizeof(native_lock),
#ifdef PV_CATALOGUE_EXTENSION
		sizeof(pv_native_kernel_impls),
#endif
	};
	u32 table, i, op = 0;

	SET(native_irq, save_fl, PV_INLINE(host_save_fl, code_save_fl, 0));
	SET(native_irq, restore_fl, PV_FN(host_restore_fl, 0));
	SET(native_irq, irqs_disabled_flags,
	    PV_FN(host_irqs_disabled_flags, PV_IMPL_BEHIND_BRANCH));
	SET(native_irq, irq_disable, PV_INLINE(host_irq_disable, code_irq_disable, 0));
	SET(native_irq, irq_enable, PV_INLINE(host_irq_enable, code_irq_enable, 0));
	SET(native_irq, adjust_exception_frame, PV_EMPTY(fake_native_adjust_exception_frame, 0));
	SET(native_cpu, read_cr0, PV_INLINE(fake_native_read_cr0, code_read_cr0, 0));
	SET(native_cpu, read_cr2, PV_INLINE(fake_native_read_cr2, code_read_cr2, 0));
	SET(native_cpu, read_cr4, PV_INLINE(fake_native_read_cr4, code_read_cr4, 0));
	SET(native_cpu, store_tr, PV_INLINE(fake_native_store_tr, code_store_tr, 0));
	SET(native_cpu, wbinvd, PV_INLINE(fake_native_wbinvd, code_wbinvd, 0));
	SET(native_cpu, start_context_switch, PV_EMPTY(fake_native_start_context_switch, 0));
	SET(native_cpu, end_context_switch, PV_EMPTY(fake_native_end_context_switch, 0));
	SET(native_cpu, iret, PV_INLINE(fake_native_iret, code_iret, 0));
	SET(native_mmu, read_cr3, PV_INLINE(fake_native_read_cr3, code_read_cr3, 0));
	SET(native_mmu, set_pte, PV_FN(host_set_pte, PV_IMPL_BEHIND_BRANCH));
	SET(native_mmu, batch_enter, PV_EMPTY(fake_native_batch_enter, 0));
	SET(native_mmu, batch_leave, PV_EMPTY(fake_native_batch_leave, 0));
	SET(native_mmu, batch_flush, PV_EMPTY(fake_native_batch_flush, 0));
	SET(native_time, clock_read, PV_INLINE(fake_native_clock_read, code_clock_read, 0));
	SET(native_lock, lock_wait, PV_INLINE(fake_native_lock_wait, code_lock_wait, 0));
	SET(native_lock, lock_kick, PV_EMPTY(fake_native_lock_kick, 0));

	SET(fake_irq, save_fl, PV_FN(host_save_fl, PV_IMPL_REQUIRED));
	SET(fake_irq, restore_fl, PV_FN(host_restore_fl, PV_IMPL_REQUIRED));
	SET(fake_irq, irq_disable, PV_INLINE(host_irq_disable, code_fake_irq_disable, 0));
	SET(fake_irq, irq_enable, PV_FN(host_irq_enable, 0));
	SET(fake_irq, halt, PV_EMPTY(fake_fake_halt, 0));
	SET(fake_cpu, read_cr2, PV_INLINE(fake_fake_read_cr2, code_fake_read_cr2, 0));
	SET(fake_cpu, io_delay, PV_EMPTY(fake_fake_io_delay, 0));
	SET(fake_cpu, swapgs, PV_EMPTY(fake_fake_swapgs, 0));
	/* An empty op at a jump site would fall into what follows: it jumps. */
	SET(fake_cpu, iret, PV_EMPTY(fake_fake_iret, PV_IMPL_REQUIRED));
	SET(fake_mmu, read_cr3, PV_INLINE(fake_fake_read_cr3, code_fake_read_cr3, 0));
	SET(fake_mmu, pte_val, PV_INLINE(fake_fake_pte_val, code_fake_pte_val, 0));

	for (table = 0; table < sizeof(size) / sizeof(size[0]); table++)
		for (i = 0; i < size[table] / sizeof(struct pv_impl); i++, op++) {
			fake_impls[FAKE_NATIVE][op] = &native[table][i];
			fake_impls[FAKE_FAKE][op] = &fake[table][i];
		}
	fake_reset();
}

void fake_reset(void)
{
	u32 op;

	memset(fake_calls, 0, sizeof(fake_calls));
	memset(fake_args, 0, sizeof(fake_args));
	memset(fake_backend, 0, sizeof(fake_backend));
	fake_last_op = PV_OP_COUNT;
	fake_backend[FAKE_NATIVE].score = PV_SCORE_FALLBACK;
	fake_backend[FAKE_FAKE].why = "nobody fakes here";
	fake_backend[FAKE_OTHER].why = "no other machine";
	fake_backend[FAKE_OTHER].needed = PV_OP_COUNT;
	fake_flags = PV_RFLAGS_IF | 2;

	for (op = 0; op < PV_OP_COUNT; op++) {
		fake_result[FAKE_NATIVE][op] = 0x10 + op;
		fake_result[FAKE_FAKE][op] = 0x20000 + op;
	}
	/* What the inline codes answer; native conversions are the identity. */
	fake_result[FAKE_NATIVE][PV_OP_read_cr0] = 0x21;
	fake_result[FAKE_NATIVE][PV_OP_read_cr2] = 0x22;
	fake_result[FAKE_NATIVE][PV_OP_read_cr3] = 0x23;
	fake_result[FAKE_NATIVE][PV_OP_read_cr4] = 0x24;
	fake_result[FAKE_NATIVE][PV_OP_store_tr] = 0x25;
	fake_result[FAKE_NATIVE][PV_OP_clock_read] = 0x26;
	fake_result[FAKE_FAKE][PV_OP_read_cr3] = ~0x33UL;
	fake_result[FAKE_FAKE][PV_OP_pte_val] = 9;
	for (op = PV_OP_pte_val; op <= PV_OP_make_p4d; op++)
		fake_result[FAKE_NATIVE][op] = 0;
	fake_result[FAKE_NATIVE][PV_OP_vcpu_is_preempted] = 0;
}

static int detect(u32 which, const char **why)
{
	struct fake_backend *b = &fake_backend[which];

	b->detects++;
	if (b->score <= PV_SCORE_NONE && b->why)
		*why = b->why;
	return b->score;
}

#define DESCRIBE(which, index)						\
static int which##_detect(const struct pv_platform *platform, const char **why) \
{									\
	(void)platform;							\
	return detect(index, why);					\
}									\
static int which##_init(const struct pv_platform *platform)		\
{									\
	(void)platform;							\
	fake_backend[index].inits++;					\
	return fake_backend[index].init_error;				\
}									\
static void which##_cpu_init(u32 cpu)					\
{									\
	fake_backend[index].cpu_inits++;				\
	fake_backend[index].last_cpu = cpu;				\
}									\
static void which##_cpu_exit(void)					\
{									\
	fake_backend[index].cpu_exits++;				\
}									\
static void which##_late_init(void)					\
{									\
	fake_backend[index].late_inits++;				\
}

DESCRIBE(native, FAKE_NATIVE)
DESCRIBE(fake, FAKE_FAKE)

static int other_detect(const struct pv_platform *platform, const char **why)
{
	(void)platform;
	return detect(FAKE_OTHER, why);
}

static const char *other_needs(enum pv_op op)
{
	return op == fake_backend[FAKE_OTHER].needed ? "only it can wait" : NULL;
}

static bool other_serves(enum pv_op op)
{
	return op == PV_OP_lock_wait || op == PV_OP_lock_kick;
}

static u64 other_clock_read(void)
{
	return 0x77;
}

static const struct pv_time_impls other_time = {
	.clock_read = PV_FN(other_clock_read, 0),
};

const struct pv_backend native_backend = {
	.name = "native",
	.title = "the host itself",
	.detect = native_detect,
	.init = native_init,
	.cpu_init = native_cpu_init,
	.cpu_exit = native_cpu_exit,
	.late_init = native_late_init,
	.irq = &native_irq,
	.cpu = &native_cpu,
	.mmu = &native_mmu,
	.time = &native_time,
	.smp = &native_smp,
	.lock = &native_lock,
	.kernel = PV_NATIVE_KERNEL_IMPLS,
};

const struct pv_backend fake_backend_desc = {
	.name = "fake",
	.title = "a hypervisor that is not there",
	.detect = fake_detect,
	.init = fake_init,
	.cpu_init = fake_cpu_init,
	.cpu_exit = fake_cpu_exit,
	.late_init = fake_late_init,
	.irq = &fake_irq,
	.cpu = &fake_cpu,
	.mmu = &fake_mmu,
	.time = &fake_time,
	.smp = &fake_smp,
	.lock = &fake_lock,
	.kernel = FAKE_KERNEL_IMPLS,
};

/* What the kernel itself does, beside one op. */
const struct pv_backend other_backend = {
	.name = "other",
	.title = "a better clock",
	.detect = other_detect,
	.needs = other_needs,
	.serves = other_serves,
	.time = &other_time,
};

PV_BACKEND(native_backend);
PV_BACKEND(fake_backend_desc);
PV_BACKEND(other_backend);
