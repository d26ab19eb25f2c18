/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library asks of its host beside struct lkl_host_operations, and each
 * host has in its own way.
 */
#ifndef LKL_HOST_INTERNAL_H
#define LKL_HOST_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <lkl/asm/host_ops.h>

/**
 * host_faults_install - let the kernel see faults first
 * @call: runs a function in kernel context, for a page fault
 *
 * Return: 0 or a negative error number
 */
int host_faults_install(lkl_long_t (*call)(lkl_long_t(LKL_DOOR *fn)(void *arg),
					   void *arg));

/* Stop that. */
void host_faults_remove(void);

/* The calling thread is going to make calls, and must survive faults. */
void host_admit_faults(void);

/* No kernel runs in this process: forget what it has of its parent's. */
void host_reset(void);

/**
 * host_wiped_memory - zeroed memory which a forked child finds zeroed again
 * @size: how much of it, less than a page
 *
 * Return: the memory, which stays, or NULL
 */
void *host_wiped_memory(size_t size);

/**
 * host_map_zeroed - zeroed memory, which the host provides as it is used
 * @size: how much of it, any size
 *
 * Return: the memory, to be given back by host_unmap_zeroed(), or NULL
 */
void *host_map_zeroed(size_t size);

/* Give that back; @p may be NULL. */
void host_unmap_zeroed(void *p, size_t size);

/* [path] Whole pages of it are zeroed again, and none of them is in use. */
void host_zero_again(void *p, size_t size);

/* Have a forked child call a function first; whether that is arranged. */
bool host_after_fork(void (*child)(void));

/* The library has a C library of its own, with keys that are the program's,
 * too. */
bool host_has_own_libc(void);

/**
 * host_alt_stack - the calling thread's alternate signal stack
 * @start: where to store its first address
 *
 * Return: its size; 0 when there is none, or the host disables it by itself
 * while a handler is on it
 */
lkl_ulong_t host_alt_stack(lkl_ulong_t *start);

/* An alternate signal stack, as the host describes it. */
struct host_stack {
	lkl_ulong_t words[3];
};

/**
 * host_disable_alt_stack - have no alternate signal stack, although it is in
 * use
 * @was: what host_set_alt_stack() will be given
 */
void host_disable_alt_stack(struct host_stack *was);
void host_set_alt_stack(struct host_stack *stack);

#endif /* LKL_HOST_INTERNAL_H */
