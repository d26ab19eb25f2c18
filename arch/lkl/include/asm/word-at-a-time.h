/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_WORD_AT_A_TIME_H
#define _ASM_LKL_WORD_AT_A_TIME_H

#include <linux/bitops.h>
#include <linux/wordpart.h>

/* Finding the first zero byte of a little-endian word. */
struct word_at_a_time {
	const unsigned long one_bits, high_bits;
};

#define WORD_AT_A_TIME_CONSTANTS { REPEAT_BYTE(0x01), REPEAT_BYTE(0x80) }

static inline unsigned long has_zero(unsigned long a, unsigned long *bits,
				     const struct word_at_a_time *c)
{
	unsigned long mask = (a - c->one_bits) & ~a & c->high_bits;

	*bits = mask;
	return mask;
}

static inline unsigned long prep_zero_mask(unsigned long a, unsigned long bits,
					   const struct word_at_a_time *c)
{
	return bits;
}

/* All bits below the lowest marker, which is bit 7 of the zero byte. */
static inline unsigned long create_zero_mask(unsigned long bits)
{
	return ((bits - 1) & ~bits) >> 7;
}

#define zero_bytemask(mask)	(mask)

static inline unsigned long find_zero(unsigned long mask)
{
	return fls64(mask) / 8;
}

/*
 * Eight bytes from @addr of which those on the next page read as zero when
 * they are not needed: an aligned word never crosses into a missing page.  They
 * may be beyond an object, which KASAN need not know.
 */
static __no_kasan_or_inline unsigned long load_unaligned_zeropad(const void *addr)
{
	unsigned long a = (unsigned long)addr;
	unsigned long off = a % sizeof(long);

	if (likely((a & (LKL_HOST_PAGE - 1)) <= LKL_HOST_PAGE - sizeof(long)))
		return *(const unsigned long *)addr;
	return *(const unsigned long *)(a - off) >> (off * 8);
}

#endif /* _ASM_LKL_WORD_AT_A_TIME_H */
