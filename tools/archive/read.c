// SPDX-License-Identifier: GPL-2.0-only
/*
 * An archive as a stream.
 *
 * Entries of an archive come in any order, those of a stream directory by
 * directory.  So directories stay open as long as entries are in them, and are
 * entered again when others come later.
 *
 * Functions that send return false when the stream has been cancelled.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acl.h"
#include "archive.h"
#include "input.h"

/* Archives of zeros end after two of these. */
#define TAR_BLOCK 512

/*
 * What would disturb the keywords in the name of an attribute stands in an
 * archive as % and two digits: libarchive writes it, but leaves reading to us.
 */
static void decode_name(char *to, const char *name)
{
	unsigned int c;

	for (; *name; name++) {
		if (*name == '%' && isxdigit((unsigned char)name[1]) &&
		    isxdigit((unsigned char)name[2]) &&
		    sscanf(name + 1, "%2x", &c) == 1) {
			*to++ = c;
			name += 2;
		} else {
			*to++ = *name;
		}
	}
	*to = 0;
}

bool clean_path(char *path)
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

/* libarchive reads the fraction of a negative number as if it were positive. */
static struct timespec entry_time(time_t sec, long nsec)
{
	if (sec < 0 && nsec)
		return (struct timespec){ sec - 1, 1000000000 - nsec };
	return (struct timespec){ sec, nsec };
}

/* What the entry wants the file to be, and whether it stands for a socket. */
static void entry_stat(const struct reader *rd, struct stat *st)
{
	struct archive_entry *e = rd->entry;
	const char *name;
	const void *value;
	size_t size;

	*st = (struct stat){
		.st_mode = acl_mode(e),
		.st_uid = archive_entry_uid(e),
		.st_gid = archive_entry_gid(e),
		.st_rdev = archive_entry_rdev(e),
		.st_size = archive_entry_size(e),
		.st_mtim = entry_time(archive_entry_mtime(e),
				      archive_entry_mtime_nsec(e)),
	};
	st->st_atim = st->st_mtim;
	if (archive_entry_atime_is_set(e))
		st->st_atim = entry_time(archive_entry_atime(e),
					 archive_entry_atime_nsec(e));
	if (rd->fixed_time)
		st->st_atim = st->st_mtim = rd->time;
	archive_entry_xattr_reset(e);
	while (S_ISFIFO(st->st_mode) &&
	       !archive_entry_xattr_next(e, &name, &value, &size)) {
		if (!strcmp(name, ATTR_SOCKET))
			st->st_mode = (st->st_mode & ~S_IFMT) | S_IFSOCK;
	}
}

static bool send_acl(struct reader *rd, int type, const char *attr)
{
	size_t size;
	void *acl = acl_decode(rd->entry, type, &size);
	bool go_on = !acl ||
		     stream_named(rd->stream, REC_XATTR, NULL, attr, acl, size);

	free(acl);
	return go_on;
}

static bool send_attrs(struct reader *rd, const char *path)
{
	const char *label = labels_find(rd->labels, path), *name;
	char decoded[3 * XATTR_NAME_MAX + 1];
	const void *value;
	size_t size;

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
					rd->name, path, -E2BIG);
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

	while ((err = archive_read_data_block(rd->in->tar, (const void **)&buf,
					      &size, &off)) == ARCHIVE_OK) {
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

static void warn_incremental(struct reader *rd)
{
	if (rd->incremental || !input_incremental(rd->in, rd->entry))
		return;
	rd->incremental = true;
	tool_warn("'%s' is incremental; what was deleted since the archive "
		  "before is kept",
		  rd->name);
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
		tool_file_error("leaving out what leads elsewhere:", rd->name,
				pathname, -EXDEV);
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
		warn_incremental(rd);
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

bool reader_next(struct reader *rd)
{
	int err = input_next(rd->in, &rd->entry);

	if (err == ARCHIVE_WARN && archive_errno(rd->in->tar) == EILSEQ)
		err = ARCHIVE_OK; /* not ASCII: the bytes are kept */
	if (err == ARCHIVE_WARN)
		tool_file_warn("in the header of", rd->name,
			       archive_entry_pathname(rd->entry),
			       input_reason(rd->in->tar));
	rd->failed = err != ARCHIVE_WARN && err != ARCHIVE_OK &&
		     err != ARCHIVE_EOF;
	if (rd->failed)
		input_failed(rd->in->tar, "error reading", rd->name);
	if (err == ARCHIVE_OK || err == ARCHIVE_WARN)
		return true;
	/* libarchive leaves one that is none */
	rd->entry = NULL;
	return false;
}

/* What only says that something else is gone has been read before. */
static bool is_whiteout(const struct reader *rd)
{
	const char *path = archive_entry_pathname(rd->entry);
	const char *name = path ? strrchr(path, '/') : NULL;

	name = name ? name + 1 : path;
	return rd->layer && name && !strncmp(name, ".wh.", 4);
}

bool reader_send(struct reader *rd)
{
	bool failed = false;

	tool_path_set(&rd->dirs, 0, "");
	do {
		if (!is_whiteout(rd) && !send_entry(rd, &failed))
			return false;
		if (failed) {
			input_failed(rd->in->tar, "error reading", rd->name);
			break;
		}
	} while (reader_next(rd));
	return close_dirs(rd, 0);
}

/*
 * An archive without entries has zeros only.  An image may begin like one.
 */
static bool is_image(int fd)
{
	const size_t size = 1 << 20;
	char *buf = tool_alloc(NULL, size);
	ssize_t n = pread(fd, buf, size, 0), first = 0;

	while (first < n && !buf[first])
		first++;
	free(buf);
	return n > 0 && first >= TAR_BLOCK && first < n;
}

int reader_open(struct reader *rd)
{
	rd->in = input_open(rd->name, rd->fd);
	if (!rd->in)
		return -1;
	if (reader_next(rd))
		return 0;
	if (!rd->failed && is_image(rd->fd)) {
		tool_error("cannot read '%s': it is no archive", rd->name);
		rd->failed = true;
	}
	return rd->failed ? -1 : 1;
}

void reader_close(struct reader *rd)
{
	input_close(rd->in);
	rd->in = NULL;
	free(rd->dirs.text);
	rd->dirs = (struct tool_path){ 0 };
}
