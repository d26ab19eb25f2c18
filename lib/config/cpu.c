// SPDX-License-Identifier: GPL-2.0-only
/*
 * The setting that keeps a program on one CPU of the host.
 */
#include <sched.h>
#include <stdlib.h>

#include "config.h"

/* Stay on the host's CPU that we are on, with threads that begin later. */
void lkl_config_pin(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu > 0 ? cpu : 0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int lkl_config_single_cpu(const struct lkl_config *cfg)
{
	return cfg->single_cpu ? atoi(cfg->single_cpu) : 0;
}
