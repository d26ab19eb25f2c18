// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that mounts, and looks after the one that serves: see lklfuse.h.
 * It
 *
 *	mounts for the user when the server has mounted the image in the
 *	library's kernel, and hands /dev/fuse over;
 *
 *	prints what the server has to say or, once it is a daemon, sends it to
 *	the system's log;
 *
 *	unmounts on SIGTERM, SIGINT or SIGHUP, whereupon the server finishes;
 *
 *	unmounts when the server has ended on its own, and says so if the image
 *	was not unmounted cleanly.
 *
 * When it dies, the server unmounts the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "supervisor.h"
#include "../common/control.h"
#include "../common/key.h"
#include "../common/sandbox.h"
#include "../common/tool.h"

/* Longest wait for a server that is to be stopped, while others write. */
#define DRAIN_MS 5000

/* A session for the mount; libfuse checks its options here. */
struct fuse_session *supervisor_session(struct supervisor *s)
{
	/* libfuse takes out what it knows, but not from the original */
	struct fuse_args args = FUSE_ARGS_INIT(s->args.argc, s->args.argv);
	struct fuse_session *se = fuse_session_new(&args, &lklfuse_ops,
						   sizeof(lklfuse_ops), NULL);

	fuse_opt_free_args(&args);
	return se;
}

void supervisor_option(struct supervisor *s, const char *name,
		       const char *value)
{
	char *text = NULL;

	if (asprintf(&text, "-o%s%s", name, value ? value : "") < 0 ||
	    fuse_opt_add_arg(&s->args, text))
		tool_no_memory();
	free(text);
}

__attribute__((format(printf, 2, 3))) static void
say(const struct supervisor *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (s->daemon) {
		vsyslog(LOG_WARNING, fmt, args);
	} else {
		fprintf(stderr, "%s: ", tool_name);
		vfprintf(stderr, fmt, args);
		putc('\n', stderr);
	}
	va_end(args);
}

/*
 * One line of the server's.  The server reads an image that is not trusted, so
 * its control characters are not passed on.
 */
static void relay_line(struct supervisor *s)
{
	size_t skip = strlen(tool_name);
	char *line = s->line;

	line[s->len] = 0;
	s->len = 0;
	control_hide(line);
	if (!strncmp(line, tool_name, skip) && !strncmp(line + skip, ": ", 2))
		line += skip + 2;
	say(s, "%s", line);
}

static bool relay(struct supervisor *s)
{
	char buf[4096];
	ssize_t n = read(s->messages, buf, sizeof(buf));

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != '\n' && s->len < sizeof(s->line) - 1)
			s->line[s->len++] = buf[i];
		else if (s->len)
			relay_line(s);
	}
	return n > 0;
}

/* Tell systemd that the mount is there; it may or may not be waiting. */
static void notify_systemd(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd;

	if (!path || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	if (*path == '@')
		*to.sun_path = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to,
	       offsetof(struct sockaddr_un, sun_path) + strlen(path));
	close(fd);
}

/* Leave the terminal, and let the process that waits there end well. */
static void become_daemon(struct supervisor *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	openlog(tool_name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	s->daemon = true;
	if (chdir("/") || write(s->front, "", 1) != 1)
		say(s, "cannot leave the terminal: %s", strerror(errno));
	close(s->front);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
}

/*
 * Is the mount there?  A descriptor that we were given may be mounted only
 * after we have told that we are ready.
 */
static bool wait_for_mount(int fd, int signals)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = fd },
					{ .fd = signals, .events = POLLIN } };

		if (poll(fds, 2, 0) >= 0 && !(fds[0].revents & POLLERR))
			return true;
		if (fds[1].revents)
			return false;
		poll(NULL, 0, 10);
	}
}

static bool send_fd(int control, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} buf = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &buf,
		.msg_controllen = sizeof(buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(control, &msg, MSG_NOSIGNAL) == 1;
}

/* The server has mounted the image, or failed to.  Now it is our turn. */
static void on_server_ready(struct supervisor *s)
{
	struct fuse_session *se = s->lf->session;
	char ready;

	if (read(s->control, &ready, 1) == 1 && !s->stopping) {
		if (ready == SERVER_READY_READONLY && !s->lf->img.readonly) {
			say(s, "warning: '%s' can only be read",
			    s->lf->img.file);
			supervisor_option(s, "ro", NULL);
			fuse_session_destroy(se);
			se = s->lf->session = supervisor_session(s);
		}
		s->mounted = se && !fuse_session_mount(se, s->fuse->mountpoint);
		if (s->mounted)
			notify_systemd();
		if (s->mounted &&
		    wait_for_mount(fuse_session_fd(se), s->signals) &&
		    send_fd(s->control, fuse_session_fd(se)) && s->front >= 0)
			become_daemon(s);
	}
	/* without an answer, the server ends */
	if (!s->mounted) {
		close(s->control);
		s->control = -1;
	}
}

static bool has_group(const char *groups, gid_t gid)
{
	unsigned long next;
	char *end;

	for (;; groups = end) {
		next = strtoul(groups, &end, 10);
		if (end == groups)
			return false;
		if (next == gid)
			return true;
	}
}

/* Supplementary groups, as /proc tells them. */
static bool in_group(pid_t pid, gid_t gid)
{
	char path[64], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		if (!strncmp(line, "Groups:", 7))
			found = has_group(line + 7, gid);
	}
	if (f)
		fclose(f);
	free(line);
	return found;
}

static void on_query(struct supervisor *s)
{
	struct group_query query;
	char answer;

	if (recv(s->control, &query, sizeof(query), 0) == sizeof(query)) {
		answer = in_group(query.pid, query.gid);
		send(s->control, &answer, 1, MSG_NOSIGNAL);
	} else {
		close(s->control);
		s->control = -1;
	}
}

/* Unmount unless it is in use. */
static bool unmount(const char *mountpoint)
{
	char *argv[] = { "fusermount3",	     "-u", "-q", "--",
			 (char *)mountpoint, NULL };
	extern char **environ;
	int status;
	pid_t pid;

	if (!geteuid())
		return !umount2(mountpoint, UMOUNT_NOFOLLOW);
	return !posix_spawnp(&pid, *argv, NULL, NULL, argv, environ) &&
	       waitpid(pid, &status, 0) == pid && !status;
}

/*
 * Have the host's kernel write what programs have changed in mapped files.  It
 * does not wait for that with FUSE, so wait until the server, which takes
 * requests from the same descriptor, has had no more of them for a while.
 */
static void drain(struct supervisor *s)
{
	struct pollfd fuse = { .fd = fuse_session_fd(s->lf->session),
			       .events = POLLIN };
	int fd = open(s->fuse->mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int idle = 0;

	if (fd < 0)
		return;
	syncfs(fd);
	close(fd);
	for (int n = 0; idle < 3 && n < DRAIN_MS / 10; n++) {
		idle = poll(&fuse, 1, 0) > 0 ? 0 : idle + 1;
		poll(NULL, 0, 10);
	}
}

/* Somebody has asked for the end. */
static void stop(struct supervisor *s)
{
	const char *mountpoint = s->fuse->mountpoint;

	if (!s->mounted) {
		/* it waits for an answer, or will */
		if (s->control >= 0)
			close(s->control);
		s->control = -1;
	} else if (!strncmp(mountpoint, "/dev/fd/", 8)) {
		/* the process that mounted it unmounts it */
		kill(s->server, SIGTERM);
	} else if (s->stopping || !unmount(mountpoint)) {
		if (!s->stopping)
			say(s, "'%s' is in use; it is taken away all the same",
			    mountpoint);
		drain(s);
		kill(s->server, SIGTERM);
	}
	s->stopping = true;
}

/* Returns the exit status when the server has ended. */
static int on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	int status;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return -1;
	if (info.ssi_signo != SIGCHLD) {
		stop(s);
		return -1;
	}
	if (waitpid(s->server, &status, WNOHANG) != s->server)
		return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	say(s, "the server was killed by signal %d (%s)%s%s%s",
	    WTERMSIG(status), strsignal(WTERMSIG(status)),
	    s->lf->img.readonly ? "" : "; '",
	    s->lf->img.readonly ? "" : s->lf->img.file,
	    s->lf->img.readonly ? "" : "' was not unmounted cleanly");
	return s->mounted ? TOOL_PARTIAL : TOOL_FAILED;
}

int supervisor_run(struct supervisor *s)
{
	int status = -1;

	while (status < 0) {
		struct pollfd fds[] = {
			{ .fd = s->messages, .events = POLLIN },
			{ .fd = s->control, .events = POLLIN },
			{ .fd = s->signals, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents & POLLIN)
			relay(s);
		else if (fds[1].revents && s->mounted)
			on_query(s);
		else if (fds[1].revents)
			on_server_ready(s);
		else if (fds[2].revents)
			status = on_signal(s);
	}
	while (poll(&(struct pollfd){ .fd = s->messages, .events = POLLIN }, 1,
		    0) > 0 &&
	       relay(s))
		;
	if (s->len)
		relay_line(s);
	if (s->mounted)
		fuse_session_unmount(s->lf->session);
	else if (!status)
		status = TOOL_FAILED;
	return status;
}

int supervisor_start(struct supervisor *s, int log)
{
	int control[2], messages[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) ||
	    pipe2(messages, O_CLOEXEC) || (s->server = fork()) < 0) {
		tool_error("cannot start a process: %s", strerror(errno));
		return -1;
	}
	if (!s->server) {
		/* away from the terminal's signals */
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(TOOL_FAILED);
		close(control[0]);
		close(messages[0]);
		close(s->signals);
		if (s->front >= 0)
			close(s->front);
		dup2(messages[1], STDERR_FILENO);
		dup2(log >= 0 ? log : messages[1], STDOUT_FILENO);
		close(messages[1]);
		if (log >= 0)
			close(log);
		if (image_open(&s->lf->img) || sandbox_descriptors(false))
			exit(TOOL_FAILED);
		exit(server_run(s->lf, control[1]));
	}
	close(control[1]);
	close(messages[1]);
	key_forget(&s->lf->img.key);
	s->control = control[0];
	s->messages = messages[0];
	return 0;
}
