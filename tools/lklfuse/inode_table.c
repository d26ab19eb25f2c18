// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hash tables of the files the host's kernel knows.
 *
 * A file is found by device, inode number and handle when a name leads to it,
 * and by libfuse's number when the host's kernel asks for it.
 */
#include <stdlib.h>
#include <string.h>

#include "inode_table.h"

#define FIRST_BUCKETS 1024

static struct {
	struct inode **buckets;
	struct inode **numbers;
	size_t size;
	size_t count;
	uint64_t last_number;
} table;

static uint64_t hash(uint64_t dev, uint64_t ino)
{
	return (ino + (dev << 32)) * 0x9e3779b97f4a7c15 >> 32;
}

static struct inode **number_bucket(uint64_t number)
{
	return &table.numbers[hash(0, number) & (table.size - 1)];
}

struct inode *inode_table_find_number(uint64_t number)
{
	struct inode *i = *number_bucket(number);

	while (i && i->number != number)
		i = i->same;
	return i;
}

/* Without memory the table is slower, but no less right. */
static void grow(void)
{
	size_t size = table.size ? 2 * table.size : FIRST_BUCKETS;
	struct inode **buckets = calloc(size, sizeof(*buckets));
	struct inode **numbers = calloc(size, sizeof(*numbers));

	if (!buckets || !numbers) {
		free(buckets);
		free(numbers);
		return;
	}
	for (size_t n = 0; n < table.size; n++) {
		struct inode *i = table.buckets[n];

		while (i) {
			size_t to = hash(i->dev, i->ino) & (size - 1);
			struct inode *next = i->next;

			i->next = buckets[to];
			buckets[to] = i;
			to = hash(0, i->number) & (size - 1);
			i->same = numbers[to];
			numbers[to] = i;
			i = next;
		}
	}
	free(table.buckets);
	free(table.numbers);
	table.buckets = buckets;
	table.numbers = numbers;
	table.size = size;
}

static struct inode **bucket(uint64_t dev, uint64_t ino)
{
	return &table.buckets[hash(dev, ino) & (table.size - 1)];
}

struct inode *inode_table_find(const struct stat *st, const struct handle *h)
{
	struct inode *i = *bucket(st->st_dev, st->st_ino);

	while (i && (i->ino != st->st_ino || i->dev != st->st_dev ||
		     i->handle_type != h->h.handle_type ||
		     i->handle_size != h->h.handle_bytes ||
		     memcmp(i->handle, h->bytes, i->handle_size)))
		i = i->next;
	return i;
}

/* What a file is called that has got @h: something that lasts, if possible. */
static uint64_t new_number(const struct handle *h)
{
	uint64_t number = h->h.handle_bytes ? handle_pack(h) : 0;

	while (number <= ROOT || inode_table_find_number(number))
		number = ++table.last_number | 1ULL << 63;
	return number;
}

struct inode *inode_table_add(const struct stat *st, const struct handle *h)
{
	struct inode *i = malloc(sizeof(*i) + h->h.handle_bytes), **head;

	if (!i)
		return NULL;
	if (table.count++ >= table.size)
		grow();
	*i = (struct inode){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.number = new_number(h),
		.fds = NO_FDS,
		.kept = !h->h.handle_bytes,
		.type = st->st_mode & S_IFMT,
		.handle_type = h->h.handle_type,
		.handle_size = h->h.handle_bytes,
	};
	memcpy(i->handle, h->bytes, i->handle_size);
	head = bucket(i->dev, i->ino);
	i->next = *head;
	*head = i;
	head = number_bucket(i->number);
	i->same = *head;
	*head = i;
	return i;
}

static void unlink_number(struct inode *i)
{
	struct inode **at = number_bucket(i->number);

	while (*at != i)
		at = &(*at)->same;
	*at = i->same;
}

void inode_table_renumber(struct inode *i, uint64_t number)
{
	struct inode **at;

	unlink_number(i);
	i->number = number;
	at = number_bucket(number);
	i->same = *at;
	*at = i;
}

void inode_table_remove(struct inode *i)
{
	struct inode **at = bucket(i->dev, i->ino);

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	unlink_number(i);
	table.count--;
}

bool inode_table_start(void)
{
	grow();
	return table.size;
}

void inode_table_end(void (*end)(struct inode *i))
{
	for (size_t n = 0; n < table.size; n++) {
		struct inode *next;

		for (struct inode *i = table.buckets[n]; i; i = next) {
			next = i->next;
			end(i);
		}
	}
	free(table.buckets);
	free(table.numbers);
}
