/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_CMPXCHG_H
#define _ASM_LKL_CMPXCHG_H

#include <../arch/x86/include/asm/cmpxchg.h>

/* It asks for a processor feature at run time; the slab lives without. */
#undef system_has_cmpxchg128

#endif /* _ASM_LKL_CMPXCHG_H */
