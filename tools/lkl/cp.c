// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl cp - copy files into an image, or out of it
 *
 * On the command line that is cptofs or cpfromfs.  In lkl sh, what is between
 * the image and the host needs both processes (sh_copy.c); only what stays in
 * the image is copied here.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/copy.h"
#include "../common/tool.h"
#include "path.h"
#include "run.h"

size_t image_length(const char *arg)
{
	size_t skip = colon_length(arg), len = strlen(arg);
	const char *colon = strstr(arg + skip, ":/");

	if (colon)
		return colon - arg;
	return len > skip && arg[len - 1] == ':' ? len - 1 : 0;
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
		SANDBOX_LONG_OPTION,
		{ "owner", required_argument, NULL, 'o' },
		{ "group", required_argument, NULL, 'g' },
		{ "selinux", required_argument, NULL, 's' },
		{ "keep-directory-symlink", no_argument, NULL, 'F' },
		{ "escape-names", no_argument, NULL, 'E' },
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
	len = image_length(argv[argc - 1]);
	in = len;
	for (int i = first; i < argc - 1; i++)
		inside += image_length(argv[i]) != 0;
	if (in ? inside : inside != argc - 1 - first)
		tool_usage_error("either the sources or the target must be "
				 "IMAGE:FS_PATH");
	if (!in)
		len = image_length(argv[first]);

	args = tool_alloc(NULL, (argc + 3) * sizeof(*args));
	args[count++] = in ? "cptofs" : "cpfromfs";
	args[count++] = "-i";
	args[count++] = argv[in ? argc - 1 : first];
	for (int i = 1; i < first; i++)
		args[count++] = argv[i];
	for (int i = first; i < argc; i++) {
		if (in == (i == argc - 1)) {
			if (image_length(argv[i]) != len ||
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

/* Is @dir the directory @st, or in it? */
static bool is_in(const struct fs *fs, int dir, const struct stat *st)
{
	struct stat here = { 0 }, above;
	int fd = fs->open_path(dir, "."), up;
	bool in = false;

	while (fd >= 0 && !in && !fs->stat(fd, "", &above)) {
		if (above.st_ino == here.st_ino && above.st_dev == here.st_dev)
			break;
		here = above;
		in = here.st_ino == st->st_ino && here.st_dev == st->st_dev;
		up = fs->open_parent(fd);
		fs->close(fd);
		fd = up;
	}
	if (fd >= 0)
		fs->close(fd);
	return in;
}

/* A copy of a directory into itself would have no end. */
static bool has_end(struct session *s, char *const *paths, int count,
		    const char *target)
{
	struct walk_path wp;
	bool ok = true;
	int dir = path_open(s, target, LKL_O_PATH | LKL_O_DIRECTORY);

	if (dir < 0 && !path_split(s, target, &wp)) {
		dir = wp.dir;
		wp.dir = -1;
		walk_split_free(s->fs, &wp);
	}
	for (int i = 0; i < count && dir >= 0 && ok; i++) {
		struct stat st;

		ok = path_stat(s, paths[i], true, &st) ||
		     !S_ISDIR(st.st_mode) || !is_in(s->fs, dir, &st);
		if (!ok)
			tool_file_reason("cannot copy", s->fs->label, paths[i],
					 "the target is in it");
	}
	if (dir >= 0)
		s->fs->close(dir);
	return ok;
}

int cp_run(struct session *s, const struct args *a)
{
	struct sink sink = { .fs = s->fs };
	struct walk walk = { .fs = s->fs, .count = a->count - 1 };
	char **paths = tool_alloc(NULL, a->count * sizeof(char *));

	/* sh_copy() has looked at them */
	for (int i = 0; i < a->count; i++)
		paths[i] = path_full(s, a->operand[i] + 1);
	walk.paths = paths;
	if (has_end(s, paths, walk.count, paths[walk.count]))
		copy_run(&sink, &walk, paths[walk.count], false);
	for (int i = 0; i < a->count; i++)
		free(paths[i]);
	free(paths);
	return session_status();
}
