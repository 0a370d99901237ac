/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Xen's public headers, in one place and at one interface version.
 *
 * They come from the distribution's package (libxen-dev), unmodified.  A kernel with its
 * own copy names it by PV_XEN_INTERFACE in its <pvops_port.h>.
 */
#ifndef XEN_INTERFACE_H
#define XEN_INTERFACE_H

#include <pvops/types.h>

#ifdef PV_XEN_INTERFACE
#include PV_XEN_INTERFACE
#else
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif

#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

#endif

#endif
