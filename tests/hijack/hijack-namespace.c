// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network namespace of the host's is refused to a program, by whatever call
 * it asks for one, as its sockets would not be there; others are as on the
 * host.
 */
#include <sched.h>
#include <sys/syscall.h>
#include <linux/sched.h>

#include "hijack.h"

static int namespace_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return SYS(open(path, O_RDONLY | O_CLOEXEC));
}

static void unshared(void)
{
	FAILS(unshare(CLONE_NEWNET), EPERM);
	FAILS(unshare(CLONE_NEWUSER | CLONE_NEWNET), EPERM);
	FAILS(unshare(CLONE_NEWNS | CLONE_NEWNET), EPERM);
	EQ(unshare(CLONE_FILES), 0);
	FAILS(unshare(1), EINVAL);
}

static void entered(void)
{
	FAILS(setns(namespace_file("net"), 0), EPERM);
	FAILS(setns(namespace_file("net"), CLONE_NEWNET), EPERM);
	FAILS(setns(-1, 0), EBADF);
	FAILS(setns(SYS(open("/dev/null", O_RDONLY)), 0), EINVAL);
	if (!geteuid())
		EQ(setns(namespace_file("uts"), 0), 0);
}

static void cloned(void)
{
	struct clone_args args = { .flags = CLONE_NEWNET,
				   .exit_signal = SIGCHLD };

	FAILS(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_clone3, &args, sizeof(args)), EPERM);
}

static const struct check tests[] = {
	{ "unshared", unshared },
	{ "entered", entered },
	{ "cloned", cloned },
};

HIJACK_MAIN(tests)
