// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory of the host in the library's kernel, beside the host itself: the
 * same files, both times from the host's page cache.
 *
 * usage: hostdir [rounds]
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "bench.h"

static long mib = 1024;
static int files = 20000;
static char dir[] = "/tmp/bench-hostdir-XXXXXX";
static char buf[1 << 20];

/* A path on a side, in memory that the next call uses again. */
static const char *at(int host, const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", host ? dir : "/h", name);
	return path;
}

static long open_at(int host, const char *name, int flags)
{
	return need(
		bench_call(host, SYS_open, (long)at(host, name), flags, 0644),
		name);
}

static void close_at(int host, long fd)
{
	bench_call(host, SYS_close, fd);
}

static void read_file(int host)
{
	long fd = open_at(host, "large", O_RDONLY), n, sum = 0;

	while ((n = bench_call(host, SYS_read, fd, (long)buf, sizeof(buf))) > 0)
		sum += n;
	close_at(host, fd);
	if (sum != mib << 20)
		die("read", n < 0 ? n : EIO);
}

static void write_file(int host)
{
	long fd = open_at(host, "new", O_WRONLY | O_CREAT | O_TRUNC), i;

	for (i = 0; i < mib; i++)
		if (bench_call(host, SYS_write, fd, (long)buf, sizeof(buf)) !=
		    sizeof(buf))
			die("write", EIO);
	close_at(host, fd);
	need(bench_call(host, SYS_unlink, (long)at(host, "new")), "unlink");
}

static void list_some(int host, int attributes)
{
	long fd = open_at(host, "many", O_RDONLY | O_DIRECTORY), len, pos;
	static char entries[32768];
	struct stat st;
	int n = 0;

	while ((len = bench_call(host, SYS_getdents64, fd, (long)entries,
				 sizeof(entries))) > 0) {
		for (pos = 0; pos < len; n++) {
			struct dirent64 *de = (void *)(entries + pos);

			pos += de->d_reclen;
			if (attributes)
				need(bench_call(host, SYS_newfstatat, fd,
						(long)de->d_name, (long)&st,
						AT_SYMLINK_NOFOLLOW),
				     "stat");
		}
	}
	close_at(host, fd);
	if (len < 0 || n != files + 2)
		die("list", len < 0 ? len : EIO);
}

static void list_names(int host)
{
	list_some(host, 0);
}

static void list_files(int host)
{
	list_some(host, 1);
}

static void open_files(int host)
{
	char name[32];
	int i;

	for (i = 0; i < files; i += 20) {
		snprintf(name, sizeof(name), "many/file%d", i);
		close_at(host, open_at(host, name, O_RDONLY));
	}
}

static void read_pieces(int host)
{
	long fd = open_at(host, "large", O_RDONLY);
	int i;

	for (i = 0; i < 10000; i++)
		if (bench_call(host, SYS_pread64, fd, (long)buf, 4096,
			       i * 4096L) != 4096)
			die("pread", EIO);
	close_at(host, fd);
}

static void compare(const char *figure, const char *unit, double divisor,
		    void (*work)(int host))
{
	static double values[2][MAX_ROUNDS];
	int round, host;

	work(0);
	work(1);
	for (round = 0; round < rounds; round++) {
		for (host = 0; host < 2; host++) {
			/* each is first as often as the other */
			int side = host ^ (round & 1);
			double start = now_ns();

			work(side);
			values[side][round] = (now_ns() - start) / divisor;
		}
	}
	report(figure, unit, "lkl", values[0]);
	report(figure, unit, "host", values[1]);
}

static void make_files(void)
{
	char name[32];
	long i, fd;

	if (!mkdtemp(dir))
		die(dir, errno);
	need(bench_call(1, SYS_mkdir, (long)at(1, "many"), 0755), "mkdir");
	for (i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "many/file%ld", i);
		close_at(1, open_at(1, name, O_WRONLY | O_CREAT));
	}
	fd = open_at(1, "large", O_WRONLY | O_CREAT);
	for (i = 0; i < mib; i++)
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			die("write", errno);
	close_at(1, fd);
}

int main(int argc, char **argv)
{
	char command[100], figure[64];

	begin(argc, argv);
	if (getenv("QUICK"))
		mib = 128;
	make_files();
	need(lkl_start_kernel("mem=256M"), "boot");
	need(lkl_mount_hostdir(dir, "/h", 0), "lkl_mount_hostdir");

	snprintf(figure, sizeof(figure), "host directory: read %ld MiB", mib);
	compare(figure, "ms", 1e6, read_file);
	snprintf(figure, sizeof(figure), "host directory: write %ld MiB", mib);
	compare(figure, "ms", 1e6, write_file);
	compare("host directory: 4 KiB read", "us", 1e3 * 10000, read_pieces);
	compare("host directory: list 20,000 names", "ms", 1e6, list_names);
	compare("host directory: list 20,000 files", "ms", 1e6, list_files);
	compare("host directory: open + close", "us", 1e3 * files / 20,
		open_files);

	need(lkl_umount_hostdir("/h"), "lkl_umount_hostdir");
	need(lkl_sys_halt(), "halt");
	lkl_cleanup();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0;
}
