// SPDX-License-Identifier: GPL-2.0-only
/*
 * Much in a mount by lklfuse: large directories, large files, many threads.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "fuse.h"

/* Read the rest of a directory, counting the files of make_many(). */
static int read_all(DIR *dir, char *seen, int count)
{
	struct dirent *e;
	int n = 0;

	while ((e = readdir(dir))) {
		int i;

		if (sscanf(e->d_name, "file-%d", &i) != 1)
			continue;
		CHECK(i < count);
		EQ(seen[i]++, 0);
		EQ(e->d_ino != 0, 1);
		n++;
	}
	return n;
}

static void test_many(void)
{
	enum { COUNT = 10000 };
	static char seen[COUNT + 1];
	struct dirent *e = NULL;
	char name[64];
	long place;
	DIR *dir;

	make_many("d", COUNT);
	dir = opendir("d");
	CHECK(dir);
	EQ(read_all(dir, seen, COUNT), COUNT);
	/* a new one is there after rewinding; while files go none comes twice
	 */
	close(make("d/file-10000", ""));
	rewinddir(dir);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 100; i++) {
		e = readdir(dir);
		if (*e->d_name == 'f')
			seen[atoi(e->d_name + 5)]++;
	}
	for (int i = 0; i < COUNT; i += 2) {
		snprintf(name, sizeof(name), "d/file-%05d", i);
		SYS(unlink(name));
	}
	read_all(dir, seen, COUNT + 1);
	for (int i = 1; i < COUNT; i += 2)
		EQ(seen[i], 1);
	EQ(seen[COUNT], 1);
	/* and a place can be found again */
	rewinddir(dir);
	for (int i = 0; i < 1000; i++)
		readdir(dir);
	place = telldir(dir);
	e = readdir(dir);
	strcpy(name, e->d_name);
	while (readdir(dir))
		;
	seekdir(dir, place);
	EQ(strcmp(readdir(dir)->d_name, name), 0);
	ERR(rmdir("d"), ENOTEMPTY);
	closedir(dir);
}

static void test_parallel(void)
{
	enum { WRITERS = 4, BLOCK = 100000, ROUNDS = 20 };
	static char buf[BLOCK];
	int fd = make("a", ""), status;
	char name[32];

	for (int w = 0; w < WRITERS; w++) {
		if (fork())
			continue;
		fd = SYS(open("a", O_WRONLY));
		memset(buf, 'a' + w, BLOCK);
		for (int r = 0; r < ROUNDS; r++) {
			EQ(pwrite(fd, buf, BLOCK, (r * WRITERS + w) * BLOCK),
			   BLOCK);
			snprintf(name, sizeof(name), "w%d-%d", w, r);
			close(make(name, name));
			SYS(rename(name, "same"));
		}
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		SYS(wait(&status));
		EQ(status, 0);
	}
	for (int n = 0; n < WRITERS * ROUNDS; n++) {
		EQ(pread(fd, buf, BLOCK, n * BLOCK), BLOCK);
		for (int i = 0; i < BLOCK; i++)
			EQ(buf[i], 'a' + n % WRITERS);
	}
	EQ(stat_of("same").st_nlink, 1);
}

static void test_big(void)
{
	enum { SIZE = 5 << 20 };
	uint32_t *out = aligned_alloc(4096, SIZE), *in;
	int fd = SYS(open("a", O_RDWR | O_CREAT, 0644));

	in = aligned_alloc(4096, SIZE);
	for (int i = 0; i < SIZE / 4; i++)
		out[i] = i * 2654435761U;
	EQ(pwrite(fd, out, SIZE, 12345), SIZE);
	SYS(fdatasync(fd));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	EQ(pread(fd, in, SIZE, 12345), SIZE);
	CHECK(!memcmp(in, out, SIZE));
	EQ(pread(fd, in, SIZE, 12345 + SIZE - 100), 100);
	close(fd);
	fd = SYS(open("a", O_RDWR | O_DIRECT));
	EQ(pwrite(fd, out, SIZE, 4096), SIZE);
	EQ(pread(fd, in, SIZE, 4096), SIZE);
	CHECK(!memcmp(in, out, SIZE));
}

static const struct check tests[] = {
	{ "many", test_many },
	{ "parallel", test_parallel },
	{ "big", test_big },
};

int main(int argc, char **argv)
{
	return fuse_main(tests, ARRAY_SIZE(tests), argc, argv);
}
