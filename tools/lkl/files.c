// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl cat, lkl cp, lkl ls - the files in an image
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../common/tool.h"
#include "../common/walk.h"
#include "lkl.h"

#define CHUNK (1 << 20)

/*
 * Options of ls, by their letters.
 *
 * @paths: what to list, with a NULL at the end
 * @many: directories are listed under their names
 * @headed: something has been listed
 * @terminal: output goes to a terminal
 */
struct ls {
	const struct fs *fs;
	char **paths;
	bool a, d, l, R;
	bool many;
	bool headed;
	bool terminal;
};

/* Open a path of the user's; links in it lead nowhere but into the image. */
static int open_path(int root, const char *path, int flags)
{
	struct lkl_open_how how = {
		.flags = flags,
		.resolve = LKL_RESOLVE_IN_ROOT,
	};

	return lkl_sys_openat2(root, path, &how, sizeof(how));
}

static bool write_all(const char *buf, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, buf, size);

		if (n < 0 && errno == EINTR && !tool_signal)
			continue;
		if (n < 0) {
			tool_error("error writing to the standard output: %s",
				   strerror(errno));
			return false;
		}
		buf += n;
		size -= n;
	}
	return true;
}

/* Print a file; false when nothing more can be printed. */
static bool cat(const struct image *img, const char *path, char *buf)
{
	int fd = open_path(img->root, path, LKL_O_RDONLY);
	bool go_on = true;
	struct stat st;
	off_t off = 0;
	long n = fd;

	if (fd >= 0 && !img->fs->stat(fd, "", &st) && !S_ISREG(st.st_mode))
		n = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	while (n >= 0 && go_on && !tool_signal) {
		n = img->fs->pread(fd, buf, CHUNK, off);
		if (n <= 0)
			break;
		go_on = write_all(buf, n);
		off += n;
	}
	if (n < 0)
		tool_file_error(off || fd >= 0 ? "error reading"
					       : "cannot open",
				img->file, path, n);
	if (fd >= 0)
		img->fs->close(fd);
	return go_on;
}

/* Mount @img read-only, call @fn, unmount it; the exit status. */
static int with_image(struct image *img,
		      void (*fn)(const struct image *, void *), void *arg)
{
	int status = TOOL_FAILED;

	tool_mortal();
	img->readonly = true;
	if (!image_mount(img)) {
		fn(img, arg);
		status = tool_status();
	}
	if (image_unmount(img))
		status = TOOL_PARTIAL;
	return status;
}

static void cat_files(const struct image *img, void *paths)
{
	char *buf = tool_alloc(NULL, CHUNK);

	for (char **path = paths; *path; path++) {
		if (!cat(img, *path, buf))
			break;
	}
	free(buf);
}

int cat_main(int argc, char **argv)
{
	struct image img = { 0 };

	next_option(&img, argc, argv, IMAGE_OPTIONS,
		    "Usage: lkl cat [OPTION]... IMAGE FS_PATH...\n"
		    "Print files of a file system image.\n");
	if (argc - optind < 2)
		tool_usage_error("missing operand");
	img.file = argv[optind];
	return with_image(&img, cat_files, argv + optind + 1);
}

/* Names may come from an image nobody trusts: no control characters. */
static void put_name(const struct ls *ls, const char *name)
{
	for (const unsigned char *p = (const void *)name; *p; p++)
		putchar(ls->terminal && (*p < ' ' || *p == 127) ? '?' : *p);
}

/* "-rwsr-xr-x" */
static const char *mode_text(mode_t mode, char text[11])
{
	static const char types[] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";

	text[0] = types[mode >> 12 & 15];
	for (int i = 0; i < 9; i++)
		text[i + 1] = mode & 0400 >> i ? bits[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & S_IXOTH ? 't' : 'T';
	text[10] = 0;
	return text;
}

/* A line for @name, which is @entry in @dir, or @dir itself if that is "". */
static void put_entry(const struct ls *ls, int dir, const char *entry,
		      const char *name)
{
	char mode[11], when[32], size[32], target[PATH_MAX];
	struct stat st;
	struct tm tm;
	long n;

	if (!ls->l) {
		put_name(ls, name);
		putchar('\n');
		return;
	}
	n = ls->fs->stat(dir, entry, &st);
	if (n) {
		tool_file_error("cannot stat", ls->fs->label, name, n);
		return;
	}
	localtime_r(&st.st_mtim.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		snprintf(size, sizeof(size), "%u, %u", major(st.st_rdev),
			 minor(st.st_rdev));
	else
		snprintf(size, sizeof(size), "%lld", (long long)st.st_size);
	printf("%s %2lu %5u %5u %11s %s ", mode_text(st.st_mode, mode),
	       (unsigned long)st.st_nlink, st.st_uid, st.st_gid, size, when);
	put_name(ls, name);
	n = S_ISLNK(st.st_mode)
		    ? ls->fs->readlink(dir, entry, target, sizeof(target) - 1)
		    : 0;
	if (n > 0) {
		target[n] = 0;
		printf(" -> ");
		put_name(ls, target);
	}
	putchar('\n');
}

/* Name a directory whose entries follow. */
static void put_heading(const struct ls *ls, const char *path)
{
	if (ls->headed)
		putchar('\n');
	put_name(ls, path);
	puts(":");
}

/* What is in a directory, which is closed then. */
static void list_dir(const struct ls *ls, int fd, struct tool_path *path)
{
	const struct fs *fs = ls->fs;
	size_t len = path->len;
	struct walk_names names;
	long err;

	err = walk_names(fs, fd, &names);
	if (err)
		tool_file_error("error reading directory", fs->label,
				path->text, err);
	for (size_t i = 0; i < names.count; i++) {
		if (ls->a || names.list[i][1] != '.')
			put_entry(ls, fd, names.list[i] + 1, names.list[i] + 1);
	}
	for (size_t i = 0; ls->R && i < names.count && !tool_signal; i++) {
		const char *name = names.list[i] + 1;
		unsigned char type = names.list[i][0];
		struct stat st;
		int sub;

		if (type == DT_UNKNOWN && !fs->stat(fd, name, &st))
			type = IFTODT(st.st_mode);
		if (type != DT_DIR || (!ls->a && *name == '.'))
			continue;
		tool_path_set(path, len, name);
		put_heading(ls, path->text);
		sub = fs->open_dir(fd, name);
		if (sub < 0)
			tool_file_error("cannot open directory", fs->label,
					path->text, sub);
		else
			list_dir(ls, sub, path);
	}
	walk_names_free(&names);
	fs->close(fd);
	path->len = len;
	path->text[len] = 0;
}

static void list_path(struct ls *ls, const struct image *img, const char *name)
{
	/* a link is itself where its properties are asked for */
	int flags = LKL_O_PATH | (ls->l ? LKL_O_NOFOLLOW : 0);
	int fd = open_path(img->root, name, flags);
	struct tool_path path = { 0 };
	struct stat st;
	int err = fd < 0 ? fd : ls->fs->stat(fd, "", &st);
	int dir;

	if (err) {
		tool_file_error("cannot access", ls->fs->label, name, err);
	} else if (!S_ISDIR(st.st_mode) || ls->d) {
		put_entry(ls, fd, "", name);
		ls->headed = true;
	} else {
		dir = ls->fs->open_dir(fd, ".");
		if (dir < 0) {
			tool_file_error("cannot open directory", ls->fs->label,
					name, dir);
		} else {
			if (ls->many)
				put_heading(ls, name);
			ls->headed = true;
			tool_path_set(&path, 0, name);
			list_dir(ls, dir, &path);
			free(path.text);
		}
	}
	if (fd >= 0)
		ls->fs->close(fd);
}

static void list_paths(const struct image *img, void *arg)
{
	struct ls *ls = arg;

	ls->fs = img->fs;
	if (!*ls->paths)
		list_path(ls, img, "/");
	for (char **path = ls->paths; *path && !tool_signal; path++)
		list_path(ls, img, *path);
	if (fflush(stdout) || ferror(stdout))
		tool_error("error writing to the standard output: %s",
			   strerror(errno));
}

int ls_main(int argc, char **argv)
{
	struct ls ls = { .terminal = isatty(STDOUT_FILENO) };
	struct image img = { 0 };
	int opt;

	while ((opt = next_option(
			&img, argc, argv, IMAGE_OPTIONS "adlR",
			"Usage: lkl ls [OPTION]... IMAGE [FS_PATH]...\n"
			"List files of a file system image.\n\n"
			"  -a                      names that begin with a "
			"dot, too\n"
			"  -d                      directories themselves, not "
			"what is in them\n"
			"  -l                      type, mode, links, owner, "
			"group, size and time\n"
			"  -R                      directories in directories, "
			"too")) != -1) {
		ls.a |= opt == 'a';
		ls.d |= opt == 'd';
		ls.l |= opt == 'l';
		ls.R |= opt == 'R';
	}
	if (optind == argc)
		tool_usage_error("missing image");
	img.file = argv[optind];
	ls.paths = argv + optind + 1;
	ls.many = ls.R || argc - optind > 2;
	return with_image(&img, list_paths, &ls);
}

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

int cp_main(int argc, char **argv)
{
	static const struct option options[] = {
		IMAGE_LONG_OPTIONS,
		{ "owner", required_argument, NULL, 'o' },
		{ "group", required_argument, NULL, 'g' },
		{ "selinux", required_argument, NULL, 's' },
		{ "keep-directory-symlink", no_argument, NULL, 'F' },
		{ "sync", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'H' },
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
		if (opt != 'H')
			continue;
		puts("Usage: lkl cp [OPTION]... PATH... IMAGE:FS_PATH\n"
		     "  or:  lkl cp [OPTION]... IMAGE:FS_PATH... PATH\n"
		     "Copy files into a file system image, or out of it.\n"
		     "\n"
		     "Options are those of cptofs and cpfromfs.");
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
