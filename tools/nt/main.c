// SPDX-License-Identifier: GPL-2.0-only
/*
 * The beginning of each tool: its arguments in UTF-8, and its name without
 * directory and ".exe".
 */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "nt_file.h"

int tool_main(int argc, char **argv);
int wmain(int argc, wchar_t **argv);

static char *to_utf8(const wchar_t *text)
{
	size_t size = 3 * wcslen(text) + 1;
	char *to = tool_alloc(NULL, size);

	if (nt_narrow(text, wcslen(text), to, size) < 0)
		tool_usage_error("an argument is not valid UTF-16");
	return to;
}

static char *base_name(char *path)
{
	char *name = path, *end;

	for (char *p = path; *p; p++)
		if (*p == '/' || *p == '\\' || *p == ':')
			name = p + 1;
	end = name + strlen(name);
	if (end - name > 4 && !_stricmp(end - 4, ".exe"))
		end[-4] = 0;
	return _strlwr(name);
}

int wmain(int argc, wchar_t **argv)
{
	char **args = tool_alloc(NULL, (argc + 1) * sizeof(*args));

	SetConsoleOutputCP(CP_UTF8);
	_setmode(0, _O_BINARY);
	_setmode(1, _O_BINARY);
	_setmode(2, _O_BINARY);
	for (int i = 0; i < argc; i++)
		args[i] = to_utf8(argv[i]);
	args[argc] = NULL;
	args[0] = base_name(args[0]);
	/* getopt() takes the name from there */
	if (__argv && *__argv)
		*__argv = args[0];
	return tool_main(argc, args);
}
