// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl edit - change a file with an editor of the host's
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/tool.h"
#include "replace.h"
#include "text.h"

/* What an editor is meant for. */
#define FILE_MAX (1UL << 30)

static const char *editor(void)
{
	const char *e = getenv("VISUAL");

	if (!e || !*e)
		e = getenv("EDITOR");
	return e && *e ? e : "vi";
}

/* The editor may be a command with options; the file comes behind them. */
static int run_editor(const char *file)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, intr, quit;
	char *command;
	int status = -1;
	pid_t pid;

	if (asprintf(&command, "%s \"$1\"", editor()) < 0)
		tool_no_memory();
	/* what is typed there is the editor's, as with system() */
	sigaction(SIGINT, &ignore, &intr);
	sigaction(SIGQUIT, &ignore, &quit);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		sigaction(SIGINT, &intr, NULL);
		sigaction(SIGQUIT, &quit, NULL);
		signal(SIGXFSZ, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, "sh", file, NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &intr, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	free(command);
	if (pid < 0)
		tool_error("cannot start an editor: %s", strerror(errno));
	else if (status)
		tool_error("the editor '%s' failed, nothing is changed",
			   editor());
	return pid < 0 || status ? -1 : 0;
}

/* The directory is the user's alone, as the file may be secret. */
static int put_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = fd < 0 ? -errno : 0;

	while (!err && len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			err = -errno;
		text += n;
		len -= n;
	}
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (err)
		tool_file_error("cannot write", NULL, path, err);
	return err;
}

/* Editors may put another file in the place of the one they were given. */
static int get_file(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int err = fd < 0 || fstat(fd, &st) ? -errno : 0;

	*len = 0;
	if (!err && !S_ISREG(st.st_mode))
		err = -EINVAL;
	if (!err)
		*text = tool_alloc(NULL, st.st_size + 1);
	while (!err && (off_t)*len < st.st_size) {
		ssize_t n = read(fd, *text + *len, st.st_size - *len);

		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		*len += n;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		tool_file_error("cannot read", NULL, path, err);
	return err;
}

static int put_back(const struct session *s, const char *path, const char *text,
		    size_t len)
{
	struct replace r;
	off_t off = 0;

	if (replace_begin(s, path, &r))
		return -1;
	return replace_end(s, &r, replace_write(s, &r, text, len, &off));
}

static int edit(const struct session *s, const char *path, const char *dir)
{
	const char *name = strrchr(path, '/');
	char *file, *old = NULL, *new = NULL;
	size_t old_len, new_len;
	int err;

	err = text_read(s, path, FILE_MAX, &old, &old_len);
	if (err) {
		path_error(s, "cannot read", path, err);
		return -1;
	}
	/* editors look at the suffix */
	if (asprintf(&file, "%s/%s", dir, name ? name + 1 : path) < 0)
		tool_no_memory();
	err = put_file(file, old, old_len) || run_editor(file) ||
	      get_file(file, &new, &new_len);
	if (!err && (new_len != old_len || memcmp(old, new, new_len)))
		err = put_back(s, path, new, new_len);
	else if (!err)
		printf("%s: not changed\n", tool_name);
	if (err)
		err = -1;
	unlink(file);
	free(file);
	free(old);
	free(new);
	return err;
}

int edit_run(struct session *s, const struct args *a)
{
	const char *tmp = getenv("TMPDIR");
	int failed = 0;
	char *dir;

	if (asprintf(&dir, "%s/lkl-edit-XXXXXX", tmp && *tmp ? tmp : "/tmp") <
	    0)
		tool_no_memory();
	if (!mkdtemp(dir)) {
		tool_file_error("cannot create directory", NULL, dir, -errno);
		free(dir);
		return TOOL_FAILED;
	}
	for (char **path = a->operand; *path && !tool_signal; path++)
		failed += edit(s, *path, dir) != 0;
	/* an editor may have left a copy of its own there */
	if (rmdir(dir))
		tool_warn("'%s' is left: %s", dir, strerror(errno));
	free(dir);
	return failed == a->count ? TOOL_FAILED : session_status();
}
