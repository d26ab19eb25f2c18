/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both sides of vhost-user have: locks that are held for moments, also in
 * the middle of the kernel, and eventfds.
 */
#ifndef LIB_VHOST_TOOLS_H
#define LIB_VHOST_TOOLS_H

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../host/linux/linux.h"
#include "../net.h"

#define VIRTIO(name) (1ULL << LKL_VIRTIO_##name)

static inline void lock_take(int *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		linux_relax();
}

static inline void lock_give(int *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static inline void ring_bell(int fd, uint64_t count)
{
	raw_syscall(SYS_write, fd, (long)&count, sizeof(count), 0, 0, 0);
}

/* The other side may have made it one that blocks. */
static inline void clear_bell(int fd)
{
	uint64_t count;
	struct iovec iov = { &count, sizeof(count) };

	raw_syscall(SYS_preadv2, fd, (long)&iov, 1, -1, -1, RWF_NOWAIT);
}

/* Whoever forks meanwhile must not find a number that is another file's. */
static inline void close_fd(int *fd)
{
	int old = __atomic_exchange_n(fd, -1, __ATOMIC_SEQ_CST);

	if (old >= 0)
		lkl_net_close(old);
}

#endif /* LIB_VHOST_TOOLS_H */
