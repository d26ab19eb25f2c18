/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests that are programs as others: main() starts them under
 * lkl-hijack.sh. */
#ifndef TESTS_HIJACK_H
#define TESTS_HIJACK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "check.h"

/* The value of a libc function that must not fail. */
#define SYS(expr)                                                              \
	({                                                                     \
		long sys_ = (long)(expr);                                      \
		if (sys_ == -1)                                                \
			FAIL("%s: %s", #expr, strerror(errno));                \
		sys_;                                                          \
	})

/* It fails, and says why. */
#define FAILS(expr, why)                                                       \
	do {                                                                   \
		EQ(expr, -1);                                                  \
		EQ(errno, why);                                                \
	} while (0)

static inline void hijack_self(char **argv)
{
	const char *build = getenv("BUILD"), *way = getenv("HIJACK_BY");
	char path[4096], self[4096];

	if (getenv("HIJACK_TEST"))
		return;
	setenv("HIJACK_TEST", "1", 1);
	snprintf(path, sizeof(path), "%s/bin/%s", build ? build : "build",
		 way ? way : "lkl-hijack.sh");
	self[SYS(readlink("/proc/self/exe", self, sizeof(self) - 1))] = 0;
	argv[0] = self;
	char *args[16] = { path };
	for (int i = 0; i < 14 && argv[i]; i++)
		args[i + 1] = argv[i];
	execv(path, args);
	FAIL("%s: %s", path, strerror(errno));
}

#define HIJACK_MAIN(tests)                                                     \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		hijack_self(argv);                                             \
		/* Then each test is a child that is served by this process.   \
		 */                                                            \
		if (getenv("HIJACK_FORKED"))                                   \
			SYS(socket(AF_INET, SOCK_DGRAM, 0));                   \
		return check_main(tests, ARRAY_SIZE(tests), argc, argv);       \
	}

/* A TCP connection of the library's, with itself. */
static inline void tcp_pair(int pair[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int one = 1, l = SYS(socket(AF_INET, SOCK_STREAM, 0));

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(bind(l, (void *)&addr, sizeof(addr)));
	SYS(listen(l, 5));
	SYS(getsockname(l, (void *)&addr, &len));
	pair[0] = SYS(socket(AF_INET, SOCK_STREAM, 0));
	SYS(connect(pair[0], (void *)&addr, len));
	pair[1] = SYS(accept(l, NULL, NULL));
	SYS(setsockopt(pair[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	SYS(close(l));
}

#endif /* TESTS_HIJACK_H */
