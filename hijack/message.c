// SPDX-License-Identifier: GPL-2.0-only
/*
 * What processes of one kernel have in common, and say to each other by their
 * sockets (share.h).
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include "share.h"

/* Room for the sender's credentials and one descriptor. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(sizeof(int))];
};

/**
 * share_send - send a message
 * @socket: our end
 * @what: SHARE_*
 * @index: of what
 * @fd: descriptor that goes along, or -1
 *
 * Return: 0 or a negative error number
 */
long share_send(long socket, int what, int index, long fd)
{
	struct share_message message = { .what = what, .index = index };

	return share_send_message(socket, &message, fd);
}

/**
 * share_send_message - send one that says more
 * @socket: our end
 * @message: the message
 * @fd: descriptor that goes along, or -1
 *
 * Return: 0 or a negative error number
 */
long share_send_message(long socket, struct share_message *message, long fd)
{
	union control c = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
					.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { message, sizeof(*message) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	long ret;

	if (fd >= 0) {
		*(int *)CMSG_DATA(&c.header) = fd;
		msg.msg_control = &c;
		msg.msg_controllen = CMSG_LEN(sizeof(int));
	}
	do {
		ret = raw_syscall(SYS_sendmsg, socket, (long)&msg, MSG_NOSIGNAL,
				  0, 0, 0);
	} while (ret == -EINTR);
	return ret < 0 ? ret : 0;
}

/**
 * share_receive - receive one
 * @socket: our end
 * @message: the message
 * @fd: the descriptor that came with it, or -1
 * @who: the process that has sent it, if the socket tells; NULL for a socket
 *	that does not
 * @flags: as for recvmsg()
 *
 * Return: 0; a negative error number, -EPIPE when the other end is closed
 */
long share_receive(long socket, struct share_message *message, long *fd,
		   struct ucred *who, int flags)
{
	union control c;
	struct iovec iov = { message, sizeof(*message) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &c,
		.msg_controllen = who ? sizeof(c.space) : CMSG_LEN(sizeof(int)),
	};
	struct cmsghdr *h;
	long ret;

	*fd = -1;
	ret = raw_syscall(SYS_recvmsg, socket, (long)&msg,
			  flags | MSG_CMSG_CLOEXEC, 0, 0, 0);
	if (ret <= 0)
		return ret ?: -EPIPE;
	for (h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		if (h->cmsg_type == SCM_RIGHTS)
			*fd = fd_own(*(int *)CMSG_DATA(h));
		else if (h->cmsg_type == SCM_CREDENTIALS && who)
			*who = *(struct ucred *)CMSG_DATA(h);
	}
	return ret == sizeof(*message) ? 0 : -EPIPE;
}

/**
 * share_map - map an area
 * @fd: its memory
 *
 * Return: where it is, or NULL
 */
struct share *share_map(long fd)
{
	long map = raw_syscall(SYS_mmap, 0, sizeof(struct share),
			       PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (map < 0 && map > -4096)
		return NULL;
	raw_syscall(SYS_madvise, map, sizeof(struct share), MADV_DONTDUMP, 0, 0,
		    0);
	return (struct share *)map;
}
