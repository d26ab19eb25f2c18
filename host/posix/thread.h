/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations of the host that concern threads; see struct lkl_host_operations.
 */
#ifndef POSIX_THREAD_H
#define POSIX_THREAD_H

#include <lkl/asm/host_ops.h>

lkl_thread_t posix_thread_create(void (*fn)(void *arg), void *arg);
int posix_thread_join(lkl_thread_t thread);
void posix_thread_detach(void);
void posix_thread_exit(void);
lkl_thread_t posix_thread_self(void);
int posix_thread_equal(lkl_thread_t a, lkl_thread_t b);

struct lkl_mutex *posix_mutex_alloc(int recursive);
void posix_mutex_free(struct lkl_mutex *mutex);
void posix_mutex_lock(struct lkl_mutex *mutex);
void posix_mutex_unlock(struct lkl_mutex *mutex);

struct lkl_sem *posix_sem_alloc(int count);
void posix_sem_free(struct lkl_sem *sem);
void posix_sem_up(struct lkl_sem *sem);
void posix_sem_down(struct lkl_sem *sem);

#endif /* POSIX_THREAD_H */
