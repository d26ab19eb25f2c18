/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FLAVOUR=kasan: a shadow byte for eight bytes of any address of the process, as
 * the kernel reads and writes the application's memory, too.  What is not the
 * kernel's has zeros there, which let everything pass.
 */
#ifndef _ASM_LKL_KASAN_H
#define _ASM_LKL_KASAN_H

#include <linux/const.h>
#include <asm/page.h>

#define KASAN_SHADOW_SCALE_SHIFT	3
#define KASAN_SHADOW_OFFSET		_AC(CONFIG_KASAN_SHADOW_OFFSET, UL)

#define KASAN_SHADOW_START		KASAN_SHADOW_OFFSET
#define KASAN_SHADOW_SIZE		(_AC(0x800000000000, UL) >> KASAN_SHADOW_SCALE_SHIFT)
#define KASAN_SHADOW_END		(KASAN_SHADOW_START + KASAN_SHADOW_SIZE)

#ifdef CONFIG_KASAN

#define LKL_KASAN_SHADOW(addr) \
	(((unsigned long)(addr) >> KASAN_SHADOW_SCALE_SHIFT) + KASAN_SHADOW_OFFSET)

int lkl_kasan_start(void);
int lkl_kasan_fresh(void);
void kasan_init(void);

#else

static inline int lkl_kasan_start(void)
{
	return 0;
}

static inline int lkl_kasan_fresh(void)
{
	return 0;
}

static inline void kasan_init(void)
{
}

#endif

#endif /* _ASM_LKL_KASAN_H */
