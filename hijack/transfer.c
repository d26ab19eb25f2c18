// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process's calls that move data: read(), sendmsg() and so on.
 */
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <lkl_host.h>

#include "child.h"

/*
 * Between the link's data and many buffers, from a position in those; returns
 * how much, or -EFAULT for nothing.
 */
static long copy_iov(char *buf, size_t len, const struct iovec *iov,
		     size_t skip, bool out)
{
	size_t n, done = 0;
	char *at;
	bool ok;

	for (; done < len; iov++) {
		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		n = least(len - done, iov->iov_len - skip);
		at = (char *)iov->iov_base + skip;
		ok = out ? user_put((long)at, buf + done, n)
			 : user_get(buf + done, (long)at, n);
		if (!ok)
			return done ? (long)done : -EFAULT;
		done += n;
		skip = 0;
	}
	return done;
}

/* As what the owner makes a call; -1 for one that moves no data. */
static long reduced(long nr)
{
	switch (nr) {
	case SYS_read:
	case SYS_readv:
		return SYS_read;
	case SYS_write:
	case SYS_writev:
		return SYS_write;
	case SYS_pread64:
	case SYS_preadv:
		return SYS_pread64;
	case SYS_pwrite64:
	case SYS_pwritev:
		return SYS_pwrite64;
	case SYS_preadv2:
	case SYS_pwritev2:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_sendto:
	case SYS_sendmsg:
		return nr;
	}
	return -1;
}

/**
 * struct transfer - a call that moves data
 * @nr: its number, as the owner makes it
 * @b: its arguments there
 * @send: from the program
 * @flags: as the program has them
 * @tells: a piece that was sent has MSG_ZEROCOPY: it is the last one, as the
 *	program is told of all of them at once
 * @many: there is a vector of buffers, not @one
 * @vector: where it is
 * @count: how many
 * @total: bytes in them
 * @user: the program's message, or 0
 * @msg: a copy, also of what sendto() and recvfrom() are given
 * @name_len: where recvfrom() tells the length of an address, or 0
 */
struct transfer {
	long nr, b[6];
	bool send, tells;
	long flags;
	bool many;
	long vector;
	size_t count, total;
	struct iovec one;
	long user;
	struct msghdr msg;
	long name_len;
};

static long begin(struct transfer *t, long nr, const long *a)
{
	unsigned int len;

	*t = (struct transfer){
		.nr = reduced(nr),
		.count = 1,
		.one = { (void *)a[1], a[2] },
	};
	t->send = t->nr == SYS_write || t->nr == SYS_pwrite64 ||
		  nr == SYS_pwritev2 || nr == SYS_sendto || nr == SYS_sendmsg;
	copy(t->b, a, sizeof(t->b));
	switch (nr) {
	case SYS_readv:
	case SYS_writev:
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_preadv2:
	case SYS_pwritev2:
		t->many = true;
		t->vector = a[1];
		t->count = a[2];
		return t->count > IOV_MAX ? -EINVAL : 0;
	case SYS_sendmsg:
	case SYS_recvmsg:
		if (!user_get(&t->msg, a[1], sizeof(t->msg)))
			return -EFAULT;
		t->user = a[1];
		t->many = true;
		t->vector = (long)t->msg.msg_iov;
		t->count = t->msg.msg_iovlen;
		t->flags = a[2];
		return t->count > IOV_MAX ? -EMSGSIZE : 0;
	case SYS_sendto:
		t->flags = a[3];
		t->msg.msg_name = (void *)a[4];
		t->msg.msg_namelen = a[5];
		break;
	case SYS_recvfrom:
		t->flags = a[3];
		if (!a[4] || !a[5])
			break;
		if (!user_get(&len, a[5], sizeof(len)))
			return -EFAULT;
		t->msg.msg_name = (void *)a[4];
		t->msg.msg_namelen = len;
		t->name_len = a[5];
	}
	/* They are as good as messages. */
	if (t->msg.msg_name) {
		t->nr = t->send ? SYS_sendmsg : SYS_recvmsg;
		t->b[2] = t->flags;
	}
	return 0;
}

static bool is_message(const struct transfer *t)
{
	return t->nr == SYS_sendmsg || t->nr == SYS_recvmsg;
}

/* What goes beside the data, of which @done bytes have been moved. */
static long put_head(struct transfer *t, struct share_head *h, size_t done)
{
	h->name_len = t->msg.msg_name ? least(t->msg.msg_namelen, SHARE_NAME)
				      : 0;
	/* With the first byte. */
	h->control_len = t->msg.msg_control && !done
				 ? least(t->msg.msg_controllen, SHARE_CONTROL)
				 : 0;
	if (t->send &&
	    (!user_get(h->name, (long)t->msg.msg_name, h->name_len) ||
	     !user_get(h->control, (long)t->msg.msg_control, h->control_len)))
		return -EFAULT;
	return 0;
}

/* What has come beside the data. */
static long get_head(struct transfer *t, struct share_head *h, size_t done)
{
	unsigned int len =
		least(least(t->msg.msg_namelen, h->name_len), SHARE_NAME);

	if (t->msg.msg_name && !user_put((long)t->msg.msg_name, h->name, len))
		return -EFAULT;
	t->msg.msg_namelen = h->name_len;
	if (t->name_len &&
	    !user_put(t->name_len, &h->name_len, sizeof(h->name_len)))
		return -EFAULT;
	if (!t->user)
		return 0;
	if (!done) {
		len = least(h->control_len, SHARE_CONTROL);
		if (!user_put((long)t->msg.msg_control, h->control, len))
			return -EFAULT;
		t->msg.msg_controllen = len;
	}
	t->msg.msg_flags = h->flags;
	return user_put(t->user, &t->msg, sizeof(t->msg)) ? 0 : -EFAULT;
}

/* One piece of the data; returns its length, or an error number. */
static long move(struct share_link *link, struct transfer *t,
		 const struct iovec *iov, size_t done)
{
	struct share_head *h = (void *)(head_of(link) + SHARE_FIRST);
	long size = least(t->total - done, SHARE_DATA), ret = 0;

	if (t->send)
		size = copy_iov(data_of(link), size, iov, done, false);
	if (size < 0)
		return size;
	t->b[is_message(t) ? 1 : 2] = size;
	if (t->send && t->flags & MSG_ZEROCOPY)
		t->b[is_message(t) ? 2 : 3] =
			done + size == t->total ? t->flags
						: t->flags & ~MSG_ZEROCOPY;
	if (is_message(t))
		ret = put_head(t, h, done);
	if (!ret)
		ret = child_transact(link, t->nr, t->b);
	t->tells |= ret > 0 && done + size == t->total;
	if (ret < 0 || t->send)
		return ret;
	size = copy_iov(data_of(link), least(ret, size), iov, done, true);
	if (size >= 0 && is_message(t))
		size = get_head(t, h, done);
	/* A datagram may have been longer. */
	return size < 0 ? size : ret;
}

/**
 * transfer_call - read(), send() and so on: of data in one piece, many, or a
 *	message
 * @link: the thread's
 * @nr: number
 * @a: arguments
 *
 * Return: as the call; -EOPNOTSUPP for one that moves no data
 */
long transfer_call(struct share_link *link, long nr, const long *a)
{
	struct transfer t;
	long ret = begin(&t, nr, a);
	struct iovec buffers[ret ? 1 : t.count + 1], *iov = buffers;
	size_t done = 0, piece, i;
	bool all;

	if (t.nr < 0)
		return -EOPNOTSUPP;
	if (ret)
		return ret;
	if (!t.many)
		iov = &t.one;
	else if (!user_get(iov, t.vector, t.count * sizeof(*iov)))
		return -EFAULT;
	for (i = 0; i < t.count; i++)
		t.total += iov[i].iov_len;
	all = (t.send && t.nr != SYS_pwrite64 && t.nr != SYS_pwritev2) ||
	      (t.flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL;
	do {
		piece = least(t.total - done, SHARE_DATA);
		ret = move(link, &t, iov, done);
		if (ret < 0) {
			/* To the program it is one call, which has succeeded.
			 */
			if (!done)
				return ret;
			link->raised = 0;
			break;
		}
		done += ret;
	} while (all && (size_t)ret == piece && done < t.total);
	if (t.send && t.flags & MSG_ZEROCOPY && done && !t.tells)
		child_transact(link, SHARE_COPIED, (long[6]){ a[0] });
	return done;
}

/**
 * transfer_messages - recvmmsg(), sendmmsg(): one message after the other
 * @link: the thread's
 * @nr: number
 * @a: arguments
 *
 * Return: as the call
 */
long transfer_messages(struct share_link *link, long nr, const long *a)
{
	bool receive = nr == SYS_recvmmsg;
	long b[6] = { a[0], 0, a[3] & ~MSG_WAITFORONE }, ret = 0;
	struct mmsghdr *v = (void *)a[1];
	unsigned long long start = 0;
	unsigned int i, len, n = a[2];
	struct timespec time;

	if (receive && a[4]) {
		if (!user_get(&time, a[4], sizeof(time)))
			return -EFAULT;
		start = lkl_host_ops.time();
	}
	for (i = 0; i < n; i++) {
		b[1] = (long)&v[i].msg_hdr;
		ret = transfer_call(link, receive ? SYS_recvmsg : SYS_sendmsg,
				    b);
		len = ret;
		if (ret >= 0 &&
		    !user_put((long)&v[i].msg_len, &len, sizeof(len)))
			ret = -EFAULT;
		if (ret < 0)
			break;
		if (receive && a[3] & MSG_WAITFORONE)
			b[2] |= MSG_DONTWAIT;
		if (start && lkl_host_ops.time() - start >=
				     time.tv_sec * 1000000000ULL + time.tv_nsec)
			return i + 1;
	}
	return i ? (long)i : ret;
}
