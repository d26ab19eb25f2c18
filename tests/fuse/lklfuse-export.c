// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in a mount are found by handles, as an NFS server does: while they are
 * in memory, after they were forgotten, and after the image was mounted again.
 */
#include <linux/fs.h>

#include "fuse.h"

struct id {
	struct file_handle h;
	unsigned char bytes[MAX_HANDLE_SZ];
};

static struct id id_of(const char *name)
{
	struct id id = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	SYS(name_to_handle_at(AT_FDCWD, name, &id.h, &mount, 0));
	return id;
}

static int open_id(struct id *id, int flags)
{
	int mount = SYS(open("mnt", O_RDONLY | O_DIRECTORY));
	int fd = open_by_handle_at(mount, &id->h, flags);
	int err = errno;

	close(mount);
	errno = err;
	return fd;
}

static void holds_id(struct id *id, const char *text)
{
	int fd = SYS(open_id(id, O_RDONLY));
	char buf[64];

	EQ(read(fd, buf, sizeof(buf)), strlen(text));
	CHECK(!memcmp(buf, text, strlen(text)));
	close(fd);
}

static void run(const char *format, const char *arg)
{
	char command[500];

	snprintf(command, sizeof(command),
		 "PATH=$BUILD/bin:$PATH:/sbin:/usr/sbin; set -e; ");
	snprintf(command + strlen(command), sizeof(command) - strlen(command),
		 format, arg);
	if (system(command))
		FAIL("%s", command);
}

static void unmount(void)
{
	run("fusermount3 -u mnt; flock image true", "");
}

static void export_type(const char *type)
{
	struct id file, dir, link, gone, inner;
	struct stat st;
	int fd;

	printf("%s\n", type);
	run("rm -f image; truncate -s 320M image; mkfs.%s -q image >mkfs.log;"
	    "mkdir -p mnt; lklfuse image mnt",
	    type);
	SYS(mkdir("mnt/dir", 0755));
	SYS(mkdir("mnt/dir/inner", 0755));
	close(make("mnt/dir/inner/file", "found"));
	close(make("mnt/gone", "gone"));
	SYS(symlink("file", "mnt/dir/inner/link"));
	file = id_of("mnt/dir/inner/file");
	link = id_of("mnt/dir/inner/link");
	dir = id_of("mnt/dir");
	inner = id_of("mnt/dir/inner");
	gone = id_of("mnt/gone");
	holds_id(&file, "found");
	SYS(unlink("mnt/gone"));
	ERR(open_id(&gone, O_RDONLY), ESTALE);
	unmount();

	/* nothing is in memory */
	run("lklfuse image mnt", "");
	holds_id(&file, "found");
	ERR(open_id(&gone, O_RDONLY), ESTALE);
	fd = SYS(open_id(&inner, O_RDONLY | O_DIRECTORY));
	SYS(fstatat(fd, "file", &st, 0));
	EQ(st.st_size, 5);
	/* a directory, whose parents have to be found, too */
	SYS(fchdir(fd));
	SYS(stat("../inner/file", &st));
	SYS(stat("../../dir/inner/file", &st));
	SYS(chdir("../../.."));
	close(fd);
	fd = SYS(open_id(&dir, O_RDONLY | O_DIRECTORY));
	close(SYS(openat(fd, "new", O_CREAT | O_RDWR, 0644)));
	close(fd);
	EQ(stat_of("mnt/dir/new").st_size, 0);
	fd = SYS(open_id(&link, O_PATH | O_NOFOLLOW));
	SYS(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	close(fd);
	/* what no file ever had */
	memset(file.bytes, 0x5a, file.h.handle_bytes);
	ERR(open_id(&file, O_RDONLY), ESTALE);
	unmount();
}

static void test_export(void)
{
	export_type("ext4");
	if (has("mkfs.xfs"))
		export_type("xfs");
	if (has("mkfs.f2fs"))
		export_type("f2fs");
}

int main(int argc, char **argv)
{
	static const struct check tests[] = { { "export", test_export } };

	if (geteuid() || access("/dev/fuse", R_OK | W_OK) ||
	    !has("fusermount3") || !has("mkfs.ext4")) {
		puts("skip: no root, /dev/fuse, fusermount3 or mkfs.ext4 here");
		return 77;
	}
	return check_main(tests, 1, argc, argv);
}
