// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process's calls that move data: read(), sendmsg() and so on.
 */
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "child.h"

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
	char name[CHILD_MAX_NAME];
	int name_len;
	char control[MAX_CONTROL] __attribute__((aligned(16)));
};

_Static_assert(sizeof(struct head) <= SHARE_HEAD, "the head has no room");

static void get_name(struct head *h, struct msghdr *msg)
{
	if (!msg->msg_name)
		return;
	copy(msg->msg_name, h->name,
	     least(least(msg->msg_namelen, h->msg.msg_namelen),
		   CHILD_MAX_NAME));
	msg->msg_namelen = h->msg.msg_namelen;
}

/**
 * transfer_call - read(), send() and so on: of data in one piece, many, or a
 *	message
 * @link: the thread's
 * @nr: number
 * @a: arguments
 *
 * Return: as the call
 */
long transfer_call(struct share_link *link, long nr, const long *a)
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
					least(msg->msg_namelen, CHILD_MAX_NAME);
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
			b[5] = least((unsigned int)a[5], CHILD_MAX_NAME);
			copy(h->name, (void *)a[4], b[5]);
		} else if (nr == SYS_recvfrom && a[4] && a[5]) {
			b[4] = (long)h->name;
			b[5] = (long)&h->name_len;
			h->name_len = *(int *)a[5];
		}
		ret = child_transact(link, nr, b);
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
					   CHILD_MAX_NAME));
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
	struct mmsghdr *v = (void *)a[1];
	const struct timespec *time = nr == SYS_recvmmsg ? (void *)a[4] : NULL;
	unsigned long long start = time ? lkl_host_ops.time() : 0;
	long b[6] = { a[0], 0, a[3] & ~MSG_WAITFORONE }, ret = 0;
	unsigned int i, n = a[2];

	for (i = 0; i < n; i++) {
		b[1] = (long)&v[i].msg_hdr;
		ret = transfer_call(
			link, nr == SYS_recvmmsg ? SYS_recvmsg : SYS_sendmsg,
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
