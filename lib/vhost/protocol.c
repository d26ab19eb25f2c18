// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of the vhost-user protocol over a UNIX socket.
 *
 * What comes in is not trusted: a message has a size that its payload can have,
 * and no more descriptors than a memory table.  It may come in pieces.
 *
 * A driver that is reset has its rings stopped in the middle of the kernel: no
 * C library here.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "../../host/linux/linux.h"
#include "protocol.h"

#define HEADER offsetof(struct vhost_msg, u64)
#define MAX_PAYLOAD (offsetof(struct vhost_msg, fds) - HEADER)

static void take_fds(struct vhost_msg *msg, struct msghdr *hdr)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		int i, n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (msg->n_fds < VHOST_MAX_REGIONS)
				msg->fds[msg->n_fds++] = fd;
			else
				raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
		}
	}
}

int vhost_receive(int sock, struct vhost_in *in)
{
	struct vhost_msg *msg = &in->msg;

	for (;;) {
		char control[CMSG_SPACE(sizeof(msg->fds))]
			__attribute__((aligned(8)));
		unsigned int want = HEADER;
		struct iovec iov;
		struct msghdr hdr = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };
		long n;

		if (in->got >= HEADER) {
			if ((msg->flags & VHOST_VERSION_MASK) !=
				    VHOST_VERSION ||
			    msg->size > MAX_PAYLOAD)
				return -EPROTO;
			want += msg->size;
			if (in->got == want)
				return 1;
		}
		iov.iov_base = (char *)msg + in->got;
		iov.iov_len = want - in->got;
		n = raw_syscall(SYS_recvmsg, sock, (long)&hdr,
				MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0, 0, 0);
		if (n > 0) {
			take_fds(msg, &hdr);
			in->got += n;
		} else if (n != -EINTR) {
			return n == -EAGAIN ? 0 : -EPIPE;
		}
	}
}

void vhost_done(struct vhost_in *in)
{
	int i;

	for (i = 0; i < in->msg.n_fds; i++)
		if (in->msg.fds[i] >= 0)
			raw_syscall(SYS_close, in->msg.fds[i], 0, 0, 0, 0, 0);
	memset(in, 0, sizeof(*in));
}

int vhost_send(int sock, const struct vhost_msg *msg)
{
	char control[CMSG_SPACE(sizeof(msg->fds))] __attribute__((aligned(8)));
	struct iovec iov = { (void *)msg, HEADER + msg->size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	long n;

	if (msg->n_fds) {
		struct cmsghdr *c;

		memset(control, 0, sizeof(control));
		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(msg->n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(msg->n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), msg->fds, msg->n_fds * sizeof(int));
	}
	do
		n = raw_syscall(SYS_sendmsg, sock, (long)&hdr,
				MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
	while (n == -EINTR);
	if (n < 0)
		return n;
	/* So short a message goes as a whole, unless the peer does not read. */
	return n == (long)iov.iov_len ? 0 : -EAGAIN;
}

/* Sleep until there is something to read, or the time has come. */
static void wait_readable(int sock, unsigned long long end)
{
	unsigned long long now = posix_time();
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct timespec ts = { .tv_nsec = 0 };

	if (now < end)
		ts.tv_nsec = end - now < 999999999 ? end - now : 999999999;
	raw_syscall(SYS_ppoll, (long)&p, 1, (long)&ts, 0, 0, 0);
}

int vhost_ask(int sock, struct vhost_msg *msg, unsigned int size,
	      unsigned int seconds)
{
	unsigned long long end = posix_time() + seconds * 1000000000ULL;
	struct vhost_in in = { 0 };
	int ret = vhost_send(sock, msg);

	while (!ret) {
		ret = vhost_receive(sock, &in);
		if (ret)
			break;
		if (posix_time() >= end)
			ret = -ETIME;
		else
			wait_readable(sock, end);
	}
	if (ret == 1)
		ret = in.msg.request == msg->request &&
				      in.msg.flags & VHOST_REPLY &&
				      in.msg.size >= size
			      ? 0
			      : -EPROTO;
	*msg = in.msg;
	msg->n_fds = 0;
	vhost_done(&in);
	return ret;
}
