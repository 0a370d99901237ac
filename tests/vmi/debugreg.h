/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * MOV of a debug register whose number is known only at run time, for the ROM and the
 * monitor.  They stand for a hypervisor, so they take nothing from <pvops/native.h>, which
 * has the same for guests.
 */
#ifndef VMI_DEBUGREG_H
#define VMI_DEBUGREG_H

#define READ_DB(n, val)		asm volatile("mov %%db" #n ", %0" : "=r" (val))
#define WRITE_DB(n, val)	asm volatile("mov %0, %%db" #n : : "r" (val))

/*
 * The cases of DR0-3.  They are only a part of a switch, because DR6 and DR7 differ, and a
 * second switch behind it would add to what a call costs.
 */
#define DB_CASES(access, val)		\
	case 0:				\
		access(0, val);		\
		break;			\
	case 1:				\
		access(1, val);		\
		break;			\
	case 2:				\
		access(2, val);		\
		break;			\
	case 3:				\
		access(3, val);		\
		break

#endif
