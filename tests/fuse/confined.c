// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the filter of lklfuse's server lets through: signals reach only its own
 * threads, files and sockets and processes are out of reach, and what was
 * inherited is closed.
 */
#include <stdbool.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "check.h"
#include "../../tools/common/sandbox.h"

/* A call that the filter refuses. */
#define REFUSED(...)                                                           \
	do {                                                                   \
		errno = 0;                                                     \
		if (syscall(__VA_ARGS__) != -1 || errno != ENOSYS)             \
			FAIL("%s: %s", #__VA_ARGS__, strerror(errno));         \
	} while (0)

static void test_signals(void)
{
	pid_t self = getpid(), parent = getppid();

	EQ(sandbox_enter(false), 0);
	EQ(syscall(SYS_tgkill, self, syscall(SYS_gettid), 0), 0);
	REFUSED(SYS_tgkill, parent, parent, 0);
	REFUSED(SYS_tkill, parent, 0);
	REFUSED(SYS_kill, parent, 0);
	REFUSED(SYS_kill, self, 0);
}

static void test_names(void)
{
	EQ(sandbox_enter(false), 0);
	REFUSED(SYS_open, "/etc/passwd", O_RDONLY);
	REFUSED(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	REFUSED(SYS_newfstatat, AT_FDCWD, "/", NULL, 0);
	REFUSED(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	REFUSED(SYS_fork);
	REFUSED(SYS_execve, "/bin/true", NULL, NULL);
	REFUSED(SYS_dup, 1);
	REFUSED(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Until it is tightened, files can be named, but Landlock denies them. */
static void test_unlocking(void)
{
	int err = sandbox_enter(true);

	if (err) /* has said that there is no Landlock */
		return;
	errno = 0;
	EQ(open("/etc/passwd", O_RDONLY), -1);
	EQ(errno, EACCES);
	EQ(sandbox_tighten(), 0);
	REFUSED(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void test_descriptors(void)
{
	int inherited = open("/", O_RDONLY);
	int ours = open("/", O_RDONLY | O_CLOEXEC);
	char byte;

	EQ(dup2(inherited, 200), 200);
	EQ(dup2(inherited, STDIN_FILENO), STDIN_FILENO);
	EQ(sandbox_descriptors(false), 0);
	EQ(fcntl(inherited, F_GETFD), -1);
	EQ(fcntl(200, F_GETFD), -1);
	EQ(fcntl(ours, F_GETFD), FD_CLOEXEC);
	EQ(read(STDIN_FILENO, &byte, 1), 0);
}

int main(int argc, char **argv)
{
	static const struct check tests[] = {
		{ "signals", test_signals },
		{ "names", test_names },
		{ "unlocking", test_unlocking },
		{ "descriptors", test_descriptors },
	};

	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
