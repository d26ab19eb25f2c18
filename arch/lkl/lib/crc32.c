// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC-32C with the processor's instruction, which needs no vector registers.
 * The tree's own function is weak and stays for processors without it.
 */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/crc32.h>
#include <linux/init.h>
#include <linux/unaligned.h>

static bool lkl_have_crc32 __ro_after_init;

static int __init lkl_crc32_init(void)
{
	u32 a = 1, b, c, d;

	asm("cpuid" : "+a" (a), "=b" (b), "=c" (c), "=d" (d));
	lkl_have_crc32 = c & BIT(20);	/* SSE4.2 */
	return 0;
}
early_initcall(lkl_crc32_init);

u32 __pure __crc32c_le(u32 crc, const u8 *p, size_t len)
{
	u64 sum = crc;

	if (!lkl_have_crc32)
		return __crc32c_le_base(crc, p, len);
	for (; len >= sizeof(u64); len -= sizeof(u64), p += sizeof(u64))
		asm("crc32q %1, %0" : "+r" (sum) : "rm" (get_unaligned((u64 *)p)));
	for (; len; len--, p++)
		asm("crc32b %1, %k0" : "+r" (sum) : "rm" (*p));
	return sum;
}
