// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages and the exit status of the tools.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "tool.h"

const char *tool_name = "lkl";
int tool_failed = TOOL_FAILED;
volatile bool tool_line;

static atomic_int status = TOOL_OK;

int tool_status(void)
{
	return atomic_load(&status);
}

void tool_forget_errors(void)
{
	atomic_store(&status, TOOL_OK);
}

static void begin(void)
{
	flockfile(stderr);
	if (tool_line)
		fputs("\r\033[K", stderr);
	tool_line = false;
	fprintf(stderr, "%s: ", tool_name);
}

static void end(void)
{
	putc_unlocked('\n', stderr);
	/* Some C libraries do not buffer by lines. */
	fflush(stderr);
	funlockfile(stderr);
}

/* Texts quote an image that is not trusted: no control characters. */
static void say(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0) {
		fputs(fmt, stderr);
		return;
	}
	control_escape(stderr, text, "");
	free(text);
}

void tool_error(const char *fmt, ...)
{
	va_list args;

	begin();
	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	end();
	atomic_store(&status, TOOL_PARTIAL);
}

void tool_warn(const char *fmt, ...)
{
	va_list args;

	begin();
	fputs("warning: ", stderr);
	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	end();
}

static void put_name(const char *label, const char *path)
{
	putc_unlocked('\'', stderr);
	if (label)
		fprintf(stderr, "%s:", label);
	control_escape(stderr, path, "");
	putc_unlocked('\'', stderr);
}

static void put_line(const char *kind, const char *what, const char *label,
		     const char *path, const char *reason)
{
	begin();
	fprintf(stderr, "%s%s ", kind, what);
	put_name(label, path);
	fputs(": ", stderr);
	control_escape(stderr, reason, "");
	end();
}

void tool_file_reason(const char *what, const char *label, const char *path,
		      const char *reason)
{
	put_line("", what, label, path, reason);
	atomic_store(&status, TOOL_PARTIAL);
}

void tool_file_error(const char *what, const char *label, const char *path,
		     long err)
{
	tool_file_reason(what, label, path, strerror(-err));
}

void tool_file_warn(const char *what, const char *label, const char *path,
		    const char *reason)
{
	put_line("warning: ", what, label, path, reason);
}

void tool_usage_error(const char *fmt, ...)
{
	va_list args;

	if (fmt) {
		begin();
		va_start(args, fmt);
		say(fmt, args);
		va_end(args);
		end();
	}
	fprintf(stderr, "Try '%s --help' for more information.\n", tool_name);
	exit(tool_failed);
}

/* Scripts may put them around a number. */
#define BLANKS " \t\n"

uint64_t tool_number(const char *text, uint64_t max, const char *what)
{
	unsigned long long value;
	char *rest;
	const char *digits = text + strspn(text, BLANKS);

	errno = 0;
	value = strtoull(digits, &rest, 10);
	rest += strspn(rest, BLANKS);
	if (*digits < '0' || *digits > '9' || *rest || errno || value > max)
		tool_usage_error("invalid %s: '%s'", what, text);
	return value;
}

bool tool_parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMGTPE";
	unsigned long long value;
	uint64_t unit = 1;
	const char *u;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	u = *end ? strchr(units, toupper(*end)) : NULL;
	if (u) {
		bool decimal = end[1] == 'B';

		for (const char *p = units; p <= u; p++)
			unit *= decimal ? 1000 : 1024;
		end += decimal ? 2 : end[1] == 'i' && end[2] == 'B' ? 3 : 1;
	}
	*size = value * unit;
	return !*end && value <= INT64_MAX / unit;
}

void tool_no_memory(void)
{
	tool_error("out of memory");
	exit(tool_failed);
}

void *tool_alloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		tool_no_memory();
	return p;
}

void tool_path_set(struct tool_path *path, size_t len, const char *name)
{
	size_t need = len + strlen(name) + 2;

	if (need > path->size) {
		path->size = 2 * need;
		path->text = tool_alloc(path->text, path->size);
	}
	if (len && path->text[len - 1] != '/')
		path->text[len++] = '/';
	strcpy(path->text + len, name);
	path->len = len + strlen(name);
}

const char *tool_size(double n, char buf[TOOL_SIZE])
{
	static const char units[][4] = { "B", "kB", "MB", "GB", "TB", "PB" };
	size_t u = 0;

	while (n >= 999.5 && u < sizeof(units) / sizeof(*units) - 1) {
		n /= 1000;
		u++;
	}
	snprintf(buf, TOOL_SIZE, n < 9.95 && u ? "%.1f %s" : "%.0f %s", n,
		 units[u]);
	return buf;
}
