// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which calls of the host's a signal may find waiting.
 */
#include "way.h"

/* Calls that wait, or that change what is blocked. */
bool way_may_block(long nr)
{
	switch (nr) {
	case SYS_read:
	case SYS_write:
	case SYS_open:
	case SYS_openat:
	case SYS_openat2:
	case SYS_readv:
	case SYS_writev:
	case SYS_pread64:
	case SYS_pwrite64:
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_preadv2:
	case SYS_pwritev2:
	case SYS_ioctl:
	case SYS_fcntl:
	case SYS_flock:
	case SYS_futex:
	case SYS_futex_waitv:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_accept:
	case SYS_accept4:
	case SYS_connect:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_sendfile:
	case SYS_splice:
	case SYS_tee:
	case SYS_vmsplice:
	case SYS_copy_file_range:
	case SYS_mq_timedreceive:
	case SYS_mq_timedsend:
	case SYS_io_pgetevents:
	case SYS_io_uring_enter:
	case SYS_getrandom:
	case SYS_restart_syscall:
	case SYS_rt_sigprocmask:
		return true;
	default:
		return hijack_never_restarts(nr);
	}
}
