// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look a verb up by its name.
 */
#include <string.h>

#include "verb.h"

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < verb_count; i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

/* How many letters must be changed, added, left out, or swapped. */
static unsigned int distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned int rows[3][32], *above = rows[0], *row = rows[1],
				  *next = rows[2];

	if (n > 24 || m > 24)
		return 99;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *tmp = above;

		next[0] = i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int d = row[j - 1] + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < d)
				d = row[j] + 1;
			if (next[j - 1] + 1 < d)
				d = next[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && above[j - 2] + 1 < d)
				d = above[j - 2] + 1;
			next[j] = d;
		}
		above = row;
		row = next;
		next = tmp;
	}
	return row[m];
}

const char *verb_nearest(const char *word)
{
	unsigned int least = strlen(word) < 3 ? 2 : 3;
	const char *nearest = NULL;

	for (size_t i = 0; i < verb_count; i++) {
		unsigned int d = distance(word, verbs[i].name);

		if (d < least) {
			least = d;
			nearest = verbs[i].name;
		}
	}
	return nearest;
}
