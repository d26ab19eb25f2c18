// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that make, remove and mount names: they are the host's, but for the
 * files in /run/netns that stand for network namespaces (ip-netns(8)), which
 * are the library's.  So no rights on the host are needed to make them, and
 * those of the host are out of reach.
 *
 * A file there is made, a namespace is mounted on it, and both can be taken
 * away again; other calls are refused there.  A namespace of the library's is
 * mounted nowhere else.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <lkl/asm/netns.h>

#include "lookup.h"

static bool is_netns(const struct lookup *l)
{
	return lookup_below(l->name, LKL_NETNS_DIR);
}

/*
 * Is a file the library's, in that directory?  @result is what lookup()
 * returned.
 */
static bool is_ours(struct lookup *l, enum whose *result, long dir, long path,
		    bool follow)
{
	char name[LOOKUP_NAME];
	size_t n, len;

	*result = lookup(l, dir, path, follow);
	if (likely(*result == HOST))
		return false;
	/* By the directory's descriptor. */
	if (*result == LIBRARY_FD && !lookup_descriptor(name, dir)) {
		n = strlen(name);
		len = strlen(l->text);
		if (n + 1 + len >= LOOKUP_NAME)
			return false;
		name[n] = '/';
		memcpy(name + n + 1, l->text, len + 1);
		memcpy(l->name, name, n + 1 + len + 1);
		*result = LIBRARY;
	}
	lookup_end(l);
	return *result == LIBRARY && is_netns(l);
}

/* A call whose name is the library's. */
static long make(long nr, const char *name, const long *a, bool at)
{
	long b = a[at + 1];

	switch (nr) {
	case SYS_mkdir:
	case SYS_mkdirat:
		return lkl_any(SYS_mkdirat, LKL_AT_FDCWD, (long)name, b, 0, 0);
	case SYS_mknod:
	case SYS_mknodat:
		return lkl_any(SYS_mknodat, LKL_AT_FDCWD, (long)name, b,
			       a[at + 2], 0);
	case SYS_rmdir:
		b = AT_REMOVEDIR;
		break;
	case SYS_unlink:
		b = 0;
		break;
	}
	return lkl_any(SYS_unlinkat, LKL_AT_FDCWD, (long)name, b, 0, 0);
}

static bool is_at(long nr)
{
	return nr == SYS_mkdirat || nr == SYS_mknodat || nr == SYS_unlinkat;
}

/**
 * mounts_names - make a call that makes or removes a name
 */
long mounts_names(long nr, const long *a)
{
	long b[6] = { a[0], a[1], a[2], a[3] };
	bool at = is_at(nr);
	struct lookup l;
	enum whose whose;

	if (unlikely(is_ours(&l, &whose, at ? a[0] : AT_FDCWD, a[at], false)))
		return make(nr, l.name, a, at);
	if (whose == HOST_NAME)
		b[at] = (long)l.name;
	return host_call(nr, b);
}

/* Which arguments are names: the directory's number, or -1, and the name's. */
struct place {
	signed char dir, path;
};

static const struct place *places(long nr)
{
	static const struct place two[] = { { -1, 0 }, { -1, 1 } };
	static const struct place two_at[] = { { 0, 1 }, { 2, 3 } };
	static const struct place from_at[] = { { 0, 1 }, { 0, 1 } };
	static const struct place second[] = { { -1, 1 }, { -1, 1 } };
	static const struct place second_at[] = { { 1, 2 }, { 1, 2 } };

	switch (nr) {
	case SYS_rename:
	case SYS_link:
		return two;
	case SYS_open_tree:
	case SYS_fspick:
	case SYS_mount_setattr:
		return from_at;
	case SYS_symlink:
	case SYS_inotify_add_watch:
		return second;
	case SYS_symlinkat:
		return second_at;
	}
	return two_at;
}

/* There programs have another way. */
static long refusal(long nr)
{
	switch (nr) {
	case SYS_open_tree:
	case SYS_move_mount:
	case SYS_mount_setattr:
	case SYS_fspick:
		return -ENOSYS;
	}
	return -EPERM;
}

/* What is bound is a namespace, and not one of the host's. */
static bool is_namespace(const struct lookup *l)
{
	return is_netns(l) || lookup_below(l->name, LOOKUP_SELF "/ns") ||
	       lookup_below(l->name, LOOKUP_SELF "/fd");
}

/**
 * mounts_host - make a call about names that cannot be the library's
 */
long mounts_host(long nr, const long *a)
{
	const struct place *p = places(nr);
	struct lookup l;
	enum whose whose;
	bool ours = false;
	int i;

	for (i = 0; i < 2 && !ours; i++) {
		ours = is_ours(&l, &whose,
			       p[i].dir < 0 ? AT_FDCWD : a[p[i].dir],
			       a[p[i].path], nr == SYS_open_tree);
		if (nr == SYS_open_tree && whose == LIBRARY)
			ours |= is_namespace(&l);
	}
	if (unlikely(ours))
		return refusal(nr);
	return host_call(nr, a);
}

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/**
 * mounts_mount - mount something
 */
long mounts_mount(long nr, const long *a)
{
	struct lookup target, source;
	bool ours, bind = a[3] & MS_BIND && !(a[3] & MS_REMOUNT);
	enum whose whose;
	long ret;

	ours = is_ours(&target, &whose, AT_FDCWD, a[1], true);
	if (bind) {
		bind = lookup(&source, AT_FDCWD, a[0], true) == LIBRARY &&
		       is_namespace(&source);
		if (bind && ours)
			ret = lkl_any(nr, (long)source.name, (long)target.name,
				      0, a[3], 0);
		/* The host would take its own namespace for it. */
		else if (bind || ours)
			ret = -EPERM;
		else
			ret = host_call(nr, a);
		lookup_end(&source);
		return ret;
	}
	if (!ours)
		return host_call(nr, a);
	return a[3] & PROPAGATION ? lkl_any(nr, (long)"none", (long)target.name,
					    0, a[3], 0)
				  : -EPERM;
}

/**
 * mounts_umount - and take it away
 */
long mounts_umount(long nr, const long *a)
{
	struct lookup l;
	enum whose whose;

	if (is_ours(&l, &whose, AT_FDCWD, a[0], !(a[1] & UMOUNT_NOFOLLOW)))
		return lkl_any(nr, (long)l.name, a[1], 0, 0, 0);
	return host_call(nr, a);
}

/**
 * mounts_open - open a file there, and perhaps make it
 * @name: its name
 * @flags: of open()
 * @mode: of open()
 *
 * Another process's owner opens files and makes them, but not both at once.
 *
 * Return: number in the library's kernel, or a negative error number
 */
long mounts_open(const char *name, long flags, long mode)
{
	long err;

	if (flags & O_CREAT && share_process() >= 0 &&
	    lookup_below(name, LKL_NETNS_DIR)) {
		err = lkl_any(SYS_mknodat, LKL_AT_FDCWD, (long)name,
			      S_IFREG | (mode & 07777), 0, 0);
		if (err && (err != -EEXIST || flags & O_EXCL))
			return err;
		flags &= ~(O_CREAT | O_EXCL);
	}
	return lkl_any(SYS_openat, LKL_AT_FDCWD, (long)name, flags, mode, 0);
}
