// SPDX-License-Identifier: GPL-2.0-only
/* Steps of the library's life cycle exclude each other. */
#include <pthread.h>

#include <lkl.h>

#include "life.h"
#include "process.h"
#include "thread.h"

int lkl_begin_step(void)
{
	struct lkl_self *self = lkl_thread_self();

	if (lkl_thread_busy(self))
		return -LKL_EDEADLK;
	lkl_process()->began = true;
	self->in_step = 1;
	pthread_mutex_lock(&lkl_process()->life);
	return 0;
}

void lkl_end_step(void)
{
	pthread_mutex_unlock(&lkl_process()->life);
	lkl_thread_self()->in_step = 0;
}
