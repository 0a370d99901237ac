/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: The layer's version
 *
 * Generated from VERSION by `make docs`.
 */
#ifndef PVOPS_VERSION_H
#define PVOPS_VERSION_H

#define PV_VERSION	"0.1.0"

#endif
