// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl cp - copy files into an image, or out of it
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../common/tool.h"
#include "run.h"

/* "IMAGE:/PATH" or "IMAGE:": the length of IMAGE, else 0. */
static size_t image_part(const char *arg)
{
	const char *colon = strstr(arg, ":/");
	size_t len = strlen(arg);

	if (colon)
		return colon - arg;
	return len && arg[len - 1] == ':' ? len - 1 : 0;
}

/* An argument's path in the image, whose name is cut out of it. */
static char *path_part(char *arg, size_t image_len)
{
	char *path = arg + image_len;

	*path++ = 0;
	return *path ? path : "/";
}

int cp_main(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		IMAGE_LONG_OPTIONS,
		{ "owner", required_argument, NULL, 'o' },
		{ "group", required_argument, NULL, 'g' },
		{ "selinux", required_argument, NULL, 's' },
		{ "keep-directory-symlink", no_argument, NULL, 'F' },
		{ "sync", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'H' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	char **args;
	int opt, first, count = 0, inside = 0;
	size_t len;
	bool in;

	/* they go to cptofs as they are: only find their end */
	while ((opt = getopt_long(argc, argv, "+" IMAGE_OPTIONS "o:g:s:",
				  options, NULL)) != -1) {
		if (opt == '?')
			tool_usage_error(NULL);
		if (opt == 'V') {
			printf("%s (lkl) %s\n", tool_name, LKL_VERSION);
			return TOOL_OK;
		}
		if (opt != 'H')
			continue;
		verb_help(v, false);
		return TOOL_OK;
	}
	first = optind;
	if (argc - first < 2)
		tool_usage_error("missing operand");
	len = image_part(argv[argc - 1]);
	in = len;
	for (int i = first; i < argc - 1; i++)
		inside += image_part(argv[i]) != 0;
	if (in ? inside : inside != argc - 1 - first)
		tool_usage_error("either the sources or the target must be "
				 "IMAGE:FS_PATH");
	if (!in)
		len = image_part(argv[first]);

	args = tool_alloc(NULL, (argc + 3) * sizeof(*args));
	args[count++] = in ? "cptofs" : "cpfromfs";
	args[count++] = "-i";
	args[count++] = argv[in ? argc - 1 : first];
	for (int i = 1; i < first; i++)
		args[count++] = argv[i];
	for (int i = first; i < argc; i++) {
		if (in == (i == argc - 1)) {
			if (image_part(argv[i]) != len ||
			    strncmp(argv[i], args[2], len))
				tool_usage_error("one image at a time");
			args[count++] = path_part(argv[i], len);
		} else {
			args[count++] = argv[i];
		}
	}
	args[count] = NULL;
	return execute(args[0], args);
}
