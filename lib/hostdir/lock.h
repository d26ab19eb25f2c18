/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lock for threads of a device: 0 free, 1 taken, 2 taken and wanted.
 */
#ifndef HOSTDIR_LOCK_H
#define HOSTDIR_LOCK_H

#include "../virtio.h"

struct lock {
	int word;
};

static inline void lock(struct lock *l)
{
	int free = 0;

	if (__atomic_compare_exchange_n(&l->word, &free, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE))
		lkl_vdev_host->wait(&l->word, 2, 0);
}

/* For the kernel, which does not wait for threads; whether it was free. */
static inline bool try_lock(struct lock *l)
{
	int free = 0;

	return __atomic_compare_exchange_n(&l->word, &free, 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void unlock(struct lock *l)
{
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		lkl_vdev_host->wake(&l->word, 1);
}

#endif /* HOSTDIR_LOCK_H */
