// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file of owners and modes: lines "PATH UID GID MODE", of which a - keeps
 * what is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/control.h"
#include "mkfs.h"

/* What is kept. */
#define KEEP UINT32_MAX
#define MODE_BITS 07777

struct owner {
	char *path;
	uint32_t uid, gid, mode;
	size_t line;
	bool used;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct owner *)a)->path,
		      ((const struct owner *)b)->path);
}

static bool get_number(const char *text, int base, uint32_t max, uint32_t *n)
{
	unsigned long long value;
	char *end;

	*n = KEEP;
	if (!strcmp(text, "-"))
		return true;
	errno = 0;
	value = strtoull(text, &end, base);
	*n = value;
	return *text >= '0' && *text <= '9' && !*end && !errno && value <= max;
}

/* Undo \ooo; the path has no slash at its end. */
static void decode(char *path)
{
	char *to = control_unescape(path);

	while (to > path + 1 && to[-1] == '/')
		to--;
	*to = 0;
}

static bool parse(char *line, struct owner *o)
{
	char *field[5], *save;
	size_t n = 0;

	for (char *f = strtok_r(line, " \t", &save); f && n < 5;
	     f = strtok_r(NULL, " \t", &save))
		field[n++] = f;
	if (n != 4 || *field[0] != '/' ||
	    !get_number(field[1], 10, KEEP - 1, &o->uid) ||
	    !get_number(field[2], 10, KEEP - 1, &o->gid) ||
	    !get_number(field[3], 8, MODE_BITS, &o->mode))
		return false;
	decode(field[0]);
	o->path = strdup(field[0]);
	if (!o->path)
		tool_no_memory();
	return true;
}

int owners_read(struct owners *o, const char *file)
{
	FILE *f = file ? fopen(file, "re") : NULL;
	size_t size = 0, number = 0;
	char *line = NULL;
	int ret = 0;

	*o = (struct owners){ .file = file };
	if (!file)
		return 0;
	if (!f) {
		tool_file_error("cannot open", NULL, file, -errno);
		return -1;
	}
	while (!ret && getline(&line, &size, f) > 0) {
		struct owner one = { .line = ++number };

		line[strcspn(line, "\n")] = 0;
		if (!line[strspn(line, " \t")] || *line == '#')
			continue;
		if (!parse(line, &one)) {
			tool_error("'%s', line %zu: not PATH UID GID MODE",
				   file, number);
			ret = -1;
			break;
		}
		o->list =
			tool_alloc(o->list, (o->count + 1) * sizeof(*o->list));
		o->list[o->count++] = one;
	}
	if (ferror(f)) {
		tool_file_error("error reading", NULL, file, -errno);
		ret = -1;
	}
	fclose(f);
	free(line);
	if (o->count)
		qsort(o->list, o->count, sizeof(*o->list), by_path);
	for (size_t i = 1; !ret && i < o->count; i++) {
		if (strcmp(o->list[i - 1].path, o->list[i].path))
			continue;
		tool_error("'%s': lines %zu and %zu have the same path", file,
			   o->list[i - 1].line, o->list[i].line);
		ret = -1;
	}
	return ret;
}

void owners_set(struct owners *o, const char *path, struct stat *st)
{
	struct owner key = { .path = (char *)path }, *found;

	if (!o->count)
		return;
	found = bsearch(&key, o->list, o->count, sizeof(key), by_path);
	if (!found)
		return;
	found->used = true;
	if (found->uid != KEEP)
		st->st_uid = found->uid;
	if (found->gid != KEEP)
		st->st_gid = found->gid;
	if (found->mode != KEEP)
		st->st_mode = (st->st_mode & ~MODE_BITS) | found->mode;
}

void owners_check(const struct owners *o)
{
	for (size_t i = 0; i < o->count; i++) {
		if (!o->list[i].used)
			tool_error("'%s', line %zu: there is no such file",
				   o->file, o->list[i].line);
	}
}

void owners_free(struct owners *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->list[i].path);
	free(o->list);
}
