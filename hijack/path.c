// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that name a file: it is the host's or the library's, as lookup.c finds.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <lkl/asm/netns.h>

#include "lookup.h"
#include "user.h"

/* Where a call has what. */
struct form {
	bool at; /* a directory comes before the name */
	bool follow; /* a link at the end */
};

static struct form form_of(long nr, const long *a)
{
	switch (nr) {
	case SYS_open:
		return (struct form){ false, !(a[1] & O_NOFOLLOW) };
	case SYS_openat:
		return (struct form){ true, !(a[2] & O_NOFOLLOW) };
	case SYS_openat2:
	case SYS_faccessat:
	case SYS_fchmodat:
		return (struct form){ true, true };
	case SYS_readlinkat:
		return (struct form){ true, false };
	case SYS_statx:
		return (struct form){ true, !(a[2] & AT_SYMLINK_NOFOLLOW) };
	case SYS_newfstatat:
	case SYS_faccessat2:
	case SYS_utimensat:
		return (struct form){ true, !(a[3] & AT_SYMLINK_NOFOLLOW) };
	case SYS_fchownat:
		return (struct form){ true, !(a[4] & AT_SYMLINK_NOFOLLOW) };
	case SYS_lstat:
	case SYS_readlink:
	case SYS_lchown:
	case SYS_lgetxattr:
	case SYS_llistxattr:
		return (struct form){ false, false };
	}
	return (struct form){ false, true };
}

/* What a descriptor is open on has another name here than in the library. */
static long read_link(const char *name, long to, long size)
{
	char target[LOOKUP_NAME], shown[LOOKUP_NAME];
	long n;

	if ((int)size <= 0)
		return -EINVAL;
	n = lkl_any(SYS_readlink, (long)name, (long)target, sizeof(target) - 1,
		    0, 0);
	if (n < 0)
		return n;
	target[n] = 0;
	if (lookup_to_shown(shown, target) < (size_t)(int)size)
		size = strlen(shown);
	return user_put(to, shown, (int)size) ? (int)size : -EFAULT;
}

static bool is_change(long nr)
{
	return nr == SYS_fchmodat || nr == SYS_fchownat || nr == SYS_utimensat;
}

static long make_found(struct lookup *l, enum whose whose, long nr,
		       const long *a, struct form form)
{
	long b[6] = { a[0], a[1], a[2], a[3], a[4], a[5] };

	if (whose == LIBRARY_FD) {
		/* Where the kernel is another process's, nothing is changed. */
		if (is_change(nr) && share_process() >= 0)
			return host_call(nr, a);
		b[0] = fd_number(fd_word(a[0]));
	} else {
		b[form.at] = (long)l->name;
		if (form.at)
			b[0] = AT_FDCWD;
	}
	if (whose == HOST_NAME)
		return host_call(nr, b);
	if (nr == SYS_creat)
		return mounts_open(l->name, O_CREAT | O_WRONLY | O_TRUNC, b[1]);
	if (nr == SYS_open || (nr == SYS_openat && whose == LIBRARY))
		return mounts_open(l->name, b[form.at + 1], b[form.at + 2]);
	if (whose == LIBRARY && (nr == SYS_readlink || nr == SYS_readlinkat))
		return read_link(l->name, a[form.at + 1], a[form.at + 2]);
	return lkl_any(nr, b[0], b[1], b[2], b[3], b[4]);
}

/*
 * A process whose kernel is another one's may not open a socket there by a name
 * in /proc/self/fd.  What stands for it on the host has the same name, and is
 * opened no more than a socket, but with O_PATH.
 */
static bool is_of_stand_in(const struct lookup *l, long nr, long ret)
{
	switch (nr) {
	case SYS_open:
	case SYS_openat:
	case SYS_openat2:
		return (ret == -EACCES || ret == -ELOOP) &&
		       share_process() >= 0 &&
		       lookup_below(l->name, LOOKUP_SELF "/fd");
	}
	return false;
}

static long make(long nr, const long *a, struct form form, bool *library)
{
	struct lookup l;
	enum whose whose;
	long ret;

	whose = lookup(&l, form.at ? a[0] : AT_FDCWD, a[form.at], form.follow);
	*library = whose == LIBRARY || whose == LIBRARY_FD;
	if (likely(whose == HOST))
		return host_call(nr, a);
	ret = make_found(&l, whose, nr, a, form);
	if (unlikely(*library && is_of_stand_in(&l, nr, ret))) {
		*library = false;
		ret = host_call(nr, a);
	}
	lookup_end(&l);
	return ret;
}

/**
 * path_call - make a call that names a file
 */
long path_call(long nr, const long *a)
{
	bool library;

	return make(nr, a, form_of(nr, a), &library);
}

/**
 * path_open - make one that opens it
 */
long path_open(long nr, const long *a)
{
	struct form form = form_of(nr, a);
	struct {
		uint64_t flags, mode, resolve;
	} how = { 0 };
	bool library;
	long ret;

	if (nr == SYS_openat2) {
		/* If it can't be read, the call fails. */
		user_get(&how, a[2], sizeof(how));
		form.follow = !(how.flags & O_NOFOLLOW);
	} else {
		how.flags = nr == SYS_creat ? 0 : a[form.at + 1];
	}
	ret = make(nr, a, form, &library);
	return likely(!library) ? ret : fd_install(ret, how.flags & O_CLOEXEC);
}

/**
 * path_init - the library's files are the program's
 * @resolv_conf: and so is its /etc/resolv.conf
 */
void path_init(bool resolv_conf)
{
	lookup_resolv_conf = resolv_conf;
	cwd_host();
}

static long make_directory(const char *name)
{
	long err = lkl2(SYS_mkdir, name, 0755);

	return err == -EEXIST ? 0 : err;
}

/**
 * path_mount - make the library's files ready
 *
 * Return: 0 or a negative error number
 */
int path_mount(void)
{
	long err = lkl_mount_fs("proc");

	if (err >= 0)
		err = make_directory("/sys");
	if (!err)
		err = lkl6(SYS_mount, (long)"none", (long)"/sys", (long)"sysfs",
			   0, 0, 0);
	if (!err)
		err = make_directory("/dev");
	if (!err)
		err = make_directory("/dev/net");
	if (!err)
		err = make_directory("/run");
	if (!err)
		err = make_directory(LKL_NETNS_DIR);
	if (!err)
		err = lkl3(SYS_mknod, "/dev/net/tun", S_IFCHR | 0666,
			   makedev(10, 200));
	return err;
}
