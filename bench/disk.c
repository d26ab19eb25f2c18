// SPDX-License-Identifier: GPL-2.0-only
/*
 * ext4 on an image in memory: the library's disk and the host's loop device.
 *
 * The same system calls on each side.  The host's side needs root and is left
 * out without.  The page cache is emptied by a new mount before it is read.
 *
 * usage: disk [rounds]
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "bench.h"

static int mib = 1024, files = 20000;
static char dir[] = "/dev/shm/bench-disk-XXXXXX";
static char image[64], mounted[2][64], buf[1 << 20];
static struct lkl_disk disk;
static int disk_id;

static void cleanup(void)
{
	umount(mounted[1]);
	unlink(image);
	rmdir(mounted[1]);
	rmdir(dir);
}

static void command(const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (system(line))
		die(line, EIO);
}

static void attach(int host)
{
	if (host) {
		command("mount -o loop %s %s", image, mounted[1]);
		return;
	}
	disk.fd = open(image, O_RDWR);
	disk_id = need(lkl_disk_add(&disk), "lkl_disk_add");
	need(lkl_mount_dev(disk_id, 0, "ext4", 0, "", mounted[0],
			   sizeof(mounted[0])),
	     "mount");
}

static void detach(int host)
{
	if (host) {
		command("umount %s", mounted[1]);
		return;
	}
	need(lkl_umount_dev(disk_id, 0, 0, 1000), "umount");
	need(lkl_disk_remove(disk), "lkl_disk_remove");
	close(disk.fd);
}

static const char *path(int host, const char *name, int n)
{
	static char p[256];

	snprintf(p, sizeof(p), "%s/%s%d", mounted[host], name, n);
	return p;
}

static long open_file(int host, const char *name, int n, int flags)
{
	return need(bench_call(host, SYS_open, (long)path(host, name, n), flags,
			       0600),
		    name);
}

enum { WRITE, READ, CREATE, UNLINK, FIGURES };
static double t[FIGURES][2][MAX_ROUNDS];

static void measure(int host, int r)
{
	double start, rate = mib * 1e9;
	long fd;

	command("truncate -s %dM %s && mkfs.ext4 -qF %s", mib * 2 + 256, image,
		image);
	attach(host);
	start = now_ns();
	fd = open_file(host, "big", 0, O_WRONLY | O_CREAT);
	for (int i = 0; i < mib; i++)
		need(bench_call(host, SYS_write, fd, (long)buf, sizeof(buf)),
		     "write");
	need(bench_call(host, SYS_fsync, fd), "fsync");
	bench_call(host, SYS_close, fd);
	t[WRITE][host][r] = rate / (now_ns() - start);
	detach(host);

	attach(host);
	start = now_ns();
	fd = open_file(host, "big", 0, O_RDONLY);
	for (int i = 0; i < mib; i++)
		need(bench_call(host, SYS_read, fd, (long)buf, sizeof(buf)),
		     "read");
	bench_call(host, SYS_close, fd);
	t[READ][host][r] = rate / (now_ns() - start);

	start = now_ns();
	for (int i = 0; i < files; i++) {
		fd = open_file(host, "f", i, O_WRONLY | O_CREAT);
		need(bench_call(host, SYS_write, fd, (long)buf, 4096), "write");
		bench_call(host, SYS_close, fd);
	}
	fd = need(bench_call(host, SYS_open, (long)mounted[host], O_RDONLY),
		  "open");
	need(bench_call(host, SYS_syncfs, fd), "syncfs");
	bench_call(host, SYS_close, fd);
	t[CREATE][host][r] = files * 1e6 / (now_ns() - start);

	start = now_ns();
	for (int i = 0; i < files; i++)
		need(bench_call(host, SYS_unlink, (long)path(host, "f", i)),
		     "unlink");
	t[UNLINK][host][r] = files * 1e6 / (now_ns() - start);
	detach(host);
}

int main(int argc, char **argv)
{
	static const char *const names[][2] = {
		[WRITE] = { "ext4: write + fsync", "MiB/s" },
		[READ] = { "ext4: cold read", "MiB/s" },
		[CREATE] = { "ext4: files of 4 KiB created + sync", "1000/s" },
		[UNLINK] = { "ext4: the same unlinked", "1000/s" },
	};
	int sides = geteuid() ? 1 : 2;

	begin(argc, argv);
	if (getenv("QUICK")) {
		mib = 256;
		files = 5000;
	}
	if (!mkdtemp(dir))
		die(dir, errno);
	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(mounted[1], sizeof(mounted[1]), "%s/mnt", dir);
	mkdir(mounted[1], 0700);
	atexit(cleanup);
	need(lkl_start_kernel("mem=256M"), "boot");
	memset(buf, 'x', sizeof(buf));

	if (sides == 1)
		printf("the host's loop device is left out: not root\n");
	for (int r = 0; r < rounds; r++)
		for (int host = 0; host < sides; host++)
			measure(host, r);
	for (int f = 0; f < FIGURES; f++)
		for (int host = 0; host < sides; host++)
			report(names[f][0], names[f][1], host ? "host" : "lkl",
			       t[f][host]);
	lkl_sys_halt();
	return 0;
}
