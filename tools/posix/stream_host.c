// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stream asks of POSIX: it is between threads of one process.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "../common/stream_host.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void *stream_memory(size_t size, bool shared)
{
	(void)shared;
	return calloc(1, size);
}

void stream_free_memory(void *memory, size_t size)
{
	(void)size;
	free(memory);
}

void stream_sleep(_Atomic uint32_t *word, unsigned int ms)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += ms % 1000 * 1000000L;
	time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	if (atomic_load(word) == 1) {
		if (ms)
			pthread_cond_timedwait(&changed, &lock, &time);
		else
			pthread_cond_wait(&changed, &lock);
	}
	pthread_mutex_unlock(&lock);
}

void stream_wake(_Atomic uint32_t *word)
{
	(void)word;
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}
