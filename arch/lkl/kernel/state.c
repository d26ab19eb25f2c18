// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that starts from another one's state.
 *
 * That of a kernel which has just booted, and has neither devices nor tasks for host
 * threads, is copied once: RAM, struct pages, .data, .bss, and what the virtual CPU
 * has beside them (struct lkl_state).  Where the copy is kept the host decides.  It
 * is of use to a kernel of the same build at the same address: pointers in it are as
 * they are.
 *
 * What is of the process lies in the section of what outlives a boot, and is not
 * copied.  As for a boot, the kernel gets a number, threads and a clock, which goes on
 * from when the copy was made (freeze.c).  What must differ in each kernel, a
 * task makes anew before the first call (lkl_kernel_renew()).
 *
 * How long the processor pauses is known from the copy, which is of the same host.
 * The seeds of hash tables that are chosen at boot are those of the copy.  Most are
 * chosen when they are needed first, and differ.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include <asm/layout.h>
#include <asm/mirror.h>
#include <asm/sections.h>
#include <asm/setup.h>
#include <asm/valgrind.h>
#include "contend.h"
#include "clock.h"
#include "grow.h"
#include "task.h"
#include "vlock.h"
#include "vcpu.h"
#include "wakeup.h"

extern char lkl_data_start[], lkl_data_end[];

/* What comes before percpu belongs to host threads and is not state. */
#define LKL_CPU_STATE	(sizeof(struct lkl_vcpu) - offsetof(struct lkl_vcpu, percpu))

static void lkl_state_ranges(struct lkl_host_range *ranges)
{
	ranges[0].addr = (unsigned long)lkl_data_start;
	ranges[0].size = lkl_data_end - lkl_data_start;
	ranges[1].addr = (unsigned long)__bss_start;
	ranges[1].size = __bss_stop - __bss_start;
}

int lkl_kernel_state(struct lkl_state *state)
{
	BUILD_BUG_ON(sizeof(state->cpu) < LKL_CPU_STATE);

	/* The shadow of KASAN is not copied. */
	if (IS_ENABLED(CONFIG_KASAN) || lkl_vcpus_up > 1 || lkl_on_valgrind())
		return -EOPNOTSUPP;
	if (lkl_has_calls())
		return -EBUSY;
	/* The thread may be gone. */
	lkl_leave_combiner();
	lkl_unguard_stacks();
	memset(state, 0, sizeof(*state));
	state->ram_base = LKL_RAM_BASE;
	state->ram_size = lkl_mem_size;
	state->time = lkl_ops->time();
	lkl_state_ranges(state->ranges);
	state->pristine = lkl_pristine_data();
	memcpy(state->cpu, &lkl_cpu.percpu, LKL_CPU_STATE);
	return 0;
}

/* The memory is there: let the kernel go on. */
static int lkl_start_state(const struct lkl_state *state)
{
	u32 boot = lkl_new_boot();
	int err;

	lkl_freeze_none();
	lkl_clock_put(state->time);
	lkl_fresh_cpus();
	memcpy(&lkl_cpu.percpu, state->cpu, LKL_CPU_STATE);
	lkl_cpu.timer_check = 1;
	lkl_guard_first();
	/* Before there are threads: to register for it is slow with some. */
	lkl_bias_start();
	lkl_cpus_most = 1;
	lkl_grows = false;
	lkl_grow_none();
	err = lkl_timer_start(boot, lkl_cpus_most);
	if (err)
		return err;
	lkl_vcpus_up = 1;
	lkl_vlock_start(&lkl_cpu, lkl_cpu_free(boot) | LKL_CPU_LOCKED);
	/* The time of an event may have come while the state was copied. */
	WRITE_ONCE(lkl_minder_of(&lkl_cpu)->due, true);
	lkl_set_pending(&lkl_cpu, boot);
	lkl_kernel_let_go();
	return 0;
}

int lkl_kernel_restore(struct lkl_host_operations *ops, const char *cmdline,
		       const struct lkl_state *state, int (*load)(void *arg), void *arg)
{
	struct lkl_host_range ranges[2];
	int err;

	if (lkl_cpu.word)
		return -EBUSY;
	lkl_state_ranges(ranges);
	if (lkl_on_valgrind() || memcmp(ranges, state->ranges, sizeof(ranges)))
		return -EOPNOTSUPP;
	err = lkl_take_cmdline(ops, cmdline);
	if (err)
		return err;
	if (lkl_mem_size != state->ram_size)
		return -EINVAL;
	err = lkl_take_pristine(state->pristine);
	if (err)
		return err;
	err = lkl_mm_host_restore(lkl_mem_size, state->ram_base);
	if (err)
		return err;
	err = load(arg);
	if (!err)
		err = lkl_start_state(state);
	if (err)
		lkl_mm_host_stop();
	return err;
}

long lkl_kernel_renew(void *unused)
{
	struct timespec64 now = ns_to_timespec64(lkl_ops->wall_time());
	int err = do_settimeofday64(&now);

	/* It takes from the host, too (lkl_random_longs()). */
	return err ?: random_fops.unlocked_ioctl(NULL, RNDRESEEDCRNG, 0);
}
