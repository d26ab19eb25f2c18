// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records from a producer that nobody trusts.
 *
 * What the consumer acts on is a copy, which the producer cannot change any
 * more. Only contents of files stay where they are: it makes no difference to
 * anybody but their reader when these change.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/limits.h>

#include "stream_check.h"
#include "tool.h"

/* As the kernel limits them. */
#define NAME_LEN 255

/*
 * @depth: objects that are open
 * @record: the copy
 * @names: what the stream may begin with, if @count is not 0
 * @next: where in @names what comes next is likely to be
 */
struct stream_check {
	size_t depth;
	struct record *record;
	char **names;
	size_t count;
	size_t next;
};

struct stream_check *stream_check_new(void)
{
	struct stream_check *c = tool_alloc(NULL, sizeof(*c));

	*c = (struct stream_check){ 0 };
	c->record = tool_alloc(NULL, sizeof(*c->record) + STREAM_CHUNK);
	return c;
}

void stream_check_free(struct stream_check *c)
{
	for (size_t i = 0; c && i < c->count; i++)
		free(c->names[i]);
	if (c)
		free(c->names);
	if (c)
		free(c->record);
	free(c);
}

void stream_check_expect(struct stream_check *c, const char *name)
{
	char *copy = strdup(name);

	c->names = tool_alloc(c->names, (c->count + 1) * sizeof(char *));
	if (!copy)
		tool_no_memory();
	c->names[c->count++] = copy;
}

/* They come in their order, but for what cannot be read. */
static bool is_expected(struct stream_check *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->count; i++) {
		const char *known = c->names[(c->next + i) % c->count];

		if (strncmp(known, name, len) || known[len])
			continue;
		c->next = (c->next + i) % c->count;
		return true;
	}
	return !c->count;
}

struct record *stream_check_broken(struct stream_check *c)
{
	c->record->type = REC_BROKEN;
	c->record->space = 0;
	return c->record;
}

/* Does a string end where it should? */
static bool is_string(const char *text, size_t size)
{
	return size && strnlen(text, size) == size - 1;
}

/* A single part of a path; only what the walk began with may have none. */
static bool is_name(struct stream_check *c, const struct record *r)
{
	if (!is_string(r->data, r->name_size) || r->name_size < 2 ||
	    r->name_size > NAME_LEN + 1 || strchr(r->data, '/') ||
	    !strcmp(r->data, ".."))
		return false;
	return c->depth ? strcmp(r->data, ".")
			: is_expected(c, r->data, r->name_size - 1);
}

/* What has come before, and so in what the stream may begin with. */
static bool is_known(struct stream_check *c, const char *path)
{
	return is_expected(c, path, strcspn(path, "/")) ||
	       is_expected(c, ".", 1);
}

static bool is_rest(const struct record *r)
{
	return is_string(r->data + r->name_size, r->size - r->name_size);
}

static bool is_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode) || S_ISBLK(mode) ||
	       S_ISCHR(mode);
}

static bool is_valid(struct stream_check *c, const struct record *r)
{
	switch (r->type) {
	case REC_OPEN:
		if (!is_name(c, r) || !is_rest(r) || !is_type(r->st.st_mode))
			return false;
		c->depth++;
		return true;
	case REC_LINK:
		return is_name(c, r) && is_rest(r) &&
		       is_known(c, r->data + r->name_size);
	case REC_XATTR:
		return c->depth && is_string(r->data, r->name_size) &&
		       r->name_size <= XATTR_NAME_MAX + 1 &&
		       r->size - r->name_size <= XATTR_SIZE_MAX;
	case REC_MAP:
	case REC_DATA:
		return c->depth;
	case REC_CLOSE:
		return c->depth && c->depth--;
	case REC_DONE:
		return !c->depth;
	default:
		return false;
	}
}

struct record *stream_check(struct stream_check *c, const struct record *r,
			    size_t have)
{
	struct record *copy = c->record;
	bool ok;

	/* the end of the ring may be shorter than a record */
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, r, have < sizeof(*r) ? have : sizeof(*r));
	ok = copy->space && copy->space <= have &&
	     copy->space % _Alignof(struct record) == 0;
	if (ok && copy->type == REC_PAD)
		return copy;
	ok = ok && copy->space >= sizeof(*r) &&
	     copy->size <= copy->space - sizeof(*r) &&
	     copy->size <= STREAM_CHUNK && copy->name_size <= copy->size;
	copy->bytes = r->data;
	if (ok && copy->type != REC_DATA && copy->type != REC_MAP)
		memcpy(copy->data, r->data, copy->size);
	if (ok && is_valid(c, copy))
		return copy;
	tool_error("the process that reads the image sent what it must not");
	return stream_check_broken(c);
}
