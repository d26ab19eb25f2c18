/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests with a hostile other side of vhost-user, in a process of its own:
 * messages that are changed at random, the same on each run.
 *
 * ROUNDS says how many connections there are.
 */
#ifndef TESTS_VHOST_PEER_H
#define TESTS_VHOST_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#include "netlab.h"
#include "../../lib/vhost/protocol.h"
#include <lkl/linux/virtio_ring.h>

/* Addresses of the driver's memory, for the device and for itself. */
#define GUEST 0x40000000ULL
#define USER 0x7f0000000000ULL

static unsigned int rounds;
static struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "s" };

static _Thread_local uint64_t state = 1;

static uint32_t random_number(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static bool one_in(unsigned int n)
{
	return !(random_number() % n);
}

/* A number that a check might have left out. */
static uint64_t odd_number(void)
{
	static const uint64_t odd[] = { 0,	    1,	   2,	    255,
					0x100,	    65535, 1 << 20, ~0ULL,
					~0ULL >> 1, GUEST, USER,    1ULL << 63,
					~0U,	    12 };

	return odd[random_number() % ARRAY_SIZE(odd)] + random_number() % 3 - 1;
}

/* Returns whether as many bytes were sent as it says it has. */
static bool send_message(int sock, struct vhost_msg *msg, bool mutate)
{
	char control[CMSG_SPACE(sizeof(msg->fds))] = { 0 };
	struct iovec iov = { msg, 12 + msg->size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (mutate) {
		unsigned char *bytes = (void *)msg;

		switch (random_number() % 8) {
		case 0:
			msg->request = random_number() % 45;
			break;
		case 1:
			msg->size = odd_number();
			break;
		case 2:
			msg->flags = random_number() % 16;
			break;
		case 3:
			msg->n_fds = random_number() % (msg->n_fds + 1);
			break;
		case 4:
			iov.iov_len = random_number() % (iov.iov_len + 100);
			break;
		default:
			if (msg->size > 280)
				break;
			if (one_in(2) && msg->size >= 8) {
				uint64_t odd = odd_number();

				memcpy(bytes + 12 +
					       random_number() %
						       (msg->size - 7),
				       &odd, sizeof(odd));
			} else if (msg->size)
				bytes[12 + random_number() % msg->size] =
					random_number();
		}
	}
	if (msg->n_fds) {
		struct cmsghdr *c;

		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(msg->n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(msg->n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), msg->fds, msg->n_fds * sizeof(int));
	}
	if (iov.iov_len > sizeof(*msg))
		iov.iov_len = sizeof(*msg);
	sendmsg(sock, &hdr, MSG_NOSIGNAL);
	return iov.iov_len == 12 + (size_t)msg->size;
}

static void bell(int fd)
{
	uint64_t one = 1;

	OK(write(fd, &one, sizeof(one)));
}

/* Run @peer in another process beside the library. */
UNUSED static pid_t start_peer(void (*peer)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		peer();
		_exit(0);
	}
	return pid;
}

UNUSED static void wait_peer(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

UNUSED static void quiet(void)
{
	OK(dup2(OK(open("/dev/null", O_WRONLY)), 2));
}

/* How many rounds there are, if not as many as usual; and take the time for
 * that. */
static void count_rounds(unsigned int usual)
{
	const char *text = getenv("ROUNDS");

	rounds = text ? strtoul(text, NULL, 0) : usual;
	if (text)
		alarm(0);
}

#endif /* TESTS_VHOST_PEER_H */
