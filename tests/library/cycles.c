// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand kernels one after the other leave nothing behind in the process.
 */
#include "check.h"

/* A kernel that checks itself is slow to boot. */
#define CYCLES (SLOW ? 300 : 1000)
/* Until the allocators of host and library have what they want. */
#define WARM_UP 100
/* One in so many has a disk, threads, and mappings. */
#define FULL 10

static int mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int c, n = 0;

	CHECK(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void *some_calls(void *arg)
{
	char *map =
		(void *)OK(lkl_sys_mmap(NULL, 65536, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (int i = 0; i < 65536; i += 4096)
		map[i] = i;
	/* Left to halt. */
	return arg;
}

static void full(struct lkl_disk *disk)
{
	char *buf = aligned_alloc(4096, 4096);
	pthread_t id[4];
	char path[64];
	int disk_id, fd;

	disk_id = OK(lkl_disk_add(disk));
	OK(lkl_start_kernel("mem=64M"));
	for (int i = 0; i < 4; i++)
		id[i] = start(some_calls, NULL);
	OK(lkl_mount_dev(disk_id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR | LKL_O_DIRECT,
			     0600));
	memset(buf, 7, 4096);
	EQ(lkl_sys_pwrite64(fd, buf, 4096, 0), 4096);
	free(buf);
	for (int i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
	/* Halt must write back what is not unmounted. */
	EQ(lkl_sys_halt(), 0);
	EQ(lkl_disk_remove(*disk), 0);
}

static void cycles(void)
{
	long kb[2], fds[2], threads[2], maps[2];
	struct lkl_disk disk = { .ops = NULL };
	int count = CYCLES;

	disk.fd = ext4_image(16);
	lkl_host_ops.print = NULL;
	OK(lkl_init(&lkl_host_ops));
	for (int i = 0; i < count; i++) {
		if (i % FULL == 0) {
			full(&disk);
		} else {
			OK(lkl_start_kernel("mem=64M"));
			EQ(lkl_sys_getpid(), 1);
			EQ(lkl_sys_halt(), 0);
		}
		if (i == WARM_UP || i == count - 1) {
			int end = i > WARM_UP;

			/* One that has been joined may still be counted. */
			for (int j = 0; j < 1000; j++) {
				threads[end] = status_kb("Threads:");
				if (threads[end] == 1)
					break;
				msleep(1);
			}
			kb[end] = status_kb("VmRSS:");
			fds[end] = entries("/proc/self/fd");
			maps[end] = mappings();
		}
	}
	lkl_cleanup();
	EQ(threads[0], 1);
	EQ(threads[1], 1);
	EQ(fds[1], fds[0]);
	EQ(maps[1], maps[0]);
	if (kb[1] > kb[0] + 256)
		FAIL("resident memory grew from %ld to %ld KiB", kb[0], kb[1]);
}

static const struct check tests[] = { { "cycles", cycles } };

CHECK_MAIN(tests)
