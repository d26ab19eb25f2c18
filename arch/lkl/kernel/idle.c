// SPDX-License-Identifier: GPL-2.0-only
/*
 * What would wake an idle kernel, and does nothing for one in a process.
 */
#include <linux/init.h>
#include <linux/mmu_context.h>
#include <sched/sched.h>
#include "clock.h"

/*
 * Fifty milliseconds of each second for ordinary tasks, whatever those with a
 * real-time policy do. As long as there are ordinary tasks a timer runs for that,
 * and it ends one second later. A host thread is one task, and the host says how
 * long it may run.
 *
 * A server that has begun and has no time is one that the administrator has
 * turned off in debugfs.
 */
void __init lkl_no_fair_server(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cpu_rq(cpu)->fair_server.dl_server = 1;
}
