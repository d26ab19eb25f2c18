// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls, the lock word and the hand-over of a virtual CPU, in every order of
 * events: the real code of arch/lkl/kernel, with a few lines instead of Linux.
 *
 * What is wanted: no two threads drive a CPU at a time, each call ends once and
 * with its result, nothing that is pending is forgotten, no thread sleeps for
 * ever, and in the end the CPU is free.
 */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>

#include <asm/host_ops.h>

#include "../../../arch/lkl/kernel/vcpu.h"
#include "model.h"

/* Make a call, which has a result, or was too late for this boot. */
static long make(int task, long nr)
{
	long ret;

	explore_note("call %ld", nr);
	ret = lkl_task_syscall(&tasks[task], BOOT, nr, NULL);
	explore_note("= %ld", ret);
	if (ret != nr && !(nr == WAIT && ret == -EINTR) &&
	    !(halted && (ret == -ESHUTDOWN || ret == -ENOSYS)) &&
	    !(nr == HALT && !ret))
		explore_fail("call %ld returned %ld", nr, ret);
	return ret;
}

static void keep(int cpu)
{
	struct lkl_vcpu *vcpu = &lkl_vcpus[cpu];

	for (;;) {
		int word = __atomic_load_n(&vcpu->keeper, __ATOMIC_SEQ_CST);

		lkl_drive_timer(vcpu, BOOT, true);
		explore_wait(&vcpu->keeper, word);
	}
}

/* The thread that drives a CPU when no other does. */
static void keep_first(void)
{
	keep(0);
}

static void keep_second(void)
{
	keep(1);
}

static void raise_line(void)
{
	__atomic_fetch_add(&lines, 1, __ATOMIC_SEQ_CST);
	lkl_kick_any();
}

static void hold(void)
{
	if (lkl_kernel_hold(BOOT, 0))
		return;
	if (inside[0])
		explore_fail("the CPU is held and driven");
	inside[0] = true;
	lkl_bias_stop();
	lkl_bias_start();
	inside[0] = false;
	lkl_kernel_let_go();
}

static void end(void)
{
	for (u32 i = 0; i < lkl_vcpus_up; i++) {
		struct lkl_vcpu *cpu = &lkl_vcpus[i];
		/* A thread may have said so after its work was done. */
		u32 word = cpu->word & ~LKL_CPU_PENDING;

		if (halted ? word
			   : word != lkl_cpu_free(BOOT) &&
				     cpu->word != (lkl_cpu_free(BOOT) |
						   LKL_CPU_BIASED))
			explore_fail("in the end the word is %x", cpu->word);
		if (cpu->requests || runnable(cpu))
			explore_fail("there is work in the end");
	}
	if (lines_seen != lines && !halted)
		explore_fail("an interrupt is lost");
}

/* One of the calls finds the lock biased, or makes it so. */
static void make_two(void)
{
	make(0, SHORT);
	make(0, SHORT);
}

static void make_one(void)
{
	make(1, SHORT);
}

static void wait_for_post(void)
{
	make(0, WAIT);
}

static void post(void)
{
	make(1, POST);
}

static void wait_again(void)
{
	if (make(0, WAIT) == -EINTR)
		make(0, WAIT);
}

static void signal_and_post(void)
{
	signalled[0] = true;
	explore_rouse(0);
	make(1, POST);
}

/* The second task has the first one's flag. */
static void change_task(void)
{
	make(0, SHORT);
	lkl_task_exit(&tasks[0], BOOT);
	make(EXPLORE_THREADS, SHORT);
}

static void make_and_wait(void)
{
	make(0, SHORT);
	make(0, WAIT);
}

static void halt(void)
{
	make(1, HALT);
}

static const struct explore all[] = {
	{ "two-callers", 1, begin, end, 2, { make_two, make_one, keep_first } },
	{ "wait-and-post",
	  1,
	  begin,
	  end,
	  2,
	  { wait_for_post, post, keep_first } },
	{ "interrupts",
	  2,
	  begin,
	  end,
	  2,
	  { make_two, raise_line, keep_first } },
	{ "holder", 2, begin, end, 2, { make_two, hold, keep_first } },
	{ "signal",
	  1,
	  begin,
	  end,
	  2,
	  { wait_again, signal_and_post, keep_first } },
	{ "tasks-end",
	  1,
	  begin,
	  end,
	  2,
	  { change_task, make_one, keep_first } },
	{ "park",
	  1,
	  begin_park,
	  end,
	  2,
	  { make_two, make_one, keep_first } },
	{ "halt", 1, begin, end, 2, { make_and_wait, halt, keep_first } },
	{ "two-cpus",
	  1,
	  begin_two,
	  end,
	  2,
	  { wait_for_post, post, keep_first, keep_second } },
};

int main(int argc, char **argv)
{
	int more = argc > 1 ? atoi(argv[1]) : 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct explore what = all[i];

		if (argc > 2 && strcmp(argv[2], what.name))
			continue;
		what.changes += more;
		printf("ok %s: %lu orders\n", what.name, explore(&what));
		fflush(stdout);
	}
	return 0;
}
