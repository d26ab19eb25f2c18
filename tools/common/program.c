// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the host's that do what only they can.
 *
 * An ordinary user's PATH does not have the folders in which programs for file
 * systems are, so these are looked through after it.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "confine.h"
#include "program.h"
#include "progress.h"
#include "tool.h"

#define MORE_PATH ":/usr/local/sbin:/usr/sbin:/sbin"
/* More of what a program says is not kept. */
#define MAX_SAID (64 << 10)

void program_begin(struct program *p, const char *name, const char *package)
{
	*p = (struct program){
		.package = package,
		.stdin_fd = -1,
		.dead = 1,
	};
	program_add(p, name);
}

void program_add(struct program *p, const char *arg)
{
	if (p->count == PROGRAM_ARGS - 1)
		tool_usage_error("too many options for %s", *p->argv);
	p->argv[p->count++] = arg;
}

void program_add2(struct program *p, const char *arg, const char *more)
{
	if (!more)
		return;
	program_add(p, arg);
	program_add(p, more);
}

char *program_file(const char *name)
{
	char *file;

	if (asprintf(&file, "%s%s", *name == '-' ? "./" : "", name) < 0)
		tool_no_memory();
	return file;
}

/* The path of a program, to be freed, or NULL. */
static char *find(const char *name)
{
	const char *path = getenv("PATH") ?: "/usr/bin:/bin";
	char *list, *file, *save;

	if (strchr(name, '/'))
		return strdup(name);
	if (asprintf(&list, "%s" MORE_PATH, path) < 0)
		tool_no_memory();
	for (char *dir = strtok_r(list, ":", &save); dir;
	     dir = strtok_r(NULL, ":", &save)) {
		if (asprintf(&file, "%s/%s", dir, name) < 0)
			tool_no_memory();
		if (!access(file, X_OK)) {
			free(list);
			return file;
		}
		free(file);
	}
	free(list);
	return NULL;
}

static void not_there(const char *name, const char *package)
{
	tool_error("%s is not installed; it is in the package %s", name,
		   package);
}

bool program_is_there(const char *name, const char *package)
{
	char *path = find(name);

	if (!path)
		not_there(name, package);
	free(path);
	return path;
}

char *program_beside(const char *name)
{
	char self[PATH_MAX], *path;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = 0;
	if (asprintf(&path, "%.*s%s",
		     (int)(strrchr(self, '/') ? strrchr(self, '/') + 1 - self
					      : 0),
		     self, name) < 0)
		tool_no_memory();
	return path;
}

__attribute__((noreturn)) static void
become(const struct program *p, const char *path, int input, int output)
{
	int null, file, err;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (p->env && putenv((char *)p->env))
		_exit(127);
	/* what it says is quoted */
	setenv("LC_ALL", "C", 1);
	if (p->dir && chdir(p->dir))
		_exit(127);
	null = open("/dev/null", O_RDWR);
	if (dup2(input < 0 ? null : input, STDIN_FILENO) < 0 ||
	    dup2(p->show || p->output ? output : null, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(127);
	file = p->file ? open(p->file, O_PATH | O_CLOEXEC) : -1;
	err = p->file ? confine(file, !p->file_readonly, *p->argv) : 0;
	if (err && err != -ENOSYS) { /* which is an old host */
		dprintf(STDERR_FILENO, "it cannot be confined: %s\n",
			strerror(-err));
		_exit(127);
	}
	execv(path, (char *const *)p->argv);
	_exit(127);
}

/* Without control characters: it may quote what the image has, as a label. */
static void show(char *text, size_t len)
{
	char end = text[len];
	bool control;

	text[len] = 0;
	for (size_t n; len; text += n, len -= n) {
		n = control_next(text, &control);
		if (control && *text != '\n' && *text != '\t')
			putchar('?');
		else
			fwrite(text, 1, n, stdout);
	}
	*text = end;
}

/* Keep what it says, and write to it what it reads, until it has ended. */
static void converse(struct program *p, pid_t pid, int input, int output)
{
	size_t size = 0, left = p->input ? strlen(p->input) : 0;
	char *said = tool_alloc(NULL, MAX_SAID + 1), drop[4097];

	for (;;) {
		struct pollfd fds[2] = { { .fd = output, .events = POLLIN },
					 { .fd = input, .events = POLLOUT } };
		ssize_t n;

		if (poll(fds, 2, 100) < 0 && errno != EINTR)
			break;
		progress_wait(pid);
		if (tool_signal && !p->finish)
			break;
		if (fds[1].revents) {
			n = write(input, p->input + strlen(p->input) - left,
				  left);
			left -= n > 0 ? n : 0;
			if (n < 0 || !left) {
				close(input);
				input = -1;
			}
		}
		if (!fds[0].revents)
			continue;
		if (size < MAX_SAID)
			n = read(output, said + size, MAX_SAID - size);
		else
			n = read(output, drop, sizeof(drop) - 1);
		if (n <= 0)
			break;
		if (p->show)
			progress_clear();
		if (p->show)
			show(size < MAX_SAID ? said + size : drop, n);
		if (size < MAX_SAID)
			size += n;
	}
	if (input >= 0)
		close(input);
	said[size] = 0;
	p->said = said;
}

/*
 * The first line it has said, without its name and what a terminal would take
 * for orders; what follows is often a list of its options.
 */
static const char *first_line(const char *name, char *said)
{
	size_t len = strlen(name);

	said += strspn(said, " \t\r\n");
	/* some begin with their version */
	if (!strncmp(said, name, len) && said[len] == ' ' &&
	    isdigit((unsigned char)said[len + 1]))
		said += strcspn(said, "\n");
	said += strspn(said, " \t\r\n");
	said[strcspn(said, "\n")] = 0;
	if (!strncmp(said, name, len) && !strncmp(said + len, ": ", 2))
		said += len + 2;
	return control_hide(said);
}

static int outcome(struct program *p, int status)
{
	char *copy;

	if (tool_signal)
		return -1;
	if (p->output && strlen(p->said) == MAX_SAID) {
		tool_error("%s says too much", *p->argv);
		return -1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) < p->dead)
		return WEXITSTATUS(status);
	copy = strdup(p->said);
	if (!copy)
		tool_no_memory();
	if (WIFSIGNALED(status))
		tool_error("%s was ended by signal %d (%s)", *p->argv,
			   WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (p->show || !*copy)
		tool_error("%s failed with exit status %d", *p->argv,
			   WEXITSTATUS(status));
	else
		tool_error("%s failed: %s", *p->argv,
			   first_line(*p->argv, copy));
	free(copy);
	return -1;
}

int program_run(struct program *p)
{
	char *path = find(*p->argv);
	int in[2] = { -1, -1 }, out[2], status;
	pid_t child;

	free(p->said);
	p->said = NULL;
	if (!path) {
		not_there(*p->argv, p->package);
		return -1;
	}
	p->argv[p->count] = NULL;
	fflush(NULL);
	if (pipe2(out, O_CLOEXEC) || (p->input && pipe2(in, O_CLOEXEC)) ||
	    (child = fork()) < 0) {
		tool_error("cannot start %s: %s", *p->argv, strerror(errno));
		free(path);
		return -1;
	}
	if (!child)
		become(p, path, p->input ? in[0] : p->stdin_fd, out[1]);
	free(path);
	close(out[1]);
	if (p->input)
		close(in[0]);
	signal(SIGPIPE, SIG_IGN);
	progress_watch(*p->argv);
	converse(p, child, in[1], out[0]);
	close(out[0]);
	if (tool_signal && !p->finish && p->server)
		kill(p->server, SIGKILL);
	if (tool_signal && !p->finish)
		kill(child, SIGTERM);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	progress_done();
	return outcome(p, status);
}
