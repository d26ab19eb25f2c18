// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that stop a tool.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tool.h"

volatile sig_atomic_t tool_signal;

/* The ends of a pipe: there is something in it when a signal has come, once a
 * thread waits for that. */
static volatile int signal_fds[2] = { -1, -1 };

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* Only note it: the copy loops look here, finish cleanly and unmount. */
static void on_signal(int sig)
{
	int fd = signal_fds[1], err = errno;

	tool_signal = sig;
	if (fd >= 0 && write(fd, "", 1) < 0)
		errno = err;
}

void tool_wait_begin(void)
{
	int fds[2];

	for (int i = 0; i < 2; i++) {
		if (signal_fds[i] >= 0)
			close(signal_fds[i]);
		signal_fds[i] = -1;
	}
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return;
	signal_fds[0] = fds[0];
	signal_fds[1] = fds[1];
}

bool tool_wait_some(int fd, int ms)
{
	struct pollfd fds[2];
	char told[64];
	int n = 0;

	if (signal_fds[0] < 0)
		tool_wait_begin();
	fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = signal_fds[0], .events = POLLIN };
	/* a signal that has been dealt with wakes no thread */
	while (!tool_signal &&
	       read(signal_fds[0], told, sizeof(told)) == sizeof(told))
		;
	while (!tool_signal && (n = poll(fds, 2, ms)) < 0 && errno == EINTR)
		;
	return n || tool_signal;
}

bool tool_wait_input(int fd)
{
	tool_wait_some(fd, -1);
	return !tool_signal;
}

void tool_init(const char *argv0)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };
	struct sigaction old;
	const char *slash = strrchr(argv0, '/');
	struct rlimit files;

	tool_name = slash ? slash + 1 : argv0;
	/* A line at a time, as several processes may write. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		/* nohup and shells' background jobs ignore some on purpose */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}

	/* a limit of the size of files is told as an error instead */
	signal(SIGXFSZ, SIG_IGN);

	/* each level of a deep tree holds a descriptor */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

void tool_mortal(void)
{
	struct sigaction now;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaction(signals[i], NULL, &now);
		if (now.sa_handler == on_signal)
			signal(signals[i], SIG_DFL);
	}
	if (tool_signal)
		raise(tool_signal);
}

void tool_exit(int code)
{
	if (tool_signal) {
		signal(tool_signal, SIG_DFL);
		raise(tool_signal);
	}
	exit(code);
}
