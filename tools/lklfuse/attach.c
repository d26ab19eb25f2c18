// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts for a lklfuse that may not mount: that runs as a user without rights,
 * and somebody with rights does nothing but this.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor.h"
#include "../common/tool.h"

int attach(const char *process, const char *image, const char *mountpoint)
{
	pid_t pid = tool_number(process, INT_MAX, "process");
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int fd = pidfd < 0 ? -1
			   : syscall(SYS_pidfd_getfd, pidfd, STDIN_FILENO, 0);
	char data[128];

	snprintf(data, sizeof(data),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,"
		 "default_permissions",
		 fd);
	if (fd >= 0 && !mount(image, mountpoint, "fuse.lklfuse",
			      MS_NOSUID | MS_NODEV, data))
		return TOOL_OK;
	tool_file_error("cannot mount on", NULL, mountpoint, -errno);
	return TOOL_FAILED;
}
