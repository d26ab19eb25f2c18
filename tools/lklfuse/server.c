// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that runs the library's kernel: see lklfuse.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lklfuse.h"
#include "wire.h"
#include "../common/kernel.h"
#include "../common/luks.h"
#include "../common/sandbox.h"
#include "../common/tool.h"

/* Messages of the kernel more urgent than this are shown: warnings. */
#define SHOWN 5

/* Action of syslog(2), for which the kernel exports no name. */
#define SYSLOG_CONSOLE_LEVEL 8

/* Returns -1 when the supervisor has closed its end. */
static int receive_fd(int control)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} buf;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &buf,
		.msg_controllen = sizeof(buf),
	};
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(control, &msg, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/*
 * From here on the kernel's warnings are shown.  Those about the mount, like
 * that the file system needs a check, are there already.
 */
static void show_warnings(const struct image *img)
{
	char *log = kernel_log();
	char *save, *text;
	int level;

	for (char *line = strtok_r(log, "\n", &save); line && !img->verbose;
	     line = strtok_r(NULL, "\n", &save)) {
		text = strchr(line, '>');
		if (text && sscanf(line, "<%d>", &level) == 1 &&
		    (level & 7) < SHOWN)
			tool_warn("kernel: %s", text + 1);
	}
	free(log);
	if (!img->verbose)
		lkl_sys_syslog(SYSLOG_CONSOLE_LEVEL, NULL, SHOWN);
}

static int serve(struct lklfuse *lf, int control)
{
	struct fuse_session *se = lf->session;
	char ready = lf->img.readonly ? SERVER_READY_READONLY : SERVER_READY;
	sigset_t none;
	int fd, err;

	if (write(control, &ready, 1) != 1)
		return TOOL_FAILED;
	fd = receive_fd(control);
	if (fd < 0)
		return TOOL_FAILED;
	lf->control = control;
	signal(SIGTERM, SIG_DFL); /* libfuse takes no others */
	if (wire_start(se, fd) || fuse_set_signal_handlers(se))
		return TOOL_FAILED;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	err = lf->single ? fuse_session_loop(se)
			 : fuse_session_loop_mt(se, lf->loop);
	/*
	 * Positive is the signal that ended it.  Being unmounted while it reads
	 * a request ends it, too, now and then with an error.
	 */
	if (err < 0 && err != -ECONNABORTED)
		tool_error("cannot serve requests: %s", strerror(-err));
	return tool_status();
}

int server_run(struct lklfuse *lf, int control)
{
	int status = TOOL_FAILED;

	bool encrypted = lf->img.key.text;

	if (encrypted && luks_load())
		return TOOL_FAILED;
	if (lf->sandbox &&
	    (image_prepare(&lf->img) || sandbox_enter(encrypted, NULL)))
		return TOOL_FAILED;
	if (!image_start(&lf->img) &&
	    !(lf->sandbox && encrypted && sandbox_tighten()) &&
	    !ops_start(lf)) {
		key_forget(&lf->img.key);
		owner_default(lf);
		show_warnings(&lf->img);
		status = serve(lf, control);
		ops_end();
	}
	if (image_unmount(&lf->img) && !status)
		status = TOOL_PARTIAL;
	return status;
}
