// SPDX-License-Identifier: GPL-2.0-only
/* Run another of the tools: a program beside this one, that is waited for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "../lkl/run.h"
#include "nt_file.h"

#define COMMAND_MAX 32767

struct command {
	wchar_t text[COMMAND_MAX + 1];
	size_t len;
};

static void put(struct command *c, wchar_t letter, size_t times)
{
	while (times-- && c->len < COMMAND_MAX)
		c->text[c->len++] = letter;
}

/* An argument in quotes; backslashes count twice before one only. */
static bool put_argument(struct command *c, const char *arg)
{
	wchar_t *wide = nt_wide(arg);
	size_t slashes = 0;

	if (!wide)
		return false;
	put(c, ' ', c->len != 0);
	put(c, '"', 1);
	for (wchar_t *p = wide; *p; p++) {
		if (*p == '"')
			put(c, '\\', slashes + 1);
		slashes = *p == '\\' ? slashes + 1 : 0;
		put(c, *p, 1);
	}
	put(c, '\\', slashes);
	put(c, '"', 1);
	free(wide);
	return c->len < COMMAND_MAX;
}

/* Where the program is that runs, with another name at the end. */
static bool beside(const char *program, wchar_t *path, size_t size)
{
	DWORD len = GetModuleFileNameW(NULL, path, size);
	wchar_t *name = len < size ? wcsrchr(path, '\\') : NULL;
	wchar_t *wide = nt_wide(program);
	bool fits = name && wide &&
		    (size_t)(name - path) + wcslen(wide) + 6 < size;

	if (fits) {
		wcscpy(name + 1, wide);
		wcscat(name, L".exe");
	}
	free(wide);
	return fits;
}

int execute(const char *program, char **argv)
{
	static wchar_t path[COMMAND_MAX + 1];
	static struct command c;
	STARTUPINFOW start = { .cb = sizeof(start) };
	PROCESS_INFORMATION info;
	int err = -E2BIG;
	DWORD status;
	bool fits = beside(program, path, COMMAND_MAX);

	for (; *argv && fits; argv++)
		fits = put_argument(&c, *argv);
	if (fits && CreateProcessW(path, c.text, NULL, NULL, TRUE, 0, NULL,
				   NULL, &start, &info)) {
		WaitForSingleObject(info.hProcess, INFINITE);
		if (!GetExitCodeProcess(info.hProcess, &status))
			status = TOOL_FAILED;
		CloseHandle(info.hProcess);
		CloseHandle(info.hThread);
		return status;
	}
	if (fits)
		err = nt_error(GetLastError());
	tool_file_error("cannot execute", NULL, program, err);
	return TOOL_FAILED;
}

static bool is_slash(char c)
{
	return c == '\\' || c == '/';
}

size_t colon_length(const char *name)
{
	const char *p = name;

	/* "\\?\C:", and "\\.\C:", which is a volume. */
	if (is_slash(p[0]) && is_slash(p[1]) && (p[2] == '?' || p[2] == '.') &&
	    is_slash(p[3]))
		p += 4;
	if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')) ||
	    p[1] != ':')
		return 0;
	return p + 2 - name;
}
