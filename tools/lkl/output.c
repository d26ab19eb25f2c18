// SPDX-License-Identifier: GPL-2.0-only
/*
 * What verbs print.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/control.h"
#include "../common/tool.h"
#include "path.h"

static bool terminal;

void output_begin(bool is_terminal)
{
	terminal = is_terminal;
}

/* Names come from an image that is not trusted: no control characters. */
void put_name(const char *name)
{
	bool control;

	for (size_t n; *name; name += n) {
		n = control_next(name, &control);
		if (terminal && control)
			putchar('?');
		else
			fwrite(name, 1, n, stdout);
	}
}

void put_done(const struct args *a, const char *what, const char *path)
{
	if (!a->given['v'])
		return;
	printf("%s '", what);
	put_name(path);
	puts("'");
}

const char *output_fact(const char *text, char buf[FACT])
{
	if (!*text || blkid_safe_string(text, buf, FACT))
		return "-";
	return control_hide(buf);
}

static bool quiet;

void output_quiet(bool on)
{
	quiet = on;
}

static bool failed(void)
{
	if (quiet && errno == EPIPE)
		return true;
	tool_error("error writing to the standard output: %s", strerror(errno));
	return false;
}

bool output_end(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	clearerr(stdout);
	return failed();
}

bool output_write(const char *buf, size_t size)
{
	if (!output_end())
		return false;
	while (size) {
		ssize_t n = write(STDOUT_FILENO, buf, size);

		if (n < 0 && errno == EINTR && !tool_signal)
			continue;
		if (n < 0) {
			failed();
			return false;
		}
		buf += n;
		size -= n;
	}
	return true;
}
