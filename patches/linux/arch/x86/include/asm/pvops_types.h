/* SPDX-License-Identifier: GPL-2.0-only */
/* <asm/paravirt_types.h> for the rest of Linux, with CONFIG_PVOPS. */
#ifndef _ASM_X86_PVOPS_TYPES_H
#define _ASM_X86_PVOPS_TYPES_H

#ifndef __ASSEMBLY__
#include <linux/types.h>
#include <asm/pvops_compat.h>

#ifdef PVOPS_SPLIT_HEADERS
#include <asm/paravirt-base.h>
#else
struct pv_info {
	u16 extra_user_64bit_cs;	/* __USER_CS if none */
	const char *name;
};

extern struct pv_info pv_info;

#define paravirt_nop	pvops_nop
#endif

void pvops_nop(void);

/* 6.1's platform code for Xen asks for it; its own work is never deferred. */
enum paravirt_lazy_mode {
	PARAVIRT_LAZY_NONE,
	PARAVIRT_LAZY_MMU,
	PARAVIRT_LAZY_CPU,
};

static inline enum paravirt_lazy_mode paravirt_get_lazy_mode(void)
{
	return PARAVIRT_LAZY_NONE;
}
#endif

#endif /* _ASM_X86_PVOPS_TYPES_H */
