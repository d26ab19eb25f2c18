// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process's calls: what their arguments point to is put into the
 * link, where the owner finds it, and what comes back is taken from there.
 * Calls that move data are in transfer.c.
 */
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "child.h"

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
	[SYS_stat] = CALL(ARG_STRING, ARG_OUT | ARG_BYTES(sizeof(struct stat))),
	[SYS_fstat] = CALL(0, ARG_OUT | ARG_BYTES(sizeof(struct stat))),
	[SYS_lstat] =
		CALL(ARG_STRING, ARG_OUT | ARG_BYTES(sizeof(struct stat))),
	[SYS_poll] =
		CALL(ARG_IN | ARG_OUT | ARG_COUNT(1, sizeof(struct pollfd))),
	[SYS_lseek] = CALL(0),
	[SYS_access] = CALL(ARG_STRING),
	[SYS_sendfile] = CALL(0, 0, ARG_IN | ARG_OUT | ARG_BYTES(sizeof(long))),
	[SYS_socket] = CALL(0),
	[SYS_connect] = CALL(0, ARG_IN | ARG_COUNT(2, 1)),
	[SYS_shutdown] = CALL(0),
	[SYS_bind] = CALL(0, ARG_IN | ARG_COUNT(2, 1)),
	[SYS_listen] = CALL(0),
	[SYS_getsockname] = CALL(0, ARG_OUT | ARG_TARGET(2),
				 ARG_IN | ARG_OUT | ARG_BYTES(sizeof(int))),
	[SYS_getpeername] = CALL(0, ARG_OUT | ARG_TARGET(2),
				 ARG_IN | ARG_OUT | ARG_BYTES(sizeof(int))),
	[SYS_setsockopt] = CALL(0, 0, 0, ARG_IN | ARG_COUNT(4, 1)),
	[SYS_getsockopt] = CALL(0, 0, 0, ARG_IN | ARG_OUT | ARG_TARGET(4),
				ARG_IN | ARG_OUT | ARG_BYTES(sizeof(int))),
	[SYS_flock] = CALL(0),
	[SYS_fsync] = CALL(0),
	[SYS_fdatasync] = CALL(0),
	[SYS_ftruncate] = CALL(0),
	[SYS_statfs] =
		CALL(ARG_STRING, ARG_OUT | ARG_BYTES(sizeof(struct statfs))),
	[SYS_getxattr] =
		CALL(ARG_STRING, ARG_STRING, ARG_OUT | ARG_COUNT(3, 1)),
	[SYS_lgetxattr] =
		CALL(ARG_STRING, ARG_STRING, ARG_OUT | ARG_COUNT(3, 1)),
	[SYS_listxattr] = CALL(ARG_STRING, ARG_OUT | ARG_COUNT(2, 1)),
	[SYS_llistxattr] = CALL(ARG_STRING, ARG_OUT | ARG_COUNT(2, 1)),
	[SYS_getdents] = CALL(0, ARG_OUT | ARG_COUNT(2, 1)),
	[SYS_fchdir] = CALL(0),
	[SYS_readlink] = CALL(ARG_STRING, ARG_OUT | ARG_COUNT(2, 1)),
	[SYS_fchmod] = CALL(0),
	[SYS_fchown] = CALL(0),
	[SYS_fstatfs] = CALL(0, ARG_OUT | ARG_BYTES(sizeof(struct statfs))),
	[SYS_fgetxattr] = CALL(0, ARG_STRING, ARG_OUT | ARG_COUNT(3, 1)),
	[SYS_flistxattr] = CALL(0, ARG_OUT | ARG_COUNT(2, 1)),
	[SYS_getdents64] = CALL(0, ARG_OUT | ARG_COUNT(2, 1)),
	[SYS_fadvise64] = CALL(0),
	[SYS_epoll_wait] = CALL(0, ARG_OUT | ARG_COUNT(2, 12)),
	[SYS_epoll_ctl] = CALL(0, 0, 0, ARG_IN | ARG_BYTES(12)),
	[SYS_openat] = CALL(0, ARG_STRING),
	[SYS_newfstatat] =
		CALL(0, ARG_STRING, ARG_OUT | ARG_BYTES(sizeof(struct stat))),
	[SYS_readlinkat] = CALL(0, ARG_STRING, ARG_OUT | ARG_COUNT(3, 1)),
	[SYS_faccessat] = CALL(0, ARG_STRING),
	[SYS_fallocate] = CALL(0),
	[SYS_mount] = CALL(ARG_STRING, ARG_STRING),
	[SYS_umount2] = CALL(ARG_STRING),
	[SYS_mkdirat] = CALL(0, ARG_STRING),
	[SYS_mknodat] = CALL(0, ARG_STRING),
	[SYS_unlinkat] = CALL(0, ARG_STRING),
	[SYS_unshare] = CALL(0),
	[SYS_setns] = CALL(0),
	[SYS_accept4] = CALL(0, ARG_OUT | ARG_TARGET(2),
			     ARG_IN | ARG_OUT | ARG_BYTES(sizeof(int))),
	[SYS_epoll_create1] = CALL(0),
	[SYS_syncfs] = CALL(0),
	[SYS_statx] = CALL(0, ARG_STRING, 0, 0,
			   ARG_OUT | ARG_BYTES(sizeof(struct statx))),
	[SYS_close_range] = CALL(0),
	[SYS_faccessat2] = CALL(0, ARG_STRING),
};

/**
 * child_signature - what the arguments of a call point to
 * @nr: number
 *
 * Return: a kind for each argument, or NULL for a call that is made in another
 * way, or not at all
 */
const uint16_t *child_signature(long nr)
{
	return (unsigned long)nr < array_size(signatures) &&
			       signatures[nr].known
		       ? signatures[nr].arg
		       : NULL;
}

/* Bytes that an argument points to, before the call; or an error number. */
static long size_of(unsigned int kind, const long *a)
{
	unsigned int size = 0;

	switch (ARG_KIND(kind)) {
	case ARG_COUNT(0, 0):
		return (unsigned long)(unsigned int)a[ARG_WHICH(kind)] *
		       ARG_UNIT(kind);
	case ARG_TARGET(0):
		/* No address is longer, and programs say what they like. */
		if (a[ARG_WHICH(kind)] &&
		    !user_get(&size, a[ARG_WHICH(kind)], sizeof(size)))
			return -EFAULT;
		return least(size, kind & ARG_IN ? SHARE_DATA : SHARE_NAME);
	case ARG_KIND(ARG_STRING):
		return 0;
	}
	return ARG_SIZE(kind);
}

static long plain_call(struct share_link *link, long nr, const long *a,
		       const uint16_t *kinds)
{
	char *at = head_of(link) + SHARE_FIRST, *arg[6];
	char *end = head_of(link) + SHARE_WINDOW;
	long b[6], size[6], ret;
	unsigned int length;
	int i;

	copy(b, a, sizeof(b));
	for (i = 0; i < 6; i++) {
		unsigned int kind = kinds[i];

		if (!kind || !a[i])
			continue;
		arg[i] = at;
		b[i] = place(link, at);
		size[i] = size_of(kind, a);
		if (size[i] < 0)
			return size[i];
		if (size[i] > end - at) {
			/* What has no end is given as much as there is. */
			if (kind & ARG_IN)
				return -EINVAL;
			b[ARG_WHICH(kind)] = (end - at) / ARG_UNIT(kind);
			size[i] = end - at;
		}
		if (ARG_KIND(kind) == ARG_KIND(ARG_STRING)) {
			ret = user_string(at, a[i], least(end - at, PATH_MAX));
			if (ret < 0)
				return ret;
			size[i] = ret + 1;
		} else if (kind & ARG_IN && !user_get(at, a[i], size[i])) {
			return -EFAULT;
		}
		at += least((size[i] + 15) & -16L, end - at);
	}
	ret = child_transact(link, nr, b);
	for (i = 0; ret >= 0 && i < 6; i++) {
		unsigned int kind = kinds[i];

		if (!(kind & ARG_OUT) || !a[i])
			continue;
		if (ARG_KIND(kind) == ARG_COUNT(0, 0) && !(kind & ARG_IN)) {
			size[i] = least(size[i], ret * ARG_UNIT(kind));
		} else if (ARG_KIND(kind) == ARG_TARGET(0) &&
			   a[ARG_WHICH(kind)]) {
			copy(&length, arg[ARG_WHICH(kind)], sizeof(length));
			size[i] = least(size[i], length);
		}
		if (!user_put(a[i], arg[i], size[i]))
			return -EFAULT;
	}
	return ret;
}

/* Some options of sockets point to more. */
static long socket_option(struct share_link *link, const long *a)
{
	struct {
		unsigned short count;
		void *code;
	} program;
	long b[6];

	if (a[1] != SOL_SOCKET ||
	    (a[2] != SO_ATTACH_FILTER && a[2] != SO_ATTACH_REUSEPORT_CBPF) ||
	    a[4] != sizeof(program))
		return plain_call(link, SYS_setsockopt, a,
				  child_signature(SYS_setsockopt));
	if (!user_get(&program, a[3], sizeof(program)) ||
	    !user_get(data_of(link), (long)program.code,
		      least(program.count * 8UL, SHARE_DATA)))
		return -EFAULT;
	copy(b, a, sizeof(b));
	b[3] = place(link, data_of(link));
	b[4] = program.count;
	return child_transact(link, SYS_setsockopt, b);
}

/* Interfaces as SIOCGIFCONF tells of them. */
static long interfaces(struct share_link *link, const long *a)
{
	long b[6] = { a[0], a[1] }, ret;
	struct ifconf conf;

	if (!user_get(&conf, a[2], sizeof(conf)))
		return -EFAULT;
	if (conf.ifc_buf)
		b[2] = least(conf.ifc_len, SHARE_DATA);
	ret = child_transact(link, SYS_ioctl, b);
	if (ret < 0)
		return ret;
	conf.ifc_len = ret;
	if ((conf.ifc_buf && !user_put((long)conf.ifc_buf, data_of(link),
				       least(ret, SHARE_DATA))) ||
	    !user_put(a[2], &conf, sizeof(conf)))
		return -EFAULT;
	return 0;
}

/* The owner opens files that tell about the network, by openat() only. */
static long open_how(struct share_link *link, const long *a)
{
	struct {
		uint64_t flags, mode, resolve;
	} how;
	long b[6] = { a[0], a[1] };

	if (a[3] < (long)sizeof(how))
		return -EINVAL;
	if (!user_get(&how, a[2], sizeof(how)))
		return -EFAULT;
	if (how.resolve)
		return -ENOSYS;
	b[2] = how.flags;
	return plain_call(link, SYS_openat, b, child_signature(SYS_openat));
}

/**
 * child_ioctl_size - what an ioctl()'s argument points to
 * @cmd: the command
 *
 * Return: how many bytes, none of them a pointer; -1 for what a child cannot do
 */
int child_ioctl_size(unsigned int cmd)
{
	switch (cmd) {
	case SIOCGSKNS:
	case NS_GET_NSTYPE:
		return 0;
	case FIONREAD:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
	case FIONBIO:
	case FIOASYNC:
		return sizeof(int);
	case 0x8906: /* SIOCGSTAMP, */
	case 0x8907: /* SIOCGSTAMPNS */
		return sizeof(struct timespec);
	case SIOCDARP ... SIOCSARP:
		return sizeof(struct arpreq);
	case SIOCGIFNAME ... SIOCGIFCONF - 1:
	case SIOCGIFCONF + 1 ... SIOCGIFBR - 1:
	case SIOCSIFBR + 1 ... SIOCSIFTXQLEN:
	case SIOCGMIIPHY ... SIOCSMIIREG:
	case SIOCGIFMAP ... SIOCSIFMAP:
	/* Their numbers say that it is an int. */
	case TUNSETIFF:
	case TUNGETIFF:
		return sizeof(struct ifreq);
	}
	return _IOC_TYPE(cmd) == SOCK_IOC_TYPE && _IOC_SIZE(cmd)
		       ? (int)_IOC_SIZE(cmd) & 0xfff
		       : -1;
}

static int family_of(struct share_link *link, long fd)
{
	unsigned int len = sizeof(int);
	int family = -1;
	long b[6] = { fd, SOL_SOCKET, SO_DOMAIN, (long)&family, (long)&len };

	plain_call(link, SYS_getsockopt, b, child_signature(SYS_getsockopt));
	return family;
}

static long control_call(struct share_link *link, const long *a)
{
	uint16_t kinds[6] = { 0 };
	int size;

	if ((unsigned int)a[1] == SIOCGIFCONF)
		return interfaces(link, a);
	if (control_has_pointer(a[1]))
		return control_transact(link, a, family_of(link, a[0]));
	size = child_ioctl_size(a[1]);
	if (size < 0)
		return -EOPNOTSUPP;
	kinds[2] = ARG_IN | ARG_OUT | ARG_BYTES(size);
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
	const uint16_t *kinds;

	switch (nr) {
	case SYS_setsockopt:
		return socket_option(link, a);
	case SYS_ioctl:
		return control_call(link, a);
	case SYS_openat2:
		return open_how(link, a);
	case SYS_recvmmsg:
	case SYS_sendmmsg:
		return transfer_messages(link, nr, a);
	case SYS_fcntl:
	case SHARE_EPOLL:
	case SHARE_INODE:
	case SHARE_PARK:
	case SHARE_CLAIM:
	case SHARE_NETNS:
	case SHARE_ASYNC:
		return child_transact(link, nr, a);
	}
	kinds = child_signature(nr);
	return kinds ? plain_call(link, nr, a, kinds)
		     : transfer_call(link, nr, a);
}
