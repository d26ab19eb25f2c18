// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that are executed: one that inherits a descriptor of the library's
 * goes on with it.  Which number is what, and the way to the owner, is told by
 * its environment.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "child.h"

static const char variable[] = "LKL_HIJACK_SHARED";

static char *put_hex(char *at, unsigned long n)
{
	int shift;

	for (shift = 28; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[n >> shift & 15];
	*at++ = ':';
	return at;
}

static void keep(bool keep)
{
	long flags = keep ? 0 : FD_CLOEXEC;

	host3(SYS_fcntl, child_control, F_SETFD, flags);
	host3(SYS_fcntl, share_fd, F_SETFD, flags);
}

bool hijack_exec_begin(char *text)
{
	char *at = text;
	int fd = child_number < 0 || hijack_in_vfork() ? -1 : fd_next_kept(0);

	if (fd < 0)
		return false;
	copy(at, variable, sizeof(variable) - 1);
	at += sizeof(variable) - 1;
	*at++ = '=';
	at = put_hex(at, child_control);
	at = put_hex(at, share_fd);
	at = put_hex(at, child_number);
	at = put_hex(at, socket_adopt(-1));
	for (; fd >= 0 && at + 20 < text + HIJACK_EXEC_TEXT;
	     fd = fd_next_kept(fd + 1)) {
		at = put_hex(at, fd);
		at = put_hex(at, fd_word(fd));
	}
	*at = 0;
	keep(true);
	return true;
}

void hijack_exec_end(void)
{
	keep(false);
}

/* Close what has not been inherited: all of the kernel's but @kept. */
static void close_others(const long *kept, int n)
{
	long first = 0, next;
	int i;

	do {
		next = LONG_MAX;
		for (i = 0; i < n; i++)
			if (kept[i] >= first && kept[i] < next)
				next = kept[i];
		if (next > first)
			lkl3(SYS_close_range, first,
			     next == LONG_MAX ? UINT_MAX : next - 1, 0);
		first = next + 1;
	} while (next != LONG_MAX);
}

/**
 * share_adopt - go on with the network of who has executed this program
 *
 * At the start; uses libc.
 *
 * Return: 1, 0 when there is none, or a negative error number
 */
long share_adopt(void)
{
	const char *text = getenv(variable);
	long kept[HIJACK_EXEC_TEXT / 18], err, fd, control;
	char *end;
	int n = 0;

	if (!text)
		return 0;
	control = strtoul(text, &end, 16);
	share_fd = strtoul(end + 1, &end, 16);
	child_begin(strtoul(end + 1, &end, 16), control);
	kept[n++] = socket_adopt(strtoul(end + 1, &end, 16));
	err = fd_init();
	if (!err)
		err = share_map();
	if (err) {
		child_begin(-1, 0);
		return err;
	}
	share = SHARE_BASE;
	keep(false);
	fd_set_word(child_control, FD_OWN);
	fd_set_word(share_fd, FD_OWN);
	while (end[1]) {
		fd = strtoul(end + 1, &end, 16);
		fd_set_word(fd, strtoul(end + 1, &end, 16));
		kept[n++] = fd_number(fd_word(fd));
	}
	unsetenv(variable);
	fd_expect_socket();
	share->process[child_number] = SHARE_NEW;
	if (!child_say(SHARE_ADOPT, 0, -1) &&
	    child_await(&share->process[child_number], SHARE_NEW))
		close_others(kept, n);
	return 1;
}
