// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of an image that nobody trusts: the process outside.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/link.h"
#include "../common/progress.h"
#include "../common/tool.h"
#include "view.h"
#include "serve.h"

#define STEP_MS 200
/* What is read, and a type. */
#define ANSWER_MAX 4096

/*
 * @dir: where it is mounted, or NULL
 * @session: of FUSE, which only mounts
 */
struct view {
	struct device_side side;
	int sockets[2];
	pid_t pid;
	char *dir;
	struct fuse_session *session;
	void (*work)(struct view *d, const char *type, unsigned int disks,
		     void *arg);
	void *arg;
	bool done;
};

static bool answer(struct view *d, struct message *m, const char *what)
{
	progress_watch(what);
	while (!tool_wait_some(d->sockets[0], STEP_MS))
		progress_wait(d->pid);
	progress_done();
	*m = message_new(0);
	return !tool_signal && link_receive(d->sockets[0], ANSWER_MAX, m);
}

/* Ask, and wait for the answer: false if there is none, or it failed. */
static bool ask(struct view *d, const struct message *m, struct message *reply,
		const char *what)
{
	bool ok;

	*reply = message_new(0);
	ok = link_send(d->sockets[0], m) && answer(d, reply, what);
	return ok && !reply->status;
}

/* A question without further words. */
static bool ask_only(struct view *d, uint32_t question, uint64_t *number,
		     const char *what)
{
	struct message m = message_new(question), reply;
	bool ok = ask(d, &m, &reply, what);

	if (number)
		*number = reply.number;
	message_free(&reply);
	return ok;
}

static int mount_there(struct view *d)
{
	static const struct fuse_lowlevel_ops none;
	char *argv[] = { (char *)tool_name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	const char *tmp = getenv("TMPDIR");

	if (asprintf(&d->dir, "%s/lkl-fsck.XXXXXX",
		     tmp && *tmp ? tmp : "/tmp") < 0)
		tool_no_memory();
	if (!mkdtemp(d->dir)) {
		tool_file_error("cannot create", NULL, d->dir, -errno);
		free(d->dir);
		d->dir = NULL;
		return -1;
	}
	d->session = fuse_session_new(&args, &none, sizeof(none), NULL);
	fuse_opt_free_args(&args);
	if (d->session && !fuse_session_mount(d->session, d->dir))
		return 0;
	tool_error("cannot show the device to the host's programs: FUSE cannot "
		   "be used here");
	if (d->session)
		fuse_session_destroy(d->session);
	d->session = NULL;
	return -1;
}

static void unmount(struct view *d)
{
	if (d->session) {
		fuse_session_unmount(d->session);
		fuse_session_destroy(d->session);
	}
	d->session = NULL;
	if (d->dir)
		rmdir(d->dir);
	free(d->dir);
	d->dir = NULL;
}

pid_t view_pid(const struct view *d)
{
	return d->pid;
}

/*
 * The other process alone is to have FUSE open: when it ends, programs get
 * errors instead of waiting for it.
 */
static bool let_go(struct view *d)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool ok = null >= 0 &&
		  dup3(null, fuse_session_fd(d->session), O_CLOEXEC) >= 0;

	if (!ok)
		tool_error("cannot open '/dev/null': %s", strerror(errno));
	if (null >= 0)
		close(null);
	return ok;
}

const char *view_show(struct view *d, const char *name, bool readonly)
{
	struct message m = message_new(ASK_SHOW), reply;
	bool ok = false;

	if (!mount_there(d)) {
		message_add_text(&m, name);
		m.number = readonly;
		m.fds[0] = fuse_session_fd(d->session);
		ok = ask(d, &m, &reply, NULL) && let_go(d);
		message_free(&reply);
		message_free(&m);
	}
	if (!ok)
		unmount(d);
	return d->dir;
}

int view_hide(struct view *d)
{
	unmount(d);
	return ask_only(d, ASK_HIDE, NULL, "write") ? 0 : -1;
}

bool view_replay(struct view *d)
{
	uint64_t replayed = 0;

	return ask_only(d, ASK_REPLAY, &replayed, "journal") && replayed;
}

bool view_read(struct view *d, void *buf, size_t size, uint64_t off)
{
	struct message m = message_new(ASK_READ), reply;
	uint32_t length = size;
	bool ok;

	m.number = off;
	message_add(&m, &length, sizeof(length));
	ok = ask(d, &m, &reply, NULL) && reply.size == size;
	if (ok)
		memcpy(buf, reply.text, size);
	message_free(&reply);
	message_free(&m);
	return ok;
}

int view_changed(struct view *d)
{
	uint64_t changed;

	return ask_only(d, ASK_CHANGED, &changed, "compare") ? changed != 0
							     : -1;
}

int view_commit(struct view *d)
{
	return ask_only(d, ASK_COMMIT, NULL, "write") ? 0 : -1;
}

static void make_sockets(void *arg)
{
	struct view *d = arg;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, d->sockets)) {
		tool_error("cannot make a socket: %s", strerror(errno));
		exit(tool_failed);
	}
	d->side.socket = d->sockets[1];
}

static int have_device(struct image *img, void *arg)
{
	struct view *d = arg;

	close(d->sockets[0]);
	return device_side_run(&d->side, img);
}

static void have_programs(int ended, void *arg)
{
	struct view *d = arg;
	struct message m;

	(void)ended;
	close(d->sockets[1]);
	link_outside(d->sockets[0]);
	/* it says what is there, or why there is nothing */
	if (answer(d, &m, d->side.opening) && m.size) {
		d->work(d, m.text, m.number, d->arg);
		d->done = true;
	}
	message_free(&m);
	unmount(d);
	close(d->sockets[0]);
}

int view_run(struct image *img,
	     void (*work)(struct view *d, const char *type, unsigned int disks,
			  void *arg),
	     void *arg)
{
	struct view d = { .side.opening = tool_name, .work = work, .arg = arg };
	struct confined c = {
		.img = img,
		.attached = true,
		.apart = true,
		.run = have_device,
		.arg = &d,
		.prepare = make_sockets,
		.meanwhile = have_programs,
		.child = &d.pid,
	};

	return confined_run(&c) || !d.done ? -1 : 0;
}
