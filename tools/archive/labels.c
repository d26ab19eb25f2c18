// SPDX-License-Identifier: GPL-2.0-only
/*
 * SELinux labels beside an archive, for tools that cannot read them in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../common/control.h"
#include "../common/tool.h"
#include "labels.h"

static FILE *open_file(const char *name, const char *mode)
{
	FILE *f = fopen(name, mode);

	if (!f)
		tool_file_error("cannot open", NULL, name, -errno);
	return f;
}

FILE *labels_create(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		tool_file_error("cannot open", NULL, name, -errno);
	return f;
}

void labels_put(FILE *f, const char *path, const char *label, size_t size)
{
	control_escape(f, path, " \\");
	fprintf(f, " %.*s\n", (int)strnlen(label, size), label);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->path,
		      ((const struct label *)b)->path);
}

int labels_read(struct labels *labels, const char *name)
{
	FILE *f = open_file(name, "re");
	size_t size = 0;
	unsigned int number = 0;
	char *line = NULL, *space;
	int ret = 0;

	if (!f)
		return -1;
	while (!ret && getline(&line, &size, f) > 0) {
		number++;
		line[strcspn(line, "\n")] = 0;
		space = strchr(line, ' ');
		if (*line != '/' || !space || !space[1]) {
			tool_error("'%s', line %u: not a path and a label",
				   name, number);
			ret = -1;
			break;
		}
		*space = 0;
		control_unescape(line);
		labels->list =
			tool_alloc(labels->list,
				   (labels->count + 1) * sizeof(*labels->list));
		labels->list[labels->count++] =
			(struct label){ strdup(line), strdup(space + 1) };
	}
	if (ferror(f)) {
		tool_file_error("error reading", NULL, name, -errno);
		ret = -1;
	}
	fclose(f);
	free(line);
	if (labels->count)
		qsort(labels->list, labels->count, sizeof(*labels->list),
		      by_path);
	return ret;
}

const char *labels_find(const struct labels *labels, const char *path)
{
	struct label key = { .path = (char *)path }, *found;

	if (!labels || !labels->count)
		return NULL;
	found = bsearch(&key, labels->list, labels->count, sizeof(key),
			by_path);
	return found ? found->label : NULL;
}

void labels_free(struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		free(labels->list[i].path);
		free(labels->list[i].label);
	}
	free(labels->list);
}
