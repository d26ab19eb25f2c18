/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the host's side on Windows; host.c says how they belong
 * together. */
#ifndef LKL_NT_H
#define LKL_NT_H

#include <lkl/asm/host_ops.h>

/* Memory: memory.c. */
int LKL_DOOR nt_wipe_on_fork(void *addr, lkl_ulong_t size);
void *LKL_DOOR nt_keep(lkl_ulong_t size);
int LKL_DOOR nt_ram_open(lkl_ulong_t addr, lkl_ulong_t size);
void LKL_DOOR nt_ram_close(void);
int LKL_DOOR nt_reserve(lkl_ulong_t addr, lkl_ulong_t size);
void LKL_DOOR nt_release(lkl_ulong_t addr, lkl_ulong_t size);
int LKL_DOOR nt_map(lkl_ulong_t addr, lkl_ulong_t size, lkl_ulong_t offset,
		    int prot);
int LKL_DOOR nt_unmap(lkl_ulong_t addr, lkl_ulong_t size);
int LKL_DOOR nt_protect(lkl_ulong_t addr, lkl_ulong_t size, int on);
int LKL_DOOR nt_anon(lkl_ulong_t addr, lkl_ulong_t size);
int LKL_DOOR nt_pattern(lkl_ulong_t addr, lkl_ulong_t size, const void *with,
			lkl_ulong_t len);
void LKL_DOOR nt_forget(lkl_ulong_t addr, lkl_ulong_t size);
int LKL_DOOR nt_patch(lkl_ulong_t addr, lkl_ulong_t size, int writable);

/* Threads: thread.c. */
lkl_thread_t LKL_DOOR nt_thread_create(void(LKL_DOOR *fn)(void *arg),
				       void *arg);
int LKL_DOOR nt_thread_join(lkl_thread_t thread);
void LKL_DOOR nt_thread_detach(void);
void LKL_DOOR nt_thread_exit(void);
lkl_thread_t LKL_DOOR nt_thread_self(void);
int LKL_DOOR nt_thread_equal(lkl_thread_t a, lkl_thread_t b);
lkl_long_t LKL_DOOR nt_gettid(void);
struct lkl_mutex *LKL_DOOR nt_mutex_alloc(int recursive);
void LKL_DOOR nt_mutex_free(struct lkl_mutex *mutex);
void LKL_DOOR nt_mutex_lock(struct lkl_mutex *mutex);
void LKL_DOOR nt_mutex_unlock(struct lkl_mutex *mutex);
struct lkl_sem *LKL_DOOR nt_sem_alloc(int count);
void LKL_DOOR nt_sem_free(struct lkl_sem *sem);
void LKL_DOOR nt_sem_up(struct lkl_sem *sem);
void LKL_DOOR nt_sem_down(struct lkl_sem *sem);

#endif /* LKL_NT_H */
