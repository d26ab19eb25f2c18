// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC-32C with the processor's instruction, which needs no vector registers.
 * The tree's own function is weak and stays for processors without it.
 *
 * The instruction takes three cycles, but one can begin in each.  So three
 * stretches of the data are summed side by side; zeros are appended to a sum, by a
 * table, for the stretches behind its own.
 */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/crc32.h>
#include <linux/init.h>
#include <linux/unaligned.h>

/* Length of a stretch: most of what ext4 sums has 1 or 4 KiB. */
#define LKL_CRC32_STRETCH	336

static bool lkl_have_crc32 __ro_after_init;

/* What zeros of that length make of each byte of a sum. */
static u32 lkl_crc32_zeros[4][256] __ro_after_init;

static u64 lkl_crc32_step(u64 sum, const u8 *p)
{
	asm("crc32q %1, %0" : "+r" (sum) : "rm" (get_unaligned((u64 *)p)));
	return sum;
}

static u64 lkl_crc32_append(u64 sum)
{
	return lkl_crc32_zeros[0][sum & 0xff] ^
	       lkl_crc32_zeros[1][sum >> 8 & 0xff] ^
	       lkl_crc32_zeros[2][sum >> 16 & 0xff] ^
	       lkl_crc32_zeros[3][sum >> 24];
}

static int __init lkl_crc32_init(void)
{
	static const u8 zeros[sizeof(u64)] __initconst;
	u32 a = 1, b, c, d, i, k;

	asm("cpuid" : "+a" (a), "=b" (b), "=c" (c), "=d" (d));
	if (!(c & BIT(20)))	/* SSE4.2 */
		return 0;
	for (k = 0; k < 32; k++) {
		u64 sum = BIT(k);

		for (i = 0; i < LKL_CRC32_STRETCH; i += sizeof(u64))
			sum = lkl_crc32_step(sum, zeros);
		/* The sum is linear: the value for some bits is that for each. */
		for (i = 0; i < 256; i++)
			if (i & BIT(k % 8))
				lkl_crc32_zeros[k / 8][i] ^= sum;
	}
	lkl_have_crc32 = true;
	return 0;
}
early_initcall(lkl_crc32_init);

u32 __pure __crc32c_le(u32 crc, const u8 *p, size_t len)
{
	u64 sum = crc;

	if (!lkl_have_crc32)
		return __crc32c_le_base(crc, p, len);
	for (; len >= 3 * LKL_CRC32_STRETCH; len -= 3 * LKL_CRC32_STRETCH) {
		const u8 *end = p + LKL_CRC32_STRETCH;
		u64 second = 0, third = 0;

		for (; p < end; p += sizeof(u64)) {
			sum = lkl_crc32_step(sum, p);
			second = lkl_crc32_step(second, p + LKL_CRC32_STRETCH);
			third = lkl_crc32_step(third, p + 2 * LKL_CRC32_STRETCH);
		}
		sum = lkl_crc32_append(lkl_crc32_append(sum) ^ second) ^ third;
		p += 2 * LKL_CRC32_STRETCH;
	}
	for (; len >= sizeof(u64); len -= sizeof(u64), p += sizeof(u64))
		sum = lkl_crc32_step(sum, p);
	for (; len; len--, p++)
		asm("crc32b %1, %k0" : "+r" (sum) : "rm" (*p));
	return sum;
}
