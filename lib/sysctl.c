// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of the kernel, /proc/sys.
 *
 * proc is mounted for the purpose, but nowhere: neither does it have to be on
 * /proc, nor does anybody see that it has been used.
 */
#include <stdio.h>
#include <string.h>

#include <lkl.h>
#include <lkl/linux/mount.h>

#include "rtnl.h"

/* A descriptor of the root of a proc of our own, or a negative error number. */
static int mount_proc(void)
{
	int fs, mnt;

	fs = lkl_sys_fsopen("proc", LKL_FSOPEN_CLOEXEC);
	if (fs < 0)
		return fs;
	mnt = lkl_sys_fsconfig(fs, LKL_FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (!mnt)
		mnt = lkl_sys_fsmount(fs, LKL_FSMOUNT_CLOEXEC, 0);
	lkl_sys_close(fs);
	return mnt;
}

int lkl_sysctl(const char *path, const char *value)
{
	long proc, fd, ret, len = strlen(value);
	const char *first;
	char file[256];

	if (snprintf(file, sizeof(file), "sys/%s", path) >= (int)sizeof(file))
		return -LKL_ENAMETOOLONG;
	/* As sysctl(8): net.ipv4.conf.eth0/1.x means net/ipv4/conf/eth0.1/x. */
	first = strpbrk(path, "./");
	if (first && *first == '.')
		for (char *p = file + 4; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;

	proc = mount_proc();
	if (proc < 0)
		return proc;
	fd = lkl_sys_openat(proc, file, LKL_O_WRONLY | LKL_O_CLOEXEC, 0);
	lkl_sys_close(proc);
	if (fd < 0)
		return fd;
	ret = lkl_sys_write(fd, value, len);
	lkl_sys_close(fd);
	if (ret < 0)
		return ret;
	return ret == len ? 0 : -LKL_EINVAL;
}

static int write_entry(char *entry, void *unused)
{
	char *value = strchr(entry, '=');
	size_t len;
	int err;

	(void)unused;
	if (!value) {
		fprintf(stderr, "lkl: sysctl '%s': there is no '='\n", entry);
		return -LKL_EINVAL;
	}
	len = value - entry;
	while (len && strchr(" \t", entry[len - 1]))
		len--;
	entry[len] = 0;
	value++;
	value += strspn(value, " \t");
	err = lkl_sysctl(entry, value);
	if (err)
		fprintf(stderr, "lkl: sysctl '%s' = '%s': %s\n", entry, value,
			lkl_strerror(err));
	return err;
}

int rtnl_sysctls(const char *sysctls)
{
	return rtnl_entries(sysctls, write_entry, NULL);
}

void lkl_sysctl_parse_write(const char *sysctls)
{
	rtnl_sysctls(sysctls);
}
