/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs have in common that test the ways in by running under them.
 */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#x);                                           \
			_exit(1);                                              \
		}                                                              \
	} while (0)

/* Execute this program under one of the ways in, unless it is already. */
static inline void run_under(const char *way, char **argv)
{
	char path[4096], self[4096] = "";

	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CHECK(getenv("BUILD"));
	snprintf(path, sizeof(path), "%s/bin/%s", getenv("BUILD"), way);
	setenv("UNDER_LKL_RUN", way, 1);
	execl(path, way, self, argv[1], NULL);
	CHECK(!"execute");
}

static inline void run_self(char **argv)
{
	if (!getenv("UNDER_LKL_RUN"))
		run_under("lkl-run", argv);
}

/* The same under both, one after the other. */
static inline void run_both(char **argv)
{
	static const char *const ways[] = { "lkl-hijack.sh", "lkl-run" };

	if (getenv("UNDER_LKL_RUN"))
		return;
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();
		int status;

		CHECK(pid >= 0);
		if (!pid)
			run_under(ways[i], argv);
		CHECK(waitpid(pid, &status, 0) == pid);
		if (!status)
			continue;
		fprintf(stderr, "under %s: status %#x\n", ways[i], status);
		_exit(1);
	}
	_exit(0);
}

/* One of the library's, that sends to itself. */
static inline int library_socket(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!bind(fd, (void *)&addr, sizeof(addr)));
	CHECK(!getsockname(fd, (void *)&addr, &len));
	CHECK(!connect(fd, (void *)&addr, len));
	return fd;
}

#endif /* TESTS_RUN_H */
