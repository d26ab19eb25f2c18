/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SPARSEMEM_H
#define _ASM_LKL_SPARSEMEM_H

/* RAM is at most 1 TiB; a small section wastes few struct pages. */
#define SECTION_SIZE_BITS	24
#define MAX_PHYSMEM_BITS	40

#endif /* _ASM_LKL_SPARSEMEM_H */
