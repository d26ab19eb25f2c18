// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow of all memory (asm/kasan.h).
 *
 * It is one mapping of zeroes, of which the host fills in what is used.  No page of it
 * is ever taken away, for another copy of the library may have its kernel in this
 * process; a boot begins with fresh zeroes for its own areas.
 */
#include <linux/init.h>
#include <linux/kasan.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <asm/host_ops.h>
#include <asm/layout.h>

/* Host thread, before code that looks at the shadow runs. */
int lkl_kasan_start(void)
{
	int err = lkl_ops->anon(KASAN_SHADOW_START, KASAN_SHADOW_SIZE);

	/* There was a kernel in this process before, or where it was forked from. */
	return err == -EEXIST ? 0 : err;
}

/* Host thread, before boot: the areas are chosen, and nothing is in them. */
int lkl_kasan_fresh(void)
{
	unsigned long start = LKL_KASAN_SHADOW(LKL_RAM_BASE);
	unsigned long end = LKL_KASAN_SHADOW(LKL_VMEMMAP_END);

	/* What an earlier boot has left; the redzones of variables are the same. */
	memset((void *)LKL_KASAN_SHADOW(init_stack), 0,
	       THREAD_SIZE >> KASAN_SHADOW_SCALE_SHIFT);
	lkl_ops->release(start, end - start);
	return lkl_ops->anon(start, end - start);
}

void __init kasan_init(void)
{
	init_task.kasan_depth = 0;
	pr_info("KernelAddressSanitizer initialized\n");
}
