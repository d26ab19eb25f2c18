/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_CHECKSUM_H
#define _ASM_LKL_CHECKSUM_H

#include <../arch/x86/um/asm/checksum.h>

#endif /* _ASM_LKL_CHECKSUM_H */
