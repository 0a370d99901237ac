/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen's public headers for the pvops Xen backend: Linux's own copy. */
#ifndef _ASM_X86_PVOPS_XEN_H
#define _ASM_X86_PVOPS_XEN_H

#include <linux/errno.h>
#include <xen/interface/xen.h>
#include <xen/interface/callback.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/hvm/hvm_op.h>
#include <xen/interface/physdev.h>
#include <xen/interface/sched.h>
#include <xen/interface/vcpu.h>
#include <xen/interface/version.h>

/* The frame list and the event mask are Linux's. */
#define pvxen_p2m_addr	xen_p2m_addr
#define pvxen_p2m_size	xen_p2m_size
#define pvxen_vcpu_info	xen_vcpu_info

/* Xen's error numbers are the same as Linux's. */
#define XEN_EPERM	EPERM
#define XEN_ENOENT	ENOENT
#define XEN_ESRCH	ESRCH
#define XEN_ENOMEM	ENOMEM
#define XEN_EACCES	EACCES
#define XEN_EFAULT	EFAULT
#define XEN_EBUSY	EBUSY
#define XEN_EEXIST	EEXIST
#define XEN_EINVAL	EINVAL
#define XEN_ENOSPC	ENOSPC
#define XEN_ENOSYS	ENOSYS
#define XEN_ETIME	ETIME
#define XEN_EOPNOTSUPP	EOPNOTSUPP

#endif /* _ASM_X86_PVOPS_XEN_H */
