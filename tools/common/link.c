// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between a confined process and the one outside: a header, with which
 * descriptors go, and the text.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"
#include "tool.h"

#define STEP_MS 100

struct header {
	uint32_t what;
	int32_t status;
	uint64_t number;
	uint64_t size;
};

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(LINK_FDS * sizeof(int))];
};

struct message message_new(uint32_t what)
{
	struct message m = { .what = what };

	for (int i = 0; i < LINK_FDS; i++)
		m.fds[i] = -1;
	return m;
}

void message_add(struct message *m, const void *bytes, size_t size)
{
	m->text = tool_alloc(m->text, m->size + size + 1);
	if (size)
		memcpy(m->text + m->size, bytes, size);
	m->size += size;
	m->text[m->size] = 0;
}

void message_add_text(struct message *m, const char *text)
{
	message_add(m, text, strlen(text) + 1);
}

const char *message_next(const struct message *m, const char *text)
{
	const char *next = text ? text + strlen(text) + 1 : m->text;

	return next && next < m->text + m->size ? next : NULL;
}

void message_free(struct message *m)
{
	free(m->text);
	m->text = NULL;
}

/*
 * After a call that failed, is it to be tried again?  A socket that does not
 * block is waited for until a signal comes.
 */
static bool again(int socket, short event)
{
	struct pollfd pfd = { .fd = socket, .events = event };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	while (!tool_signal && poll(&pfd, 1, STEP_MS) <= 0)
		;
	return !tool_signal;
}

static bool send_all(int socket, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(socket, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && again(socket, POLLOUT))
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= n;
	}
	return true;
}

/* A confined process cannot send descriptors, and has none to send. */
static bool send_header(int socket, struct header *h, const struct message *m)
{
	struct iovec iov = { h, sizeof(*h) };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
	};
	struct cmsghdr *c = &control.align;
	size_t count = 0;
	ssize_t n;

	while (count < LINK_FDS && m->fds[count] >= 0)
		count++;
	if (!count)
		return send_all(socket, (char *)h, sizeof(*h));
	msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), m->fds, count * sizeof(int));
	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && again(socket, POLLOUT));
	return n > 0 && send_all(socket, (char *)h + n, sizeof(*h) - n);
}

void link_outside(int socket)
{
	fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

bool link_send(int socket, const struct message *m)
{
	struct header h = { m->what, m->status, m->number, m->size };

	return send_header(socket, &h, m) && send_all(socket, m->text, m->size);
}

static bool receive_all(int socket, char *bytes, size_t size)
{
	while (size) {
		ssize_t n = recv(socket, bytes, size, 0);

		if (n < 0 && again(socket, POLLIN))
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= n;
	}
	return true;
}

static bool receive_header(int socket, struct header *h, struct message *m)
{
	struct iovec iov = { h, sizeof(*h) };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	ssize_t n;

	do {
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && again(socket, POLLIN));
	if (n <= 0)
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(m->fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return receive_all(socket, (char *)h + n, sizeof(*h) - n);
}

bool link_receive(int socket, size_t max, struct message *m)
{
	struct header h = { 0 };

	*m = message_new(0);
	if (!receive_header(socket, &h, m) || h.size > max)
		return false;
	m->what = h.what;
	m->status = h.status;
	m->number = h.number;
	m->size = h.size;
	m->text = tool_alloc(NULL, m->size + 1);
	m->text[m->size] = 0;
	if (receive_all(socket, m->text, m->size))
		return true;
	message_free(m);
	return false;
}
