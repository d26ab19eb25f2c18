// SPDX-License-Identifier: GPL-2.0-only
/*
 * lklfuse as mount(8) calls it:
 *
 *	mount.fuse.lklfuse IMAGE MOUNTPOINT [-sfnv] [-N NAMESPACE] [-t TYPE]
 *		[-o OPTION,...]
 *
 * An image is mounted as by lklfuse itself, without the options that are meant
 * for mount(8) and for /etc/fstab.  "remount" is done here: the host's kernel
 * makes the mount read-only, and what was written goes to the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "helper.h"
#include "lklfuse.h"
#include "../common/tool.h"

/* What mount(8) calls the result of a helper: something has failed. */
#define MOUNT_FAILED 32

/* Options of mounts by root, unless it says otherwise. */
#define ROOTS "dev,suid"

/* An option of the mount, and what a remount sets or clears by it. */
struct flag {
	const char *name;
	unsigned long set;
	unsigned long clear;
};

static const struct flag flags[] = {
	{ "ro", MS_RDONLY, 0 },	       { "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },    { "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },      { "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },    { "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 }, { "async", 0, MS_SYNCHRONOUS },
};

/* Options without a meaning for the mount itself; access times stay anyway. */
static const char *const foreign[] = {
	"defaults",	 "auto",     "noauto",	   "user",
	"nouser",	 "users",    "nousers",	   "owner",
	"noowner",	 "group",    "nogroup",	   "_netdev",
	"nofail",	 "atime",    "noatime",	   "diratime",
	"nodiratime",	 "relatime", "norelatime", "strictatime",
	"nostrictatime", "lazytime", "nolazytime", "iversion",
	"noiversion",
};

static bool is_foreign(const char *option)
{
	for (size_t n = 0; n < sizeof(foreign) / sizeof(*foreign); n++) {
		if (!strcmp(option, foreign[n]))
			return true;
	}
	return !strncmp(option, "x-", 2) || !strncmp(option, "X-", 2) ||
	       !strncmp(option, "comment=", 8);
}

/* The next option of a list, whose commas may be escaped; NULL at its end. */
static char *next_option(char **list)
{
	char *option = *list, *end = option;

	if (!option)
		return NULL;
	while (*end && *end != ',')
		end += *end == '\\' && end[1] ? 2 : 1;
	*list = *end ? end + 1 : NULL;
	*end = 0;
	return option;
}

/* Flags that a mount has, as remounting must name them all. */
static unsigned long flags_of(const char *mountpoint)
{
	static const struct {
		unsigned long has;
		unsigned long flag;
	} map[] = { { ST_RDONLY, MS_RDONLY },
		    { ST_NOSUID, MS_NOSUID },
		    { ST_NODEV, MS_NODEV },
		    { ST_NOEXEC, MS_NOEXEC },
		    { ST_SYNCHRONOUS, MS_SYNCHRONOUS } };
	unsigned long ret = 0;
	struct statvfs st;

	if (statvfs(mountpoint, &st))
		return 0;
	for (size_t n = 0; n < sizeof(map) / sizeof(*map); n++) {
		if (st.f_flag & map[n].has)
			ret |= map[n].flag;
	}
	return ret;
}

static int remount(const char *mountpoint, char *options)
{
	unsigned long want = flags_of(mountpoint);
	char *option;
	int fd;

	while ((option = next_option(&options))) {
		for (size_t n = 0; n < sizeof(flags) / sizeof(*flags); n++) {
			if (!strcmp(option, flags[n].name))
				want = (want & ~flags[n].clear) | flags[n].set;
		}
	}
	if (mount(NULL, mountpoint, NULL, MS_REMOUNT | want, NULL)) {
		tool_file_error("cannot remount", NULL, mountpoint, -errno);
		return MOUNT_FAILED;
	}
	fd = open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, LKLFUSE_SYNC)) {
		tool_file_error("cannot sync", NULL, mountpoint, -errno);
		return MOUNT_FAILED;
	}
	close(fd);
	return TOOL_OK;
}

bool helper_is(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return !strncmp(slash ? slash + 1 : argv0, "mount.", 6);
}

int helper_run(int *argc, char ***argv)
{
	char *options = tool_alloc(NULL, 1), **args, *option, *rest;
	char *kept = tool_alloc(NULL, 1);
	bool again = false, fake = false;
	int c;

	/* what the mount is called after, and the messages */
	tool_name = "lklfuse";
	*options = *kept = 0;
	while ((c = getopt(*argc, *argv, "sfnvN:t:o:")) != -1) {
		if (c == '?')
			tool_usage_error(NULL);
		if (c == 'f')
			fake = true;
		if (c != 'o')
			continue;
		options = tool_alloc(options,
				     strlen(options) + strlen(optarg) + 2);
		if (*options)
			strcat(options, ",");
		strcat(options, optarg);
	}
	if (*argc - optind != 2)
		tool_usage_error("image and mount point expected");
	rest = tool_alloc(NULL, strlen(options) + 1);
	strcpy(rest, options);
	kept = tool_alloc(kept, strlen(options) + sizeof(ROOTS) + 1);
	/* mount(8) leaves out what is its default, but not libfuse's */
	if (!geteuid())
		strcpy(kept, ROOTS);
	while ((option = next_option(&rest))) {
		again |= !strcmp(option, "remount");
		if (!*option || is_foreign(option))
			continue;
		if (*kept)
			strcat(kept, ",");
		strcat(kept, option);
	}
	if (fake)
		return TOOL_OK;
	if (again)
		return remount((*argv)[optind + 1], options);
	args = tool_alloc(NULL, 6 * sizeof(*args));
	args[0] = **argv;
	args[1] = (*argv)[optind];
	args[2] = (*argv)[optind + 1];
	args[3] = *kept ? "-o" : NULL;
	args[4] = kept;
	args[5] = NULL;
	*argc = *kept ? 5 : 3;
	*argv = args;
	return -1;
}
