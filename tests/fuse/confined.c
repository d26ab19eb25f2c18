// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the filter of lklfuse's server lets through: signals reach only its own
 * threads, files and sockets and processes are out of reach, and what was
 * inherited is closed.
 */
#include <stdbool.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"
#include "../../tools/common/confine.h"
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

	EQ(sandbox_enter(false, NULL), 0);
	EQ(syscall(SYS_tgkill, self, syscall(SYS_gettid), 0), 0);
	REFUSED(SYS_tgkill, parent, parent, 0);
	REFUSED(SYS_tkill, parent, 0);
	REFUSED(SYS_kill, parent, 0);
	REFUSED(SYS_kill, self, 0);
}

static void test_names(void)
{
	EQ(sandbox_enter(false, NULL), 0);
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
	int err = sandbox_enter(true, NULL);

	if (err) /* has said that there is no Landlock */
		return;
	errno = 0;
	EQ(open("/etc/passwd", O_RDONLY), -1);
	EQ(errno, EACCES);
	EQ(sandbox_tighten(), 0);
	REFUSED(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static bool denied(int fd, int err)
{
	bool ok = fd < 0 && errno == err;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Directories that an image shows are all that can be opened. */
static void test_dirs(void)
{
	const struct sandbox_dir dirs[] = { { "open", false },
					    { "only", true },
					    { NULL, false } };

	EQ(mkdir("open", 0700) | mkdir("only", 0700) | mkdir("other", 0700), 0);
	EQ(close(open("only/file", O_CREAT | O_WRONLY, 0600)), 0);
	EQ(close(open("other/file", O_CREAT | O_WRONLY, 0600)), 0);
	if (sandbox_enter(false, dirs)) /* there is no Landlock */
		return;
	EQ(close(open("open/new", O_CREAT | O_RDWR, 0600)), 0);
	EQ(syscall(SYS_mkdirat, AT_FDCWD, "open/d", 0700), 0);
	EQ(syscall(SYS_renameat2, AT_FDCWD, "open/new", AT_FDCWD, "open/d/new",
		   0),
	   0);
	EQ(close(open("only/file", O_RDONLY)), 0);
	EQ(denied(open("only/file", O_WRONLY), EACCES), true);
	EQ(denied(open("only/new", O_CREAT | O_RDWR, 0600), EACCES), true);
	EQ(denied(open("other/file", O_RDONLY), EACCES), true);
	EQ(denied(open("open/../other/file", O_RDONLY), EACCES), true);
	EQ(denied(open("/etc/passwd", O_RDONLY), EACCES), true);
	EQ(syscall(SYS_unlinkat, AT_FDCWD, "other/file", 0), -1);
	EQ(syscall(SYS_renameat2, AT_FDCWD, "other/file", AT_FDCWD, "open/file",
		   0),
	   -1);
	REFUSED(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	REFUSED(SYS_fork);
	REFUSED(SYS_unshare, CLONE_NEWUSER);
	REFUSED(SYS_execve, "/bin/true", NULL, NULL);
	REFUSED(SYS_kill, getppid(), 0);
}

/* Nor can anything be changed there if they are all read-only. */
static void test_dirs_readonly(void)
{
	const struct sandbox_dir dirs[] = { { "read", true }, { NULL, false } };

	EQ(mkdir("read", 0700), 0);
	EQ(close(open("read/file", O_CREAT | O_WRONLY, 0600)), 0);
	if (sandbox_enter(false, dirs))
		return;
	EQ(close(open("read/file", O_RDONLY)), 0);
	REFUSED(SYS_unlinkat, AT_FDCWD, "read/file", 0);
	REFUSED(SYS_chmod, "read/file", 0777);
	REFUSED(SYS_chmod, "/etc", 0777);
}

#define DENIED(...)                                                            \
	do {                                                                   \
		errno = 0;                                                     \
		if (syscall(__VA_ARGS__) != -1 || errno != EACCES)             \
			FAIL("%s: %s", #__VA_ARGS__, strerror(errno));         \
	} while (0)

/* Programs of the host, which have an image: see confine.c. */
static void test_programs(void)
{
	int image = open("image", O_CREAT | O_RDWR, 0600);
	int other = open("other", O_CREAT | O_RDWR, 0600);
	pid_t parent = getppid();
	int err;

	/* an empty directory would be the root */
	EQ(setenv("PATH", ":/usr/bin", 1), 0);
	err = confine(image, true, NULL);
	EQ(err == 0 || err == -ENOSYS, true);
	EQ(close(open("image", O_RDWR)), 0);
	if (!err) {
		EQ(denied(open("other", O_RDONLY), EACCES), true);
		EQ(denied(open("new", O_CREAT | O_RDWR, 0600), EACCES), true);
		EQ(denied(open("/etc/passwd", O_RDONLY), EACCES), true);
	}
	DENIED(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	DENIED(SYS_fork);
	DENIED(SYS_chmod, "other", 0777);
	DENIED(SYS_fchmod, other, 0777);
	DENIED(SYS_fchmodat, AT_FDCWD, "other", 0777);
	DENIED(SYS_fchownat, AT_FDCWD, "other", -1, -1, 0);
	DENIED(SYS_setxattr, "other", "user.a", "b", 1, 0);
	DENIED(SYS_utimensat, AT_FDCWD, "other", NULL, 0);
	DENIED(SYS_kill, parent, 0);
	DENIED(SYS_tkill, parent, 0);
	DENIED(SYS_tgkill, parent, parent, 0);
	EQ(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0), 0);
	DENIED(SYS_prlimit64, parent, 0, NULL, NULL);
	DENIED(SYS_ioctl, STDIN_FILENO, TIOCSTI, "x");
	DENIED(SYS_ioctl, STDIN_FILENO, 1UL << 32 | TIOCSTI, "x");
	DENIED(SYS_chroot, "/");
	/* not even root may */
	EQ(mknod("device", S_IFCHR | 0600, 1 << 8 | 3), -1);
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
		{ "dirs", test_dirs },
		{ "dirs-readonly", test_dirs_readonly },
		{ "programs", test_programs },
		{ "descriptors", test_descriptors },
	};

	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
