// SPDX-License-Identifier: GPL-2.0-only
/* Threads, mutexes and semaphores on Windows: winpthreads, as the library has.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <windows.h>

#include <lkl/asm/errno.h>

#include "nt.h"

struct beginning {
	void(LKL_DOOR *fn)(void *arg);
	void *arg;
};

static void *begin(void *arg)
{
	struct beginning b = *(struct beginning *)arg;

	free(arg);
	b.fn(b.arg);
	return NULL;
}

lkl_thread_t LKL_DOOR nt_thread_create(void(LKL_DOOR *fn)(void *arg), void *arg)
{
	struct beginning *b = malloc(sizeof(*b));
	pthread_t id;

	if (!b)
		return 0;
	*b = (struct beginning){ fn, arg };
	if (!pthread_create(&id, NULL, begin, b))
		return id;
	free(b);
	return 0;
}

int LKL_DOOR nt_thread_join(lkl_thread_t thread)
{
	return pthread_join(thread, NULL) ? -LKL_EINVAL : 0;
}

void LKL_DOOR nt_thread_detach(void)
{
	pthread_detach(pthread_self());
}

void LKL_DOOR nt_thread_exit(void)
{
	pthread_exit(NULL);
}

lkl_thread_t LKL_DOOR nt_thread_self(void)
{
	return pthread_self();
}

int LKL_DOOR nt_thread_equal(lkl_thread_t a, lkl_thread_t b)
{
	return pthread_equal(a, b);
}

lkl_long_t LKL_DOOR nt_gettid(void)
{
	return GetCurrentThreadId();
}

struct lkl_mutex {
	pthread_mutex_t mutex;
};

struct lkl_mutex *LKL_DOOR nt_mutex_alloc(int recursive)
{
	struct lkl_mutex *mutex = malloc(sizeof(*mutex));
	pthread_mutexattr_t attr;

	if (!mutex)
		return NULL;
	pthread_mutexattr_init(&attr);
	if (recursive)
		pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return mutex;
}

void LKL_DOOR nt_mutex_free(struct lkl_mutex *mutex)
{
	pthread_mutex_destroy(&mutex->mutex);
	free(mutex);
}

void LKL_DOOR nt_mutex_lock(struct lkl_mutex *mutex)
{
	pthread_mutex_lock(&mutex->mutex);
}

void LKL_DOOR nt_mutex_unlock(struct lkl_mutex *mutex)
{
	pthread_mutex_unlock(&mutex->mutex);
}

struct lkl_sem {
	sem_t sem;
};

struct lkl_sem *LKL_DOOR nt_sem_alloc(int count)
{
	struct lkl_sem *sem = malloc(sizeof(*sem));

	if (sem && sem_init(&sem->sem, 0, count)) {
		free(sem);
		return NULL;
	}
	return sem;
}

void LKL_DOOR nt_sem_free(struct lkl_sem *sem)
{
	sem_destroy(&sem->sem);
	free(sem);
}

void LKL_DOOR nt_sem_up(struct lkl_sem *sem)
{
	sem_post(&sem->sem);
}

void LKL_DOOR nt_sem_down(struct lkl_sem *sem)
{
	sem_wait(&sem->sem);
}
