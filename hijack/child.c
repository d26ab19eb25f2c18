// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forked processes: they use their parent's network, in the kernel that is in
 * its process, by asking that for each call (owner.c).
 *
 * A call is put into the thread's link (share.h) with all that its arguments
 * point to, and the thread sleeps until it has been made.  When a signal comes
 * meanwhile, the owner is asked to interrupt it, and what that gives is
 * awaited: so a call ends with EINTR exactly if the library's kernel says so.
 *
 * The rest of the core does not notice: descriptors have the same numbers in
 * the library's kernel as the parent's had.  A watch (wait.c) rings an eventfd
 * of which the owner has a descriptor, too.
 *
 * What is here uses no libc and no locks but its own, as the parent may have
 * had other threads.  Vector registers are not to be touched.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include <lkl_host.h>

#include "share.h"

/* This process's number, and its end of the socket. */
static int me = -1;
static long control;

/* Held while descriptors are open that a child is not to inherit. */
static uint32_t lock;

/* FUTEX_WAIT_BITSET, and FUTEX_PRIVATE_FLAG while there is a kernel here. */
static int futex_wait = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;

void share_lock(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_SEQ_CST))
		share_wait(&lock, 1, NULL);
}

void share_unlock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_SEQ_CST);
	share_wake(&lock);
}

int hijack_wait(int *word, int val, unsigned long long deadline)
{
	struct timespec ts = {
		.tv_sec = deadline / 1000000000,
		.tv_nsec = deadline % 1000000000,
	};

	return host_wait_syscall(SYS_futex, (long)word, futex_wait, val,
				 deadline ? (long)&ts : 0, 0,
				 FUTEX_BITSET_MATCH_ANY) == -EINTR
		       ? -EINTR
		       : 0;
}

bool hijack_busy(void)
{
	return lkl_thread_busy() || hijack_thread()->busy;
}

/**
 * share_process - number of this process, if it is another's child
 *
 * Return: the number, or -1
 */
int share_process(void)
{
	return me;
}

/* There is no network any more, or there has never been: say so, once. */
static long lost(const char *what)
{
	static int said;

	if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
		hijack_say(what, "ENETDOWN; see lkl-hijack(1)");
	return -ENETDOWN;
}

/* Copy without vector registers. */
static void copy(void *to, const void *from, size_t n)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Talking to the owner
 */

/* Returns 0 or a negative error number. */
static long say(int what, int index, long fd)
{
	struct share_message message = { what, index };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} c = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
			    .cmsg_level = SOL_SOCKET,
			    .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { &message, sizeof(message) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	long ret;

	if (fd >= 0) {
		*(int *)CMSG_DATA(&c.header) = fd;
		msg.msg_control = &c;
		msg.msg_controllen = sizeof(c);
	}
	do {
		ret = raw_syscall(SYS_sendmsg, control, (long)&msg,
				  MSG_NOSIGNAL, 0, 0, 0);
	} while (ret == -EINTR);
	return ret < 0 ? ret : 0;
}

/* Wait until a word changes; not if the owner has ended. */
static bool await(void *word, uint32_t val)
{
	const struct timespec time = { .tv_nsec = 100000000 };

	while (__atomic_load_n((uint32_t *)word, __ATOMIC_SEQ_CST) == val) {
		struct pollfd fd = { control, 0, 0 };

		share_wait(word, val, &time);
		if (raw_syscall(SYS_poll, (long)&fd, 1, 0, 0, 0, 0) > 0)
			return false;
	}
	return true;
}

static long open_link(struct hijack_thread *t)
{
	struct share_link *link = share->link;
	long err, fd;
	int none = 0;

	if (!t->eventfd) {
		fd = fd_own(host2(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC));
		if (fd < 0)
			return fd;
		t->eventfd = fd + 1;
	}
	while (link->process || !__atomic_compare_exchange_n(
					&link->process, &none, me + 1, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		none = 0;
		if (++link == share->link + SHARE_LINKS)
			return -ENFILE;
	}
	err = say(SHARE_OPEN, link - share->link, t->eventfd - 1);
	if (err || !await(&link->word, 0))
		err = -ENETDOWN;
	else if (link->word & FUTEX_OWNER_DIED)
		err = -ENOMEM;
	else
		t->link = link;
	if (err)
		share_free_link(link);
	return err;
}

/* Have a call made whose arguments are complete. */
static long transact(struct share_link *link, long nr, const long *a)
{
	uint32_t idle = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST), word;
	bool interrupted = false;

	link->nr = nr;
	copy(link->arg, a, sizeof(link->arg));
	link->number++;
	if (idle & FUTEX_OWNER_DIED ||
	    !__atomic_compare_exchange_n(&link->word, &idle,
					 idle | FUTEX_WAITERS, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return -ENETDOWN;
	share_wake(&link->word);
	for (;;) {
		word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);
		if (word == idle)
			return link->ret;
		if (word & FUTEX_OWNER_DIED)
			return -ENETDOWN;
		if (interrupted) {
			share_wait(&link->word, word, NULL);
		} else if (lkl_host_ops.wait((int *)&link->word, word, 0) ==
			   -EINTR) {
			interrupted = true;
			__atomic_store_n(&link->interrupt, link->number,
					 __ATOMIC_SEQ_CST);
			say(SHARE_INTERRUPT, 0, -1);
		}
	}
}

/*
 * What the arguments of calls point to
 */

/* No socket has a longer address. */
#define MAX_NAME 256

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
		return least(size, kind & IN ? SHARE_DATA : MAX_NAME);
	case KIND(STRING):
		while (((char *)arg)[size++])
			;
		return size;
	}
	return SIZE(kind);
}

static char *head_of(struct share_link *link)
{
	return share->data[link - share->link];
}

static char *data_of(struct share_link *link)
{
	return head_of(link) + SHARE_HEAD;
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
	ret = transact(link, nr, b);
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
	return transact(link, SYS_setsockopt, b);
}

/* Interfaces as SIOCGIFCONF tells of them. */
static long interfaces(struct share_link *link, const long *a)
{
	struct ifconf *conf = (void *)a[2], *there = (void *)head_of(link);
	long b[6] = { a[0], a[1], (long)there }, ret;
	bool wanted = conf->ifc_buf;

	there->ifc_len = wanted ? least(conf->ifc_len, SHARE_DATA) : 0;
	there->ifc_buf = wanted ? data_of(link) : NULL;
	ret = transact(link, SYS_ioctl, b);
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

/*
 * Data
 */

/* Between one buffer and many, from a position in those. */
static void copy_iov(char *buf, size_t len, const struct iovec *iov,
		     size_t skip, bool out)
{
	size_t n;

	for (; len; iov++) {
		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		n = least(len, iov->iov_len - skip);
		if (out)
			copy((char *)iov->iov_base + skip, buf, n);
		else
			copy(buf, (char *)iov->iov_base + skip, n);
		buf += n;
		len -= n;
		skip = 0;
	}
}

/* What a message has beside its data. */
#define MAX_CONTROL (SHARE_HEAD - 1024)

struct head {
	struct msghdr msg;
	struct iovec iov;
	char name[MAX_NAME];
	int name_len;
	char control[MAX_CONTROL] __attribute__((aligned(16)));
};

_Static_assert(sizeof(struct head) <= SHARE_HEAD, "the head has no room");

static void get_name(struct head *h, struct msghdr *msg)
{
	if (!msg->msg_name)
		return;
	copy(msg->msg_name, h->name,
	     least(least(msg->msg_namelen, h->msg.msg_namelen), MAX_NAME));
	msg->msg_namelen = h->msg.msg_namelen;
}

/* read(), send() and so on: of data in one piece, many, or a message. */
static long data_call(struct share_link *link, long nr, const long *a)
{
	struct iovec one = { (void *)a[1], a[2] }, *iov = &one;
	struct head *h = (void *)head_of(link);
	char *data = data_of(link);
	struct msghdr *msg = NULL;
	size_t count = 1, total = 0, done = 0, size, i;
	bool send = false, all = false;
	long b[6], flags = 0, ret;

	copy(b, a, sizeof(b));
	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_sendto:
	case SYS_sendmsg:
		all = true;
		/* fall through */
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_pwritev2:
		send = true;
	}
	switch (nr) {
	case SYS_readv:
	case SYS_writev:
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_preadv2:
	case SYS_pwritev2:
		iov = (void *)a[1];
		count = a[2];
		b[1] = (long)&h->iov;
		b[2] = 1;
		break;
	case SYS_sendmsg:
	case SYS_recvmsg:
		msg = (void *)a[1];
		iov = msg->msg_iov;
		count = msg->msg_iovlen;
		flags = a[2];
		b[1] = (long)&h->msg;
		break;
	case SYS_sendto:
	case SYS_recvfrom:
		flags = a[3];
		/* fall through */
	default:
		b[1] = (long)data;
	}
	/* The owner's copy is overwritten by the next call. */
	if (send && flags & MSG_ZEROCOPY)
		return -ENOBUFS;
	if (count > IOV_MAX)
		return msg ? -EMSGSIZE : -EINVAL;
	for (i = 0; i < count; i++)
		total += iov[i].iov_len;
	all |= (flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL;

	do {
		size = least(total - done, SHARE_DATA);
		if (send)
			copy_iov(data, size, iov, done, false);
		h->iov = (struct iovec){ data, size };
		if (iov == &one)
			b[2] = size;
		if (msg) {
			h->msg = (struct msghdr){ .msg_iov = &h->iov,
						  .msg_iovlen = 1 };
			if (msg->msg_name) {
				h->msg.msg_name = h->name;
				h->msg.msg_namelen =
					least(msg->msg_namelen, MAX_NAME);
			}
			/* With the first byte. */
			if (msg->msg_control && !done) {
				h->msg.msg_control = h->control;
				h->msg.msg_controllen =
					least(msg->msg_controllen, MAX_CONTROL);
			}
			if (send) {
				copy(h->name, msg->msg_name,
				     h->msg.msg_namelen);
				copy(h->control, msg->msg_control,
				     h->msg.msg_controllen);
			}
		} else if (nr == SYS_sendto && a[4]) {
			b[4] = (long)h->name;
			b[5] = least((unsigned int)a[5], MAX_NAME);
			copy(h->name, (void *)a[4], b[5]);
		} else if (nr == SYS_recvfrom && a[4] && a[5]) {
			b[4] = (long)h->name;
			b[5] = (long)&h->name_len;
			h->name_len = *(int *)a[5];
		}
		ret = transact(link, nr, b);
		if (ret < 0)
			return done ? (long)done : ret;
		if (!send) {
			copy_iov(data, least(ret, size), iov, done, true);
			if (msg) {
				get_name(h, msg);
				msg->msg_flags = h->msg.msg_flags;
			} else if (nr == SYS_recvfrom && a[4] && a[5]) {
				copy((void *)a[4], h->name,
				     least(least(*(unsigned int *)a[5],
						 (unsigned int)h->name_len),
					   MAX_NAME));
				*(int *)a[5] = h->name_len;
			}
			if (msg && !done) {
				copy(msg->msg_control, h->control,
				     h->msg.msg_controllen);
				msg->msg_controllen = h->msg.msg_controllen;
			}
		}
		done += ret;
	} while (all && (size_t)ret == size && done < total);
	return done;
}

/* One message after the other. */
static long messages(struct share_link *link, long nr, const long *a)
{
	struct mmsghdr *v = (void *)a[1];
	const struct timespec *time = nr == SYS_recvmmsg ? (void *)a[4] : NULL;
	unsigned long long start = time ? lkl_host_ops.time() : 0;
	long b[6] = { a[0], 0, a[3] & ~MSG_WAITFORONE }, ret = 0;
	unsigned int i, n = a[2];

	for (i = 0; i < n; i++) {
		b[1] = (long)&v[i].msg_hdr;
		ret = data_call(link,
				nr == SYS_recvmmsg ? SYS_recvmsg : SYS_sendmsg,
				b);
		if (ret < 0)
			break;
		v[i].msg_len = ret;
		if (nr == SYS_recvmmsg && a[3] & MSG_WAITFORONE)
			b[2] |= MSG_DONTWAIT;
		if (time &&
		    lkl_host_ops.time() - start >=
			    time->tv_sec * 1000000000ULL + time->tv_nsec)
			return i + 1;
	}
	return i ? (long)i : ret;
}

static long dispatch(struct share_link *link, long nr, const long *a)
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
		return data_call(link, nr, a);
	case SYS_recvmmsg:
	case SYS_sendmmsg:
		return messages(link, nr, a);
	case SYS_setsockopt:
		return socket_option(link, a);
	case SYS_ioctl:
		return control_call(link, a);
	case SYS_fcntl:
		/* Signals would be the owner's; locks are of no use. */
		if ((a[1] >= F_GETLK && a[1] <= F_SETOWN) ||
		    a[1] == F_SETOWN_EX || a[1] == F_GETOWN_EX)
			return -EINVAL;
		return transact(link, nr, a);
	case SHARE_WATCH:
	case SHARE_FORGET:
		return transact(link, nr, a);
	}
	if ((unsigned long)nr >= array_size(signatures) ||
	    !signatures[nr].known)
		return -EOPNOTSUPP;
	return plain_call(link, nr, a, signatures[nr].arg);
}

/* The thread's link, which is used until leave(). */
static long enter(struct hijack_thread *t)
{
	long err;

	if (t->busy)
		return -EDEADLK;
	t->busy = true;
	err = me < 0 ? -ENETDOWN : t->link ? 0 : open_link(t);
	if (err)
		t->busy = false;
	return err;
}

static long leave(struct hijack_thread *t, long ret)
{
	t->busy = false;
	return ret;
}

/* No link, or no server. */
static bool is_lost(struct hijack_thread *t, long ret)
{
	return ret == -ENETDOWN &&
	       (!t->link || t->link->word & FUTEX_OWNER_DIED);
}

/**
 * share_call - make a call of the library in a process that has no kernel
 * @nr: number
 * @a: arguments
 *
 * Return: as lkl_syscall(); -ENETDOWN when there is nobody to make it
 */
long share_call(long nr, const long *a)
{
	struct hijack_thread *t = hijack_thread();
	long ret;

	switch (nr) {
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_mremap:
	case SYS_msync:
	case SYS_madvise:
		/* Of what the parent had mapped. */
		return host_call(nr, a);
	}
	ret = enter(t);
	if (!ret)
		ret = leave(t, dispatch(t->link, nr, a));
	if (likely(!is_lost(t, ret)))
		return ret;
	/* Nothing is lost with what is closed. */
	if (nr == SYS_close)
		return 0;
	return lost(me < 0 ? "a forked process has no network: "
			   : "the process that has the network has ended: ");
}

/**
 * share_sandbox - the thread is about to give up what it takes to make a link
 */
void share_sandbox(void)
{
	struct hijack_thread *t = hijack_thread();

	if (share && me >= 0 && !enter(t))
		leave(t, 0);
}

/**
 * share_watch - watch files as lkl_kernel_call() would
 * @fn: lkl_watch_start, lkl_watch_always or lkl_watch_stop
 * @watch: the thread's, or one that is in the shared memory
 *
 * Return: as @fn
 */
long share_watch(long (*fn)(void *), struct lkl_watch *watch)
{
	struct hijack_thread *t = hijack_thread();
	size_t size = watch->count * sizeof(*watch->files);
	long a[6] = { fn == lkl_watch_start    ? 0
		      : fn == lkl_watch_always ? 1
					       : 2,
		      (long)watch };
	struct share_link *link;
	long ret;

	if ((unsigned long)watch - (unsigned long)share < sizeof(*share))
		return share_call(SHARE_WATCH, a);
	if (size > SHARE_DATA)
		return -ENOMEM;
	ret = enter(t);
	if (ret)
		return ret;
	link = t->link;
	link->watch.files = (void *)data_of(link);
	link->watch.count = watch->count;
	copy(link->watch.files, watch->files, size);
	a[1] = (long)&link->watch;
	ret = leave(t, transact(link, SHARE_WATCH, a));
	copy(watch->files, link->watch.files, size);
	return ret;
}

/**
 * share_give_bell - have the owner know an epoll's eventfd
 * @index: number of the epoll in the shared memory
 *
 * Return: 0 or a negative error number
 */
long share_give_bell(int index)
{
	struct epoll *e = &share->epoll[index];

	if (say(SHARE_BELL, index, e->event) || !await(&e->bell, -1))
		return -ENETDOWN;
	return e->bell ? 0 : -EMFILE;
}

/**
 * share_forget_bell - have the owner forget it
 */
void share_forget_bell(long bell)
{
	share_call(SHARE_FORGET, (long[6]){ bell });
}

/**
 * share_thread_exit - a thread ends
 */
void share_thread_exit(void)
{
	struct hijack_thread *t = hijack_thread();
	struct share_link *link = t->link;

	if (!link)
		return;
	t->link = NULL;
	link->nr = SHARE_END;
	__atomic_fetch_or(&link->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
	share_wake(&link->word);
}

/*
 * Forks
 */

static void fork_begin(struct hijack_thread *t)
{
	int ends[2], i, none = SHARE_FREE;
	long err;

	err = host4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		    ends);
	if (err)
		return;
	ends[0] = fd_own(ends[0]);
	ends[1] = fd_own(ends[1]);
	for (i = 0; i < SHARE_PROCESSES; i++, none = SHARE_FREE)
		if (__atomic_compare_exchange_n(
			    &share->process[i], &none, SHARE_NEW, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			break;
	if (i == SHARE_PROCESSES) {
		fd_forget(ends[0]);
		err = -ENFILE;
	} else if (me < 0) {
		err = share_take_process(i, ends[0], -1);
	} else {
		err = say(SHARE_FORK, i, ends[0]);
		fd_forget(ends[0]);
		if (!err && (!await(&share->process[i], SHARE_NEW) ||
			     share->process[i] != SHARE_READY))
			err = -ENETDOWN;
	}
	if (!err) {
		t->fork_process = i;
		t->fork_control = ends[1];
		return;
	}
	fd_forget(ends[1]);
	if (i < SHARE_PROCESSES)
		__atomic_store_n(&share->process[i], SHARE_FREE,
				 __ATOMIC_SEQ_CST);
}

void hijack_fork_begin(void)
{
	struct hijack_thread *t = hijack_thread();

	share_lock();
	t->fork_process = -1;
	if (share && (me >= 0 || lkl_kernel_boots()))
		fork_begin(t);
	if (t->fork_process >= 0)
		wait_fork();
}

void hijack_fork_end(long pid)
{
	struct hijack_thread *t = hijack_thread();

	if (pid) {
		if (t->fork_process >= 0)
			fd_forget(t->fork_control);
		share_unlock();
		return;
	}
	lock = 0;
	if (me >= 0)
		fd_forget(control);
	else if (share)
		share_close_processes();
	me = t->fork_process;
	control = t->fork_control;
	if (me >= 0)
		futex_wait = FUTEX_WAIT_BITSET;
	t->link = NULL;
	wait_forked();
	copy_forget();
}

/*
 * Programs that are executed: one that inherits a descriptor of the library's
 * goes on with it.  Which number is what, and the way to the owner, is told by
 * its environment.
 */
static const char variable[] = "LKL_HIJACK_SHARED";

static char *put_hex(char *at, unsigned long n)
{
	int shift;

	for (shift = 28; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[n >> shift & 15];
	*at++ = ':';
	return at;
}

static void keep(bool keep)
{
	long flags = keep ? 0 : FD_CLOEXEC;

	host3(SYS_fcntl, control, F_SETFD, flags);
	host3(SYS_fcntl, share_fd, F_SETFD, flags);
}

bool hijack_is_served(void)
{
	return me >= 0;
}

bool hijack_exec_begin(char *text)
{
	char *at = text;
	int fd = me < 0 || hijack_in_vfork() ? -1 : fd_next_kept(0);

	if (fd < 0)
		return false;
	copy(at, variable, sizeof(variable) - 1);
	at += sizeof(variable) - 1;
	*at++ = '=';
	at = put_hex(at, control);
	at = put_hex(at, share_fd);
	at = put_hex(at, me);
	at = put_hex(at, socket_adopt(-1));
	for (; fd >= 0 && at + 20 < text + HIJACK_EXEC_TEXT;
	     fd = fd_next_kept(fd + 1)) {
		at = put_hex(at, fd);
		at = put_hex(at, fd_word(fd));
	}
	*at = 0;
	keep(true);
	return true;
}

void hijack_exec_end(void)
{
	keep(false);
}

/* Close what has not been inherited: all of the kernel's but @kept. */
static void close_others(const long *kept, int n)
{
	long first = 0, next;
	int i;

	do {
		next = LONG_MAX;
		for (i = 0; i < n; i++)
			if (kept[i] >= first && kept[i] < next)
				next = kept[i];
		if (next > first)
			lkl3(SYS_close_range, first,
			     next == LONG_MAX ? UINT_MAX : next - 1, 0);
		first = next + 1;
	} while (next != LONG_MAX);
}

/**
 * share_adopt - go on with the network of who has executed this program
 *
 * At the start; uses libc.
 *
 * Return: 1, 0 when there is none, or a negative error number
 */
long share_adopt(void)
{
	const char *text = getenv(variable);
	long kept[HIJACK_EXEC_TEXT / 18], err, fd, process;
	char *end;
	int n = 0;

	if (!text)
		return 0;
	control = strtoul(text, &end, 16);
	share_fd = strtoul(end + 1, &end, 16);
	process = strtoul(end + 1, &end, 16);
	kept[n++] = socket_adopt(strtoul(end + 1, &end, 16));
	err = fd_init();
	if (!err)
		err = share_map();
	if (err)
		return err;
	share = SHARE_BASE;
	me = process;
	futex_wait = FUTEX_WAIT_BITSET;
	keep(false);
	fd_set_word(control, FD_OWN);
	fd_set_word(share_fd, FD_OWN);
	while (end[1]) {
		fd = strtoul(end + 1, &end, 16);
		fd_set_word(fd, strtoul(end + 1, &end, 16));
		kept[n++] = fd_number(fd_word(fd));
	}
	unsetenv(variable);
	fd_expect_socket();
	share->process[me] = SHARE_NEW;
	if (!say(SHARE_ADOPT, 0, -1) && await(&share->process[me], SHARE_NEW))
		close_others(kept, n);
	return 1;
}
