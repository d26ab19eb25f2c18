// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process that is not trusted asks of its owner becomes a call of the
 * library: a number among those that it may make, arguments without pointers,
 * and pointers of ours, each to so much of the link's window as the call can
 * touch.
 *
 * What the kernel reads to learn how much it may touch, a length or the parts
 * of a message, is ours, and not in the window: it could change in between.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <lkl/asm/netns.h>

#include "child.h"

/* Is there so much of the window at a place? */
static bool has_room(unsigned long place, unsigned long size)
{
	return size <= SHARE_WINDOW && place <= SHARE_WINDOW - size;
}

/*
 * How much the call touches by an argument, or -1.  Of all arguments of a call
 * one at most is a length, and it comes behind what it is the length of.
 */
static long touched(struct confined *c, unsigned int kind, const long *a,
		    char *window)
{
	unsigned long at;

	switch (ARG_KIND(kind)) {
	case ARG_COUNT(0, 0):
		return (unsigned long)(unsigned int)a[ARG_WHICH(kind)] *
		       ARG_UNIT(kind);
	case ARG_TARGET(0):
		at = a[ARG_WHICH(kind)];
		if (!at)
			return 0;
		if (at % sizeof(c->length) || !has_room(at, sizeof(c->length)))
			return -1;
		c->lengths = (void *)(window + at);
		c->length = __atomic_load_n(c->lengths, __ATOMIC_RELAXED);
		c->a[ARG_WHICH(kind)] = (long)&c->length;
		return c->length;
	case ARG_KIND(ARG_STRING):
		return PATH_MAX;
	}
	return ARG_SIZE(kind);
}

static long confine_plain(struct confined *c, const uint16_t *kinds,
			  const long *a, char *window)
{
	long size;
	int i;

	for (i = 0; i < 6; i++) {
		/* A length that has been dealt with. */
		if (!kinds[i] || !a[i] || c->a[i] != a[i])
			continue;
		size = touched(c, kinds[i], a, window);
		/* Some are wider in the kernel. */
		if (ARG_KIND(kinds[i]) == ARG_COUNT(0, 0))
			c->a[ARG_WHICH(kinds[i])] =
				(unsigned int)a[ARG_WHICH(kinds[i])];
		if (size < 0 || !has_room(a[i], size))
			return -EFAULT;
		c->a[i] = (long)(window + a[i]);
	}
	return 0;
}

/* Options of sockets, but for those whose value has pointers. */
static bool is_flat(int level, int option, bool set)
{
	switch (level) {
	case IPPROTO_IP:
	case IPPROTO_IPV6:
		/* Tables of iptables have counters elsewhere; 64, 96, 128. */
		return !set || (option != 64 && option != 96 && option != 128);
	case SOL_PACKET:
		return !set || option != 22; /* PACKET_FANOUT_DATA */
	case SOL_SOCKET:
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMPV6:
	case SOL_RAW:
	case SOL_NETLINK:
	case 282: /* SOL_TLS */
	case 284: /* SOL_MPTCP */
		return true;
	}
	return false;
}

/*
 * Options that a kernel does not know which cannot show its memory to another
 * process, or keep pages of one.
 */
static bool is_absent(int level, int option, bool set)
{
	switch (level) {
	case SOL_PACKET:
		return set ? option == 5 || option == 13 /* PACKET_*_RING */
			   : option == 11; /* PACKET_HDRLEN, of these */
	case IPPROTO_TCP:
		/* It maps pages, wherever it is told to. */
		return option == TCP_ZEROCOPY_RECEIVE;
	case SOL_XDP:
		return true;
	}
	return false;
}

static long confine_option(struct confined *c, const long *a, char *window)
{
	bool set = c->nr == SYS_setsockopt;
	int option = a[2];

	if (is_absent(a[1], option, set))
		return -ENOPROTOOPT;
	if (!is_flat(a[1], option, set))
		return -EOPNOTSUPP;
	if ((int)a[1] != SOL_SOCKET ||
	    (option != SO_ATTACH_FILTER &&
	     !(set && option == SO_ATTACH_REUSEPORT_CBPF)))
		return confine_plain(c, child_signature(c->nr), a, window);
	/* They are counted by instructions. */
	if (set) {
		c->filter.count = a[4];
		c->filter.code = window + a[3];
		if (!has_room(a[3], c->filter.count * 8UL))
			return -EFAULT;
		c->a[3] = (long)&c->filter;
		c->a[4] = sizeof(c->filter);
		return 0;
	}
	if (confine_plain(c, child_signature(c->nr), a, window) ||
	    (c->lengths && !has_room(a[3], c->length * 8UL)))
		return -EFAULT;
	return 0;
}

static long confine_ioctl(struct confined *c, const long *a, char *window)
{
	uint16_t kinds[6] = { 0 };
	int size;

	if ((unsigned int)a[1] == SIOCGIFCONF) {
		if (!has_room(SHARE_HEAD, a[2]))
			return -EFAULT;
		c->conf.len = a[2];
		c->conf.buf = a[2] ? window + SHARE_HEAD : NULL;
		c->a[2] = (long)&c->conf;
		return 0;
	}
	if (control_has_pointer(a[1]))
		return control_confine(c, a, window);
	size = child_ioctl_size(a[1]);
	if (size < 0)
		return -EOPNOTSUPP;
	kinds[2] = ARG_BYTES(size);
	return confine_plain(c, kinds, a, window);
}

/* Data is in its place; @size bytes of it. */
static long confine_data(struct confined *c, int arg, unsigned long size,
			 char *window)
{
	if (size > SHARE_DATA)
		return -EFAULT;
	c->iov = (struct iovec){ window + SHARE_HEAD, size };
	c->a[arg] = (long)c->iov.iov_base;
	return 0;
}

/*
 * The kernel keeps no pages of the window: it would send what is there later,
 * which is the next call's, or other memory of ours once the process is gone.
 */
static void confine_flags(struct confined *c, int flags)
{
	c->copies = c->a[flags] & MSG_ZEROCOPY;
	c->a[flags] &= ~(long)MSG_ZEROCOPY;
}

static long confine_message(struct confined *c, const long *a, char *window)
{
	struct share_head *head = (void *)(window + SHARE_FIRST);
	unsigned int name = __atomic_load_n(&head->name_len, __ATOMIC_RELAXED);
	unsigned int control =
		__atomic_load_n(&head->control_len, __ATOMIC_RELAXED);

	if (name > SHARE_NAME || control > SHARE_CONTROL ||
	    confine_data(c, 1, a[1], window))
		return -EFAULT;
	c->msg = (struct msghdr){
		.msg_name = name ? head->name : NULL,
		.msg_namelen = name,
		.msg_iov = &c->iov,
		.msg_iovlen = 1,
		.msg_control = control ? head->control : NULL,
		.msg_controllen = control,
	};
	c->a[1] = (long)&c->msg;
	if (c->nr == SYS_recvmsg)
		c->head = head;
	return 0;
}

/*
 * Names of files that change: they are in the directory of network namespaces,
 * and not deeper.  The other process has nothing to do with what is checked.
 */

static bool is_number(const char *p)
{
	do {
		if (*p < '0' || *p > '9')
			return false;
	} while (*++p);
	return true;
}

/* The rest of @name behind @start, or NULL. */
static const char *behind(const char *name, const char *start)
{
	size_t n = strlen(start);

	return strncmp(name, start, n) ? NULL : name + n;
}

static bool is_netns_name(const char *name)
{
	const char *rest = behind(name, LKL_NETNS_DIR);

	if (!rest || !*rest)
		return rest;
	if (*rest++ != '/')
		return false;
	return *rest && !strchr(rest, '/') && strcmp(rest, ".") &&
	       strcmp(rest, "..");
}

static bool is_netns_source(const char *name)
{
	const char *fd = behind(name, "/proc/thread-self/fd/");

	return is_netns_name(name) ||
	       !strcmp(name, "/proc/thread-self/ns/net") ||
	       (fd && is_number(fd));
}

static long confine_name(struct confined *c, int arg, int which,
			 bool (*may)(const char *name))
{
	char *name = c->name[which];

	if (!c->a[arg])
		return -EFAULT;
	copy(name, (char *)c->a[arg], CONFINED_NAME - 1);
	name[CONFINED_NAME - 1] = 0;
	c->a[arg] = (long)name;
	return may(name) ? 0 : -EPERM;
}

static long confine_mount(struct confined *c)
{
	const long changes = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
	long flags = c->a[3] & ~(long)MS_REC, ret;

	ret = confine_name(c, 1, 1, is_netns_name);
	if (ret)
		return ret;
	c->a[2] = c->a[4] = 0;
	if (flags == MS_BIND)
		return confine_name(c, 0, 0, is_netns_source);
	c->a[0] = 0;
	return flags && !(flags & ~changes) ? 0 : -EPERM;
}

static long confine_change(struct confined *c, const long *a, char *window)
{
	long ret = confine_plain(c, child_signature(c->nr), a, window);

	if (ret)
		return ret;
	switch (c->nr) {
	case SYS_mount:
		return confine_mount(c);
	case SYS_umount2:
		return confine_name(c, 0, 0, is_netns_name);
	case SYS_mknodat:
		if (!S_ISREG(a[2]))
			return -EPERM;
	}
	return confine_name(c, 1, 0, is_netns_name);
}

/**
 * confine - make a call of ours out of another process's
 * @c: is filled in
 * @nr: number
 * @a: arguments, which do not change
 * @window: of the link
 *
 * Return: 0 or a negative error number
 */
long confine(struct confined *c, long nr, const long *a, char *window)
{
	const uint16_t *kinds;
	long ret;

	memset(c, 0, offsetof(struct confined, name));
	c->nr = nr;
	copy(c->a, a, sizeof(c->a));
	switch (nr) {
	case SYS_read:
	case SYS_write:
	case SYS_pread64:
	case SYS_pwrite64:
		return confine_data(c, 1, a[2], window);
	case SYS_sendto:
		confine_flags(c, 3);
		/* fall through */
	case SYS_recvfrom:
		c->a[4] = c->a[5] = 0;
		return confine_data(c, 1, a[2], window);
	case SYS_preadv2:
	case SYS_pwritev2:
		ret = confine_data(c, 1, a[2], window);
		c->a[1] = (long)&c->iov;
		c->a[2] = 1;
		return ret;
	case SYS_sendmsg:
		confine_flags(c, 2);
		/* fall through */
	case SYS_recvmsg:
		return confine_message(c, a, window);
	case SYS_setsockopt:
	case SYS_getsockopt:
		return confine_option(c, a, window);
	case SYS_ioctl:
		return confine_ioctl(c, a, window);
	case SYS_mount:
	case SYS_umount2:
	case SYS_mkdirat:
	case SYS_mknodat:
	case SYS_unlinkat:
		return confine_change(c, a, window);
	case SYS_socket:
		/* It is of no use without memory in common. */
		return (int)a[0] == AF_XDP ? -EAFNOSUPPORT : 0;
	case SYS_unshare:
		/* Of the owner's, this alone is each thread's own. */
		return a[0] == CLONE_NEWNET ? 0 : -EPERM;
	case SYS_setns:
		c->a[1] = CLONE_NEWNET;
		return !a[1] || a[1] == CLONE_NEWNET ? 0 : -EINVAL;
	case SYS_fcntl:
		/* Owners have other numbers here; locks are of no use. */
		switch (a[1]) {
		case F_DUPFD:
		case F_DUPFD_CLOEXEC:
		case F_GETFD:
		case F_SETFD:
		case F_GETFL:
		case F_SETFL:
		case F_GETSIG:
			return 0;
		}
		return -EINVAL;
	}
	kinds = child_signature(nr);
	return kinds ? confine_plain(c, kinds, a, window) : -EPERM;
}

/**
 * confined_end - the call has been made
 * @c: the call
 *
 * What it tells of lengths goes into the window.
 */
void confined_end(const struct confined *c)
{
	if (c->lengths)
		*c->lengths = c->length;
	if (c->back)
		copy(c->back, c->target, c->back_size);
	if (!c->head)
		return;
	c->head->name_len = c->msg.msg_namelen;
	c->head->control_len = c->msg.msg_controllen;
	c->head->flags = c->msg.msg_flags;
}
