// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's kernel and the supervisor are told and asked: see host.h.
 */
#include <pthread.h>
#include <sys/socket.h>

#include "host.h"
#include "ops.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t thread;
	struct host_job *first;
	struct host_job **last;
	bool ending;
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.last = &queue.first,
};

static pthread_mutex_t control_lock = PTHREAD_MUTEX_INITIALIZER;

static void *run_jobs(void *arg)
{
	struct host_job *job;

	pthread_mutex_lock(&queue.lock);
	for (;;) {
		while (!queue.first && !queue.ending)
			pthread_cond_wait(&queue.more, &queue.lock);
		job = queue.first;
		if (!job)
			break;
		queue.first = job->next;
		if (!queue.first)
			queue.last = &queue.first;
		pthread_mutex_unlock(&queue.lock);
		job->run(job);
		pthread_mutex_lock(&queue.lock);
	}
	pthread_mutex_unlock(&queue.lock);
	return arg;
}

int host_start(void)
{
	return -pthread_create(&queue.thread, NULL, run_jobs, NULL);
}

void host_end(void)
{
	pthread_mutex_lock(&queue.lock);
	queue.ending = true;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
	pthread_join(queue.thread, NULL);
}

void host_later(struct host_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&queue.lock);
	*queue.last = job;
	queue.last = &job->next;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}

void host_drop(fuse_ino_t ino, off_t off, off_t len)
{
	fuse_lowlevel_notify_inval_inode(view_lf->session, ino, off, len);
}

void host_drop_attr(fuse_ino_t ino)
{
	fuse_lowlevel_notify_inval_inode(view_lf->session, ino, -1, 0);
}

/* The server may not look into /proc, so it asks the supervisor. */
static bool ask_supervisor(pid_t pid, gid_t gid)
{
	struct group_query query = { pid, gid };
	char answer = 0;
	bool got;

	pthread_mutex_lock(&control_lock);
	got = send(view_lf->control, &query, sizeof(query), MSG_NOSIGNAL) ==
		      sizeof(query) &&
	      recv(view_lf->control, &answer, 1, 0) == 1;
	pthread_mutex_unlock(&control_lock);
	return got && answer;
}

bool host_in_group(fuse_req_t req, gid_t gid)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return owner_in(&view_lf->gids, ctx->gid) == gid ||
	       ask_supervisor(ctx->pid, owner_out(&view_lf->gids, gid));
}
