// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads that serve requests, and their credentials in the library's
 * kernel.
 */
#include <pthread.h>
#include <stdlib.h>

#include <lkl.h>
#include <lkl/linux/capability.h>
#include <lkl/linux/sched.h>
#include <lkl/linux/securebits.h>

#include "host.h"
#include "ops.h"
#include "wire.h"

#define PAGE 4096

static pthread_key_t worker_key;

static void worker_free(void *arg)
{
	struct worker *w = arg;

	free(w->buf);
	free(w);
}

/* The calling thread, made ready with its first request; NULL: no memory. */
struct worker *worker(void)
{
	struct worker *w = pthread_getspecific(worker_key);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->buf = aligned_alloc(PAGE, MAX_READ);
	w->mask = -1;
	w->set_ids = true;
	/* a umask of its own, and capabilities whatever its identity */
	if (!w->buf || lkl_sys_unshare(LKL_CLONE_FS) ||
	    lkl_sys_prctl(LKL_PR_SET_SECUREBITS, LKL_SECBIT_NO_SETUID_FIXUP, 0,
			  0, 0) ||
	    pthread_setspecific(worker_key, w)) {
		worker_free(w);
		return NULL;
	}
	return w;
}

/* Without CAP_FSETID, a write removes set-user-id bits. */
void may_set_ids(struct worker *w, bool may)
{
	struct __lkl__user_cap_header_struct header = {
		.version = _LKL_LINUX_CAPABILITY_VERSION_3,
	};
	struct __lkl__user_cap_data_struct caps[2];

	if (w->set_ids == may || lkl_sys_capget(&header, caps))
		return;
	if (may)
		caps[0].effective |= 1U << LKL_CAP_FSETID;
	else
		caps[0].effective &= ~(1U << LKL_CAP_FSETID);
	if (!lkl_sys_capset(&header, caps))
		w->set_ids = may;
}

/* In a private mount, its owner is root. */
bool is_root(fuse_req_t req)
{
	return !view_lf->permissions || !fuse_req_ctx(req)->uid;
}

/* Make what comes next the caller's. */
void become_caller(struct worker *w, fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	uid_t uid = owner_in(&view_lf->uids, ctx->uid);
	gid_t gid = owner_in(&view_lf->gids, ctx->gid);

	if (w->uid != uid)
		lkl_sys_setfsuid(uid);
	if (w->gid != gid)
		lkl_sys_setfsgid(gid);
	if (w->mask != ctx->umask)
		lkl_sys_umask(ctx->umask);
	w->uid = uid;
	w->gid = gid;
	w->mask = ctx->umask;
	may_set_ids(w, is_root(req));
}

bool become_member(struct worker *w, fuse_req_t req, gid_t gid)
{
	bool member = host_in_group(req, gid);

	if (!member)
		gid = owner_in(&view_lf->gids, fuse_req_ctx(req)->gid);
	if (w->gid != gid)
		lkl_sys_setfsgid(gid);
	w->gid = gid;
	return member;
}

mode_t change_begin(struct worker *w, fuse_req_t req, int fd)
{
	bool clears = wire_clears_ids(req);
	struct stat st;

	may_set_ids(w, !clears);
	if (!clears || inode_stat(fd, &st) ||
	    !(st.st_mode & (S_ISUID | S_ISGID)))
		return 0;
	/* without permission to execute, members of the group keep the bit */
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == S_ISGID)
		become_member(w, req, st.st_gid);
	return st.st_mode;
}

void change_end(fuse_ino_t ino, int fd, mode_t before)
{
	struct stat st;

	if (before && !inode_stat(fd, &st) && st.st_mode != before)
		host_drop_attr(ino);
}

int worker_start(void)
{
	return -pthread_key_create(&worker_key, worker_free);
}
