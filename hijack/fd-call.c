// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that name a descriptor, or memory that one was mapped to: they go to
 * the kernel that has it.
 */
#include <signal.h>
#include <sys/socket.h>

#include <lkl/asm/areas.h>

#include "internal.h"

/*
 * A call of the library's has returned -EPIPE.  The signal that comes with it
 * is for us to send: of the network's protocols those of connections have it,
 * and it is of the calls that write, unless they are told not to.
 */
void fd_broken_pipe(long nr, const long *a, long kfd)
{
	int type = 0, size = sizeof(type);

	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_pwritev2:
	case SYS_sendfile:
	case SYS_splice:
		break;
	case SYS_sendto:
	case SYS_sendmmsg:
		if (a[3] & MSG_NOSIGNAL)
			return;
		break;
	case SYS_sendmsg:
		if (a[2] & MSG_NOSIGNAL)
			return;
		break;
	default:
		return;
	}
	if (!lkl6(SYS_getsockopt, kfd, SOL_SOCKET, SO_TYPE, (long)&type,
		  (long)&size, 0) &&
	    (type == SOCK_STREAM || type == SOCK_SEQPACKET))
		host3(SYS_tgkill, host0(SYS_getpid), host0(SYS_gettid),
		      SIGPIPE);
}

/**
 * fd_call - make a call whose first argument is a descriptor
 */
long fd_call(long nr, const long *a)
{
	uint32_t word = fd_word(a[0]);

	long ret;

	if (likely(!(word & (FD_LKL | FD_OWN))))
		return host_call(nr, a);
	if (word & FD_OWN)
		return -EBADF;
	ret = lkl6(nr, fd_number(word), a[1], a[2], a[3], a[4], a[5]);
	if (unlikely(word & FD_OPEN && !fd_word(a[0])))
		return host_call(nr, a);
	if (unlikely(ret == -EPIPE))
		fd_broken_pipe(nr, a, fd_number(word));
	return ret;
}

/*
 * mmap(), perhaps of a file of the library's: a ring of packets, say.  Programs
 * that choose addresses at random, as V8 does, do not get the library's.
 */
long fd_mmap(long nr, const long *a)
{
	uint32_t word = a[3] & LKL_MAP_ANONYMOUS ? 0 : fd_word(a[4]);
	unsigned long at = a[0];

	if (unlikely(word & FD_LKL))
		return lkl6(nr, a[0], a[1], a[2], a[3], fd_number(word), a[5]);
	if (likely(at >= LKL_AREA_END || at + a[1] <= LKL_AREA_START))
		return host_call(nr, a);
	if (a[3] & LKL_MAP_FIXED_NOREPLACE)
		return -EEXIST;
	if (a[3] & LKL_MAP_FIXED)
		return -ENOMEM;
	return host6(nr, 0, a[1], a[2], a[3], a[4], a[5]);
}

/* munmap(), mprotect() and so on, of what fd_mmap() returned. */
long fd_memory(long nr, const long *a)
{
	if (likely((unsigned long)a[0] - LKL_AREA_MMAP >= LKL_AREA_MMAP_SIZE))
		return host_call(nr, a);
	return lkl6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
