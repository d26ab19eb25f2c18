/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the program's filters share. */
#ifndef HIJACK_FILTER_H
#define HIJACK_FILTER_H

#include <linux/filter.h>

#include "internal.h"

/**
 * struct filter - a filter for system calls, as the kernel's: never changed, and
 * never freed, as threads and signal handlers may be at it
 * @prev: the one before it, which holds, too
 * @strict: none, but SECCOMP_MODE_STRICT
 * @host: what the host has been given in its place
 * @len: number of instructions
 * @insn: the program's
 */
struct filter {
	const struct filter *prev;
	bool strict;
	struct sock_fprog host;
	unsigned int len;
	struct sock_filter insn[];
};

/**
 * struct filter_needs - what the program can do with the filter
 *
 * @paths: look at files
 * @exec: execute programs
 */
struct filter_needs {
	bool paths, exec;
};

/**
 * filter_for_host - what the host is given in place of a program's filter
 * @to: where to put it: room for BPF_MAXINSNS
 * @insn: the program's
 * @len: number of its instructions
 * @needs: what it is not needed for is not let through
 *
 * Return: the number of instructions, or -E2BIG
 */
int filter_for_host(struct sock_filter *to, const struct sock_filter *insn,
		    unsigned int len, const struct filter_needs *needs);

/**
 * filter_sync - give a filter to all threads of the program
 * @tip: the filter, on top of the caller's
 * @install: gives it to the calling thread
 * @arg: its argument
 *
 * Return: what @install does, or the number of a thread that cannot have it, as
 * it has another one
 */
long filter_sync(const struct filter *tip, long (*install)(void *), void *arg);

#endif /* HIJACK_FILTER_H */
