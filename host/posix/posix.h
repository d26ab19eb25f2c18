/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_POSIX_H
#define LKL_POSIX_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "../host.h"

/* Signals that are looked at, and the bit of one in a set of them. */
#define N_SIGNALS 64
#define SIGNAL_BIT(sig) (1UL << ((sig)-1))

/* The operation time of the host. */
static inline unsigned long long posix_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Operations of the host: hold_signals and those that belong to it (signal.c).
 */
int posix_hold_signals(struct lkl_signals *s);
int posix_wait_held(struct lkl_signals *s, unsigned long long deadline);
void posix_wake_held(struct lkl_signals *s);
void posix_woken_held(struct lkl_signals *s);
void posix_release_signals(struct lkl_signals *s);

/* The operation signal of the host. */
int posix_signal(int tid, int sig, const void *info);

/* What the thread had blocked, without what the library needs. */
unsigned long posix_held_mask(const struct lkl_signals *s);

/* Let no handler run in this thread, but for faults; returns what
 * posix_admit_handlers() needs. */
unsigned long posix_block_handlers(void);
void posix_admit_handlers(unsigned long mask);

/* Which signals have handlers that end a call, which have others. */
void posix_handlers(unsigned long *ending, unsigned long *restarting);

/* Whoever calls this has replaced all handlers and passes nothing on to us. */
void posix_faults_forget(void);

/* ftruncate() of memory that is a file; -EFBIG if the user's limit of the size
 * of files is in the way, and cannot be lifted. */
int posix_set_size(int fd, unsigned long size);

/**
 * posix_say_limit - say by which limit there is no room
 * @ops: prints it
 * @resource: RLIMIT_*; if the process has no such limit, nothing is said
 * @what: what to call it
 * @need: what the kernel needs beside
 */
void posix_say_limit(const struct lkl_host_operations *ops, int resource,
		     const char *what, unsigned long need);

/* The names of two. */
#define POSIX_FILE_SIZES "file sizes (ulimit -f)"
#define POSIX_ADDRESS_SPACE "the address space (ulimit -v)"

#endif /* LKL_POSIX_H */
