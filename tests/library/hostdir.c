// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory of the host in the library's kernel (lib/hostdir.c), beside the
 * host itself: the same operations on a second directory must have the same
 * results.
 */
#include <limits.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "hostdir.h"

#define PAGE 4096L

/*
 * The same random operations here and there
 */

static unsigned long long seed = 18;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static long err(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* A path of up to three names out of a few, so that many meet. */
static void random_path(char path[64])
{
	int i, depth = rnd(3);

	sprintf(path, "%c", 'a' + rnd(5));
	for (i = 0; i < depth; i++)
		sprintf(path + strlen(path), "/%c", 'a' + rnd(5));
}

/* Each of @lkl and @host is evaluated once; they must agree. */
#define SAME(what, lkl, host)                                                  \
	do {                                                                   \
		long l_ = (lkl), h_ = err(host);                               \
		if (l_ != h_)                                                  \
			FAIL("%s of '%s' is %ld, on the host %ld", what, p,    \
			     l_, h_);                                          \
	} while (0)

static void same_data(const char *p, const char *l, const char *h)
{
	static char buf[2][70000], data[70000];
	long size = rnd(sizeof(data)), pos = rnd(200000);
	static const int more[] = { 0, O_APPEND, O_TRUNC, O_EXCL, O_NOFOLLOW };
	int flags = O_RDWR | O_CREAT | more[rnd(5)];
	int lfd, hfd;
	long i;

	for (i = 0; i < size; i += 512)
		data[i] = rnd(256);
	lfd = lkl_sys_open(l, flags, 0640);
	hfd = err(open(h, flags, 0640));
	if (lfd < 0 || hfd < 0) {
		SAME("open", lfd, (errno = -hfd, hfd));
		return;
	}
	SAME("write", lkl_sys_pwrite64(lfd, data, size, pos),
	     pwrite(hfd, data, size, pos));
	if (!rnd(4))
		SAME("fallocate",
		     lkl_sys_fallocate(
			     lfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     8192, 65536),
		     fallocate(hfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       8192, 65536));
	if (!rnd(4))
		SAME("ftruncate", lkl_sys_ftruncate(lfd, pos),
		     ftruncate(hfd, pos));
	for (i = 0; i < 200000; i += 50000)
		SAME("lseek", lkl_sys_lseek(lfd, i, SEEK_DATA),
		     lseek(hfd, i, SEEK_DATA));
	pos = rnd(200000);
	SAME("read", lkl_sys_pread64(lfd, buf[0], size, pos),
	     pread(hfd, buf[1], size, pos));
	EQ(memcmp(buf[0], buf[1], size), 0);
	SAME("size", lkl_sys_lseek(lfd, 0, SEEK_END), lseek(hfd, 0, SEEK_END));
	EQ(lkl_sys_close(lfd), 0);
	close(hfd);
}

static void same_attributes(const char *p, const char *l, const char *h)
{
	struct timespec ts[2] = { { rnd(2000000000), rnd(1000000000) },
				  { rnd(2000000000), rnd(1000000000) } };
	unsigned int mode = 0700 | rnd(0100);
	char value[2][300];

	SAME("utimensat",
	     lkl_sys_utimensat(LKL_AT_FDCWD, l, (void *)ts,
			       LKL_AT_SYMLINK_NOFOLLOW),
	     utimensat(AT_FDCWD, h, ts, AT_SYMLINK_NOFOLLOW));
	memset(value, 'v', sizeof(value));
	SAME("setxattr", lkl_sys_lsetxattr(l, "user.one", value, rnd(300), 0),
	     lsetxattr(h, "user.one", value, 0, 0));
	SAME("setxattr", lkl_sys_lsetxattr(l, "user.two", value, 99, 0),
	     lsetxattr(h, "user.two", value, 99, 0));
	SAME("removexattr", lkl_sys_lremovexattr(l, "user.one"),
	     lremovexattr(h, "user.one"));
	SAME("getxattr", lkl_sys_lgetxattr(l, "user.two", value[0], 300),
	     lgetxattr(h, "user.two", value[1], 300));
	SAME("getxattr", lkl_sys_lgetxattr(l, "user.two", NULL, 0),
	     lgetxattr(h, "user.two", NULL, 0));
	SAME("getxattr", lkl_sys_lgetxattr(l, "user.two", value[0], 5),
	     lgetxattr(h, "user.two", value[1], 5));
	SAME("listxattr", lkl_sys_llistxattr(l, value[0], 300),
	     llistxattr(h, value[1], 300));
	SAME("chmod", lkl_sys_chmod(l, mode), chmod(h, mode));
}

static void step(void)
{
	char p[64], q[64], l[80], h[80], l2[80], h2[80], buf[2][200];
	static const int flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	int flag = flags[rnd(4)];

	random_path(p);
	random_path(q);
	snprintf(l, sizeof(l), "/h/%s", p);
	snprintf(h, sizeof(h), "b/%s", p);
	snprintf(l2, sizeof(l2), "/h/%s", q);
	snprintf(h2, sizeof(h2), "b/%s", q);
	switch (rnd(12)) {
	case 0:
	case 1:
		SAME("mkdir", lkl_sys_mkdir(l, 0751), mkdir(h, 0751));
		break;
	case 2:
		SAME("rmdir", lkl_sys_rmdir(l), rmdir(h));
		break;
	case 3:
		SAME("unlink", lkl_sys_unlink(l), unlink(h));
		break;
	case 4:
	case 5:
		SAME("rename",
		     lkl_sys_renameat2(LKL_AT_FDCWD, l, LKL_AT_FDCWD, l2, flag),
		     renameat2(AT_FDCWD, h, AT_FDCWD, h2, flag));
		break;
	case 6:
		SAME("link", lkl_sys_link(l, l2), link(h, h2));
		break;
	case 7:
		SAME("symlink", lkl_sys_symlink(q, l), symlink(q, h));
		SAME("readlink", lkl_sys_readlink(l, buf[0], 200),
		     readlink(h, buf[1], 200));
		break;
	case 8:
		same_attributes(p, l, h);
		break;
	case 9:
		SAME("mknod", lkl_sys_mknod(l, S_IFIFO | 0604, 0),
		     mknod(h, S_IFIFO | 0604, 0));
		break;
	default:
		same_data(p, l, h);
	}
}

/* What can be compared of a file; a host's if @host. */
static void describe(char *to, size_t size, const char *path, bool host,
		     bool times)
{
	struct lkl_statx l;
	struct statx h;

	if (host) {
		EQ(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
			 &h),
		   0);
		memcpy(&l, &h, sizeof(l));
	} else {
		EQ(lkl_sys_statx(LKL_AT_FDCWD, path, LKL_AT_SYMLINK_NOFOLLOW,
				 LKL_STATX_BASIC_STATS, &l),
		   0);
	}
	snprintf(to, size, "mode %o links %u size %llu", l.stx_mode,
		 l.stx_nlink, S_ISDIR(l.stx_mode) ? 0 : l.stx_size);
	if (times)
		snprintf(to + strlen(to), size - strlen(to),
			 " ino %llu mtime %lld.%u ctime %lld.%u rdev %u:%u "
			 "blocks %llu",
			 l.stx_ino, l.stx_mtime.tv_sec, l.stx_mtime.tv_nsec,
			 l.stx_ctime.tv_sec, l.stx_ctime.tv_nsec,
			 l.stx_rdev_major, l.stx_rdev_minor, l.stx_blocks);
}

/* Each file of the host's tree @name is in the library's tree, and the same. */
static const char *tree;
static int seen;

static int compare(const char *path, const struct stat *st, int type,
		   struct FTW *ftw)
{
	char l[300], h[300], there[300];
	bool same_file = *tree == 'a';

	(void)type, (void)ftw, (void)st;
	snprintf(there, sizeof(there), "/h%s", path + 1);
	describe(h, sizeof(h), path, true, same_file);
	describe(l, sizeof(l), there, false, same_file);
	if (strcmp(l, h))
		FAIL("%s: %s, on the host %s", path, l, h);
	seen++;
	return 0;
}

static int count_tree(const char *path)
{
	struct lkl_linux_dirent64 *entry;
	struct lkl_dir *dir;
	char name[400];
	int error, n = 1;

	dir = lkl_opendir(path, &error);
	CHECK(dir);
	while ((entry = lkl_readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		n += entry->d_type == DT_DIR ? count_tree(name) : 1;
	}
	EQ(lkl_errdir(dir), 0);
	lkl_closedir(dir);
	return n;
}

static void same_tree(const char *name)
{
	tree = name;
	seen = 0;
	EQ(nftw(name, compare, 16, FTW_PHYS), 0);
	EQ(count_tree("/h"), seen);
}

static void random_operations(void)
{
	int i;

	set_up(0);
	for (i = 0; i < 6000; i++)
		step();
	same_tree("b");
	EQ(system("bash -c 'sum() { cd $1; find . -type f -exec cksum {} + |"
		  "sort; find . -type l -printf \"%p %l\\n\" | sort; };"
		  "cmp <(sum a) <(sum b)'"),
	   0);
	/* from the host alone: without what the kernel remembers */
	EQ(lkl_umount_hostdir("/h"), 0);
	EQ(lkl_mount_hostdir("a", "/h", 0), 0);
	same_tree("a");
	tear_down();
}

static void random_operations_user(void)
{
	ordinary = true;
	random_operations();
}

/*
 * Files without names, files in memory, large files
 */

static void nameless(void)
{
	struct lkl_stat st;
	char buf[8];
	int fd;

	set_up(0);
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDWR | LKL_O_CREAT, 0600));
	EQ(lkl_sys_write(fd, "abcd", 4), 4);
	EQ(lkl_sys_unlink("/h/f"), 0);
	EQ(access("a/f", F_OK), -1);
	EQ(lkl_sys_pread64(fd, buf, 8, 0), 4);
	EQ(lkl_sys_fstat(fd, &st), 0);
	EQ(st.st_size, 4);
	EQ(lkl_sys_fchmod(fd, 0640), 0);
	EQ(lkl_sys_ftruncate(fd, 9), 0);
	EQ(lkl_sys_fsetxattr(fd, "user.x", "1", 1, 0), 0);
	/* another one of the name is another one */
	host_write("a/f", "new");
	EQ(lkl_sys_fstat(fd, &st), 0);
	EQ(st.st_size, 9);
	EQ(st.st_mode, LKL_S_IFREG | 0640);
	has("/h/f", "new");
	EQ(lkl_sys_close(fd), 0);
	tear_down();
}

static void memory_maps(void)
{
	char *map, *other;
	int fd, hfd;

	set_up(0);
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDWR | LKL_O_CREAT, 0600));
	EQ(lkl_sys_ftruncate(fd, 3 * PAGE), 0);
	map = (char *)OK(lkl_sys_mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED, fd, 0));
	strcpy(map + PAGE - 2, "across");
	EQ(lkl_sys_msync((unsigned long)map, 3 * PAGE, MS_SYNC), 0);
	hfd = open("a/f", O_RDWR);
	other = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, hfd,
		     0);
	CHECK(other != MAP_FAILED);
	EQ(strcmp(other + PAGE - 2, "across"), 0);
	/* a write of the kernel is in its map, one of the host once it looks */
	EQ(lkl_sys_pwrite64(fd, "kernel", 7, 2 * PAGE), 7);
	EQ(strcmp(map + 2 * PAGE, "kernel"), 0);
	EQ(lkl_sys_munmap((unsigned long)map, 3 * PAGE), 0);
	strcpy(other, "host");
	EQ(lkl_sys_close(fd), 0);
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDONLY, 0));
	map = (char *)OK(
		lkl_sys_mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	EQ(strcmp(map, "host"), 0);
	EQ(strcmp(map + 2 * PAGE, "kernel"), 0);
	EQ(lkl_sys_munmap((unsigned long)map, 3 * PAGE), 0);
	EQ(lkl_sys_close(fd), 0);
	tear_down();
}

static void large_files(void)
{
	const long long far = 5LL << 30;
	struct stat st;
	char buf[8];
	int fd;

	set_up(0);
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDWR | LKL_O_CREAT, 0600));
	EQ(lkl_sys_pwrite64(fd, "end", 3, far), 3);
	EQ(lkl_sys_lseek(fd, 0, SEEK_DATA), far);
	EQ(lkl_sys_lseek(fd, 0, SEEK_HOLE), 0);
	EQ(lkl_sys_pread64(fd, buf, 8, far), 3);
	EQ(stat("a/f", &st), 0);
	EQ(st.st_size, far + 3);
	CHECK(st.st_blocks < 1000);
	EQ(lkl_sys_close(fd), 0);
	tear_down();
}

/* Both sides append to a file, and nothing is lost. */
static void *append(void *arg)
{
	int i, fd = open("a/log", O_WRONLY | O_APPEND);

	(void)arg;
	for (i = 0; i < 2000; i++)
		EQ(write(fd, "host....\n", 9), 9);
	close(fd);
	return NULL;
}

static void both_append(void)
{
	int i, fd, kernels = 0, hosts = 0;
	pthread_t thread;
	char line[16];
	FILE *f;

	set_up(0);
	fd = OK(lkl_sys_open("/h/log",
			     LKL_O_WRONLY | LKL_O_CREAT | LKL_O_APPEND, 0600));
	thread = start(append, NULL);
	for (i = 0; i < 2000; i++)
		EQ(lkl_sys_write(fd, "kernel..\n", 9), 9);
	pthread_join(thread, NULL);
	EQ(lkl_sys_close(fd), 0);
	f = fopen("a/log", "r");
	while (fgets(line, sizeof(line), f)) {
		kernels += !strcmp(line, "kernel..\n");
		hosts += !strcmp(line, "host....\n");
	}
	fclose(f);
	EQ(kernels, 2000);
	EQ(hosts, 2000);
	tear_down();
}

/*
 * Directories
 */

static void long_listing(void)
{
	struct lkl_linux_dirent64 *entry;
	static char found[3000];
	struct lkl_dir *dir;
	struct lkl_stat st;
	char name[32];
	int i, error, n = 0;

	set_up(0);
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "a/file%d", i);
		host_write(name, "");
	}
	dir = lkl_opendir("/h", &error);
	CHECK(dir);
	while ((entry = lkl_readdir(dir))) {
		if (sscanf(entry->d_name, "file%d", &i) != 1)
			continue;
		EQ(found[i]++, 0);
		EQ(entry->d_type, DT_REG);
		EQ(lkl_sys_newfstatat(lkl_dirfd(dir), entry->d_name, &st, 0),
		   0);
		/* as programs do that remove a tree */
		if (n++ % 2)
			EQ(lkl_sys_unlinkat(lkl_dirfd(dir), entry->d_name, 0),
			   0);
	}
	EQ(lkl_errdir(dir), 0);
	EQ(n, 3000);
	lkl_rewinddir(dir);
	for (n = 0; (entry = lkl_readdir(dir)); n++)
		;
	EQ(n, 1502);
	lkl_closedir(dir);
	EQ(entries("a"), 1502);
	tear_down();
}

/* Paths longer than any that a call takes. */
static void deep_paths(void)
{
	char name[201], buf[4];
	int i, fd;

	set_up(0);
	memset(name, 'n', 200);
	name[200] = 0;
	EQ(lkl_sys_chdir("/h"), 0);
	for (i = 0; i < 60; i++) {
		EQ(lkl_sys_mkdir(name, 0755), 0);
		EQ(lkl_sys_chdir(name), 0);
	}
	fd = OK(lkl_sys_open("f", LKL_O_RDWR | LKL_O_CREAT, 0600));
	EQ(lkl_sys_write(fd, "deep", 4), 4);
	EQ(lkl_sys_close(fd), 0);
	fd = OK(lkl_sys_open("f", LKL_O_RDWR, 0));
	EQ(lkl_sys_read(fd, buf, 4), 4);
	EQ(lkl_sys_close(fd), 0);
	EQ(lkl_sys_unlink("f"), 0);
	for (i = 0; i < 60; i++) {
		EQ(lkl_sys_chdir(".."), 0);
		EQ(lkl_sys_rmdir(name), 0);
	}
	EQ(lkl_sys_chdir("/"), 0);
	EQ(entries("a"), 2);
	tear_down();
}

/*
 * Owners, limits, numbers
 */

static void owners(void)
{
	struct lkl_stat st;

	set_up(0);
	host_write("a/f", "");
	EQ(lkl_sys_stat("/h/f", &st), 0);
	EQ(st.st_uid, 0);
	EQ(st.st_gid, 0);
	EQ(lkl_sys_chown("/h/f", 0, 0), 0);
	EQ(lkl_sys_chown("/h/f", 12, 34), geteuid() ? -LKL_EPERM : 0);
	if (!geteuid()) {
		struct stat h;

		EQ(stat("a/f", &h), 0);
		EQ(h.st_uid, 12);
		EQ(h.st_gid, 34);
		/* whoever makes a file owns it */
		EQ(lkl_sys_chmod("/h", 0777), 0);
		EQ(lkl_sys_setfsuid(55), 0);
		EQ(lkl_sys_mkdir("/h/d", 02755), 0);
		EQ(lkl_sys_mkdir("/h/d/e", 0755), 0);
		EQ(lkl_sys_setfsuid(0), 55);
		EQ(stat("a/d/e", &h), 0);
		EQ(h.st_uid, 55);
	}
	tear_down();
}

static void owners_user(void)
{
	ordinary = true;
	owners();
}

/* The modes of files are the kernel's affair, not the process's umask. */
static void masks(void)
{
	struct stat st;

	set_up(0);
	umask(077);
	lkl_sys_umask(0);
	EQ(lkl_sys_mkdir("/h/d", 01777), 0);
	EQ(stat("a/d", &st), 0);
	EQ(st.st_mode & 07777, 01777);
	EQ(umask(022), 077);
	tear_down();
}

static void file_system(void)
{
	struct lkl_statfs l;
	struct statfs h;

	set_up(0);
	EQ(lkl_sys_statfs("/h", &l), 0);
	EQ(statfs("a", &h), 0);
	EQ(l.f_blocks, h.f_blocks);
	EQ(l.f_files, h.f_files);
	EQ(l.f_namelen, h.f_namelen);
	tear_down();
}

/* A host that has no more descriptors says so, and recovers. */
static void no_descriptors(void)
{
	struct rlimit limit, low;
	int i, fd[200], n = 0;

	set_up(0);
	host_write("a/f", "x");
	has("/h/f", "x");
	EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 100;
	EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (i = 0; i < 200; i++) {
		fd[n] = lkl_sys_open("/h/f", LKL_O_RDONLY, 0);
		if (fd[n] < 0)
			break;
		n++;
	}
	EQ(fd[n], -LKL_EMFILE);
	CHECK(n > 50);
	while (n)
		EQ(lkl_sys_close(fd[--n]), 0);
	EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	tear_down();
}

static const struct check tests[] = {
	{ "random operations", random_operations },
	{ "random operations, ordinary user", random_operations_user },
	{ "files without names", nameless },
	{ "memory maps", memory_maps },
	{ "large files", large_files },
	{ "both sides append", both_append },
	{ "long listing", long_listing },
	{ "deep paths", deep_paths },
	{ "owners", owners },
	{ "owners, ordinary user", owners_user },
	{ "masks", masks },
	{ "file system", file_system },
	{ "no descriptors", no_descriptors },
};

HOSTDIR_MAIN(tests)
