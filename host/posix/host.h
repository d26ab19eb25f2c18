/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the host where there is nothing but POSIX; host.c says how they
 * belong together. */
#ifndef POSIX_HOST_H
#define POSIX_HOST_H

#include <stdbool.h>

#include <lkl/asm/host_ops.h>

/* Memory: memory.c.  Where there may be no room, @ops prints why. */
int posix_wipe_on_fork(void *addr, unsigned long size);
void *posix_keep(unsigned long size);
int posix_ram_open(const struct lkl_host_operations *ops, unsigned long addr,
		   unsigned long size);
void posix_ram_close(void);
int posix_reserve(const struct lkl_host_operations *ops, unsigned long addr,
		  unsigned long size);
void posix_release(unsigned long addr, unsigned long size);
int posix_map(unsigned long addr, unsigned long size, unsigned long offset,
	      int prot);
int posix_unmap(unsigned long addr, unsigned long size);
int posix_protect(unsigned long addr, unsigned long size, int on);
int posix_anon(unsigned long addr, unsigned long size);
int posix_pattern(unsigned long addr, unsigned long size, const void *with,
		  unsigned long len);
void posix_forget(unsigned long addr, unsigned long size);
int posix_patch(unsigned long addr, unsigned long size, int writable);

/* Sleep: wait.c. */
int posix_wait(int *word, int val, unsigned long long deadline);
void posix_wake(int *word, int count);

/* In a forked child, where those who waited are not. */
void posix_wait_forked(void);

/* Locks: lock.c. */

/**
 * posix_lock - take a lock of few instructions, that no handler interrupts
 * @lock: 0 when it is free
 *
 * Return: what to give to posix_unlock()
 */
unsigned long posix_lock(int *lock);
void posix_unlock(int *lock, unsigned long mask);

/* Numbers of threads: number.c.  In a forked child no other thread has one. */
long posix_gettid(void);
void posix_threads_forked(void);

#endif /* POSIX_HOST_H */
