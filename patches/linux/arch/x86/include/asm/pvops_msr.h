/* SPDX-License-Identifier: GPL-2.0-only */
/* Model-specific registers and performance counters.  Part of <asm/pvops.h>. */
#ifndef _ASM_X86_PVOPS_MSR_H
#define _ASM_X86_PVOPS_MSR_H

/* In line is Linux's own access, with its exception table entry. */

#define paravirt_read_msr(msr)						\
({									\
	u32 _msr = (msr);						\
									\
	unlikely(pv_replaced_read_msr()) ? pv_outline_read_msr(_msr)	\
					 : native_read_msr(_msr);	\
})

#define wrmsrq(msr, val)						\
do {									\
	u32 _msr = (msr);						\
	u64 _val = (val);						\
									\
	if (unlikely(pv_replaced_write_msr()))				\
		pv_outline_write_msr(_msr, _val);			\
	else								\
		native_write_msr(_msr, PVOPS_MSR_VALUE(_val));		\
} while (0)

#define wrmsrq_safe(msr, val)						\
({									\
	u32 _msr = (msr);						\
	u64 _val = (val);						\
									\
	unlikely(pv_replaced_write_msr_safe()) ?			\
		pv_outline_write_msr_safe(_msr, _val) :			\
		native_write_msr_safe(_msr, PVOPS_MSR_VALUE(_val));	\
})

#define rdmsrq_safe(msr, p)						\
({									\
	u32 _msr = (msr);						\
	u64 *_p = (p);							\
									\
	unlikely(pv_replaced_read_msr_safe()) ?				\
		pv_outline_read_msr_safe(_msr, _p) :			\
		pvops_read_msr_safe(native_read_msr_safe, _msr, _p);	\
})

#define wrmsr(msr, low, high)	wrmsrq(msr, (u64)(high) << 32 | (u32)(low))
#define rdmsrq(msr, val)	((val) = paravirt_read_msr(msr))

#define rdmsr(msr, val1, val2)			\
do {						\
	u64 _l = paravirt_read_msr(msr);	\
						\
	val1 = (u32)_l;				\
	val2 = _l >> 32;			\
} while (0)

#define rdmsr_safe(msr, a, b)				\
({							\
	u64 _val;					\
	int _error = rdmsrq_safe(msr, &_val);		\
							\
	(*a) = (u32)_val;				\
	(*b) = _val >> 32;				\
	_error;						\
})

/* Earlier releases have other names, and wrmsr_safe() belongs to the table there. */
#ifdef PVOPS_SPLIT_HEADERS
static __always_inline u64 rdpmc(int counter)
{
	return pv_read_pmc(counter);
}
#else
#define wrmsrl(msr, val)	wrmsrq(msr, val)
#define rdmsrl(msr, val)	rdmsrq(msr, val)
#define rdmsrl_safe(msr, p)	rdmsrq_safe(msr, p)
#define rdpmcl(counter, val)	((val) = pv_read_pmc(counter))
#define wrmsr_safe(msr, low, high)					\
	wrmsrq_safe(msr, (u64)(high) << 32 | (u32)(low))

#define rdpmc(counter, low, high)		\
do {						\
	u64 _l = pv_read_pmc(counter);		\
						\
	low = (u32)_l;				\
	high = _l >> 32;			\
} while (0)
#endif

#endif /* _ASM_X86_PVOPS_MSR_H */
