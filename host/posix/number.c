// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of threads.
 *
 * POSIX has none, so threads get one here when they need it: their place in a
 * table, which is free again when they have ended.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "host.h"

#define MAX_THREADS 4096

static pthread_t threads[MAX_THREADS];
static bool taken[MAX_THREADS];
static int threads_lock;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* 0 is none. */
static _Thread_local int my_number;

static void free_number(void *place)
{
	unsigned long mask = posix_lock(&threads_lock);

	*(bool *)place = false;
	posix_unlock(&threads_lock, mask);
	my_number = 0;
}

static void make_key(void)
{
	pthread_key_create(&key, free_number);
}

int calls_thread(void)
{
	unsigned long mask;

	if (my_number)
		return my_number;
	pthread_once(&once, make_key);
	mask = posix_lock(&threads_lock);
	for (int i = 1; i < MAX_THREADS; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		threads[i] = pthread_self();
		my_number = i;
		break;
	}
	posix_unlock(&threads_lock, mask);
	/* Without a number it is sent what goes to the process. */
	if (my_number)
		pthread_setspecific(key, &taken[my_number]);
	return my_number;
}

long posix_gettid(void)
{
	return calls_thread();
}

void posix_threads_forked(void)
{
	threads_lock = 0;
	memset(taken, 0, sizeof(taken));
	if (!my_number)
		return;
	taken[my_number] = true;
	threads[my_number] = pthread_self();
}

/* A signal of its own would have to be queued: what it tells is lost. */
void calls_send(int thread, int sig, siginfo_t *info)
{
	unsigned long mask = posix_lock(&threads_lock);

	(void)info;
	if (!thread)
		kill(getpid(), sig);
	else if (taken[thread])
		pthread_kill(threads[thread], sig);
	posix_unlock(&threads_lock, mask);
}
