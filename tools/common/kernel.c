// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts the library's kernel, and reads its log.
 */
#include <errno.h>
#include <lkl.h>
#include <lkl_host.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "control.h"
#include "kernel.h"
#include "tool.h"

#define LOG_SIZE (1 << 18)

/* Actions of syslog(2), for which the kernel exports no names. */
#define SYSLOG_READ_ALL 3
#define SYSLOG_CLEAR 5

void kernel_set(const char *path, const char *text)
{
	int fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_WRONLY, 0);

	if (fd >= 0) {
		lkl_sys_write(fd, text, strlen(text));
		lkl_sys_close(fd);
	}
}

/* What of the host's may stand in the way of the kernel's memory. */
static const char *boot_hint(long err)
{
	static const struct {
		int resource;
		const char *hint;
	} limits[] = {
		{ RLIMIT_FSIZE,
		  " (its memory counts as a file, see ulimit -f)" },
		{ RLIMIT_AS, " (see ulimit -v)" },
	};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (err != (i ? -ENOMEM : -EFBIG))
			continue;
		if (!getrlimit(limits[i].resource, &limit) &&
		    limit.rlim_cur != RLIM_INFINITY)
			return limits[i].hint;
	}
	return "";
}

/*
 * Why the kernel refused to boot, if it said so: "lkl: REASON\n".  The first
 * reason is the cause of what comes after it.
 */
static char refusal[160];

/* What prints the kernel's messages, or NULL. */
static void(LKL_DOOR *shown)(const char *str, int len);

/* The messages quote images, labels for example: no control characters. */
static void LKL_DOOR print_text(const char *str, int len)
{
	char buf[256];

	while (len > 0) {
		const char *end = memchr(str, '\n', len);
		int n = end ? (int)(end - str) : len;

		n = n < (int)sizeof(buf) - 1 ? n : (int)sizeof(buf) - 1;
		memcpy(buf, str, n);
		buf[n] = 0;
		control_hide(buf);
		shown(buf, strlen(buf));
		if (str + n == end)
			shown(end, 1);
		n += str + n == end;
		str += n;
		len -= n;
	}
}

static void LKL_DOOR note_refusal(const char *str, int len)
{
	static const char by[] = "lkl: ";
	const int skip = sizeof(by) - 1;

	if (len <= skip || strncmp(str, by, skip)) {
		if (shown)
			print_text(str, len);
	} else if (!*refusal) {
		snprintf(refusal, sizeof(refusal), "%.*s", len - skip,
			 str + skip);
		refusal[strcspn(refusal, "\n")] = 0;
	}
}

int kernel_failed(unsigned int mem, long err)
{
	if (*refusal)
		tool_error("cannot start the kernel: %s", refusal);
	else
		tool_error("cannot start the kernel with %u MiB: %s%s", mem,
			   lkl_strerror(err), boot_hint(err));
	return -1;
}

#define CMDLINE "mem=%uM loglevel=%d"

int kernel_prepare(unsigned int mem, bool verbose)
{
	int err = lkl_init(&lkl_host_ops);

	if (err)
		return err;
	err = lkl_prepare_kernel(CMDLINE, mem, verbose ? 8 : 0);
	lkl_cleanup();
	return err;
}

int kernel_start(unsigned int mem, bool verbose, mode_t umask)
{
	long err;

	if (lkl_host_ops.print != print_text)
		shown = lkl_host_ops.print;
	lkl_host_ops.print = note_refusal;
	err = lkl_start_kernel(CMDLINE, mem, verbose ? 8 : 0);
	lkl_host_ops.print = shown ? print_text : NULL;
	if (err < 0)
		return kernel_failed(mem, err);
	lkl_sys_umask(umask);
	lkl_set_fd_limit(1 << 20);
	lkl_mount_fs("proc");
	/* The disk is the host's page cache: begin to write early, and never
	 * slow down. */
	kernel_set("/proc/sys/vm/dirty_background_ratio", "5");
	kernel_set("/proc/sys/vm/dirty_ratio", "60");
	return 0;
}

void kernel_clear_log(void)
{
	lkl_sys_syslog(SYSLOG_CLEAR, NULL, 0);
}

char *kernel_log(void)
{
	char *log = tool_alloc(NULL, LOG_SIZE);
	long len = lkl_sys_syslog(SYSLOG_READ_ALL, log, LOG_SIZE - 1);

	log[len > 0 ? len : 0] = 0;
	return log;
}

void kernel_reason(char *reason, size_t size)
{
	char *log = kernel_log();
	char *save, *text, *end;
	int worst = 5; /* notices and less explain nothing */

	*reason = 0;
	for (char *line = strtok_r(log, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		int level;

		if (sscanf(line, "<%d>", &level) != 1 || (level & 7) >= worst)
			continue;
		text = strchr(line, '>') + 1;
		if (*text == '[' && (end = strstr(text, "] ")))
			text = end + 2;
		end = strstr(text, "): ");
		if (end)
			text = end + 3;
		snprintf(reason, size, "%s", text);
		control_hide(reason);
		worst = level & 7;
	}
	free(log);
}

bool kernel_said(const char *what)
{
	char *log = kernel_log();
	bool ret = strstr(log, what);

	free(log);
	return ret;
}
