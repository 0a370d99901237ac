/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A VM64 ROM in memory that is good, for the parser's tests. */
#ifndef VMI_IMAGE_H
#define VMI_IMAGE_H

#include <string.h>

#include "../../backends/vmi/internal.h"

#define IMAGE_BYTES	1024
#define IMAGE_PCI	0x100
#define IMAGE_PNP	0x120
#define IMAGE_LICENCE	0x150
#define IMAGE_MAKER	0x160
#define IMAGE_PRODUCT	0x170
#define IMAGE_CODE	0x200

static inline void image_put(u8 *image, u32 at, u64 val, u32 bytes)
{
	memcpy(image + at, &val, bytes);
}

/* The last byte makes the sum of all 0. */
static inline void image_sum(u8 *image, u32 bytes)
{
	u32 i, sum = 0;

	for (i = 0; i < bytes - 1; i++)
		sum += image[i];
	image[bytes - 1] = (u8)-sum;
}

static inline void image_make(u8 *image)
{
	static const u8 endbr_jmp[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0xeb };

	memset(image, 0, IMAGE_BYTES);
	image_put(image, 0x00, 0xaa55, 2);
	image_put(image, 0x02, IMAGE_BYTES / 512, 1);
	image_put(image, 0x03, 0xcb, 1);
	memcpy(image + 0x08, "cVmi", 4);
	image_put(image, 0x0d, 64, 1);
	image_put(image, 0x0e, 2, 1);
	image_put(image, 0x16, IMAGE_LICENCE, 2);
	image_put(image, 0x18, IMAGE_PCI, 2);
	image_put(image, 0x1a, IMAGE_PNP, 2);
	memcpy(image + 0x20, "VM64", 4);
	image_put(image, 0x24, 0x40, 2);
	image_put(image, 0x26, 0x1f, 2);
	image_put(image, 0x38, 0x1000, 4);
	image_put(image, 0x3c, 0x3000, 4);
	image_put(image, 0x40, 0x2000, 4);
	image_put(image, 0x44, 0x1000, 4);
	memcpy(image + 0x80, endbr_jmp, 5);
	image_put(image, 0x85, 0x90 - 0x86, 1);
	memcpy(image + 0x88, endbr_jmp, 5);
	image_put(image, 0x8d, 0x95 - 0x8e, 1);
	memcpy(image + IMAGE_PCI, "PCIR", 4);
	image_put(image, IMAGE_PCI + 16, IMAGE_BYTES / 512, 2);
	image_put(image, IMAGE_PCI + 18, 0x0207, 2);
	memcpy(image + IMAGE_PNP, "$PnP", 4);
	image_put(image, IMAGE_PNP + 14, IMAGE_MAKER, 2);
	image_put(image, IMAGE_PNP + 16, IMAGE_PRODUCT, 2);
	strcpy((char *)image + IMAGE_LICENCE, "GPL v2");
	strcpy((char *)image + IMAGE_MAKER, "maker");
	strcpy((char *)image + IMAGE_PRODUCT, "product");
	memcpy(image + IMAGE_CODE, endbr_jmp, 4);
	image_sum(image, IMAGE_BYTES);
}

#endif
