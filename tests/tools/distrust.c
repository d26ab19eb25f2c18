// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream whose producer is not trusted ends where the producer sends what it
 * must not, and is not read beyond its end.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "../../tools/common/stream.h"

static const struct stat file = { .st_mode = S_IFREG | 0644 };
static const struct stat dir = { .st_mode = S_IFDIR | 0755 };

static struct stream *begin(void)
{
	struct stream *s = stream_new_shared(false);

	EQ(s != NULL, true);
	return s;
}

static uint32_t next(struct stream *s)
{
	const struct record *r = stream_next(s);

	return r ? r->type : 999;
}

static void open_as(struct stream *s, const struct stat *st, const char *name)
{
	EQ(stream_named(s, REC_OPEN, st, name, "", 1), true);
}

static void data(struct stream *s)
{
	struct record *r = stream_reserve(s, 5);

	memcpy(r->data, "hello", 5);
	stream_commit(s, REC_DATA, 5);
}

static void test_valid(void)
{
	struct stream *s = begin();
	struct record *r;

	/* more than the ring holds, so that it wraps */
	for (int i = 0; i < 50000; i++) {
		open_as(s, &dir, i % 2 ? "a" : ".");
		open_as(s, &file, "name");
		EQ(stream_named(s, REC_XATTR, NULL, "user.a", "xyz", 3), true);
		data(s);
		EQ(stream_close(s, 5, false), true);
		EQ(stream_named(s, REC_LINK, &file, "b", "a/name", 7), true);
		EQ(stream_close(s, 0, false), true);
		EQ(next(s), REC_OPEN);
		EQ(next(s), REC_OPEN);
		EQ(next(s), REC_XATTR);
		r = stream_next(s);
		EQ(r->type, REC_DATA);
		EQ(memcmp(r->bytes, "hello", 5), 0);
		EQ(next(s), REC_CLOSE);
		r = stream_next(s);
		EQ(r->type, REC_LINK);
		EQ(strcmp(r->data + r->name_size, "a/name"), 0);
		EQ(next(s), REC_CLOSE);
	}
	stream_free(s);
}

static void test_names(void)
{
	static const char *const bad[] = { "..", "a/b", "/", "", "/etc" };
	char long_name[300];

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = 0;
	for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
		struct stream *s = begin();

		open_as(s, &dir, ".");
		open_as(s, &file, i < ARRAY_SIZE(bad) ? bad[i] : long_name);
		EQ(next(s), REC_OPEN);
		EQ(next(s), REC_BROKEN);
		stream_free(s);
	}
	/* a directory is not opened again by "." */
	struct stream *s = begin();

	open_as(s, &dir, ".");
	open_as(s, &dir, ".");
	EQ(next(s), REC_OPEN);
	EQ(next(s), REC_BROKEN);
	stream_free(s);
}

static void test_order(void)
{
	struct stream *s = begin();

	data(s);
	EQ(next(s), REC_BROKEN);
	stream_free(s);

	s = begin();
	EQ(stream_close(s, 0, false), true);
	EQ(next(s), REC_BROKEN);
	stream_free(s);

	s = begin();
	open_as(s, &dir, "a");
	stream_reserve(s, 0);
	stream_commit(s, REC_DONE, 0);
	EQ(next(s), REC_OPEN);
	EQ(next(s), REC_BROKEN);
	stream_free(s);

	s = begin();
	EQ(stream_named(s, REC_ENTER, &dir, "a", "", 1), true);
	EQ(next(s), REC_BROKEN);
	stream_free(s);

	s = begin();
	EQ(stream_named(s, 77, &dir, "a", "", 1), true);
	EQ(next(s), REC_BROKEN);
	stream_free(s);

	s = begin();
	open_as(s, &(struct stat){ .st_mode = 0170000 }, "a");
	EQ(next(s), REC_BROKEN);
	stream_free(s);
}

/* What was not asked for. */
static void test_expected(void)
{
	static const char *const bad[] = { ".bashrc", ".", "o", "one1" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct stream *s = begin();

		stream_expect(s, "one");
		stream_expect(s, "two");
		open_as(s, &dir, "two");
		open_as(s, &file, "any");
		EQ(stream_close(s, 0, false), true);
		EQ(stream_named(s, REC_LINK, &file, "b", "two/any", 8), true);
		EQ(stream_close(s, 0, false), true);
		open_as(s, &file, "one");
		EQ(stream_close(s, 0, false), true);
		open_as(s, &file, bad[i]);
		for (int n = 0; n < 7; n++)
			EQ(next(s) != REC_BROKEN, true);
		EQ(next(s), REC_BROKEN);
		stream_free(s);
	}
	/* nor may a link lead to what was there before */
	struct stream *s = begin();

	stream_expect(s, "one");
	open_as(s, &dir, "one");
	EQ(stream_named(s, REC_LINK, &file, "b", ".ssh/key", 9), true);
	EQ(next(s), REC_OPEN);
	EQ(next(s), REC_BROKEN);
	stream_free(s);
}

/* What the records say of themselves. */
static void test_sizes(void)
{
	for (int what = 0; what < 7; what++) {
		struct stream *s = begin();
		struct record *r = stream_reserve(s, 64);

		r->st = file;
		r->name_size = 2;
		memcpy(r->data, "a", 2);
		r->data[2] = 0;
		stream_commit(s, REC_OPEN, 3);
		if (what == 0)
			r->space = 0;
		else if (what == 1)
			r->space = 1 << 30;
		else if (what == 2)
			r->size = r->space;
		else if (what == 3)
			r->size = UINT32_MAX;
		else if (what == 4)
			r->name_size = 1 << 20;
		else if (what == 5)
			r->space += 8;
		else
			r->data[2] = 'x';
		EQ(next(s), REC_BROKEN);
		stream_free(s);
	}
}

/* The copy is the consumer's. */
static void test_copy(void)
{
	struct stream *s = begin();
	struct record *r = stream_reserve(s, 64), *got;

	r->st = dir;
	r->name_size = 2;
	memcpy(r->data, "a\0", 3);
	stream_commit(s, REC_OPEN, 3);
	got = stream_next(s);
	EQ(got->type, REC_OPEN);
	memcpy(r->data, "../../x", 8);
	r->name_size = 8;
	EQ(strcmp(got->data, "a"), 0);
	EQ(got->name_size, 2);
	stream_free(s);
}

static void test_end(void)
{
	struct stream *s = begin();
	int ends[2];

	EQ(pipe(ends), 0);
	stream_from(s, ends[0]);
	open_as(s, &file, "a");
	EQ(next(s), REC_OPEN);
	EQ(next(s), 999);
	open_as(s, &dir, "b");
	EQ(write(ends[1], "x", 1), 1);
	/* what was sent before counts */
	EQ(next(s), REC_OPEN);
	EQ(next(s), REC_BROKEN);
	stream_free(s);
}

int main(int argc, char **argv)
{
	static const struct check tests[] = {
		{ "valid", test_valid },       { "names", test_names },
		{ "order", test_order },       { "sizes", test_sizes },
		{ "copy", test_copy },	       { "end", test_end },
		{ "expected", test_expected },
	};

	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
