// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image can name other files, or servers, that have part of what it holds:
 * qemu would open them, as the maker of the image wants.  So qemu-img is asked
 * first, which names they are, and both programs are confined to the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "qemu.h"
#include "tool.h"

/* Connections, of which the library makes no more. */
#define CLIENTS "8"
/* Where a program finds the socket that it is given. */
#define LISTEN_FD 3
#define TEXT_MAX (1 << 20)

/* Exit statuses of a child that could not execute the program. */
#define NO_PROGRAM 127
#define NO_CONFINEMENT 126

/* In the child: be the program. */
__attribute__((noreturn)) static void be(const struct qemu *q, char **argv,
					 int listener, int end, int output)
{
	char pid[16];
	int err;

	dup2(output, STDERR_FILENO);
	dup2(output, STDOUT_FILENO);
	err = q->trust ? 0
		       : confine(q->file, listener >= 0 && !q->readonly, *argv);
	if (err) {
		dprintf(STDERR_FILENO, "%s", strerror(-err));
		_exit(NO_CONFINEMENT);
	}
	/* messages, the end of the server, and the socket are inherited */
	if (end >= 0)
		fcntl(end, F_SETFD, 0);
	if (listener >= 0) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		if (end == LISTEN_FD)
			fcntl(dup(end), F_SETFD, 0);
		if (listener == LISTEN_FD)
			fcntl(listener, F_SETFD, 0);
		else
			dup2(listener, LISTEN_FD);
	}
	signal(SIGXFSZ, SIG_DFL);
	execvp(*argv, argv);
	_exit(errno == ENOENT ? NO_PROGRAM : 1);
}

/* Start a program; *@output reads what it says.  Returns its pid, or -1. */
static pid_t start(const struct qemu *q, char **argv, int listener, int end,
		   int *output)
{
	int fds[2];
	pid_t pid;

	*output = -1;
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid)
		be(q, argv, listener, end, fds[1]);
	close(fds[1]);
	*output = fds[0];
	return pid;
}

/* All that a program says, until it has ended; to be freed. */
static char *read_all(int output)
{
	char *text = tool_alloc(NULL, TEXT_MAX);
	size_t len = 0;
	ssize_t n = output < 0 ? 0 : 1;

	while (n && len < TEXT_MAX - 1) {
		n = read(output, text + len, TEXT_MAX - 1 - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? n : 0;
	}
	text[len] = 0;
	if (output >= 0)
		close(output);
	return text;
}

/* Wait for a child; its exit status, or -1. */
static int wait_for(pid_t pid)
{
	int status = -1;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the keeper of a server is told; the end of the pipe is an order, too. */
enum { RUNS = 'r', LEAVE = 'l', WAIT = 'w' };

/*
 * A server ends when its clients have left, but waits for the first one for
 * ever.  So as long as it has none, a process keeps it, which ends it when the
 * tool has died: by force if it may not yet take signals, or else in order.
 */
__attribute__((noreturn)) static void keep(int orders, pid_t server)
{
	int sig = SIGKILL;
	char order;

	dup2(orders, STDIN_FILENO);
	close_range(STDOUT_FILENO, ~0U, 0);
	while (read(STDIN_FILENO, &order, 1) == 1) {
		if (order == LEAVE)
			_exit(0);
		if (order == WAIT)
			_exit(wait_for(server));
		sig = SIGTERM;
	}
	if (server > 0)
		kill(server, sig);
	_exit(0);
}

/* Start a server and its keeper; *@output reads what the server says. */
static int start_server(const struct qemu *q, char **argv, int listener,
			int end, struct qemu_server *s, int *output)
{
	int orders[2], fds[2];

	*output = -1;
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	if (pipe2(orders, O_CLOEXEC)) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	s->keeper = fork();
	if (!s->keeper) {
		pid_t server;

		close(orders[1]);
		/* what a terminal sends is for the tool, which ends it in time
		 */
		setsid();
		server = fork();
		if (!server)
			be(q, argv, listener, end, fds[1]);
		keep(orders[0], server);
	}
	close(orders[0]);
	close(fds[1]);
	s->orders = orders[1];
	*output = fds[0];
	return s->keeper < 0 ? -1 : 0;
}

static int order(struct qemu_server *s, char what)
{
	if (s->orders >= 0 && what && write(s->orders, &what, 1) < 0)
		errno = 0; /* it has ended */
	if (what == RUNS)
		return 0;
	close(s->orders);
	return wait_for(s->keeper);
}

void qemu_leave(struct qemu_server *s)
{
	order(s, LEAVE);
}

void qemu_end(struct qemu_server *s)
{
	order(s, 0);
}

/* The image names something else; its name may be anything. */
static int names_other(const struct qemu *q, const char *other)
{
	char what[256];

	snprintf(what, sizeof(what), "image '%s' names", q->name);
	tool_file_reason(what, NULL, other, "not used without --trust-image");
	return -1;
}

/*
 * "PROGRAM: Could not open 'IMAGE': Could not open 'OTHER': reason", or
 * anything else.
 */
static int explain(const struct qemu *q, char *text)
{
	static const char open[] = "Could not open '";
	char *line = text + strcspn(text, "\n"), *name = NULL, *end, *reason;

	*line = 0;
	for (char *p = text; !q->trust && (p = strstr(p, open)); p = end) {
		p += strlen(open);
		end = strstr(p, "': ");
		if (!end)
			break;
		if ((size_t)(end - p) != strlen(q->path) ||
		    strncmp(p, q->path, end - p)) {
			*end++ = 0;
			name = p;
		}
	}
	if (name)
		return names_other(q, name);
	reason = strstr(text, "': ");
	tool_file_reason("cannot open", NULL, q->name,
			 reason	 ? reason + 3
			 : *text ? text
				 : "qemu-nbd cannot be started");
	return -1;
}

static int failed(const struct qemu *q, const char *program, int status,
		  char *text)
{
	if (status == NO_PROGRAM)
		tool_error("'%s' needs %s, which is not installed (package "
			   "qemu-utils)",
			   q->name, program);
	else if (status == NO_CONFINEMENT)
		tool_error("cannot confine %s: %s (--trust-image does without)",
			   program, text);
	else
		return explain(q, text);
	return -1;
}

/* Something but the image that a description of it names, or NULL. */
static const char *find_other(const struct qemu *q, struct json_object *j)
{
	static const char *const keys[] = { "backing-filename",
					    "full-backing-filename",
					    "data-file", "filename" };
	const char *other = NULL, *value;

	if (json_object_is_type(j, json_type_array)) {
		for (size_t i = 0; !other && i < json_object_array_length(j);
		     i++)
			other = find_other(q, json_object_array_get_idx(j, i));
		return other;
	}
	if (!json_object_is_type(j, json_type_object))
		return NULL;
	json_object_object_foreach(j, key, member)
	{
		other = find_other(q, member);
		value = json_object_get_string(member);
		for (size_t i = 0; !other && i < sizeof(keys) / sizeof(*keys);
		     i++) {
			if (!strcmp(key, keys[i]) && value &&
			    strcmp(value, q->path))
				other = value;
		}
		if (other)
			return other;
	}
	return NULL;
}

/* Refuse an image that names others. */
static int look(const struct qemu *q)
{
	char *argv[] = { "qemu-img",	    "info", "--output=json", "-U", "-f",
			 (char *)q->format, "--",   (char *)q->path, NULL };
	struct json_object *j = NULL;
	const char *other;
	int output, status, err = 0;
	pid_t pid = start(q, argv, -1, -1, &output);
	char *text = read_all(output);

	status = wait_for(pid);

	if (status) {
		err = failed(q, *argv, status, text);
	} else {
		j = json_tokener_parse(text);
		other = j ? find_other(q, j) : NULL;
		if (!j)
			err = explain(q, text);
		else if (other)
			err = names_other(q, other);
	}
	json_object_put(j);
	free(text);
	return err;
}

/* Wait until a server has opened the image, or has ended. */
static bool greets(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool does = false;
	char first;

	if (fd >= 0 &&
	    !connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) &&
	    tool_wait_input(fd))
		does = recv(fd, &first, 1, 0) == 1;
	if (fd >= 0)
		close(fd);
	return does;
}

int qemu_serve(const struct qemu *q, int listener,
	       const struct sockaddr_un *addr, int end, struct qemu_server *s)
{
	char *argv[] = { "qemu-nbd",
			 "--shared",
			 CLIENTS,
			 "--format",
			 (char *)q->format,
			 "--discard",
			 "unmap",
			 (char *)q->path,
			 q->readonly ? "--read-only" : NULL,
			 NULL };
	int output, status = -1;
	char *text;

	if (!q->trust && look(q)) {
		close(listener);
		return -1;
	}
	status = start_server(q, argv, listener, end, s, &output);
	/* now only the server has it, so that nobody waits for one that ended
	 */
	close(listener);
	if (!status && greets(addr)) {
		order(s, RUNS);
		close(output);
		return 0;
	}
	if (tool_signal) {
		qemu_end(s);
		close(output);
		return -1;
	}
	text = read_all(output);
	if (!status)
		status = order(s, WAIT);
	failed(q, *argv, status, text);
	free(text);
	return -1;
}
