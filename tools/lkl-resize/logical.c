// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logical partitions of an MBR.
 *
 * Each has a table of its own in the extended partition: an entry for itself
 * and a link to the next.  Only sizes are changed in them; a program that
 * writes the tables anew would choose other places for them.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/disk.h"
#include "resize.h"

#define ENTRIES 446
#define ENTRY 16
#define MAX_TABLES 128

/* Of an entry: where the end is in cylinders, the type, the start, the size. */
#define END 5
#define TYPE 4
#define START 8
#define SIZE 12

static uint32_t get(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void set_size(unsigned char *entry, uint64_t sectors)
{
	for (int n = 0; n < 4; n++)
		entry[SIZE + n] = sectors >> (8 * n);
	/* beyond what cylinders can tell */
	memcpy(entry + END, "\xfe\xff\xff", 3);
}

static int read_table(int fd, uint64_t sector, unsigned char *table)
{
	ssize_t n = pread(fd, table, DISK_SECTOR, sector * DISK_SECTOR);

	if (n != DISK_SECTOR)
		return n < 0 ? -errno : -EINVAL;
	return table[510] == 0x55 && table[511] == 0xaa ? 0 : -EINVAL;
}

static int write_table(int fd, uint64_t sector, const unsigned char *table)
{
	return pwrite(fd, table, DISK_SECTOR, sector * DISK_SECTOR) ==
			       DISK_SECTOR
		       ? 0
		       : -errno;
}

static unsigned char *find_extended(unsigned char *table)
{
	for (int n = 0; n < 4; n++) {
		unsigned char *entry = table + ENTRIES + n * ENTRY;

		if (entry[TYPE] == 0x05 || entry[TYPE] == 0x0f ||
		    entry[TYPE] == 0x85)
			return entry;
	}
	return NULL;
}

int logical_set(int fd, unsigned int part, uint64_t sectors, bool last)
{
	unsigned char main[DISK_SECTOR], table[DISK_SECTOR];
	unsigned char before[DISK_SECTOR], *extended;
	uint64_t base, at, from = 0, end;
	int err = read_table(fd, 0, main);

	extended = err ? NULL : find_extended(main);
	if (!extended)
		return err ?: -EINVAL;
	base = at = get(extended + START);
	/* the tables of those before */
	for (unsigned int n = 5;; n++) {
		err = read_table(fd, at, table);
		if (err || n == part)
			break;
		if (n - 5 == MAX_TABLES ||
		    !get(table + ENTRIES + ENTRY + START))
			return -EINVAL;
		memcpy(before, table, sizeof(before));
		from = at;
		at = base + get(table + ENTRIES + ENTRY + START);
	}
	if (err)
		return err;
	end = at + get(table + ENTRIES + START) + sectors;
	if (end - base > UINT32_MAX)
		return -EFBIG;
	set_size(table + ENTRIES, sectors);
	if (from)
		set_size(before + ENTRIES + ENTRY, end - at);
	if (last || end > base + get(extended + SIZE))
		set_size(extended, end - base);
	err = write_table(fd, 0, main);
	if (!err && from)
		err = write_table(fd, from, before);
	return err ?: write_table(fd, at, table);
}
