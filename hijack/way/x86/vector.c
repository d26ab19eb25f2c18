// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vector registers are the program's, also during a call: what is on the
 * common way is compiled without them.  Calls that use the C library, and other
 * code that was not, have them saved.
 */
#include <cpuid.h>
#include <string.h>

#include "../way.h"

static unsigned int size, mask_low, mask_high;
/* XSAVEC leaves out what is not in use, like AMX's tiles. */
static bool compacts;

void way_vectors_init(void)
{
	unsigned int a, b, c, d;

	__cpuid_count(0xd, 0, a, b, c, d);
	mask_low = a;
	mask_high = d;
	size = c;
	__cpuid_count(0xd, 1, a, b, c, d);
	compacts = a & 2;
}

/**
 * way_saved - call a function that may use vector registers
 * @fn: the function
 * @t: its argument, the calling thread
 * @r: another one
 *
 * It finds the control words of the floating-point units as a new thread does.
 *
 * Return: what it returns
 */
__attribute__((noinline)) long
way_saved(long (*fn)(struct way_thread *t, struct way_regs *r),
	  struct way_thread *t, struct way_regs *r)
{
	static const unsigned int mxcsr = 0x1f80;
	char area[size + 64];
	void *at = (void *)(((unsigned long)area + 63) & -64UL);
	unsigned long *head = (void *)((char *)at + 512);
	long ret;

	/* The header has to be zero where xsave does not write. */
	for (int i = 0; i < 8; i++)
		head[i] = 0;
	if (compacts)
		asm volatile("xsavec64 (%0)"
			     :
			     : "r"(at), "a"(mask_low), "d"(mask_high)
			     : "memory");
	else
		asm volatile("xsave64 (%0)"
			     :
			     : "r"(at), "a"(mask_low), "d"(mask_high)
			     : "memory");
	asm volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
	ret = fn(t, r);
	asm volatile("xrstor64 (%0)"
		     :
		     : "r"(at), "a"(mask_low), "d"(mask_high)
		     : "memory");
	return ret;
}
