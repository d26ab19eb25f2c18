// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process's calls: what their arguments point to is put into the
 * link, where the owner finds it, and what comes back is taken from there.
 * Calls that move data are in transfer.c.
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "child.h"

/* No socket has a longer address. */
#define CHILD_MAX_NAME 256

/* What an argument points to is read, written, or both. */
#define IN (1 << 14)
#define OUT (1 << 15)
/* It is a structure, */
#define BYTES(size) (0 << 12 | (size))
/* as many of some size as another argument says, */
#define COUNT(n, size) (1 << 12 | (size) << 4 | (n))
/* as many bytes as another argument's target says, before and after, */
#define TARGET(n) (2 << 12 | (n))
/* or a string. */
#define STRING (3 << 12 | IN)

#define KIND(k) ((k)&3 << 12)
#define SIZE(k) ((k)&0xfff)
#define UNIT(k) ((k) >> 4 & 0xff)
#define WHICH(k) ((k)&0xf)

/* A call that is not here cannot be made. */
#define CALL(...)                                                              \
	{                                                                      \
		true,                                                          \
		{                                                              \
			__VA_ARGS__                                            \
		}                                                              \
	}

static const struct signature {
	bool known;
	uint16_t arg[6];
} signatures[] = {
	[SYS_close] = CALL(0),
	[SYS_stat] = CALL(STRING, OUT | BYTES(sizeof(struct stat))),
	[SYS_fstat] = CALL(0, OUT | BYTES(sizeof(struct stat))),
	[SYS_lstat] = CALL(STRING, OUT | BYTES(sizeof(struct stat))),
	[SYS_poll] = CALL(IN | OUT | COUNT(1, sizeof(struct pollfd))),
	[SYS_lseek] = CALL(0),
	[SYS_access] = CALL(STRING),
	[SYS_sendfile] = CALL(0, 0, IN | OUT | BYTES(sizeof(long))),
	[SYS_socket] = CALL(0),
	[SYS_connect] = CALL(0, IN | COUNT(2, 1)),
	[SYS_shutdown] = CALL(0),
	[SYS_bind] = CALL(0, IN | COUNT(2, 1)),
	[SYS_listen] = CALL(0),
	[SYS_getsockname] =
		CALL(0, OUT | TARGET(2), IN | OUT | BYTES(sizeof(int))),
	[SYS_getpeername] =
		CALL(0, OUT | TARGET(2), IN | OUT | BYTES(sizeof(int))),
	[SYS_setsockopt] = CALL(0, 0, 0, IN | COUNT(4, 1)),
	[SYS_getsockopt] = CALL(0, 0, 0, IN | OUT | TARGET(4),
				IN | OUT | BYTES(sizeof(int))),
	[SYS_flock] = CALL(0),
	[SYS_fsync] = CALL(0),
	[SYS_fdatasync] = CALL(0),
	[SYS_ftruncate] = CALL(0),
	[SYS_getdents] = CALL(0, OUT | COUNT(2, 1)),
	[SYS_fchdir] = CALL(0),
	[SYS_readlink] = CALL(STRING, OUT | COUNT(2, 1)),
	[SYS_fchmod] = CALL(0),
	[SYS_fchown] = CALL(0),
	[SYS_fstatfs] = CALL(0, OUT | BYTES(sizeof(struct statfs))),
	[SYS_fgetxattr] = CALL(0, STRING, OUT | COUNT(3, 1)),
	[SYS_flistxattr] = CALL(0, OUT | COUNT(2, 1)),
	[SYS_getdents64] = CALL(0, OUT | COUNT(2, 1)),
	[SYS_fadvise64] = CALL(0),
	[SYS_epoll_wait] = CALL(0, OUT | COUNT(2, 12)),
	[SYS_epoll_ctl] = CALL(0, 0, 0, IN | BYTES(12)),
	[SYS_openat] = CALL(0, STRING),
	[SYS_newfstatat] = CALL(0, STRING, OUT | BYTES(sizeof(struct stat))),
	[SYS_readlinkat] = CALL(0, STRING, OUT | COUNT(3, 1)),
	[SYS_faccessat] = CALL(0, STRING),
	[SYS_fallocate] = CALL(0),
	[SYS_accept4] = CALL(0, OUT | TARGET(2), IN | OUT | BYTES(sizeof(int))),
	[SYS_epoll_create1] = CALL(0),
	[SYS_syncfs] = CALL(0),
	[SYS_statx] = CALL(0, STRING, 0, 0, OUT | BYTES(sizeof(struct statx))),
	[SYS_openat2] = CALL(0, STRING, IN | COUNT(3, 1)),
	[SYS_close_range] = CALL(0),
	[SYS_faccessat2] = CALL(0, STRING),
};

/* Bytes that an argument points to, before the call. */
static size_t size_of(unsigned int kind, const long *a, long arg)
{
	size_t size = 0;

	switch (KIND(kind)) {
	case COUNT(0, 0):
		return (unsigned long)(unsigned int)a[WHICH(kind)] * UNIT(kind);
	case TARGET(0):
		/* No address is longer, and programs say what they like. */
		if (a[WHICH(kind)])
			size = *(unsigned int *)a[WHICH(kind)];
		return least(size, kind & IN ? SHARE_DATA : CHILD_MAX_NAME);
	case KIND(STRING):
		while (((char *)arg)[size++])
			;
		return size;
	}
	return SIZE(kind);
}

static long plain_call(struct share_link *link, long nr, const long *a,
		       const uint16_t *kinds)
{
	char *at = head_of(link), *end = at + SHARE_HEAD + SHARE_DATA;
	long b[6], ret;
	size_t size[6];
	int i;

	copy(b, a, sizeof(b));
	for (i = 0; i < 6; i++) {
		unsigned int kind = kinds[i];

		if (!kind || !a[i])
			continue;
		size[i] = size_of(kind, a, a[i]);
		if (size[i] > (size_t)(end - at)) {
			/* What has no end is given as much as there is. */
			if (kind & IN)
				return -EINVAL;
			b[WHICH(kind)] = (end - at) / UNIT(kind);
			size[i] = end - at;
		}
		if (kind & IN)
			copy(at, (void *)a[i], size[i]);
		b[i] = (long)at;
		at += least((size[i] + 15) & -16UL, end - at);
	}
	ret = child_transact(link, nr, b);
	for (i = 0; ret >= 0 && i < 6; i++) {
		unsigned int kind = kinds[i];

		if (!(kind & OUT) || !a[i])
			continue;
		if (KIND(kind) == COUNT(0, 0) && !(kind & IN))
			size[i] = least(size[i], ret * UNIT(kind));
		else if (KIND(kind) == TARGET(0) && a[WHICH(kind)])
			size[i] =
				least(size[i], *(unsigned int *)b[WHICH(kind)]);
		copy((void *)a[i], (void *)b[i], size[i]);
	}
	return ret;
}

/* Some options of sockets point to more. */
static long socket_option(struct share_link *link, const long *a)
{
	struct {
		unsigned short count;
		void *code;
	} *program = (void *)a[3], *there = (void *)head_of(link);
	long b[6];

	if (a[1] != SOL_SOCKET ||
	    (a[2] != SO_ATTACH_FILTER && a[2] != SO_ATTACH_REUSEPORT_CBPF) ||
	    a[4] != sizeof(*program))
		return plain_call(link, SYS_setsockopt, a,
				  signatures[SYS_setsockopt].arg);
	copy(b, a, sizeof(b));
	b[3] = (long)there;
	there->count = program->count;
	there->code = data_of(link);
	copy(there->code, program->code,
	     least(program->count * 8UL, SHARE_DATA));
	return child_transact(link, SYS_setsockopt, b);
}

/* Interfaces as SIOCGIFCONF tells of them. */
static long interfaces(struct share_link *link, const long *a)
{
	struct ifconf *conf = (void *)a[2], *there = (void *)head_of(link);
	long b[6] = { a[0], a[1], (long)there }, ret;
	bool wanted = conf->ifc_buf;

	there->ifc_len = wanted ? least(conf->ifc_len, SHARE_DATA) : 0;
	there->ifc_buf = wanted ? data_of(link) : NULL;
	ret = child_transact(link, SYS_ioctl, b);
	if (!ret && wanted)
		copy(conf->ifc_buf, data_of(link), there->ifc_len);
	if (!ret)
		conf->ifc_len = there->ifc_len;
	return ret;
}

static long control_call(struct share_link *link, const long *a)
{
	unsigned int cmd = a[1], size;
	uint16_t kinds[6] = { 0 };

	switch (cmd) {
	case FIONREAD:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
	case FIONBIO:
	case FIOASYNC:
	case FIOGETOWN:
	case SIOCGPGRP:
		size = sizeof(int);
		break;
	case 0x8906: /* SIOCGSTAMP, */
	case 0x8907: /* SIOCGSTAMPNS */
		size = sizeof(struct timespec);
		break;
	case SIOCGIFCONF:
		return interfaces(link, a);
	case SIOCDARP ... SIOCSARP:
		size = sizeof(struct arpreq);
		break;
	case SIOCGIFNAME ... SIOCGIFCONF - 1:
	case SIOCGIFCONF + 1 ... SIOCSIFTXQLEN:
	case SIOCGMIIPHY ... SIOCSMIIREG:
	case SIOCGIFMAP ... SIOCSIFMAP:
		size = sizeof(struct ifreq);
		break;
	default:
		size = _IOC_SIZE(cmd);
		if (!size || size > 0xfff)
			return -EOPNOTSUPP;
	}
	kinds[2] = IN | OUT | BYTES(size);
	return plain_call(link, SYS_ioctl, a, kinds);
}

/**
 * child_call - make a call in a process that has no kernel
 * @link: the thread's
 * @nr: number
 * @a: arguments
 *
 * Return: as child_transact(); -EOPNOTSUPP for what a child cannot do
 */
long child_call(struct share_link *link, long nr, const long *a)
{
	switch (nr) {
	case SYS_read:
	case SYS_write:
	case SYS_pread64:
	case SYS_pwrite64:
	case SYS_readv:
	case SYS_writev:
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_preadv2:
	case SYS_pwritev2:
	case SYS_recvfrom:
	case SYS_sendto:
	case SYS_recvmsg:
	case SYS_sendmsg:
		return transfer_call(link, nr, a);
	case SYS_recvmmsg:
	case SYS_sendmmsg:
		return transfer_messages(link, nr, a);
	case SYS_setsockopt:
		return socket_option(link, a);
	case SYS_ioctl:
		return control_call(link, a);
	case SYS_fcntl:
		/* Signals would be the owner's; locks are of no use. */
		if ((a[1] >= F_GETLK && a[1] <= F_SETOWN) ||
		    a[1] == F_SETOWN_EX || a[1] == F_GETOWN_EX)
			return -EINVAL;
		return child_transact(link, nr, a);
	case SHARE_WATCH:
	case SHARE_FORGET:
		return child_transact(link, nr, a);
	}
	if ((unsigned long)nr >= array_size(signatures) ||
	    !signatures[nr].known)
		return -EOPNOTSUPP;
	return plain_call(link, nr, a, signatures[nr].arg);
}
