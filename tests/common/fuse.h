/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of a mount: makes and mounts an image of each type in the working
 * directory and runs every test in a process whose working directory is an
 * empty one in there.  With an argument, the tests run in the directory that it
 * names: the host's own mount of any file system should pass.
 */
#ifndef FUSE_H
#define FUSE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "check.h"

/* The value of a call of the host's that must not fail. */
#define SYS(expr)                                                              \
	({                                                                     \
		long ret_ = (long)(expr);                                      \
		if (ret_ < 0)                                                  \
			FAIL("%s: %s", #expr, strerror(errno));                \
		ret_;                                                          \
	})

/* A call that must fail. */
#define ERR(expr, err)                                                         \
	do {                                                                   \
		errno = 0;                                                     \
		if ((long)(expr) >= 0 || errno != (err))                       \
			FAIL("%s: %s, not %s", #expr, strerror(errno),         \
			     strerror(err));                                   \
	} while (0)

static inline int make(const char *name, const char *text)
{
	int fd = SYS(open(name, O_RDWR | O_CREAT | O_EXCL, 0644));

	EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static inline void holds(const char *name, const char *text)
{
	char buf[256];
	int fd = SYS(open(name, O_RDONLY));

	EQ(read(fd, buf, sizeof(buf)), strlen(text));
	CHECK(!memcmp(buf, text, strlen(text)));
	close(fd);
}

static inline struct stat stat_of(const char *name)
{
	struct stat st;

	SYS(lstat(name, &st));
	return st;
}

/* Each test in a directory of its own in @dir; returns how many failed. */
static inline int run_all(const struct check *tests, size_t count,
			  const char *dir)
{
	int home = SYS(open(".", O_RDONLY)), failed = 0;

	umask(022);
	for (size_t i = 0; i < count; i++) {
		SYS(chdir(dir));
		SYS(mkdir(tests[i].name, 0755));
		SYS(chdir(tests[i].name));
		failed += check_main(&tests[i], 1, 0, NULL);
		SYS(fchdir(home));
	}
	close(home);
	return failed;
}

static bool has(const char *program)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin command -v %s >/dev/null",
		 program);
	return !system(command);
}

static inline int run_on(const struct check *tests, size_t count,
			 const char *type, const char *mkfs, const char *check)
{
	static const char begin[] = "PATH=$BUILD/bin:$PATH:/sbin:/usr/sbin;"
				    "set -e; rm -f image; truncate -s 512M "
				    "image; %s image >mkfs.log;"
				    "mkdir -p mnt; lklfuse %s image mnt";
	static const char end[] =
		"PATH=$PATH:/sbin:/usr/sbin; fusermount3 -u mnt && "
		"flock image true && %s image >fsck.log 2>&1 ||"
		"{ cat fsck.log; false; }";
	char command[1000], options[200] = "-o allow_other";
	int failed, status;
	pid_t pid;

	printf("%s:\n", type);
	/* what root is in the image, an ordinary user is here */
	if (geteuid())
		snprintf(options, sizeof(options),
			 "-o default_permissions,uidmap=0:%d,gidmap=0:%d",
			 geteuid(), getegid());
	snprintf(command, sizeof(command), begin, mkfs, options);
	if (system(command))
		FAIL("cannot mount %s", type);
	fflush(NULL);
	pid = fork();
	if (!pid)
		exit(run_all(tests, count, "mnt"));
	failed = waitpid(pid, &status, 0) != pid || status;
	snprintf(command, sizeof(command), end, check);
	if (system(command)) {
		printf("FAIL: cannot unmount %s, or damaged\n", type);
		failed = 1;
	}
	return failed;
}

static inline int fuse_main(const struct check *tests, size_t count, int argc,
			    char **argv)
{
	int failed = 0;

	if (argc > 1)
		return run_all(tests, count, argv[1]) != 0;
	if (access("/dev/fuse", R_OK | W_OK) || !has("fusermount3") ||
	    !has("mkfs.ext4")) {
		puts("skip: no /dev/fuse, fusermount3 or mkfs.ext4 here");
		return 77;
	}
	failed += run_on(tests, count, "ext4", "mkfs.ext4 -q", "e2fsck -fn");
	if (has("mkfs.xfs"))
		failed += run_on(tests, count, "xfs", "mkfs.xfs -q",
				 "xfs_repair -n");
	if (has("mkfs.btrfs"))
		failed += run_on(tests, count, "btrfs", "mkfs.btrfs -q",
				 "btrfs check");
	return failed != 0;
}

/* More files than there may be descriptors, so that handles are needed. */
static inline void make_many(const char *dir, int count)
{
	char name[64];

	SYS(mkdir(dir, 0755));
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/file-%05d", dir, i);
		close(make(name, name));
	}
}

#endif /* FUSE_H */
