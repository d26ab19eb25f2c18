// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mount by lklfuse beside the host's own: what a file system decides when a
 * file is opened, what a write takes away, and what the host's kernel caches.
 */
#include <grp.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "fuse.h"

#define FUSE_MAGIC 0x65735546

/* Is it lklfuse, and not the host's own? */
static bool is_fuse(void)
{
	struct statfs st;

	SYS(statfs(".", &st));
	return st.f_type == FUSE_MAGIC;
}

static void set_flag(int fd, int flag, bool set)
{
	int flags;

	SYS(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags = set ? flags | flag : flags & ~flag;
	SYS(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static void make_full(const char *name)
{
	int fd = make(name, "0123456789");

	/* it has to be read from the image */
	SYS(fsync(fd));
	close(fd);
}

/*
 * An immutable file.  @asked: opening one is what fails, otherwise at the
 * latest writing.
 */
static void immutable(bool asked)
{
	int before, fd, flags;
	struct stat st;
	char *map;

	make_full("a");
	before = SYS(open("a", O_RDWR));
	fd = SYS(open("a", O_RDONLY));
	SYS(ftruncate(before, 4096));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, before, 0);
	CHECK(map != MAP_FAILED);
	/* what was mapped before is not lost */
	map[0] = 'M';
	SYS(munmap(map, 4096));
	st = stat_of("a");
	msleep(20);
	set_flag(fd, FS_IMMUTABLE_FL, true);
	CHECK(stat_of("a").st_ctim.tv_sec > st.st_ctim.tv_sec ||
	      stat_of("a").st_ctim.tv_nsec != st.st_ctim.tv_nsec);
	/* some file systems let descriptors from before write, we do not */
	if (is_fuse())
		ERR(pwrite(before, "x", 1, 1), EPERM);
	if (asked) {
		ERR(open("a", O_RDWR), EPERM);
		ERR(open("a", O_WRONLY), EPERM);
		ERR(open("a", O_WRONLY | O_APPEND), EPERM);
	}
	flags = open("a", O_WRONLY);
	if (flags >= 0)
		ERR(pwrite(flags, "x", 1, 2), EPERM);
	flags = open("a", O_WRONLY | O_APPEND);
	if (flags >= 0)
		ERR(write(flags, "x", 1), EPERM);
	ERR(truncate("a", 3), EPERM);
	ERR(open("a", O_WRONLY | O_TRUNC), EPERM);
	ERR(chmod("a", 0600), EPERM);
	ERR(rename("a", "b"), EPERM);
	ERR(setxattr("a", "user.x", "1", 1, 0), EPERM);
	close(SYS(open("a", O_RDONLY)));
	/* what the image has */
	close(before);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(!memcmp(map, "M123456789", 10));
	set_flag(fd, FS_IMMUTABLE_FL, false);
	before = SYS(open("a", O_RDWR));
	EQ(pwrite(before, "x", 1, 1), 1);
	SYS(unlink("a"));
}

/* The same for one that can only be appended to. */
static void append_only(bool asked)
{
	int before, fd, end;

	make_full("a");
	before = SYS(open("a", O_RDWR));
	fd = SYS(open("a", O_RDONLY));
	EQ(pwrite(before, "0", 1, 0), 1);
	set_flag(fd, FS_APPEND_FL, true);
	if (is_fuse())
		ERR(pwrite(before, "x", 1, 1), EPERM);
	if (asked) {
		ERR(open("a", O_RDWR), EPERM);
		ERR(open("a", O_WRONLY), EPERM);
	}
	end = open("a", O_WRONLY);
	if (end >= 0)
		ERR(pwrite(end, "x", 1, 0), EPERM);
	end = SYS(open("a", O_WRONLY | O_APPEND));
	EQ(write(end, "ab", 2), 2);
	EQ(write(end, "cd", 2), 2);
	ERR(ftruncate(end, 3), EPERM);
	ERR(truncate("a", 3), EPERM);
	ERR(open("a", O_WRONLY | O_TRUNC), EPERM);
	ERR(unlink("a"), EPERM);
	holds("a", "0123456789abcd");
	EQ(stat_of("a").st_size, 14);
	close(end);
	set_flag(fd, FS_APPEND_FL, false);
	end = SYS(open("a", O_RDWR));
	EQ(pwrite(end, "x", 1, 1), 1);
	holds("a", "0x23456789abcd");
}

static void test_immutable(void)
{
	if (!geteuid())
		immutable(true);
}

static void test_append_only(void)
{
	if (!geteuid())
		append_only(true);
}

/* A file that was there first, without a name, and one that is not opened. */
static void test_guards_unlinked(void)
{
	char buf[16];
	int fd;

	if (geteuid())
		return;
	fd = make("a", "0123456789");
	SYS(unlink("a"));
	set_flag(fd, FS_APPEND_FL, true);
	if (is_fuse())
		ERR(pwrite(fd, "x", 1, 1), EPERM);
	EQ(pread(fd, buf, sizeof(buf), 0), 10);
	CHECK(!memcmp(buf, "0123456789", 10));
	set_flag(fd, FS_APPEND_FL, false);
	EQ(pwrite(fd, "x", 1, 1), 1);
}

static void sgid(const char *name, mode_t mode, gid_t gid)
{
	unlink(name);
	close(make(name, "text"));
	SYS(chown(name, 1234, gid));
	SYS(chmod(name, mode));
	EQ(stat_of(name).st_mode & 07777, mode);
}

/* As @uid in @group and in 77. */
static void as(uid_t uid, gid_t group, void (*change)(int fd), mode_t want)
{
	gid_t more = 77;
	struct statx x;
	int fd, status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		SYS(setgroups(1, &more));
		SYS(setgid(group));
		SYS(setuid(uid));
		fd = SYS(open("f", O_RDWR));
		change(fd);
		_exit(0);
	}
	SYS(waitpid(pid, &status, 0));
	EQ(status, 0);
	/* what ls asks for, and what stat does */
	SYS(statx(AT_FDCWD, "f", 0, STATX_MODE, &x));
	EQ(x.stx_mode & 07777, want);
	EQ(stat_of("f").st_mode & 07777, want);
}

static void change_write(int fd)
{
	EQ(pwrite(fd, "x", 1, 0), 1);
}

static void change_size(int fd)
{
	SYS(ftruncate(fd, 2));
}

static void change_space(int fd)
{
	SYS(fallocate(fd, 0, 0, 4096));
}

static void change_copy(int fd)
{
	int from = SYS(open("from", O_RDONLY));

	EQ(copy_file_range(from, NULL, fd, NULL, 2, 0), 2);
}

/* A write clears set-ID bits, unless the writer may set them. */
static void test_set_ids(void)
{
	static void (*const changes[])(int fd) = { change_write, change_size,
						   change_space, change_copy };

	if (geteuid())
		return;
	SYS(chmod(".", 0777));
	close(make("from", "text"));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		/* the owner with the main group, with another; not the owner */
		sgid("f", 02666, 55);
		as(1234, 55, changes[i], 02666);
		sgid("f", 02666, 77);
		as(1234, 55, changes[i], 02666);
		sgid("f", 02666, 55);
		as(1235, 77, changes[i], 0666);
		/* with permission to execute the bit goes in any case */
		sgid("f", 06777, 55);
		as(1234, 55, changes[i], 0777);
		sgid("f", 06777, 55);
		as(1235, 77, changes[i], 0777);
		/* root may set them */
		sgid("f", 06777, 55);
		as(0, 0, changes[i], 06777);
	}
	/* after each other, by the same threads of a server */
	sgid("f", 02666, 77);
	as(1235, 55, change_write, 02666);
	as(1235, 0, change_size, 02666);
	as(0, 0, change_write, 02666);
}

/* A program made in a set-group-ID directory. */
static void test_set_id_make(void)
{
	gid_t more = 77;

	if (geteuid())
		return;
	umask(0);
	SYS(mkdir("d", 0777));
	SYS(chown("d", 0, 77));
	SYS(chmod("d", 02777));
	SYS(setgroups(1, &more));
	SYS(setgid(55));
	SYS(setuid(1234));
	close(SYS(open("d/mine", O_CREAT | O_WRONLY, 02755)));
	EQ(stat_of("d/mine").st_mode & 07777, 02755);
	EQ(stat_of("d/mine").st_gid, 77);
}

static void test_capability(void)
{
	static const unsigned char caps[20] = { 1, 0, 0, 2, 0, 0x20 };
	char got[64];
	int fd;

	if (geteuid())
		return;
	fd = make("a", "text");
	SYS(setxattr("a", "security.capability", caps, sizeof(caps), 0));
	EQ(getxattr("a", "security.capability", got, sizeof(got)), 20);
	EQ(pwrite(fd, "x", 1, 0), 1);
	ERR(getxattr("a", "security.capability", got, sizeof(got)), ENODATA);
}

static void aio_write(aio_context_t ctx, int fd, const void *buf, size_t len,
		      off_t off)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = len,
		.aio_offset = off,
	};
	struct iocb *list = &cb;
	struct io_event event;

	EQ(syscall(SYS_io_submit, ctx, 1, &list), 1);
	EQ(syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL), 1);
	EQ(event.res, len);
}

enum { BLOCK = 4096, BLOCKS = 4, WRITES = 300 };

/* Read the first byte of a block all the time, as it is cached. */
static void reader(int block)
{
	int fd = SYS(open("a", O_RDONLY));
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		EQ(pread(fd, &c, 1, block * BLOCK), 1);
}

/*
 * Asynchronous direct writes, while others read: once a write is complete, what
 * is read is what was written.
 */
static void test_direct_async(void)
{
	unsigned char *buf = aligned_alloc(BLOCK, BLOCK * BLOCKS), c;
	aio_context_t ctx = 0;
	pid_t pids[2];
	int fd, cached;

	cached = SYS(open("a", O_RDWR | O_CREAT, 0644));
	SYS(ftruncate(cached, BLOCK * BLOCKS));
	memset(buf, 0, BLOCK * BLOCKS);
	EQ(pwrite(cached, buf, BLOCK * BLOCKS, 0), BLOCK * BLOCKS);
	SYS(fsync(cached));
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			reader(i);
	}
	fd = SYS(open("a", O_RDWR | O_DIRECT));
	SYS(syscall(SYS_io_setup, 8, &ctx));
	for (int n = 1; n <= WRITES; n++) {
		memset(buf, n, BLOCK * BLOCKS);
		aio_write(ctx, fd, buf, BLOCK * BLOCKS, 0);
		for (int i = 0; i < BLOCKS; i++) {
			EQ(pread(cached, &c, 1, i * BLOCK), 1);
			EQ(c, (unsigned char)n);
		}
	}
	for (int i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void expect(int fd, off_t off, char want)
{
	char c;

	EQ(pread(fd, &c, 1, off), 1);
	EQ(c, want);
}

/* Whatever changes a file, and by whichever name, changes what is cached. */
static void test_changes(void)
{
	int fd = SYS(open("a", O_RDWR | O_CREAT, 0644));
	int from = SYS(open("b", O_RDWR | O_CREAT, 0644)), other;
	char *buf = aligned_alloc(BLOCK, 2 * BLOCK), *map;
	loff_t in = 0, out = BLOCK;

	memset(buf, 'a', 2 * BLOCK);
	EQ(pwrite(fd, buf, 2 * BLOCK, 0), 2 * BLOCK);
	memset(buf, 'b', 2 * BLOCK);
	EQ(pwrite(from, buf, 2 * BLOCK, 0), 2 * BLOCK);
	SYS(link("a", "c"));
	map = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	EQ(map[BLOCK], 'a');
	EQ(SYS(copy_file_range(from, &in, fd, &out, BLOCK, 0)), BLOCK);
	EQ(map[BLOCK], 'b');
	expect(fd, BLOCK, 'b');
	/* what is mapped is copied, and is where there is data */
	map[0] = 'm';
	in = 0;
	out = 0;
	EQ(SYS(copy_file_range(fd, &in, from, &out, BLOCK, 0)), BLOCK);
	expect(from, 0, 'm');
	other = SYS(open("c", O_RDWR | O_DIRECT));
	EQ(pread(other, buf, BLOCK, 0), BLOCK);
	EQ(buf[0], 'm');
	memset(buf, 'd', BLOCK);
	EQ(pwrite(other, buf, BLOCK, 0), BLOCK);
	EQ(map[0], 'd');
	expect(fd, 0, 'd');
	/* holes, zeros */
	SYS(fallocate(other, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      BLOCK));
	EQ(map[0], 0);
	expect(fd, 0, 0);
	map[0] = 'n';
	if (!fallocate(other, FALLOC_FL_ZERO_RANGE, 0, BLOCK)) {
		EQ(map[0], 0);
		expect(fd, 0, 0);
	}
	/* truncation by the other name, which takes what is mapped along */
	map[1] = 't';
	SYS(truncate("c", 1));
	EQ(stat_of("a").st_size, 1);
	SYS(truncate("c", 2 * BLOCK));
	EQ(map[1], 0);
	expect(fd, 1, 0);
	expect(fd, BLOCK, 0);
	EQ(stat_of("a").st_size, 2 * BLOCK);
}

/* Files may be opened often before one is guarded: it is not written then. */
static void test_guarded_late(void)
{
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%d", i);
		close(make(name, ""));
		close(SYS(open(name, O_RDONLY)));
	}
	if (geteuid())
		return;
	immutable(false);
	append_only(false);
}

static const struct check tests[] = {
	{ "immutable", test_immutable },
	{ "append-only", test_append_only },
	{ "guards-unlinked", test_guards_unlinked },
	{ "set-ids", test_set_ids },
	{ "set-id-make", test_set_id_make },
	{ "capability", test_capability },
	{ "direct-async", test_direct_async },
	{ "changes", test_changes },
};

/* In a mount of its own, that has seen no such file. */
static const struct check late[] = {
	{ "guarded-late", test_guarded_late },
};

int main(int argc, char **argv)
{
	int ret = fuse_main(tests, ARRAY_SIZE(tests), argc, argv);

	return ret ? ret : fuse_main(late, ARRAY_SIZE(late), argc, argv);
}
