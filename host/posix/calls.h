/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the handling of signals and faults asks of the system, on any thread and
 * at any moment: host/NAME/calls.c.
 *
 * A set of signals has a bit for each, SIGNAL_BIT().
 */
#ifndef POSIX_CALLS_H
#define POSIX_CALLS_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

/**
 * calls_mask - change what signals the thread has blocked
 * @how: SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK
 * @set: which
 *
 * Return: what was blocked before
 */
unsigned long calls_mask(int how, unsigned long set);

/**
 * calls_take - wait for a signal that is blocked
 * @set: of these
 * @info: where to tell of it
 * @time: for how long at most, or NULL
 *
 * Return: the signal, or a negative error number: -EAGAIN if none has come,
 * -EINTR if a handler has run
 */
int calls_take(unsigned long set, siginfo_t *info, const struct timespec *time);

/**
 * calls_handler - has a signal of the application's a handler?
 * @sig: the signal
 * @ends: whether it ends calls, as one without SA_RESTART does
 *
 * Return: whether it has one
 */
bool calls_handler(int sig, bool *ends);

/* Have a signal do what it does by default. */
void calls_set_default(int sig);

/* The number of the calling thread. */
int calls_thread(void);

/**
 * calls_send - send a signal
 * @thread: number of a thread of this process, or 0 for the process
 * @sig: the signal
 * @info: what to tell of it, which is changed to what the system lets; or NULL
 */
void calls_send(int thread, int sig, siginfo_t *info);

/* Signals of the C library's own. */
unsigned long calls_reserved(void);

/* A signal that nobody else sends or waits for. */
int calls_own_signal(void);

/* The monotonic time in nanoseconds, which may be some milliseconds old. */
unsigned long calls_coarse_time(void);

/* The thread's alternate signal stack; 0, or non-zero if there can be none. */
int calls_alt_stack(const stack_t *new, stack_t *old);

/* The same for one that may be in use.  No handler runs meanwhile. */
void calls_change_alt_stack(const stack_t *new, stack_t *old);

#endif /* POSIX_CALLS_H */
