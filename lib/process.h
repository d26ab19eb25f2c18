/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

#include <pthread.h>
#include <stdbool.h>

/**
 * struct lkl_process - what of the library's state is not inherited by fork()
 *
 * It lies in a page that the host empties in a forked child.  So a child finds
 * no lock taken by a thread that it does not have, and knows that the kernel,
 * whose threads and memory it does not have either, was its parent's.
 *
 * @life: serializes lkl_init(), boot, halt and lkl_cleanup(); taken before
 *	@devices
 * @devices: protects the list of devices, and @running
 * @began: a step of the life cycle was begun in this process
 * @initialized: lkl_init() was called in this process
 * @running: the kernel runs and has the devices of the list
 * @frozen: a state of the kernel is remembered, and of the devices
 * @moves: the kernel has come to rest for a fork; what is forked while it is
 *	has this, too, and keeps the devices
 * @looked: the list of devices is this process's, not its parent's
 */
struct lkl_process {
	pthread_mutex_t life;
	pthread_mutex_t devices;
	bool began;
	bool initialized;
	bool running;
	bool frozen;
	bool moves;
	bool looked;
};

struct lkl_process *lkl_process(void);

#endif /* LIB_PROCESS_H */
