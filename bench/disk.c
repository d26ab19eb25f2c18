// SPDX-License-Identifier: GPL-2.0-only
/*
 * ext4 on an image in memory: the library's disk and the host's loop device.
 *
 * The same system calls on each side.  The host's side needs root and is left
 * out without.  The page cache is emptied by a new mount before it is read.
 *
 * usage: disk [rounds]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl_host.h>

#define MAX_ROUNDS 101

static int rounds = 9, mib = 1024, files = 20000;
static char dir[] = "/dev/shm/bench-disk-XXXXXX";
static char image[64], mounted[2][64], buf[1 << 20];
static struct lkl_disk disk;
static int disk_id;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void cleanup(void)
{
	umount(mounted[1]);
	unlink(image);
	rmdir(mounted[1]);
	rmdir(dir);
}

static void die(const char *what, long err)
{
	fprintf(stderr, "disk: %s: %s\n", what, strerror(err < 0 ? -err : err));
	cleanup();
	exit(1);
}

static long call(int host, long nr, long a, long b, long c, long d)
{
	long params[6] = { a, b, c, d, 0, 0 };
	long ret;

	if (!host)
		return lkl_syscall(nr, params);
	ret = syscall(nr, a, b, c, d);
	return ret < 0 ? -errno : ret;
}

static long need(long ret, const char *what)
{
	if (ret < 0)
		die(what, ret);
	return ret;
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
	return need(
		call(host, SYS_open, (long)path(host, name, n), flags, 0600, 0),
		name);
}

enum { WRITE, READ, CREATE, UNLINK, FIGURES };
static double t[FIGURES][2][MAX_ROUNDS];

static void measure(int host, int r)
{
	double start, rate = mib * 1000.0;
	long fd;

	command("truncate -s %dM %s && mkfs.ext4 -qF %s", mib * 2 + 256, image,
		image);
	attach(host);
	start = now_ms();
	fd = open_file(host, "big", 0, O_WRONLY | O_CREAT);
	for (int i = 0; i < mib; i++)
		need(call(host, SYS_write, fd, (long)buf, sizeof(buf), 0),
		     "write");
	need(call(host, SYS_fsync, fd, 0, 0, 0), "fsync");
	call(host, SYS_close, fd, 0, 0, 0);
	t[WRITE][host][r] = rate / (now_ms() - start);
	detach(host);

	attach(host);
	start = now_ms();
	fd = open_file(host, "big", 0, O_RDONLY);
	for (int i = 0; i < mib; i++)
		need(call(host, SYS_read, fd, (long)buf, sizeof(buf), 0),
		     "read");
	call(host, SYS_close, fd, 0, 0, 0);
	t[READ][host][r] = rate / (now_ms() - start);

	start = now_ms();
	for (int i = 0; i < files; i++) {
		fd = open_file(host, "f", i, O_WRONLY | O_CREAT);
		need(call(host, SYS_write, fd, (long)buf, 4096, 0), "write");
		call(host, SYS_close, fd, 0, 0, 0);
	}
	fd = need(call(host, SYS_open, (long)mounted[host], O_RDONLY, 0, 0),
		  "open");
	need(call(host, SYS_syncfs, fd, 0, 0, 0), "syncfs");
	call(host, SYS_close, fd, 0, 0, 0);
	t[CREATE][host][r] = files / (now_ms() - start);

	start = now_ms();
	for (int i = 0; i < files; i++)
		need(call(host, SYS_unlink, (long)path(host, "f", i), 0, 0, 0),
		     "unlink");
	t[UNLINK][host][r] = files / (now_ms() - start);
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
	long err;

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "disk: rounds must be 1 to %d\n", MAX_ROUNDS);
		return 2;
	}
	if (getenv("QUICK")) {
		mib = 256;
		files = 5000;
	}
	if (!mkdtemp(dir))
		die(dir, errno);
	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(mounted[1], sizeof(mounted[1]), "%s/mnt", dir);
	mkdir(mounted[1], 0700);
	err = lkl_init(&lkl_host_ops);
	if (!err)
		err = lkl_start_kernel("mem=256M loglevel=3");
	if (err)
		die("boot", err);
	memset(buf, 'x', sizeof(buf));

	if (sides == 1)
		printf("the host's loop device is left out: not root\n");
	for (int r = 0; r < rounds; r++)
		for (int host = 0; host < sides; host++)
			measure(host, r);
	for (int f = 0; f < FIGURES; f++) {
		for (int host = 0; host < sides; host++) {
			printf("%s\t%s\t%s", names[f][0], names[f][1],
			       host ? "host" : "lkl");
			for (int r = 0; r < rounds; r++)
				printf("\t%.2f", t[f][host][r]);
			printf("\n");
		}
	}
	lkl_sys_halt();
	cleanup();
	return 0;
}
