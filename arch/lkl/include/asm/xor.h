/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_XOR_H
#define _ASM_LKL_XOR_H

#include <asm-generic/xor.h>

/* Boot does not race the candidates against each other. */
#define XOR_SELECT_TEMPLATE(fastest)	(&xor_block_32regs)

#endif /* _ASM_LKL_XOR_H */
