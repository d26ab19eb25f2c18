/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SPARSEMEM_H
#define _ASM_LKL_SPARSEMEM_H

/* RAM ends below 2^45; a small section wastes few struct pages. */
#define SECTION_SIZE_BITS	24
#define MAX_PHYSMEM_BITS	45

#endif /* _ASM_LKL_SPARSEMEM_H */
