// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fault injection (pvops/inject.h): the hypercalls of the layer that can be made to
 * fail, and their errors.
 *
 * The errors are all that Xen's source (4.17.5, xen/) returns to a 64-bit PV guest for
 * such a call, with any arguments and any pages.  Above each row are the functions that
 * return them; docs/faults.md says more.  -ERESTART and -EINTR stay in Xen.  These calls
 * are not in the table, and never fail by injection:
 *
 *	iret			made by assembly; does not return
 *	xen_version		XENVER_version and _get_features always succeed; assembly
 *				also uses the first to deliver events
 *	console_io		the report of a refusal would come this way
 *	stack_switch, fpu_taskswitch, sched_op yield and block
 *				always succeed
 *	sched_op shutdown	does not return
 *	vcpu_op is_up, down	is_up is called to find out if a vCPU exists, so its
 *				failure is an answer; down succeeds, or ends the domain
 *	vcpu_op initialise	its refusal is an answer: the vCPU is described already
 *	get_debugreg		value and error cannot be distinguished
 *	set_debugreg, mmuext_op FLUSH_CACHE
 *				their errors mean that the guest may not have this: an
 *				answer, and handled as one
 *	vm_assist		called to find out if Xen knows the flag
 *	memory_op, hvm_op set_param
 *				made only at the start of a hardware-virtualized guest
 *	calls before the injector is armed, mainly start of day
 */
#include <pvops/inject.h>
#include "internal.h"

#ifdef PV_PORT_INJECT

struct fault {
	u8 nr;
	/* Command: the first argument, or the command of an mmuext_op's operation; or ANY. */
	u8 cmd;
	/* Terminated by 0. */
	u8 errors[10 + 1];
};

#define ANY	0xff

/* do_mmuext_op() itself: the list, the domain, the policy. */
#define LIST		XEN_EFAULT, XEN_ESRCH, XEN_EINVAL, XEN_EPERM
/* Validation of a table: get_page_from_l1e(), _get_page_type() with an IOMMU. */
#define TABLE		LIST, XEN_EBUSY, XEN_EACCES, XEN_ENOMEM

static const struct fault faults[] = {
	/* do_mmu_update(), mod_l1_entry() to mod_l4_entry(), and the functions of TABLE */
	{ __HYPERVISOR_mmu_update, ANY, { TABLE, XEN_ENOENT, XEN_ENOSYS, XEN_EOPNOTSUPP } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_PIN_L1_TABLE, { TABLE } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_PIN_L2_TABLE, { TABLE } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_PIN_L3_TABLE, { TABLE } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_PIN_L4_TABLE, { TABLE } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_UNPIN_TABLE, { LIST } },
	/* new_guest_cr3() */
	{ __HYPERVISOR_mmuext_op, MMUEXT_NEW_BASEPTR, { TABLE } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_NEW_USER_BASEPTR, { TABLE } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_TLB_FLUSH_LOCAL, { LIST } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_INVLPG_LOCAL, { LIST } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_TLB_FLUSH_MULTI, { LIST } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_INVLPG_MULTI, { LIST } },
	{ __HYPERVISOR_mmuext_op, MMUEXT_SET_LDT, { LIST } },
	/* __do_update_va_mapping(), mod_l1_entry(), vcpumask_to_pcpumask() */
	{ __HYPERVISOR_update_va_mapping, ANY,
		{ XEN_EINVAL, XEN_EPERM, XEN_EBUSY, XEN_EACCES, XEN_EFAULT } },
	/* do_multicall(): a list that cannot be read.  EINVAL is only for nested multicalls. */
	{ __HYPERVISOR_multicall, ANY, { XEN_EFAULT } },
	/* do_update_descriptor(), check_descriptor() */
	{ __HYPERVISOR_update_descriptor, ANY, { XEN_EINVAL } },
	/* do_set_gdt(), pv_set_gdt() */
	{ __HYPERVISOR_set_gdt, ANY, { XEN_EINVAL, XEN_EFAULT } },
	/* do_set_trap_table(): an address that is not canonical */
	{ __HYPERVISOR_set_trap_table, ANY, { XEN_EFAULT, XEN_EINVAL } },
	/* do_set_segment_base(): an address that is not canonical, or an unknown segment */
	{ __HYPERVISOR_set_segment_base, ANY, { XEN_EINVAL } },
	/* do_callback_op(), register_guest_callback() */
	{ __HYPERVISOR_callback_op, CALLBACKOP_register, { XEN_EINVAL, XEN_EFAULT, XEN_ENOSYS } },
	/* do_physdev_op() */
	{ __HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, { XEN_EINVAL, XEN_EFAULT } },
	/* do_event_channel_op(): EFAULT; evtchn_send(); get_free_port() for the bind calls */
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_send, { XEN_EINVAL, XEN_EFAULT } },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi,
		{ XEN_ENOENT, XEN_ENOSPC, XEN_ENOMEM, XEN_EINVAL, XEN_EFAULT } },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq,
		{ XEN_ENOENT, XEN_ENOSPC, XEN_ENOMEM, XEN_EINVAL, XEN_EFAULT, XEN_EEXIST } },
	/* do_sched_op(): EFAULT; do_poll(), evtchn_port_poll() */
	{ __HYPERVISOR_sched_op, SCHEDOP_poll, { XEN_EINVAL, XEN_EFAULT } },
	/*
	 * do_vcpu_op(): ENOENT; common_vcpu_op().  public/vcpu.h documents ETIME, but 4.17.5
	 * sends the event at once instead.  ENOMEM: continue_hypercall_on_cpu(), in a PV shim.
	 */
	{ __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer,
		{ XEN_EINVAL, XEN_EFAULT, XEN_ENOENT, XEN_ETIME } },
	{ __HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, { XEN_EINVAL, XEN_ENOENT } },
	{ __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, { XEN_ENOENT } },
	{ __HYPERVISOR_vcpu_op, VCPUOP_up, { XEN_EINVAL, XEN_ENOENT, XEN_ENOMEM } },
	{ __HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, { XEN_EFAULT, XEN_ENOENT } },
	/* Some copies of Xen's headers lack the calls of hardware-virtualized guests. */
#ifdef HVMOP_flush_tlbs
	/* hvmop_flush_tlb_all(); hvmop_get_param(), hvm_allow_get_param() */
	{ __HYPERVISOR_hvm_op, HVMOP_flush_tlbs, { XEN_EINVAL } },
	{ __HYPERVISOR_hvm_op, HVMOP_get_param, { XEN_EINVAL, XEN_EFAULT, XEN_ESRCH, XEN_EPERM } },
#endif
};

#define COUNT(array)	((u32)(sizeof(array) / sizeof((array)[0])))

static u32 turn[COUNT(faults)];

/* Finds a row by number and first argument; for a list of operations, by the one at @at. */
static const struct fault *find(u64 nr, unsigned long a1, u32 at)
{
	u64 cmd = nr == __HYPERVISOR_mmuext_op ? ((const struct mmuext_op *)a1)[at].cmd : a1;
	u32 i;

	for (i = 0; i < COUNT(faults); i++)
		if (faults[i].nr == nr && (faults[i].cmd == ANY || faults[i].cmd == cmd))
			return &faults[i];
	return NULL;
}

static long error_of(const struct fault *fault)
{
	return pv_inject_error(fault->errors, &turn[fault - faults]);
}

/*
 * Fails somewhere in a list, whose operations all have a row.  The operations before that
 * point are done, and counted as Xen counts them.
 */
static long in_list(u32 nr, const unsigned long *arg)
{
	u32 *done = (u32 *)arg[2];
	u32 at = pv_inject_pick((u32)arg[1]);
	long error = at ? pvxen_raw4(nr, arg[0], at, arg[2], arg[3]) : 0;

	/* Xen itself has refused an earlier operation. */
	if (error)
		return error;
	if (done)
		*done = at;
	return error_of(find(nr, arg[0], at));
}

static long fail(const struct fault *fault, u32 nr, const unsigned long *arg)
{
	if (nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_mmuext_op)
		return in_list(nr, arg);
	return error_of(fault);
}

static bool shows(const struct mmu_update *req)
{
	const unsigned long *pfn_of = (const unsigned long *)__MACH2PHYS_VIRT_START;
	const u8 *table = pv_port_pfn_to_virt(pv_pfn(pfn_of[req->ptr >> PV_PAGE_SHIFT]));
	u64 old = *(const volatile u64 *)(table + (req->ptr & (PV_PAGE_SIZE - 1) & ~7UL));

	return pv_inject_shows(old, req->val);
}

/* Returns success for all updates, but omits one. */
static bool drop(u32 nr, const unsigned long *arg, long *result)
{
	const struct mmu_update *req = (const struct mmu_update *)arg[0];
	u32 count = (u32)arg[1], at;

	if (nr != __HYPERVISOR_mmu_update)
		return false;
	for (at = pv_inject_pick(count); at < count && !shows(&req[at]); at++)
		;
	if (at == count)
		return false;
	pv_inject_dropped();
	*result = at ? pvxen_raw4(nr, arg[0], at, arg[2], arg[3]) : 0;
	if (!*result && at + 1 < count)
		*result = pvxen_raw4(nr, (unsigned long)&req[at + 1], count - at - 1, 0, arg[3]);
	return true;
}

/* Makes one call of several fail and makes the others, or makes the whole list fail. */
static bool in_multicall(const struct fault *fault, const unsigned long *arg, long *result)
{
	struct multicall_entry *entry = (struct multicall_entry *)arg[0];
	u32 count = (u32)arg[1], at = pv_inject_pick(count + 1), i;
	const struct fault *inner;

	*result = 0;
	if (at == count) {
		/* One fault for each entry, because each will be reported. */
		for (i = 0; i < count; i++)
			*result = error_of(fault);
		return true;
	}
	inner = find(entry[at].op, entry[at].args[0], 0);
	if (!inner)
		return false;
	if (at)
		*result = pvxen_raw4(__HYPERVISOR_multicall, arg[0], at, 0, 0);
	if (*result)
		return true;
	entry[at].result = (unsigned long)fail(inner, (u32)entry[at].op, entry[at].args);
	if (at + 1 < count)
		*result = pvxen_raw4(__HYPERVISOR_multicall, (unsigned long)&entry[at + 1],
			      count - at - 1, 0, 0);
	/* Xen may refuse these because of the fault: a pin of a page that is still writable. */
	for (i = at + 1; i < count; i++)
		pv_inject_follows((s32)entry[i].result);
	return true;
}

bool pvxen_inject(u32 nr, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  long *result)
{
	const unsigned long arg[] = { a1, a2, a3, a4 };
	const struct fault *fault = find(nr, a1, 0);

	if (!fault || !pv_inject_due())
		return false;
	if (pv_inject_drops())
		return drop(nr, arg, result);
	if (nr == __HYPERVISOR_multicall)
		return in_multicall(fault, arg, result);
	*result = fail(fault, nr, arg);
	return true;
}

#endif
