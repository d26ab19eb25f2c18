// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lkl sh asks the process that has the image.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/progress.h"
#include "../common/sandbox.h"
#include "../common/tool.h"
#include "path.h"
#include "shell.h"

#define STEP_MS 200

/* It has ended, or says what it must not. */
static bool lost(struct remote_image *r)
{
	r->lost = true;
	return false;
}

bool ask(struct remote_image *r, struct message *m)
{
	/* who has stopped a command wants no more of it */
	bool wanted = !tool_signal;
	bool sent = wanted && !r->lost && link_send(r->socket, m);

	message_free(m);
	return sent || (wanted && lost(r));
}

/* The verb is to stop, and the rest to go on.  Asked again, all is to end. */
static void stop(struct remote_image *r)
{
	r->stopped = true;
	tool_signal = 0;
	syscall(SYS_pidfd_send_signal, r->ended, SIGINT, NULL, 0);
}

bool answer(struct remote_image *r, struct message *m)
{
	*m = message_new(TELL_STATUS);
	for (;;) {
		while (!r->lost && !tool_wait_some(r->socket, STEP_MS))
			progress_wait(r->pid);
		if (tool_signal != SIGINT || !r->typed || r->stopped)
			break;
		stop(r);
	}
	if (r->lost || tool_signal)
		return lost(r);
	if (!link_receive(r->socket, ANSWER_MAX, m))
		return lost(r);
	if (m->what == TELL_STATUS && r->stopped)
		tool_signal = SIGINT;
	if (m->what == TELL_TEXT || m->what == TELL_STATUS)
		return true;
	message_free(m);
	return lost(r);
}

int answer_status(struct remote_image *r, struct message *text)
{
	struct message m;

	if (text)
		*text = message_new(TELL_TEXT);
	while (answer(r, &m)) {
		if (m.what == TELL_STATUS) {
			message_free(&m);
			return m.status < 0 || m.status > TOOL_FAILED
				       ? TOOL_FAILED
				       : m.status;
		}
		if (text) {
			message_free(text);
			*text = m;
		} else {
			message_free(&m);
		}
	}
	return TOOL_FAILED;
}

bool ask_ready(struct remote_image *r)
{
	struct message m = message_new(0);
	bool ready;

	progress_watch("lkl sh");
	while (!tool_wait_some(r->socket, STEP_MS))
		progress_wait(r->pid);
	progress_done();
	ready = !tool_signal && link_receive(r->socket, 0, &m) &&
		m.what == TELL_READY;
	message_free(&m);
	return ready || lost(r);
}

/*
 * What is typed up to its end: the other process could go on reading what is
 * typed to this one.
 */
static int read_typed(void)
{
	int fd = memfd_create("typed", MFD_CLOEXEC);
	char buf[4096];
	ssize_t n = 0;

	if (fd < 0)
		tool_no_memory();
	while (tool_wait_input(STDIN_FILENO) &&
	       (n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		if (write(fd, buf, n) != n)
			tool_no_memory();
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int ask_run(struct remote_image *r, const struct verb *v, char *const *words,
	    bool quiet, const char *what)
{
	struct message m = message_new(ASK_RUN);
	int status = TOOL_FAILED, in = -1, out = -1;

	message_add_text(&m, tool_name);
	for (; *words; words++)
		message_add_text(&m, *words);
	m.number = (isatty(STDOUT_FILENO) ? RUN_TERMINAL : 0) |
		   (quiet ? RUN_PIPE : 0);
	if (m.number & RUN_TERMINAL)
		out = sandbox_write_only(STDOUT_FILENO);
	m.fds[0] = out < 0 ? STDOUT_FILENO : out;
	if (v->flags & VERB_INPUT) {
		in = isatty(STDIN_FILENO) ? read_typed() : -1;
		m.fds[1] = in < 0 ? STDIN_FILENO : in;
	}
	if (tool_signal || !output_end()) {
		message_free(&m);
	} else if (ask(r, &m)) {
		progress_watch(what);
		status = answer_status(r, NULL);
		progress_done();
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return status;
}

/* Each slash once: so it is in what comes back. */
static char *squeeze(const char *pattern)
{
	char *text = tool_alloc(NULL, strlen(pattern) + 1), *to = text;

	for (; *pattern; pattern++) {
		if (*pattern != '/' || to == text || to[-1] != '/')
			*to++ = *pattern;
	}
	*to = 0;
	return text;
}

size_t ask_paths(struct remote_image *r, const char *pattern,
		 void (*add)(void *arg, char *path), void *arg)
{
	struct message m = message_new(ASK_GLOB), found;
	char *simple = squeeze(pattern), *copy;
	const char *path = NULL;
	size_t count = 0;

	message_add_text(&m, simple);
	if (ask(r, &m)) {
		answer_status(r, &found);
		while ((path = message_next(&found, path))) {
			/* a word that the user did not mean is not wanted */
			if (fnmatch(simple, path, FNM_PERIOD | FNM_PATHNAME))
				continue;
			copy = strdup(path);
			if (!copy)
				tool_no_memory();
			add(arg, copy);
			count++;
		}
		message_free(&found);
	}
	free(simple);
	return count;
}

void ask_names(struct remote_image *r, const char *dir, struct message *m)
{
	struct message q = message_new(ASK_LIST);

	*m = message_new(TELL_TEXT);
	message_add_text(&q, dir);
	if (ask(r, &q))
		answer_status(r, m);
}
