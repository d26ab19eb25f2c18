// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleep until the word at an address changes.
 *
 * Who sleeps is in a list, one of several by the address, with a semaphore of
 * its own on its stack.  The lists' locks are held for some instructions only,
 * with signals blocked, since a handler may wake others.
 *
 * sem_timedwait() takes the time of day, which may be set.  So no sleep is
 * longer than a second before the monotonic clock is looked at again.
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "calls.h"
#include "host.h"
#include "posix.h"

#define NS_PER_S 1000000000ULL
#define LISTS 64

/**
 * struct sleeper - a thread that sleeps
 * @word: until this changes
 * @woken: it is in no list any more
 * @sem: has one then
 * @next: in the list
 */
struct sleeper {
	int *word;
	bool woken;
	sem_t sem;
	struct sleeper *next;
};

static struct list {
	int lock;
	struct sleeper *first;
} lists[LISTS];

static struct list *list_of(const int *word)
{
	uintptr_t addr = (uintptr_t)word / sizeof(*word);

	return &lists[(addr ^ addr >> 6 ^ addr >> 12) % LISTS];
}

void posix_wait_forked(void)
{
	for (int i = 0; i < LISTS; i++)
		lists[i] = (struct list){ 0 };
}

/* A handler has run, and does one of those that are not blocked end calls? */
static bool ends_call(void)
{
	unsigned long ending, restarting, blocked = calls_mask(SIG_BLOCK, 0);

	posix_handlers(&ending, &restarting);
	return ending & ~blocked;
}

/* When a second has passed, or the deadline is reached, by the time of day. */
static struct timespec until(unsigned long long deadline)
{
	unsigned long long now = posix_time(), ns;
	struct timespec time;

	ns = deadline > now ? deadline - now : 0;
	if (ns > NS_PER_S)
		ns = NS_PER_S;
	clock_gettime(CLOCK_REALTIME, &time);
	ns += time.tv_nsec;
	time.tv_sec += ns / NS_PER_S;
	time.tv_nsec = ns % NS_PER_S;
	return time;
}

static int sleep_until(sem_t *sem, unsigned long long deadline)
{
	for (;;) {
		struct timespec time = { 0 };

		if (deadline)
			time = until(deadline);
		if (!(deadline ? sem_timedwait(sem, &time) : sem_wait(sem)))
			return 0;
		if (errno == EINTR && ends_call())
			return -EINTR;
		if (errno == ETIMEDOUT && posix_time() >= deadline)
			return 0;
	}
}

int posix_wait(int *word, int val, unsigned long long deadline)
{
	struct sleeper self = { .word = word }, **p;
	struct list *list = list_of(word);
	unsigned long mask;
	int err = 0;

	host_admit_faults();
	if (sem_init(&self.sem, 0, 0)) {
		sched_yield();
		return 0;
	}
	mask = posix_lock(&list->lock);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == val) {
		/* Who came first is woken first. */
		for (p = &list->first; *p; p = &(*p)->next)
			;
		*p = &self;
	} else {
		self.woken = true;
	}
	posix_unlock(&list->lock, mask);
	if (!self.woken)
		err = sleep_until(&self.sem, deadline);
	mask = posix_lock(&list->lock);
	if (!self.woken) {
		for (p = &list->first; *p != &self; p = &(*p)->next)
			;
		*p = self.next;
	}
	posix_unlock(&list->lock, mask);
	sem_destroy(&self.sem);
	return err;
}

void posix_wake(int *word, int count)
{
	struct list *list = list_of(word);
	unsigned long mask = posix_lock(&list->lock);
	struct sleeper **p = &list->first;

	while (*p && count > 0) {
		struct sleeper *s = *p;

		if (s->word != word) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		s->woken = true;
		/* Under the lock: the semaphore is there until it is released.
		 */
		sem_post(&s->sem);
		count--;
	}
	posix_unlock(&list->lock, mask);
}
