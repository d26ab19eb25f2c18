// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads, mutexes and semaphores of the host.
 *
 * The library itself needs the threads only; the rest is for programs that use
 * the host operations to be portable.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "thread.h"

/*
 * What a thread that is made is to do, until it has begun.  Mostly that is not
 * on the heap: to free it there would have the C library set up an arena for
 * the thread, which takes the host longer than to make it.
 */
struct beginning {
	void (*fn)(void *arg);
	void *arg;
	bool used;
	bool heap;
};

static struct beginning beginnings[16];

static struct beginning *take_beginning(void)
{
	struct beginning *b;

	for (b = beginnings; b < beginnings + 16; b++)
		if (!__atomic_exchange_n(&b->used, true, __ATOMIC_ACQUIRE))
			return b;
	b = malloc(sizeof(*b));
	if (b)
		b->heap = true;
	return b;
}

static void give_beginning(struct beginning *b)
{
	if (b->heap)
		free(b);
	else
		__atomic_store_n(&b->used, false, __ATOMIC_RELEASE);
}

static void *begin(void *arg)
{
	struct beginning b = *(struct beginning *)arg;

	give_beginning(arg);
	b.fn(b.arg);
	return NULL;
}

lkl_thread_t posix_thread_create(void (*fn)(void *arg), void *arg)
{
	struct beginning *b = take_beginning();
	sigset_t all, old;
	pthread_t id;
	int err;

	if (!b)
		return 0;
	b->fn = fn;
	b->arg = arg;
	/* The application's signals are for the application's threads. */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&id, NULL, begin, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		give_beginning(b);
		return 0;
	}
	return id;
}

int posix_thread_join(lkl_thread_t thread)
{
	return -pthread_join(thread, NULL);
}

void posix_thread_detach(void)
{
	pthread_detach(pthread_self());
}

void posix_thread_exit(void)
{
	pthread_exit(NULL);
}

lkl_thread_t posix_thread_self(void)
{
	return pthread_self();
}

int posix_thread_equal(lkl_thread_t a, lkl_thread_t b)
{
	return pthread_equal(a, b);
}

struct lkl_mutex {
	pthread_mutex_t mutex;
};

struct lkl_mutex *posix_mutex_alloc(int recursive)
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

void posix_mutex_free(struct lkl_mutex *mutex)
{
	pthread_mutex_destroy(&mutex->mutex);
	free(mutex);
}

void posix_mutex_lock(struct lkl_mutex *mutex)
{
	pthread_mutex_lock(&mutex->mutex);
}

void posix_mutex_unlock(struct lkl_mutex *mutex)
{
	pthread_mutex_unlock(&mutex->mutex);
}

struct lkl_sem {
	sem_t sem;
};

struct lkl_sem *posix_sem_alloc(int count)
{
	struct lkl_sem *sem = malloc(sizeof(*sem));

	if (sem && sem_init(&sem->sem, 0, count)) {
		free(sem);
		return NULL;
	}
	return sem;
}

void posix_sem_free(struct lkl_sem *sem)
{
	sem_destroy(&sem->sem);
	free(sem);
}

void posix_sem_up(struct lkl_sem *sem)
{
	sem_post(&sem->sem);
}

void posix_sem_down(struct lkl_sem *sem)
{
	while (sem_wait(&sem->sem) && errno == EINTR)
		;
}
