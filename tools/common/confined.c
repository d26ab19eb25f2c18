// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work on an image in a process that can do nothing else.
 *
 * The process that was started stays outside: it waits, passes signals on, asks
 * for a passphrase, and tells what became of the other.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confined.h"
#include "luks.h"
#include "progress.h"
#include "sandbox.h"
#include "tool.h"

/* Exit status of a process that cannot ask for the passphrase. */
#define NEED_KEY 64
#define STEP_MS 200
#define PATIENCE 3

/* Mount the image, which is open, and do the work. */
static int work(const struct confined *c, bool unlock)
{
	struct image *img = c->img;
	bool ready = !(c->unmounted  ? image_look(img)
		       : c->attached ? image_attach(img)
				     : image_start(img));
	int status = TOOL_FAILED;

	/* what is not mounted may be unlocked later */
	if (ready && !(unlock && !c->unmounted && sandbox_tighten()))
		status = c->run(img, c->arg);
	if (image_unmount(img) && ready)
		status = TOOL_PARTIAL;
	return img->key.wanted ? NEED_KEY : status;
}

/* The other process. */
__attribute__((noreturn)) static void be_confined(const struct confined *c,
						  pid_t parent)
{
	struct key key = c->img->key;
	int status = TOOL_FAILED;

	/* what is begun is finished, as after a signal to this process */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(TOOL_FAILED);
	tool_wait_begin();
	/* a lock of memory is not inherited */
	c->img->key.text = NULL;
	key_copy(&c->img->key, &key);
	key_forget(&key);
	c->img->key.elsewhere = true;
	if (image_open(c->img)) {
		image_unmount(c->img);
		exit(TOOL_FAILED);
	}
	if (c->img->no_sandbox)
		status = work(c, false);
	else if (!(c->img->key.text && luks_load()) && !image_prepare(c->img) &&
		 !sandbox_descriptors(c->input) &&
		 !sandbox_enter(c->img->key.text, c->dirs))
		status = work(c, c->img->key.text);
	tool_exit(status);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/*
 * What is begun is finished.  But a process that does not end is ended at once,
 * when it is asked again, and has had some time.
 */
static void insist(pid_t child, int ended)
{
	struct pollfd pfd = { .fd = ended, .events = POLLIN };
	int sig = tool_signal;
	double start = seconds();

	kill(child, sig ?: SIGTERM);
	/* What comes meanwhile may be the same signal, told twice, as by a
	 * terminal. */
	while (sig && ended >= 0 && seconds() < start + PATIENCE)
		if (poll(&pfd, 1, STEP_MS) > 0)
			return;
	tool_signal = 0;
	if (sig && ended >= 0 && !tool_wait_input(ended))
		kill(child, SIGKILL);
	tool_signal = sig;
}

/* Wait for the other process, and send it what signals come here. */
static int supervise(pid_t child, const struct confined *c)
{
	int ended = syscall(SYS_pidfd_open, child, 0), status;

	if (c->child)
		*c->child = child;
	if (c->meanwhile && ended >= 0)
		c->meanwhile(ended, c->arg);
	progress_watch(c->what);
	while (c->what && ended >= 0 && !tool_wait_some(ended, STEP_MS))
		progress_wait(child);
	if (ended < 0 || !tool_wait_input(ended))
		insist(child, ended);
	progress_done();
	if (ended >= 0)
		close(ended);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* What the end of the other process means for this one. */
static int outcome(const struct confined *c, int status)
{
	int sig = WTERMSIG(status);

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (sig == SIGPIPE || sig == SIGINT || sig == SIGTERM ||
	    sig == SIGHUP) {
		/* tool_exit() ends this process in the same way */
		tool_signal = sig;
		return TOOL_FAILED;
	}
	/* this process did it */
	if (sig == SIGKILL && tool_signal)
		return TOOL_FAILED;
	tool_error("the process that worked on '%s' was ended by signal %d "
		   "(%s)",
		   c->img->file, sig, strsignal(sig));
	return TOOL_FAILED;
}

static int run_here(const struct confined *c)
{
	int status = TOOL_FAILED;

	if (image_open(c->img))
		image_unmount(c->img);
	else
		status = work(c, false);
	return status;
}

bool confined_possible(void)
{
	return true;
}

int confined_run(const struct confined *c)
{
	struct key *key = &c->img->key;
	pid_t parent = getpid(), child;
	int status;

	if (c->img->no_sandbox && !c->apart)
		return run_here(c);
	/* it may be a pipe, which is read once */
	if (key->file && key_get(key, c->img->file, "-K"))
		return TOOL_FAILED;
	do {
		if (c->prepare)
			c->prepare(c->arg);
		fflush(NULL);
		child = fork();
		if (!child)
			be_confined(c, parent);
		if (child < 0) {
			tool_error("cannot start a process: %s",
				   strerror(errno));
			return TOOL_FAILED;
		}
		status = outcome(c, supervise(child, c));
	} while (status == NEED_KEY && !key->text &&
		 !key_get(key, c->img->file, "-K"));
	if (!c->keep_key)
		key_forget(key);
	return status == NEED_KEY ? TOOL_FAILED : status;
}
