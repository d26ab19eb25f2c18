/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_ALTERNATIVE_H
#define _ASM_LKL_ALTERNATIVE_H

#include <linux/stringify.h>
#include <asm/asm.h>

/*
 * With one virtual CPU, kernel data is touched by its holder only, and the bus
 * lock would buy nothing.  So the kernel's text has a prefix without effect in its
 * place, which smp.c replaces when there is a second one.  What other host threads
 * touch (futex words, the lock word of a virtual CPU) uses locked operations of its
 * own.
 */
#define LOCK_PREFIX_HERE			\
	".pushsection .smp_locks,\"a\"\n"	\
	".balign 4\n"				\
	".long 671f - .\n"			\
	".popsection\n"				\
	"671:"

#define LOCK_PREFIX LOCK_PREFIX_HERE "\n\t.byte 0x3e; "

#endif /* _ASM_LKL_ALTERNATIVE_H */
