// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that cannot go on says why and ends in the host's panic operation.
 */
#include "check.h"

/* From here the process ends as the test's result says. */
static void panicked(void)
{
	if (getenv("V"))
		write(1, printed, printed_len);
	_exit(42);
}

static void init(void)
{
	lkl_host_ops.print = print_capture;
	lkl_host_ops.panic = panicked;
	OK(lkl_init(&lkl_host_ops));
}

static void check_text(void (*fn)(void), const char *const *text)
{
	int fds[2], status, n, len = 0;
	pid_t pid;

	EQ(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		close(fds[0]);
		setenv("V", "1", 1);
		alarm(20);
		fn();
		_exit(1);
	}
	close(fds[1]);
	while ((n = read(fds[0], printed + len, sizeof(printed) - 1 - len)) > 0)
		len += n;
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 42);
	for (; *text; text++)
		if (!strstr(printed, *text))
			FAIL("no '%s' in:\n%s", *text, printed);
}

/* A taint that is asked to be fatal: a panic in the middle of write(). */
static void taint(void)
{
	int fd;

	init();
	OK(lkl_start_kernel("mem=64M loglevel=1 panic_on_taint=0x40"));
	OK(lkl_mount_fs("proc"));
	fd = OK(lkl_sys_open("/proc/sys/kernel/tainted", LKL_O_WRONLY, 0));
	lkl_sys_write(fd, "64", 2);
}

static void in_call(void)
{
	static const char *const text[] = {
		"Kernel panic - not syncing: panic_on_taint set",
		"Call trace:",
		"add_taint",
		"proc_sys_call_handler+0x",
		"vfs_write+0x",
		"sys_write+0x",
		"lkl_host_task+0x",
		NULL,
	};

	check_text(taint, text);
}

static void no_root(void)
{
	init();
	lkl_start_kernel("mem=64M loglevel=1 rdinit=/none root=/dev/none");
}

static void in_boot(void)
{
	static const char *const text[] = {
		"Kernel panic - not syncing: VFS: Unable to mount root fs",
		"Call trace:",
		"mount_root_generic+0x",
		"kernel_init",
		NULL,
	};

	check_text(no_root, text);
}

/* By default the process ends as by abort(). */
static void default_panic(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		boot("mem=64M panic_on_taint=0x40");
		OK(lkl_mount_fs("proc"));
		lkl_sys_write(OK(lkl_sys_open("/proc/sys/kernel/tainted",
					      LKL_O_WRONLY, 0)),
			      "64", 2);
		_exit(1);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGABRT);
}

static const struct check tests[] = {
	{ "in-call", in_call },
	{ "in-boot", in_boot },
	{ "default", default_panic },
};

CHECK_MAIN(tests)
