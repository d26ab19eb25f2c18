/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */

struct sched_param {
	int sched_priority;
};
