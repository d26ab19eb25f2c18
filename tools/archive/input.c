// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes and the headers of an archive.
 *
 * libarchive does not tell of all that is in the headers of an entry.  So one
 * reader of its undoes the compression, and another one reads the archive from
 * that, block by block; those that have the headers of the last entry can be
 * looked at.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"

/* All headers of an entry; libarchive takes less than that. */
#define HEADERS_MAX (4 << 20)

/* What a header consists of, in POSIX's words. */
#define RECORD 512
#define SIZE_AT 124
#define SIZE_LEN 12
#define TYPE_AT 156

const char *input_reason(struct archive *a)
{
	/* there is none where an extended header is cut off */
	return archive_error_string(a) ?: "Damaged tar archive";
}

void input_failed(struct archive *a, const char *what, const char *name)
{
	if (!tool_signal)
		tool_error("%s '%s': %s", what, name, input_reason(a));
}

/* Read from a pipe, perhaps, and do not wait for it after a signal. */
static la_ssize_t read_block(struct archive *a, void *arg, const void **block)
{
	struct input *in = arg;
	struct pollfd pfd = { .fd = in->fd, .events = POLLIN };
	ssize_t n = -1;

	*block = in->buf;
	while (!tool_signal && n < 0) {
		if (poll(&pfd, 1, 100) <= 0)
			continue;
		n = read(in->fd, in->buf, sizeof(in->buf));
		if (n < 0 && errno != EINTR) {
			archive_set_error(a, errno, "%s", strerror(errno));
			return -1;
		}
	}
	if (n < 0)
		archive_set_error(a, EINTR, "%s", strsignal(tool_signal));
	return n;
}

/* Before the next block comes, keep what this one has of headers. */
static void keep_headers(struct input *in)
{
	int64_t from = archive_read_header_position(in->tar);
	int64_t begin = in->end - (int64_t)in->size;
	size_t skip = from > begin ? from - begin : 0;
	size_t n;

	if (from == in->entry || skip >= in->size)
		return;
	n = in->size - skip;
	if (n > HEADERS_MAX - in->kept_size)
		n = HEADERS_MAX - in->kept_size;
	in->kept = tool_alloc(in->kept, in->kept_size + n);
	memcpy(in->kept + in->kept_size, in->block + skip, n);
	in->kept_size += n;
}

static la_ssize_t read_plain(struct archive *a, void *arg, const void **block)
{
	struct input *in = arg;
	const void *data;
	int64_t off;
	int err;

	keep_headers(in);
	in->size = 0;
	if (archive_format(in->plain) == ARCHIVE_FORMAT_EMPTY)
		return 0;
	err = archive_read_data_block(in->plain, &data, &in->size, &off);
	if (err == ARCHIVE_EOF)
		return 0;
	if (err < ARCHIVE_WARN) {
		archive_set_error(a, archive_errno(in->plain), "%s",
				  input_reason(in->plain));
		return -1;
	}
	*block = data;
	in->block = data;
	in->end += in->size;
	return in->size;
}

struct input *input_open(const char *name, int fd)
{
	struct input *in = tool_alloc(NULL, sizeof(*in));
	struct archive_entry *all;

	memset(in, 0, sizeof(*in));
	in->fd = fd;
	in->entry = -1;
	in->plain = archive_read_new();
	in->tar = archive_read_new();
	if (!in->plain || !in->tar)
		tool_no_memory();
	archive_read_support_filter_all(in->plain);
	archive_read_support_format_raw(in->plain);
	archive_read_support_format_empty(in->plain);
	archive_read_support_format_tar(in->tar);
	if (archive_read_open(in->plain, in, NULL, read_block, NULL) ||
	    archive_read_next_header(in->plain, &all) < ARCHIVE_WARN)
		input_failed(in->plain, "cannot read", name);
	else if (archive_read_open(in->tar, in, NULL, read_plain, NULL))
		input_failed(in->tar, "cannot read", name);
	else
		return in;
	input_close(in);
	return NULL;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	archive_read_free(in->tar);
	archive_read_free(in->plain);
	free(in->kept);
	free(in);
}

int input_next(struct input *in, struct archive_entry **entry)
{
	int err;

	in->kept_size = 0;
	err = archive_read_next_header(in->tar, entry);
	in->entry = archive_read_header_position(in->tar);
	return err;
}

/* Copy @n bytes of the archive; false if they are not in memory any more. */
static bool copy_bytes(const struct input *in, int64_t from, char *to, size_t n)
{
	const size_t skip = from - in->entry;
	const int64_t begin = in->end - (int64_t)in->size;
	size_t kept = 0;

	if (skip < in->kept_size) {
		kept = in->kept_size - skip < n ? in->kept_size - skip : n;
		memcpy(to, in->kept + skip, kept);
	}
	from += kept;
	n -= kept;
	if (n && (from < begin || (int64_t)n > in->end - from))
		return false;
	memcpy(to + kept, in->block + (from - begin), n);
	return true;
}

/* Is there a line "LENGTH KEY=VALUE\n" among those of an extended header? */
static bool has_key(const char *text, size_t size, const char *key)
{
	size_t len, digits, key_len = strlen(key);

	for (; size; text += len, size -= len) {
		len = 0;
		for (digits = 0; digits < size && digits < 9 &&
				 text[digits] >= '0' && text[digits] <= '9';
		     digits++)
			len = 10 * len + text[digits] - '0';
		if (len <= digits || len > size || text[digits] != ' ')
			return false;
		digits++;
		if (len - digits > key_len &&
		    !memcmp(text + digits, key, key_len) &&
		    text[digits + key_len] == '=')
			return true;
	}
	return false;
}

/*
 * With the names of all files that were in a directory, from which follows
 * which of them were deleted, it has contents in GNU tar's own format.  In pax
 * format they are in an extended header, in a key that libarchive does not
 * show.
 */
bool input_incremental(const struct input *in, struct archive_entry *entry)
{
	char header[RECORD], number[SIZE_LEN + 1] = "";
	int64_t at = in->entry;
	bool found = false;
	size_t size;
	char *text;

	if (archive_entry_size(entry) > 0)
		return true;
	/* the headers of an entry end with that of its own type */
	while (!found && copy_bytes(in, at, header, RECORD) &&
	       memchr("xgLK", header[TYPE_AT], 4)) {
		memcpy(number, header + SIZE_AT, SIZE_LEN);
		size = strtoul(number, NULL, 8);
		if (size > HEADERS_MAX)
			break;
		text = tool_alloc(NULL, size);
		found = header[TYPE_AT] == 'x' &&
			copy_bytes(in, at + RECORD, text, size) &&
			has_key(text, size, "GNU.dumpdir");
		free(text);
		at += RECORD + (size + RECORD - 1) / RECORD * RECORD;
	}
	return found;
}
