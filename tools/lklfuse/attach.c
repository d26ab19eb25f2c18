// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts for a lklfuse that may not mount: that runs as a user without rights,
 * and a process with rights does nothing but this.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor.h"
#include "../common/tool.h"

int attach(const char *process, const char *image, const char *mountpoint,
	   const char *user, const char *group)
{
	unsigned long uid = user ? tool_number(user, UINT_MAX - 1, "user") : 0;
	unsigned long gid = group ? tool_number(group, UINT_MAX - 1, "group")
				  : 0;
	pid_t pid = tool_number(process, INT_MAX, "process");
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int fd = pidfd < 0 ? -1
			   : syscall(SYS_pidfd_getfd, pidfd, STDIN_FILENO, 0);
	char data[128];

	snprintf(data, sizeof(data),
		 "fd=%d,rootmode=40000,user_id=%lu,group_id=%lu,"
		 "default_permissions%s",
		 fd, uid, gid, user ? "" : ",allow_other");
	if (fd >= 0 && !mount(image, mountpoint, "fuse.lklfuse",
			      MS_NOSUID | MS_NODEV | MS_NOEXEC, data))
		return TOOL_OK;
	tool_file_error("cannot mount on", NULL, mountpoint, -errno);
	return TOOL_FAILED;
}
