// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel starts from a snapshot, which the first one has left.
 *
 * The first that is started with a command line boots without its devices, and
 * its state is written to a file in the user's folder for caches (cache.c,
 * host/linux/snapshot.c).  Then it gets the devices, as they may come to any
 * kernel that runs.  The next ones have the state mapped instead of a boot, and
 * go on likewise.
 *
 * A snapshot is of use to the same build at the same address, with the same
 * command line, on the same host until that is booted anew: so the processor is
 * the same, too.  What else is in the way has the kernel boot, with a line if
 * it is something that the user may want to know of.
 *
 * It is for those who want it: where the library always is at the same address,
 * whoever attacks the program knows that.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lkl/asm/host_ops.h>

#include "../host/linux/snapshot.h"
#include "build.h"
#include "cache.h"
#include "message.h"
#include "snapshot.h"
#include "thread.h"
#include "virtio.h"

#define VARIABLE "LKL_SNAPSHOT"
/* A boot that goes well prints nothing at this level. */
#define QUIET 4

bool lkl_snapshot_silent;

struct place {
	int dir;
	char path[PATH_MAX];
	char name[80];
	char key[4096 + 256];
};

/* Does the user want snapshots?  -EINVAL if that cannot be told. */
static int wanted(void)
{
	const char *text = secure_getenv(VARIABLE);

	if (!text || !*text || !strcmp(text, "no"))
		return 0;
	if (!strcmp(text, "yes"))
		return 1;
	lkl_message("snapshot", VARIABLE "='%s' is neither yes nor no", text);
	return -EINVAL;
}

/*
 * Options that change nothing but what a snapshot is made of; all others may
 * mean something else in a kernel that does not boot.  And nobody is to see
 * what a boot prints.
 */
static bool is_harmless(const char *cmdline,
			const struct lkl_host_operations *ops)
{
	bool quiet = false;
	size_t n;

	for (;; cmdline += n) {
		cmdline += strspn(cmdline, " ");
		n = strcspn(cmdline, " ");
		if (!n)
			return quiet || !ops->print || lkl_snapshot_silent;
		if (!strncmp(cmdline, "loglevel=", 9))
			quiet = atoi(cmdline + 9) <= QUIET;
		else if (strncmp(cmdline, "mem=", 4))
			return false;
	}
}

static int read_host_boot(char *text, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -ENOENT;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

static uint64_t hash(const char *text)
{
	uint64_t hash = 14695981039346656037UL;

	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 1099511628211UL;
	return hash;
}

/* Where the snapshot is, or would be; false if there can be none. */
static bool find_place(struct place *place, const char *cmdline)
{
	char boot[64], id[LKL_BUILD_ID];

	if (!lkl_build_is_fixed(id)) {
		lkl_message("snapshot",
			    "none, as the library is not at a fixed address");
		return false;
	}
	if (!*id || read_host_boot(boot, sizeof(boot))) {
		lkl_message("snapshot", "none, as it cannot be told of what");
		return false;
	}
	snprintf(place->name, sizeof(place->name), "%.16s-%016lx.snapshot", id,
		 hash(cmdline));
	snprintf(place->key, sizeof(place->key), "%s %s\n%s", id, boot,
		 cmdline);
	place->dir = lkl_cache_open(place->path, sizeof(place->path));
	if (place->dir == -EPERM)
		lkl_message("snapshot", "none, as others can change %s",
			    place->path);
	else if (place->dir < 0)
		lkl_message("snapshot", "none, %s: %s", place->path,
			    strerror(-place->dir));
	return place->dir >= 0;
}

/* Start from a state that is mapped; 1 if there is none. */
static int restore(struct lkl_host_operations *ops, const char *cmdline,
		   struct linux_snapshot *snapshot)
{
	struct lkl_state *state = linux_snapshot_state(snapshot);
	int err;

	if (!state || lkl_kernel_restore(ops, cmdline, state,
					 linux_snapshot_load, snapshot))
		return 1;
	err = lkl_kernel_call(lkl_kernel_renew, NULL);
	if (err) {
		lkl_kernel_halt(lkl_thread_self()->task);
		lkl_kernel_release();
		lkl_thread_self()->task = NULL;
	}
	return err;
}

/*
 * Open the file if it is there and of use; false if not, and then whether to
 * make it is left in @make.
 */
static bool open_file(const struct place *place,
		      struct linux_snapshot *snapshot, bool *make)
{
	int fd = lkl_cache_find(place->dir, place->name), err;

	*make = true;
	if (fd == -ENOENT)
		return false;
	err = fd < 0 ? fd : linux_snapshot_open(fd, place->key, snapshot);
	if (!err)
		return true;
	if (fd >= 0)
		close(fd);
	if (err == -ESTALE)
		return false;
	lkl_message("snapshot", "%s/%s is not used: %s", place->path,
		    place->name,
		    err == -EPERM    ? "others can change it"
		    : err == -EINVAL ? "it is damaged"
				     : strerror(-err));
	*make = err == -EINVAL;
	if (*make)
		lkl_cache_drop(place->dir, place->name);
	return false;
}

static void close_file(struct linux_snapshot *snapshot)
{
	int fd = snapshot->fd;

	linux_snapshot_close(snapshot);
	close(fd);
}

/* Write the state of the kernel, which has booted without devices. */
static void make(const struct place *place, int fd)
{
	struct lkl_state state;
	int err = lkl_kernel_hold(lkl_kernel_boots(), 1);

	if (!err) {
		err = lkl_kernel_state(&state);
		if (!err)
			err = linux_snapshot_write(fd, place->key, &state);
		lkl_kernel_let_go();
	}
	if (!err)
		err = lkl_cache_keep(place->dir, place->name, fd);
	/* Under valgrind, for example, there is none. */
	if (err && err != -EOPNOTSUPP)
		lkl_message("snapshot", "none is kept, %s/%s: %s", place->path,
			    place->name, strerror(-err));
}

/* Boot, and leave a snapshot if no other process does. */
static int boot(const struct place *place, struct lkl_host_operations *ops,
		const char *cmdline)
{
	int fd = lkl_cache_make(place->dir), err;

	if (fd < 0 && fd != -EAGAIN)
		lkl_message("snapshot", "none is kept, %s: %s", place->path,
			    strerror(-fd));
	if (fd < 0)
		return lkl_kernel_boot(ops, cmdline);
	lkl_vdevs_hide(true);
	err = lkl_kernel_boot(ops, cmdline);
	lkl_vdevs_hide(false);
	if (!err) {
		make(place, fd);
		lkl_vdevs_show();
	}
	close(fd);
	return err;
}

/* Start from a snapshot that is open, and close it. */
static int start(struct lkl_host_operations *ops, const char *cmdline,
		 struct linux_snapshot *snapshot)
{
	int err = restore(ops, cmdline, snapshot);

	close_file(snapshot);
	if (!err)
		lkl_vdevs_show();
	return err > 0 ? lkl_kernel_boot(ops, cmdline) : err;
}

/* What was found before the process gave up its rights, if that was looked for.
 */
static struct {
	struct linux_snapshot snapshot;
	bool looked, found;
	char cmdline[4096];
} prepared;

static bool take_prepared(struct linux_snapshot *snapshot)
{
	bool found = prepared.found;

	*snapshot = prepared.snapshot;
	prepared.looked = false;
	prepared.found = false;
	return found;
}

int lkl_snapshot_boot(struct lkl_host_operations *ops, const char *cmdline)
{
	struct linux_snapshot snapshot;
	int want = wanted(), err;
	struct place place;
	bool make;

	if (want < 0)
		return want;
	if (!want || lkl_vdevs_lend() || !is_harmless(cmdline, ops))
		return lkl_kernel_boot(ops, cmdline);
	if (prepared.looked && !strcmp(prepared.cmdline, cmdline))
		return take_prepared(&snapshot) ? start(ops, cmdline, &snapshot)
						: lkl_kernel_boot(ops, cmdline);
	if (!find_place(&place, cmdline))
		return lkl_kernel_boot(ops, cmdline);
	if (open_file(&place, &snapshot, &make))
		err = start(ops, cmdline, &snapshot);
	else if (make)
		err = boot(&place, ops, cmdline);
	else
		err = lkl_kernel_boot(ops, cmdline);
	close(place.dir);
	return err;
}

/* Have another process boot, and leave a snapshot. */
static void make_elsewhere(struct lkl_host_operations *ops, const char *cmdline)
{
	pid_t pid = fork();

	if (!pid) {
		ops->print = NULL;
		if (lkl_vdevs_start(ops))
			_exit(1);
		_exit(!!lkl_snapshot_boot(ops, cmdline));
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int lkl_snapshot_prepare(struct lkl_host_operations *ops, const char *cmdline)
{
	struct linux_snapshot snapshot;
	int want = wanted();
	struct place place;
	bool make;

	if (want <= 0)
		return want;
	if (take_prepared(&snapshot))
		close_file(&snapshot);
	snprintf(prepared.cmdline, sizeof(prepared.cmdline), "%s", cmdline);
	if (is_harmless(cmdline, ops) && find_place(&place, cmdline)) {
		prepared.found = open_file(&place, &prepared.snapshot, &make);
		if (!prepared.found && make) {
			make_elsewhere(ops, cmdline);
			prepared.found =
				open_file(&place, &prepared.snapshot, &make);
		}
		close(place.dir);
	}
	prepared.looked = true;
	return 0;
}
