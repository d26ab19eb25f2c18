// SPDX-License-Identifier: GPL-2.0-only
/*
 * A message of a process that is not trusted may never end, and one to it may
 * never be read: a signal ends what waits.  None is larger than allowed.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "check.h"
#include "../../tools/common/link.h"
#include "../../tools/common/tool.h"

static int ours, other;

static void begin(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 300000 };
	int sockets[2];

	EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	ours = sockets[0];
	other = sockets[1];
	link_outside(ours);
	tool_init("link");
	/* as one that a user sends */
	EQ(signal(SIGALRM, signal(SIGTERM, SIG_DFL)) != SIG_ERR, true);
	EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
}

static void test_text(void)
{
	struct message m = message_new(7), got;
	int fds[2];

	begin();
	EQ(pipe(fds), 0);
	message_add_text(&m, "one");
	message_add_text(&m, "");
	m.number = 1ULL << 40;
	m.fds[0] = fds[0];
	EQ(link_send(ours, &m), true);
	EQ(link_receive(other, 5, &got), true);
	EQ(got.what == 7 && got.number == 1ULL << 40 && got.size == 5, true);
	EQ(memcmp(got.text, "one\0", 5), 0);
	EQ(write(fds[1], "x", 1) == 1 && read(got.fds[0], fds, 1) == 1, true);
	EQ(got.fds[1], -1);
	m.fds[0] = -1;
	EQ(link_send(other, &m), true);
	EQ(link_receive(ours, 4, &got), false);
}

static void test_part(void)
{
	struct message got;

	begin();
	EQ(write(other, "xyz", 3), 3);
	EQ(link_receive(ours, 100, &got), false);
	EQ(tool_signal, SIGALRM);
}

static void test_unread(void)
{
	static char bytes[8 << 20];
	struct message m = message_new(1);

	begin();
	message_add(&m, bytes, sizeof(bytes));
	EQ(link_send(ours, &m), false);
	EQ(tool_signal, SIGALRM);
}

int main(int argc, char **argv)
{
	static const struct check tests[] = {
		{ "text", test_text },
		{ "part", test_part },
		{ "unread", test_unread },
	};

	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
