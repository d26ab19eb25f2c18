// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs2tar: the stream of a walk as an archive.
 *
 * The header of an entry is written when all that belongs into it has come:
 * attributes and the map of holes follow the object in the stream.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/progress.h"
#include "../common/tool.h"
#include "../common/walk.h"
#include "../archive/acl.h"
#include "fs2tar.h"

/* What fits into any header, with what is added for holes. */
#define SHORT_PATH 80

/*
 * The archive being written.
 *
 * @path: name of what the stream is at
 * @levels: length of @path up to each open object's directory
 * @entry: header of it, and
 * @pending: it is still to be written
 * @size: bytes the entry has, holes included
 * @pos: bytes written
 * @dead: nothing more can be written
 */
struct writer {
	const struct options *opt;
	struct archive *a;
	FILE *labels;
	struct tool_path path;
	size_t *levels;
	size_t depth;
	size_t max_depth;
	struct archive_entry *entry;
	bool pending;
	uint64_t size;
	uint64_t pos;
	bool dead;
	unsigned long long files;
	unsigned long long bytes;
};

static void write_failed(struct writer *w, const char *what)
{
	int err = archive_errno(w->a);

	if (!w->dead)
		tool_error("%s '%s': %s", what, w->opt->archive,
			   err > 0 ? strerror(err)
				   : archive_error_string(w->a));
	w->dead = true;
}

/* The path of the object in the image, as an absolute one. */
static const char *image_path(const struct writer *w)
{
	const char *path = w->path.text;

	return !strcmp(path, ".")	 ? "/"
	       : !strncmp(path, "./", 2) ? path + 1
					 : path;
}

static void put_data(struct writer *w, const void *buf, size_t size)
{
	const char *p = buf;

	while (size && !w->dead) {
		la_ssize_t n = archive_write_data(w->a, p, size);

		if (n <= 0) {
			write_failed(w, "error writing");
			return;
		}
		p += n;
		w->pos += n;
		size -= n;
	}
}

/* Go on to @pos; where the entry has a hole, libarchive drops the zeros. */
static void put_zeros(struct writer *w, uint64_t pos)
{
	static char zeros[1 << 20];

	while (w->pos < pos && !w->dead) {
		uint64_t left = pos - w->pos;

		put_data(w, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
	}
}

/* Write the header once all that belongs to it has come. */
static void put_header(struct writer *w)
{
	int err;

	if (!w->pending || w->dead)
		return;
	w->pending = false;
	err = archive_write_header(w->a, w->entry);
	if (err == ARCHIVE_WARN && archive_errno(w->a) == EILSEQ)
		err = ARCHIVE_OK; /* not UTF-8, the bytes are kept as they are
				   */
	if (err == ARCHIVE_WARN) {
		tool_file_warn("in the header of", w->opt->img.file,
			       image_path(w), archive_error_string(w->a));
	} else if (err == ARCHIVE_FAILED) {
		tool_error("cannot archive '%s:%s': %s", w->opt->img.file,
			   image_path(w), archive_error_string(w->a));
		w->size = 0;
	} else if (err != ARCHIVE_OK) {
		write_failed(w, "cannot write");
	} else {
		w->files++;
	}
}

/*
 * libarchive writes -1 second and half a second as -1.5, which is another time:
 * a fraction counts away from 0.  But in the last second before 1970 it has no
 * place for the sign.
 */
static struct timespec archive_time(struct timespec ts)
{
	if (ts.tv_sec >= 0 || !ts.tv_nsec)
		return ts;
	if (ts.tv_sec == -1)
		return (struct timespec){ -1, 0 };
	return (struct timespec){ ts.tv_sec + 1, 1000000000 - ts.tv_nsec };
}

static void begin_entry(struct writer *w, const struct record *r)
{
	const struct options *opt = w->opt;
	const struct stat *st = &r->st;
	struct timespec mtime =
		archive_time(opt->fixed_time ? opt->time : st->st_mtim);
	struct timespec atime = archive_time(st->st_atim);
	struct archive_entry *e = archive_entry_clear(w->entry);
	mode_t mode = st->st_mode;

	if (S_ISSOCK(mode)) {
		mode = (mode & ~S_IFMT) | S_IFIFO;
		archive_entry_xattr_add_entry(e, ATTR_SOCKET, "socket", 6);
	}
	archive_entry_copy_pathname(e, w->path.text);
	archive_entry_set_mode(e, mode);
	archive_entry_set_uid(e, idmap_get(&opt->uids, st->st_uid));
	archive_entry_set_gid(e, idmap_get(&opt->gids, st->st_gid));
	archive_entry_set_mtime(e, mtime.tv_sec, mtime.tv_nsec);
	if (!opt->fixed_time)
		archive_entry_set_atime(e, atime.tv_sec, atime.tv_nsec);
	if (S_ISCHR(mode) || S_ISBLK(mode))
		archive_entry_set_rdev(e, st->st_rdev);
	w->size = S_ISREG(mode) && r->type == REC_OPEN ? st->st_size : 0;
	w->pos = 0;
	archive_entry_set_size(e, w->size);
	if (r->type == REC_LINK)
		archive_entry_copy_hardlink(e, r->data + r->name_size);
	else if (S_ISLNK(mode))
		archive_entry_copy_symlink(e, r->data + r->name_size);
	w->pending = true;
}

static void add_attr(struct writer *w, const struct record *r)
{
	const char *value = r->data + r->name_size;
	size_t size = r->size - r->name_size;

	if (!strcmp(r->data, ATTR_ACL)) {
		acl_encode(w->entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value,
			   size);
		return;
	}
	if (!strcmp(r->data, ATTR_DEFAULT_ACL)) {
		acl_encode(w->entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value,
			   size);
		return;
	}
	if (w->labels && !strcmp(r->data, ATTR_SELINUX))
		labels_put(w->labels, image_path(w), value, size);
	archive_entry_xattr_add_entry(w->entry, r->data, value, size);
}

/*
 * A long path that is not UTF-8 is shortened by libarchive in one of the two
 * places where a file with holes has it, and GNU tar takes that one.
 */
static bool path_spoilt(const char *path)
{
	return strlen(path) > SHORT_PATH &&
	       mbstowcs(NULL, path, 0) == (size_t)-1;
}

static void add_map(struct writer *w, const struct record *r)
{
	const struct extent *list = (const void *)r->data;
	size_t count = r->size / sizeof(*list);

	if (path_spoilt(w->path.text))
		return;
	for (size_t i = 0; i < count; i++)
		archive_entry_sparse_add_entry(w->entry, list[i].off,
					       list[i].size);
	/* nothing but a hole: without any part it would have no holes */
	if (!count && !archive_entry_sparse_count(w->entry))
		archive_entry_sparse_add_entry(w->entry, w->size, 0);
}

static void end_entry(struct writer *w, bool failed)
{
	put_header(w);
	if (failed && w->pos < w->size)
		tool_file_warn("filling up with zeros", w->opt->img.file,
			       image_path(w),
			       "it could not be read to its end");
	put_zeros(w, w->size);
}

/* Make the path that of @name in the directory the stream is in. */
static void enter(struct writer *w, const char *name)
{
	if (w->depth == w->max_depth) {
		w->max_depth = w->max_depth ? 2 * w->max_depth : 64;
		w->levels = tool_alloc(w->levels,
				       w->max_depth * sizeof(*w->levels));
	}
	w->levels[w->depth++] = w->path.len;
	tool_path_set(&w->path, w->path.len, name);
}

static void leave(struct writer *w)
{
	w->path.len = w->levels[--w->depth];
	if (w->path.text)
		w->path.text[w->path.len] = 0;
}

static void write_record(struct writer *w, const struct record *r)
{
	size_t size;

	switch (r->type) {
	case REC_OPEN:
		put_header(w);
		enter(w, r->data);
		begin_entry(w, r);
		break;
	case REC_XATTR:
		add_attr(w, r);
		break;
	case REC_MAP:
		add_map(w, r);
		break;
	case REC_DATA:
		put_header(w);
		if (r->off >= w->size)
			break;
		put_zeros(w, r->off);
		size = r->size < w->size - r->off ? r->size : w->size - r->off;
		put_data(w, r->bytes, size);
		w->bytes += size;
		break;
	case REC_CLOSE:
		end_entry(w, r->failed);
		leave(w);
		w->size = 0;
		break;
	case REC_LINK:
		put_header(w);
		enter(w, r->data);
		begin_entry(w, r);
		end_entry(w, false);
		leave(w);
		break;
	}
}

/* The image's files, until there are no more or it makes no sense to go on. */
static void write_entries(struct writer *w, struct walk *walk)
{
	const struct record *r;
	pthread_t reader;
	int err;

	walk->stream = stream_new();
	w->entry = archive_entry_new();
	if (!walk->stream || !w->entry)
		tool_no_memory();
	progress_start(walk);
	err = pthread_create(&reader, NULL, walk_run, walk);
	if (err) {
		tool_error("cannot start a thread: %s", strerror(err));
		w->dead = true;
		return;
	}
	for (;;) {
		if (tool_signal || w->dead) {
			stream_cancel(walk->stream);
			break;
		}
		r = stream_next(walk->stream);
		progress_update(w->files, w->bytes);
		if (r && r->type == REC_DONE)
			break;
		if (r)
			write_record(w, r);
	}
	pthread_join(reader, NULL);
	progress_end(w->files, w->bytes);
	stream_free(walk->stream);
	archive_entry_free(w->entry);
	free(w->path.text);
	free(w->levels);
}

/* How to compress an archive of this name, or NULL. */
static const char *compression(const char *name)
{
	static const struct {
		const char *suffix, *filter;
	} list[] = {
		{ ".gz", "gzip" },   { ".tgz", "gzip" },   { ".bz2", "bzip2" },
		{ ".tbz", "bzip2" }, { ".tbz2", "bzip2" }, { ".xz", "xz" },
		{ ".txz", "xz" },    { ".zst", "zstd" },   { ".tzst", "zstd" },
		{ ".lz4", "lz4" },   { ".lz", "lzip" },	   { ".lzma", "lzma" },
		{ ".tlz", "lzma" },  { ".Z", "compress" },
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		size_t n = strlen(list[i].suffix);

		if (len > n && !strcmp(name + len - n, list[i].suffix))
			return list[i].filter;
	}
	return NULL;
}

static bool is_image(const struct image *img, const char *name)
{
	struct stat st;

	if (stat(name, &st) || !image_is(img, &st))
		return false;
	tool_file_reason("cannot create", NULL, name, "it is the image itself");
	return true;
}

/*
 * Open what the archive is written to.  A file is written under a temporary
 * name, *@tmp, so that there is never half an archive under its own.
 */
static int open_output(const struct image *img, const char *name, char **tmp)
{
	struct stat st;
	mode_t mask;
	int fd;

	*tmp = NULL;
	if (!strcmp(name, "-")) {
		if (!isatty(STDOUT_FILENO))
			return STDOUT_FILENO;
		tool_error("refusing to write an archive to a terminal");
		return -1;
	}
	if (is_image(img, name))
		return -1;
	if (!stat(name, &st) && !S_ISREG(st.st_mode)) {
		fd = open(name, O_WRONLY | O_CLOEXEC);
	} else {
		if (asprintf(tmp, "%s.XXXXXX", name) < 0)
			tool_no_memory();
		fd = mkostemp(*tmp, O_CLOEXEC);
		mask = umask(0);
		umask(mask);
		if (fd >= 0)
			fchmod(fd, 0666 & ~mask);
	}
	if (fd < 0) {
		tool_file_error("cannot create", NULL, name, -errno);
		free(*tmp);
		*tmp = NULL;
	}
	return fd;
}

static struct archive *open_writer(const char *name, int fd)
{
	struct archive *a = archive_write_new();
	const char *filter = compression(name);

	if (!a)
		tool_no_memory();
	archive_write_set_format_pax(a);
	archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY");
	archive_write_set_bytes_per_block(a, BLOCK);
	archive_write_set_bytes_in_last_block(a, 1);
	if (filter &&
	    archive_write_add_filter_by_name(a, filter) < ARCHIVE_WARN)
		goto failed;
	/* the same image gives the same bytes */
	if (filter && !strcmp(filter, "gzip"))
		archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
	if (archive_write_open_fd(a, fd))
		goto failed;
	return a;
failed:
	tool_error("cannot write '%s': %s", name, archive_error_string(a));
	archive_write_free(a);
	return NULL;
}

/* Give the archive its name, or remove what there is of it. */
static int finish_output(const char *name, bool bad, int fd, char *tmp)
{
	bad |= tool_signal;
	if (!bad && fd != STDOUT_FILENO && close(fd)) {
		tool_file_error("error writing", NULL, name, -errno);
		bad = true;
	}
	if (!bad && tmp && rename(tmp, name)) {
		tool_file_error("cannot create", NULL, name, -errno);
		bad = true;
	}
	if (bad && tmp)
		unlink(tmp);
	free(tmp);
	return bad ? -1 : 0;
}

/*
 * What the process does that reads the image.
 *
 * @fd: the archive
 * @tmp: name that it has until it is complete, or NULL
 */
struct work {
	struct options *opt;
	FILE *labels;
	int fd;
	char *tmp;
};

static int write_image(struct image *img, void *arg)
{
	static char *everything[] = { "/." };
	const struct work *work = arg;
	const struct options *opt = work->opt;
	struct writer w = { .opt = opt, .labels = work->labels };
	struct walk walk = {
		.fs = img->fs,
		.paths = opt->count ? opt->paths : everything,
		.count = opt->count ? opt->count : 1,
		.maps = true,
	};
	int err = 0;

	/* what they said before was good until now */
	if (w.labels)
		err = ftruncate(fileno(w.labels), 0);
	w.a = open_writer(opt->archive, work->fd);
	if (w.a) {
		write_entries(&w, &walk);
		if (w.dead || tool_signal)
			archive_write_fail(w.a);
		else if (archive_write_close(w.a))
			write_failed(&w, "error writing");
		archive_write_free(w.a);
	}
	w.dead |= !w.a;
	if ((w.dead || tool_signal) && !work->tmp)
		tool_error("'%s' is incomplete", opt->archive);
	if (w.labels && (err || fflush(w.labels))) {
		tool_file_error("error writing", NULL, opt->labels, -errno);
		return TOOL_PARTIAL;
	}
	return (w.dead && work->tmp) || tool_signal ? TOOL_FAILED
						    : tool_status();
}

int fs2tar(struct options *opt)
{
	struct work work = { .opt = opt, .fd = -1 };
	struct confined c = {
		.img = &opt->img,
		.run = write_image,
		.arg = &work,
	};
	bool had_labels = opt->labels && !access(opt->labels, F_OK);
	int status = TOOL_FAILED;

	opt->img.readonly = true;
	if (opt->labels) {
		if (is_image(&opt->img, opt->labels))
			return TOOL_FAILED;
		work.labels = labels_create(opt->labels);
		if (!work.labels)
			return TOOL_FAILED;
	}
	work.fd = open_output(&opt->img, opt->archive, &work.tmp);
	if (work.fd >= 0) {
		if (!work.tmp)
			tool_mortal();
		progress_prepare();
		status = confined_run(&c);
		if (finish_output(opt->archive, status == TOOL_FAILED, work.fd,
				  work.tmp))
			status = TOOL_FAILED;
	}
	if (work.labels)
		fclose(work.labels);
	/* a list of nothing that was there before is none */
	if (status == TOOL_FAILED && opt->labels && !had_labels)
		unlink(opt->labels);
	return status;
}
