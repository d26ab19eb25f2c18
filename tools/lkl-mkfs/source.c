// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the files come from.  It is gone through once to know how large the
 * file system has to be, so an archive from a pipe is kept in a file meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkfs.h"

#define MAX_DEPTH 2000
/* A file that is not deleted, but has no name. */
#define SPOOL "/proc/self/fd/%d"

/*
 * Count what is in a directory, in the order of names, with holes if @full: how
 * much they are depends on the host's file system.
 */
static void count(struct total *t, int dir, const char *name, bool full,
		  int depth)
{
	const struct fs *fs = fs_host();
	unsigned long long data;
	struct walk_names names;
	struct stat st;
	int fd;

	if (tool_signal || fs->stat(dir, name, &st))
		return;
	data = full || st.st_size < st.st_blocks * 512 ? st.st_size
						       : st.st_blocks * 512;
	/* every one of its names will come along, presumably */
	total_add(t, name, &st, st.st_nlink > 1 ? data / st.st_nlink : data);
	if (!S_ISDIR(st.st_mode) || depth == MAX_DEPTH)
		return;
	fd = fs->open_dir(dir, name);
	if (fd < 0)
		return; /* the walk will say why */
	walk_names(fs, fd, &names);
	for (size_t i = 0; i < names.count; i++)
		count(t, fd, names.list[i] + 1, full, depth + 1);
	walk_names_free(&names);
	fs->close(fd);
}

/* Is the image in the directory? */
static bool is_inside(const char *dir, const char *image)
{
	char *real = realpath(dir, NULL), *copy = strdup(image), *slash, *in;
	size_t len = real ? strlen(real) : 0;
	bool inside = false;

	if (!copy)
		tool_no_memory();
	slash = strrchr(copy, '/');
	if (slash)
		slash[slash == copy] = 0;
	in = realpath(slash ? copy : ".", NULL);
	if (real && in)
		inside = !strncmp(in, real, len) &&
			 (len == 1 || !in[len] || in[len] == '/');
	free(real);
	free(in);
	free(copy);
	return inside;
}

static int open_dir(struct origin *s, const struct options *o)
{
	static char *path;
	int fd;

	fd = open(o->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		tool_file_error("cannot open directory", NULL, o->source,
				-errno);
		return -1;
	}
	count(&s->total, fd, ".", o->epoch >= 0, 0);
	close(fd);
	if (asprintf(&path, "%s/.", o->source) < 0)
		tool_no_memory();
	s->is_dir = true;
	s->walk = (struct walk){ .fs = fs_host(), .paths = &path, .count = 1 };
	return 0;
}

/* Keep the standard input, in the temporary directory. */
static int spool(void)
{
	const char *tmp = getenv("TMPDIR");
	char *buf = tool_alloc(NULL, BLOCK);
	int fd = open(tmp && *tmp ? tmp : "/var/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ssize_t n = fd;

	while (n >= 0 && !tool_signal) {
		if (!tool_wait_input(STDIN_FILENO))
			break;
		n = read(STDIN_FILENO, buf, BLOCK);
		if (!n)
			break;
		if (n > 0 && write(fd, buf, n) != n)
			n = -1;
	}
	free(buf);
	if (n < 0)
		tool_error("cannot keep the standard input: %s",
			   strerror(errno));
	if (n >= 0 && !tool_signal)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void count_entry(void *arg, const char *path, const struct stat *st)
{
	total_add(arg, path, st, st->st_size);
}

static int open_archive(struct origin *s, const struct options *o)
{
	static char name[64];
	struct unpack *u = &s->unpack;
	int fd;

	*u = (struct unpack){ .name = o->source,
			      .kind = o->kind,
			      .ref = o->ref };
	if (!o->kind_given && unpack_is_oci(o->source))
		u->kind = UNPACK_OCI;
	if (!strcmp(o->source, "-")) {
		fd = spool();
		if (fd < 0)
			return -1;
		snprintf(name, sizeof(name), SPOOL, fd);
		u->name = name;
	}
	if (unpack_open(u) || unpack_scan(u, count_entry, &s->total))
		return -1;
	if (o->kind_given || u->kind != UNPACK_TAR || !u->is_oci)
		return 0;
	/* it is an archive of an image */
	unpack_close(u);
	u->kind = UNPACK_OCI;
	total_begin(&s->total);
	return unpack_open(u) || unpack_scan(u, count_entry, &s->total) ? -1
									: 0;
}

int origin_open(struct origin *s, const struct options *o)
{
	struct stat st = { 0 };

	*s = (struct origin){ 0 };
	total_begin(&s->total);
	if (strcmp(o->source, "-") && stat(o->source, &st)) {
		tool_file_error("cannot open", NULL, o->source, -errno);
		return -1;
	}
	if (S_ISDIR(st.st_mode) && is_inside(o->source, o->image)) {
		tool_error("'%s' would be a part of its own content", o->image);
		return -1;
	}
	if (S_ISDIR(st.st_mode) && !o->kind_given && !unpack_is_oci(o->source))
		return open_dir(s, o);
	return open_archive(s, o);
}

void origin_close(struct origin *s)
{
	if (!s->is_dir)
		unpack_close(&s->unpack);
}
