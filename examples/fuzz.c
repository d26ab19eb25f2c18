// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz a file system: mount damaged images, each in a kernel that knows nothing of
 * the one before, without starting a process or a kernel for any of them.
 *
 *	fuzz TYPE IMAGE [ROUNDS [SEED]]
 *
 * Each round changes some bytes of the image, mounts it, does with it what a program
 * might do, and returns to the kernel as it was before.  What a round has done can be
 * done again, with its number as SEED and one round.  A crash of the kernel ends the
 * program with the kernel's last words.
 *
 *	cc -O2 fuzz.c $(pkg-config --cflags --libs lkl)
 *
 * Another engine than the loop in main() calls start() once and try() for each input.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lkl.h>

/* What a fuzzed file system can print in a round is not wanted, but the end is. */
static char last_words[1 << 14];
static size_t said;

static unsigned long long round_no;
static int disk_id;

/* The disk: memory of ours, which never changes by what the kernel writes. */
static char *image;
static unsigned long long image_size;

static int disk_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	(void)disk;
	*bytes = image_size;
	return 0;
}

static int disk_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	(void)disk;
	limits->flags = LKL_BLK_MEMORY;
	limits->inline_max = 1 << 20;
	return 0;
}

static int disk_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	char *at = image + req->sector * 512;

	(void)disk;
	/* Nothing is written while the kernel is frozen, nor before the first mount. */
	if (req->type != LKL_DEV_BLK_TYPE_READ)
		return LKL_DEV_BLK_STATUS_UNSUP;
	for (int i = 0; i < req->count; i++) {
		memcpy(req->buf[i].iov_base, at, req->buf[i].iov_len);
		at += req->buf[i].iov_len;
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static struct lkl_dev_blk_ops disk_ops = {
	.get_capacity = disk_capacity,
	.request = disk_request,
	.get_limits = disk_limits,
};

static void print(const char *text, int len)
{
	for (int i = 0; i < len; i++)
		last_words[said++ % sizeof(last_words)] = text[i];
}

static void panic(void)
{
	size_t first = said > sizeof(last_words) ? said - sizeof(last_words) : 0;

	for (; first < said; first++)
		putc(last_words[first % sizeof(last_words)], stderr);
	fprintf(stderr, "fuzz: the kernel died in round %llu\n", round_no);
	abort();
}

static void must(long ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "fuzz: %s: %s\n", what, lkl_strerror(ret));
	exit(1);
}

static void start(void)
{
	struct lkl_disk disk = { .ops = &disk_ops };

	lkl_host_ops.print = print;
	lkl_host_ops.panic = panic;
	must(lkl_init(&lkl_host_ops), "lkl_init");
	disk_id = lkl_disk_add(&disk);
	must(disk_id, "lkl_disk_add");
	must(lkl_start_kernel("mem=64M panic_on_oops=1"), "lkl_start_kernel");
	must(lkl_freeze(), "lkl_freeze");
}

/* What a program might do with a directory. */
static void use(const char *path, int depth)
{
	struct lkl_linux_dirent64 *entry;
	struct lkl_dir *dir;
	char name[512], buf[4096];
	struct lkl_stat st;
	int err, left = 100;

	dir = lkl_opendir(path, &err);
	while (dir && left-- && (entry = lkl_readdir(dir))) {
		long fd;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(name) ||
		    lkl_sys_lstat(name, &st))
			continue;
		lkl_sys_listxattr(name, buf, sizeof(buf));
		if (LKL_S_ISDIR(st.st_mode) && depth)
			use(name, depth - 1);
		if (LKL_S_ISLNK(st.st_mode))
			lkl_sys_readlink(name, buf, sizeof(buf));
		if (!LKL_S_ISREG(st.st_mode))
			continue;
		fd = lkl_sys_open(name, LKL_O_RDWR, 0);
		lkl_sys_read(fd, buf, sizeof(buf));
		lkl_sys_pwrite64(fd, buf, sizeof(buf), 10000);
		lkl_sys_close(fd);
	}
	if (dir)
		lkl_closedir(dir);
	snprintf(name, sizeof(name), "%s/new", path);
	lkl_sys_mkdir(name, 0700);
}

/* Returns whether the image could be mounted. */
static int try(const char *type)
{
	char path[64];
	long err;

	said = 0;
	err = lkl_mount_dev(disk_id, 0, type, 0, NULL, path, sizeof(path));
	if (!err) {
		use(path, 2);
		lkl_umount_dev(disk_id, 0, 0, 0);
	}
	must(lkl_reset(), "lkl_reset");
	return !err;
}

static unsigned int rnd(unsigned long long *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		exit(1);
	}
	image_size = ftell(f) & ~511L;
	image = malloc(image_size);
	rewind(f);
	if (!image_size || !image || fread(image, 1, image_size, f) != image_size) {
		fprintf(stderr, "fuzz: %s: cannot be read\n", path);
		exit(1);
	}
	fclose(f);
}

#define CHANGES 8

int main(int argc, char **argv)
{
	unsigned long long first, end, mounted = 0;
	double begin;

	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: fuzz TYPE IMAGE [ROUNDS [SEED]]\n");
		return 2;
	}
	load(argv[2]);
	first = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	end = first + (argc > 3 ? strtoull(argv[3], NULL, 0) : 1000);
	start();
	begin = now();
	for (round_no = first; round_no < end; round_no++) {
		unsigned long long state = round_no, pos[CHANGES];
		unsigned int n = rnd(&state) % (CHANGES + 1);
		char was[CHANGES];

		for (unsigned int i = 0; i < n; i++) {
			/* Half of them at the beginning, where it matters most. */
			unsigned long long range = image_size;

			if (rnd(&state) % 2 && range > 65536)
				range = 65536;
			pos[i] = rnd(&state) % range;
			was[i] = image[pos[i]];
			image[pos[i]] = rnd(&state);
		}
		mounted += try(argv[1]);
		while (n--)
			image[pos[n]] = was[n];
	}
	begin = now() - begin;
	printf("%llu rounds, %llu mounted, %.0f per second\n", end - first, mounted,
	       begin > 0 ? (end - first) / begin : 0);
	/* What the kernel has done since is of no interest. */
	must(lkl_thaw(), "lkl_thaw");
	must(lkl_sys_halt(), "lkl_sys_halt");
	lkl_cleanup();
	return 0;
}
