// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs2tar, tar2fs - a file system image as a tar archive, and back
 *
 * One program; its name says which way.  Both are half of cptofs: fs2tar has a
 * thread walk the image (common/walk.c) and writes the stream as an archive,
 * tar2fs has a thread turn the archive into a stream, which is written into
 * the image (common/sink.c).  The format is pax, through libarchive.
 *
 * What tar has no place for goes where GNU tar and bsdtar look for it: ACLs
 * and attributes into SCHILY keywords, holes into GNU's sparse format 1.0.
 * Sockets, which no tar knows, become FIFOs with an attribute that says so.
 */
#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/image.h"
#include "common/progress.h"
#include "common/sink.h"
#include "common/tool.h"
#include "common/walk.h"

/* Bytes read from or written to an archive at a time. */
#define BLOCK (256 << 10)
#define ACL_VERSION 2

#define ATTR_SOCKET "trusted.lkl.filetype"
#define ATTR_SELINUX "security.selinux"
#define ATTR_ACL "system.posix_acl_access"
#define ATTR_DEFAULT_ACL "system.posix_acl_default"

/* An ACL as the kernel gives it: a little-endian version and these. */
struct acl_entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

/* Its tags, in the order it keeps, and libarchive's. */
static const struct {
	uint16_t tag;
	int archive_tag;
} acl_tags[] = {
	{ 0x01, ARCHIVE_ENTRY_ACL_USER_OBJ },
	{ 0x02, ARCHIVE_ENTRY_ACL_USER },
	{ 0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ },
	{ 0x08, ARCHIVE_ENTRY_ACL_GROUP },
	{ 0x10, ARCHIVE_ENTRY_ACL_MASK },
	{ 0x20, ARCHIVE_ENTRY_ACL_OTHER },
};

#define ACL_TAGS (sizeof(acl_tags) / sizeof(*acl_tags))

/* An SELinux label from, or for, a file of labels. */
struct label {
	char *path;
	char *label;
};

/*
 * What both directions have.
 *
 * @archive: name of the archive, "-" for the standard input or output
 * @img: the image
 * @paths: what to put into the archive, or the directory to unpack in
 * @count: number of @paths
 * @uids: renumbering of owners and
 * @gids: of groups
 * @fixed_time: all times are @time
 * @labels: path of a file with SELinux labels, or NULL
 */
struct options {
	const char *archive;
	struct image img;
	char **paths;
	int count;
	struct idmap uids;
	struct idmap gids;
	bool fixed_time;
	struct timespec time;
	const char *labels;
};

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

/*
 * The archive being read.
 *
 * @entry: header that has been read ahead
 * @dirs: open directories, as a path
 * @depth: how many there are, the one that everything goes to not counted
 * @labels: SELinux labels by path
 */
struct reader {
	const struct options *opt;
	struct archive *a;
	struct archive_entry *entry;
	struct stream *stream;
	struct tool_path dirs;
	size_t depth;
	struct label *labels;
	size_t label_count;
};

/*
 * What would disturb the keywords in the name of an attribute stands in an
 * archive as % and two digits: libarchive writes it, but leaves reading to us.
 */
static void decode_name(char *to, const char *name)
{
	unsigned int c;

	for (; *name; name++) {
		if (*name == '%' && isxdigit((unsigned char)name[1]) &&
		    sscanf(name + 1, "%2x", &c) == 1) {
			*to++ = c;
			name += 2;
		} else {
			*to++ = *name;
		}
	}
	*to = 0;
}

/* A file of labels has a line for each object: path, space, label. */
static void put_label(FILE *f, const char *path, const char *label, size_t size)
{
	for (const unsigned char *p = (const void *)path; *p; p++) {
		if (*p <= ' ' || *p == '\\' || *p == 127)
			fprintf(f, "\\%03o", *p);
		else
			putc(*p, f);
	}
	fprintf(f, " %.*s\n", (int)strnlen(label, size), label);
}

/*
 * Writing archives
 */

static void write_failed(struct writer *w, const char *what)
{
	int err = archive_errno(w->a);

	if (!w->dead)
		tool_error("%s '%s': %s", what, w->opt->archive,
			   err > 0 ? strerror(err) :
				     archive_error_string(w->a));
	w->dead = true;
}

/* The path of the object in the image, as an absolute one. */
static const char *image_path(const struct writer *w)
{
	const char *path = w->path.text;

	return !strcmp(path, ".")      ? "/" :
	       !strncmp(path, "./", 2) ? path + 1 :
					 path;
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
		err = ARCHIVE_OK; /* not UTF-8, the bytes are kept as they are */
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

static void begin_entry(struct writer *w, const struct record *r)
{
	const struct options *opt = w->opt;
	const struct stat *st = &r->st;
	struct timespec mtime = opt->fixed_time ? opt->time : st->st_mtim;
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
		archive_entry_set_atime(e, st->st_atim.tv_sec,
					st->st_atim.tv_nsec);
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

static void add_acl(struct writer *w, int type, const char *value, size_t size)
{
	struct acl_entry acl;

	for (size_t pos = 4; pos + sizeof(acl) <= size; pos += sizeof(acl)) {
		size_t i = 0;

		memcpy(&acl, value + pos, sizeof(acl));
		while (i < ACL_TAGS - 1 && acl_tags[i].tag != le16toh(acl.tag))
			i++;
		archive_entry_acl_add_entry(w->entry, type, le16toh(acl.perm),
					    acl_tags[i].archive_tag,
					    le32toh(acl.id), NULL);
	}
}

static void add_attr(struct writer *w, const struct record *r)
{
	const char *value = r->data + r->name_size;
	size_t size = r->size - r->name_size;

	if (!strcmp(r->data, ATTR_ACL)) {
		add_acl(w, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value, size);
		return;
	}
	if (!strcmp(r->data, ATTR_DEFAULT_ACL)) {
		add_acl(w, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value, size);
		return;
	}
	if (w->labels && !strcmp(r->data, ATTR_SELINUX))
		put_label(w->labels, image_path(w), value, size);
	archive_entry_xattr_add_entry(w->entry, r->data, value, size);
}

static void add_map(struct writer *w, const struct record *r)
{
	const struct extent *list = (const void *)r->data;
	size_t count = r->size / sizeof(*list);

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
		put_data(w, r->data, size);
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

/*
 * Open what the archive is written to.  A file is written under a temporary
 * name, *@tmp, so that there is never half an archive under its own.
 */
static int open_output(const char *name, char **tmp)
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
static void finish_output(const struct writer *w, int fd, char *tmp)
{
	bool bad = w->dead || tool_signal;

	if (!bad && fd != STDOUT_FILENO && close(fd)) {
		tool_file_error("error writing", NULL, w->opt->archive, -errno);
		bad = true;
	}
	if (!tmp) {
		if (bad)
			tool_error("'%s' is incomplete", w->opt->archive);
		return;
	}
	if (!bad && rename(tmp, w->opt->archive)) {
		tool_file_error("cannot create", NULL, w->opt->archive, -errno);
		bad = true;
	}
	if (bad)
		unlink(tmp);
	free(tmp);
}

static FILE *open_labels(const char *name, const char *mode)
{
	FILE *f = fopen(name, mode);

	if (!f)
		tool_file_error("cannot open", NULL, name, -errno);
	return f;
}

static int fs2tar(struct options *opt)
{
	static char *everything[] = { "/." };
	struct writer w = { .opt = opt };
	struct walk walk = {
		.paths = opt->count ? opt->paths : everything,
		.count = opt->count ? opt->count : 1,
		.maps = true,
	};
	int status = TOOL_FAILED;
	char *tmp = NULL;
	int fd = -1;

	opt->img.readonly = true;
	if (image_mount(&opt->img))
		goto out;
	walk.fs = opt->img.fs;
	if (opt->labels) {
		w.labels = open_labels(opt->labels, "we");
		if (!w.labels)
			goto out;
	}
	fd = open_output(opt->archive, &tmp);
	if (fd < 0)
		goto out;
	w.a = open_writer(opt->archive, fd);
	if (w.a) {
		write_entries(&w, &walk);
		if (w.dead || tool_signal)
			archive_write_fail(w.a);
		else if (archive_write_close(w.a))
			write_failed(&w, "error writing");
		archive_write_free(w.a);
	}
	w.dead |= !w.a;
	finish_output(&w, fd, tmp);
	status = w.dead && tmp ? TOOL_FAILED : tool_status();
out:
	if (w.labels && fclose(w.labels)) {
		tool_file_error("error writing", NULL, opt->labels, -errno);
		status = TOOL_PARTIAL;
	}
	if (image_unmount(&opt->img))
		status = TOOL_PARTIAL;
	return status;
}

/*
 * Reading archives.  Functions return false when the stream has been cancelled.
 */

/*
 * The parts of a path that have to do with names, in place: "./a//b/" becomes
 * "a/b".  False if it would lead out of the target.
 */
static bool clean_path(char *path)
{
	char *to = path;

	for (char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 2 && !strncmp(p, "..", 2))
			return false;
		if (len && !(len == 1 && *p == '.')) {
			if (to != path)
				*to++ = '/';
			memmove(to, p, len);
			to += len;
		}
		p += len;
		p += *p == '/';
	}
	*to = 0;
	return true;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->path,
		      ((const struct label *)b)->path);
}

/* The SELinux label for a path of the image, or NULL. */
static const char *find_label(const struct reader *rd, const char *path)
{
	struct label key = { .path = (char *)path }, *found;

	found = bsearch(&key, rd->labels, rd->label_count, sizeof(key),
			by_path);
	return found ? found->label : NULL;
}

/* Undo what put_label() does to a path. */
static void decode_path(char *path)
{
	char *to = path;

	for (const char *p = path; *p;) {
		unsigned int c;

		if (*p == '\\' && sscanf(p + 1, "%3o", &c) == 1) {
			*to++ = c;
			p += 4;
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
}

static int read_labels(struct reader *rd, const char *name)
{
	FILE *f = open_labels(name, "re");
	size_t size = 0, number = 0;
	char *line = NULL, *space;
	int ret = 0;

	if (!f)
		return -1;
	while (!ret && getline(&line, &size, f) > 0) {
		number++;
		line[strcspn(line, "\n")] = 0;
		space = strchr(line, ' ');
		if (*line != '/' || !space || !space[1]) {
			tool_error("'%s', line %zu: not a path and a label",
				   name, number);
			ret = -1;
			break;
		}
		*space = 0;
		decode_path(line);
		rd->labels = tool_alloc(rd->labels, (rd->label_count +
						     1) * sizeof(*rd->labels));
		rd->labels[rd->label_count++] =
			(struct label){ strdup(line), strdup(space + 1) };
	}
	if (ferror(f)) {
		tool_file_error("error reading", NULL, name, -errno);
		ret = -1;
	}
	fclose(f);
	free(line);
	qsort(rd->labels, rd->label_count, sizeof(*rd->labels), by_path);
	return ret;
}

/* The number of the user or group an ACL names. */
static int64_t acl_id(int archive_tag, int id, const char *name)
{
	struct passwd *pw;
	struct group *gr;
	char *end;
	long n;

	if (id >= 0 || !name || !*name)
		return id;
	n = strtol(name, &end, 10);
	if (!*end)
		return n;
	if (archive_tag == ARCHIVE_ENTRY_ACL_USER) {
		pw = getpwnam(name);
		return pw ? (int64_t)pw->pw_uid : -1;
	}
	gr = getgrnam(name);
	return gr ? (int64_t)gr->gr_gid : -1;
}

static int by_tag(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return le16toh(x->tag) - le16toh(y->tag);
	return le32toh(x->id) < le32toh(y->id) ? -1 : 1;
}

/* Send the ACL of one type as the attribute the kernel knows it by. */
static bool send_acl(struct reader *rd, int type, const char *attr)
{
	struct archive_entry *e = rd->entry;
	size_t count = archive_entry_acl_reset(e, type), n = 0;
	int got_type, perm, tag, id;
	struct {
		uint32_t version;
		struct acl_entry list[];
	} * acl;
	const char *name;
	bool go_on;

	if (!count)
		return true;
	acl = tool_alloc(NULL, sizeof(*acl) + count * sizeof(*acl->list));
	acl->version = htole32(ACL_VERSION);
	while (n < count && !archive_entry_acl_next(e, type, &got_type, &perm,
						    &tag, &id, &name)) {
		int64_t number = -1;
		size_t i = 0;

		while (i < ACL_TAGS && acl_tags[i].archive_tag != tag)
			i++;
		if (i == ACL_TAGS)
			continue;
		if (tag == ARCHIVE_ENTRY_ACL_USER ||
		    tag == ARCHIVE_ENTRY_ACL_GROUP) {
			number = acl_id(tag, id, name);
			if (number < 0) {
				tool_warn(
					"leaving '%s' out of an ACL: no such user or group here",
					name ? name : "");
				continue;
			}
		}
		acl->list[n++] = (struct acl_entry){
			htole16(acl_tags[i].tag),
			htole16(perm & 7),
			htole32(number),
		};
	}
	qsort(acl->list, n, sizeof(*acl->list), by_tag);
	go_on = stream_named(rd->stream, REC_XATTR, NULL, attr, acl,
			     sizeof(*acl) + n * sizeof(*acl->list));
	free(acl);
	return go_on;
}

/* With an ACL the bits for the group are its mask. */
static mode_t entry_mode(struct archive_entry *e)
{
	const int access = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	mode_t mode = archive_entry_mode(e);
	int type, perm, tag, id;
	const char *name;

	archive_entry_acl_reset(e, access);
	while (!archive_entry_acl_next(e, access, &type, &perm, &tag, &id,
				       &name)) {
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			mode = (mode & ~S_IRWXG) | (perm & 7) << 3;
	}
	return mode;
}

/* What the entry wants the file to be, and whether it stands for a socket. */
static void entry_stat(const struct reader *rd, struct stat *st)
{
	struct archive_entry *e = rd->entry;
	const char *name;
	const void *value;
	size_t size;

	*st = (struct stat){
		.st_mode = entry_mode(e),
		.st_uid = archive_entry_uid(e),
		.st_gid = archive_entry_gid(e),
		.st_rdev = archive_entry_rdev(e),
		.st_size = archive_entry_size(e),
		.st_mtim = { archive_entry_mtime(e),
			     archive_entry_mtime_nsec(e) },
	};
	st->st_atim = st->st_mtim;
	if (archive_entry_atime_is_set(e))
		st->st_atim = (struct timespec){ archive_entry_atime(e),
						 archive_entry_atime_nsec(e) };
	if (rd->opt->fixed_time)
		st->st_atim = st->st_mtim = rd->opt->time;
	archive_entry_xattr_reset(e);
	while (S_ISFIFO(st->st_mode) &&
	       !archive_entry_xattr_next(e, &name, &value, &size)) {
		if (!strcmp(name, ATTR_SOCKET))
			st->st_mode = (st->st_mode & ~S_IFMT) | S_IFSOCK;
	}
}

static bool send_attrs(struct reader *rd, const char *path)
{
	const char *label = NULL, *name;
	char decoded[3 * XATTR_NAME_MAX + 1];
	const void *value;
	size_t size;

	if (rd->label_count)
		label = find_label(rd, path);
	if (label && !stream_named(rd->stream, REC_XATTR, NULL, ATTR_SELINUX,
				   label, strlen(label) + 1))
		return false;
	archive_entry_xattr_reset(rd->entry);
	while (!archive_entry_xattr_next(rd->entry, &name, &value, &size)) {
		if (!strcmp(name, ATTR_SOCKET) ||
		    (label && !strcmp(name, ATTR_SELINUX)))
			continue;
		if (strlen(name) > 3 * XATTR_NAME_MAX ||
		    size > XATTR_SIZE_MAX) {
			tool_file_error("cannot set an extended attribute of",
					rd->opt->archive, path, -E2BIG);
			continue;
		}
		decode_name(decoded, name);
		if (!stream_named(rd->stream, REC_XATTR, NULL, decoded, value,
				  size))
			return false;
	}
	return send_acl(rd, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ATTR_ACL) &&
	       send_acl(rd, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, ATTR_DEFAULT_ACL);
}

/* Send the contents of a file; *@failed when they are incomplete. */
static bool send_data(struct reader *rd, bool *failed)
{
	const char *buf;
	size_t size;
	int64_t off;
	int err;

	while ((err = archive_read_data_block(rd->a, (const void **)&buf, &size,
					      &off)) == ARCHIVE_OK) {
		while (size) {
			size_t n = size < STREAM_CHUNK ? size : STREAM_CHUNK;
			struct record *r = stream_reserve(rd->stream, n);

			if (!r)
				return false;
			r->off = off;
			memcpy(r->data, buf, n);
			stream_commit(rd->stream, REC_DATA, n);
			buf += n;
			off += n;
			size -= n;
		}
	}
	*failed = err != ARCHIVE_EOF;
	return true;
}

/* Close directories until those that remain open are the first @len bytes. */
static bool close_dirs(struct reader *rd, size_t len)
{
	struct tool_path *dirs = &rd->dirs;

	while (dirs->len > len) {
		while (dirs->len && dirs->text[--dirs->len] != '/')
			;
		dirs->text[dirs->len] = 0;
		if (!stream_close(rd->stream, 0, false))
			return false;
	}
	return true;
}

/*
 * Open the directories that @path leads through and close all others.
 * *@name becomes its last part.
 */
static bool enter_dirs(struct reader *rd, char *path, char **name)
{
	const struct stat st = { .st_mode = S_IFDIR | 0755 };
	const char *open = rd->dirs.text;
	size_t same = 0, n;

	/* how much of what is open is on the way, in whole names */
	for (;;) {
		n = strcspn(path + same, "/");
		if (!path[same + n] || strncmp(open + same, path + same, n) ||
		    (open[same + n] && open[same + n] != '/'))
			break;
		same += n + 1;
		if (!open[same - 1])
			break;
	}
	if (!close_dirs(rd, same ? same - 1 : 0))
		return false;
	*name = path + same;
	while ((n = strcspn(*name, "/")), (*name)[n]) {
		(*name)[n] = 0;
		if (!stream_named(rd->stream, REC_ENTER, &st, *name, "", 1))
			return false;
		tool_path_set(&rd->dirs, rd->dirs.len, *name);
		(*name)[n] = '/';
		*name += n + 1;
	}
	return true;
}

/* Send a directory, which remains open: what is in it follows, presumably. */
static bool send_dir(struct reader *rd, const char *name, const char *path,
		     const struct stat *st)
{
	if (!stream_named(rd->stream, REC_OPEN, st, name, "", 1) ||
	    !send_attrs(rd, path))
		return false;
	if (strcmp(name, "."))
		tool_path_set(&rd->dirs, rd->dirs.len, name);
	return true;
}

static bool send_entry(struct reader *rd, bool *failed)
{
	struct archive_entry *e = rd->entry;
	const char *pathname = archive_entry_pathname(e);
	const char *hard = archive_entry_hardlink(e);
	const char *target = archive_entry_symlink(e);
	char *path = strdup(pathname ? pathname : "");
	char *first = hard ? strdup(hard) : NULL;
	char *absolute = NULL, *name;
	bool go_on = true;
	struct stat st;

	if (!path || (hard && !first))
		tool_no_memory();
	if (!clean_path(path) || (first && !clean_path(first))) {
		tool_file_error("leaving out what leads elsewhere:",
				rd->opt->archive, pathname, -EXDEV);
		goto out;
	}
	if (asprintf(&absolute, "/%s", path) < 0)
		tool_no_memory();
	entry_stat(rd, &st);
	if (!*path) {
		/* the directory that everything goes to, open all the time */
		go_on = !S_ISDIR(st.st_mode) ||
			(close_dirs(rd, 0) &&
			 stream_close(rd->stream, 0, false) &&
			 send_dir(rd, ".", absolute, &st));
		goto out;
	}
	go_on = enter_dirs(rd, path, &name);
	if (!go_on)
		goto out;
	if (first) {
		go_on = stream_named(rd->stream, REC_LINK, NULL, name, first,
				     strlen(first) + 1);
	} else if (S_ISDIR(st.st_mode)) {
		go_on = send_dir(rd, name, absolute, &st);
	} else {
		target = S_ISLNK(st.st_mode) && target ? target : "";
		go_on = stream_named(rd->stream, REC_OPEN, &st, name, target,
				     strlen(target) + 1) &&
			send_attrs(rd, absolute) &&
			(!S_ISREG(st.st_mode) || send_data(rd, failed)) &&
			stream_close(rd->stream, st.st_size, *failed);
	}
out:
	free(absolute);
	free(first);
	free(path);
	return go_on;
}

/* Read a header; false at the end, or after an error that it has reported. */
static bool next_entry(struct reader *rd)
{
	int err = archive_read_next_header(rd->a, &rd->entry);

	if (err == ARCHIVE_WARN && archive_errno(rd->a) == EILSEQ)
		err = ARCHIVE_OK; /* as above */
	if (err == ARCHIVE_WARN)
		tool_file_warn("in the header of", rd->opt->archive,
			       archive_entry_pathname(rd->entry),
			       archive_error_string(rd->a));
	else if (err != ARCHIVE_OK && err != ARCHIVE_EOF)
		tool_error("error reading '%s': %s", rd->opt->archive,
			   archive_error_string(rd->a));
	return err == ARCHIVE_OK || err == ARCHIVE_WARN;
}

/* Thread that sends the archive, of which the first header has been read. */
static void *read_entries(void *arg)
{
	const struct stat st = { .st_mode = S_IFDIR };
	struct reader *rd = arg;
	bool failed = false;

	tool_path_set(&rd->dirs, 0, "");
	if (!stream_named(rd->stream, REC_ENTER, &st, ".", "", 1))
		return NULL;
	do {
		if (!send_entry(rd, &failed))
			return NULL;
		if (failed) {
			tool_error("error reading '%s': %s", rd->opt->archive,
				   archive_error_string(rd->a));
			break;
		}
	} while (next_entry(rd));
	if (close_dirs(rd, 0) && stream_close(rd->stream, 0, false) &&
	    stream_reserve(rd->stream, 0))
		stream_commit(rd->stream, REC_DONE, 0);
	return NULL;
}

static struct archive *open_reader(const char *name)
{
	struct archive *a = archive_read_new();
	int fd = STDIN_FILENO;

	if (!a)
		tool_no_memory();
	if (strcmp(name, "-")) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			tool_file_error("cannot open", NULL, name, -errno);
			archive_read_free(a);
			return NULL;
		}
	}
	archive_read_support_filter_all(a);
	archive_read_support_format_tar(a);
	if (archive_read_open_fd(a, fd, BLOCK)) {
		tool_error("cannot read '%s': %s", name,
			   archive_error_string(a));
		archive_read_free(a);
		return NULL;
	}
	return a;
}

static int tar2fs(struct options *opt, bool sync)
{
	struct reader rd = { .opt = opt };
	struct sink sink = {
		.target = opt->count ? opt->paths[0] : "/",
		.replace = true,
		.uids = opt->uids,
		.gids = opt->gids,
	};
	int status = TOOL_FAILED;

	if (opt->labels && read_labels(&rd, opt->labels))
		return TOOL_FAILED;
	rd.a = open_reader(opt->archive);
	if (!rd.a)
		return TOOL_FAILED;
	/* what is no archive is found out before the image is touched */
	if (!next_entry(&rd)) {
		status = tool_status() ? TOOL_FAILED : TOOL_OK;
		archive_read_free(rd.a);
		return status;
	}
	opt->img.sync = sync;
	if (!image_mount(&opt->img)) {
		sink.fs = opt->img.fs;
		sink.base = sink.fs->resolve(sink.target);
		if (sink.base < 0) {
			tool_file_error("cannot open target directory",
					opt->img.file, sink.target, sink.base);
		} else {
			rd.stream = stream_new();
			if (!rd.stream)
				tool_no_memory();
			progress_start(NULL);
			sink_run(&sink, read_entries, &rd, rd.stream);
			/* writing back may fail late, so always wait */
			sink_close(&sink, true);
			stream_free(rd.stream);
			status = tool_status();
		}
	}
	if (image_unmount(&opt->img))
		status = TOOL_PARTIAL;
	archive_read_free(rd.a);
	return status;
}

static void help(bool to_image)
{
	if (to_image)
		printf("Usage: %s [OPTION]... ARCHIVE IMAGE [FS_PATH]\n"
		       "Unpack a tar archive into a file system image.\n",
		       tool_name);
	else
		printf("Usage: %s [OPTION]... IMAGE ARCHIVE [FS_PATH]...\n"
		       "Write a file system image, or parts of it, as a tar archive.\n",
		       tool_name);
	printf("\n"
	       "ARCHIVE may be - for a pipe.  %s\n"
	       "\n" IMAGE_HELP "  -o, --owner=UID|MAP     owner of everything\n"
	       "  -g, --group=GID|MAP     group of everything; a MAP is FROM:TO[,FROM:TO]...\n"
	       "                          where FROM may be * for all others\n"
	       "  -s, --selinux=FILE      %s\n"
	       "      --mtime=@SECONDS    time of everything, since 1970\n"
	       "%s"
	       "      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "Exit status: %d all was done, %d something was not, %d nothing was.\n",
	       to_image ? "It may be compressed." :
			  "Its suffix tells how to compress it.",
	       to_image ? "take SELinux labels from FILE" :
			  "write SELinux labels to FILE, too",
	       to_image ?
		       "      --sync              wait until all is on the host's disk\n" :
		       "",
	       TOOL_OK, TOOL_PARTIAL, TOOL_FAILED);
}

enum { OPT_MTIME = 256, OPT_HELP, OPT_VERSION, OPT_SYNC };

static const struct option long_options[] = {
	IMAGE_LONG_OPTIONS,
	{ "owner", required_argument, NULL, 'o' },
	{ "group", required_argument, NULL, 'g' },
	{ "selinux", required_argument, NULL, 's' },
	{ "mtime", required_argument, NULL, OPT_MTIME },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ 0 }
};

int main(int argc, char **argv)
{
	struct options opt = { 0 };
	bool sync = false, to_image;
	int c;

	tool_init(argv[0]);
	argv[0] = (char *)tool_name;
	to_image = !strcmp(tool_name, "tar2fs");
	/* names are bytes to us, but archives want to know them as UTF-8 */
	setlocale(LC_CTYPE, "C.UTF-8");
	while ((c = getopt_long(argc, argv, IMAGE_OPTIONS "o:g:s:",
				long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			idmap_parse(&opt.uids, optarg, "owner");
			break;
		case 'g':
			idmap_parse(&opt.gids, optarg, "group");
			break;
		case 's':
			opt.labels = optarg;
			break;
		case OPT_MTIME:
			if (*optarg != '@')
				tool_usage_error("invalid time: '%s'", optarg);
			opt.fixed_time = true;
			opt.time.tv_sec =
				tool_number(optarg + 1, LONG_MAX, "time");
			break;
		case OPT_SYNC:
			sync = true;
			break;
		case OPT_HELP:
			help(to_image);
			return TOOL_OK;
		case OPT_VERSION:
			printf("%s (lkl) %s\n", tool_name, LKL_VERSION);
			return TOOL_OK;
		default:
			if (!image_option(&opt.img, c))
				tool_usage_error(NULL);
		}
	}
	if (sync && !to_image)
		tool_usage_error("--sync is of no use here");
	if (argc - optind < 2)
		tool_usage_error(argc == optind ? "missing image and archive" :
						  "missing operand after '%s'",
				 argv[argc - 1]);
	opt.img.file = argv[optind + to_image];
	opt.archive = argv[optind + !to_image];
	opt.paths = argv + optind + 2;
	opt.count = argc - optind - 2;
	if (to_image && opt.count > 1)
		tool_usage_error("extra operand '%s'", opt.paths[1]);
	tool_exit(to_image ? tar2fs(&opt, sync) : fs2tar(&opt));
}
