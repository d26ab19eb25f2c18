/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks of memory by the processor's own loops, without vector registers. */
#ifndef HIJACK_X86_BLOCK_H
#define HIJACK_X86_BLOCK_H

#include <stddef.h>

static inline void block_copy(void *to, const void *from, size_t n)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static inline void block_set(void *to, int c, size_t n)
{
	asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
}

#endif /* HIJACK_X86_BLOCK_H */
