// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl edit - change a file with an editor of the host's
 *
 * The editor needs all that the user may do, and the kernel that reads the
 * image none of it: a confined process gets the file out, and when the editor
 * has ended, another one puts it back.  In lkl sh the same process does
 * both, which has the image open meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/tool.h"
#include "edit.h"
#include "replace.h"
#include "run.h"
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

/* Fill the file for the editor. */
static int put_file(int fd, const char *path, const char *text, size_t len)
{
	int err = 0;

	while (!err && len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			err = -errno;
		text += n;
		len -= n;
	}
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
	if (!err && st.st_size > (off_t)FILE_MAX)
		err = -EFBIG;
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

int edit_get(const struct session *s, struct edited *e)
{
	char *text;
	size_t len;
	int err = text_read(s, e->path, FILE_MAX, &text, &len);

	if (err) {
		path_error(s, "cannot read", e->path, err);
		return -1;
	}
	err = put_file(e->fd, e->file, text, len) ? -1 : 0;
	free(text);
	return err;
}

int edit_put(const struct session *s, const struct edited *e)
{
	struct replace r;
	off_t off = 0;
	char *now;
	size_t len;
	int err = text_read(s, e->path, FILE_MAX, &now, &len);

	if (err) {
		path_error(s, "cannot read", e->path, err);
		return -1;
	}
	err = len != e->old_len || memcmp(now, e->old, len);
	free(now);
	if (err) {
		tool_file_reason("cannot replace", s->fs->label, e->path,
				 "it was changed meanwhile");
		return -1;
	}
	if (replace_begin(s, e->path, &r))
		return -1;
	return replace_end(s, &r,
			   replace_write(s, &r, e->new, e->new_len, &off));
}

/* Else it is a directory, whatever there is. */
static bool names_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return *name && strcmp(name, ".") && strcmp(name, "..");
}

static int edit(const struct edit_way *w, const char *path, const char *dir)
{
	const char *name = strrchr(path, '/');
	struct edited e = { .path = path };
	int err;

	if (!names_file(path)) {
		tool_file_error("cannot read", w->label, path, -EISDIR);
		return -1;
	}
	/* editors look at the suffix */
	if (asprintf(&e.file, "%s/%s", dir, name ? name + 1 : path) < 0)
		tool_no_memory();
	e.fd = open(e.file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (e.fd < 0) {
		tool_file_error("cannot create", NULL, e.file, -errno);
		free(e.file);
		return -1;
	}
	err = w->get(w->arg, &e);
	close(e.fd);
	err = err || get_file(e.file, &e.old, &e.old_len) ||
	      run_editor(e.file) || get_file(e.file, &e.new, &e.new_len);
	if (!err && (e.new_len != e.old_len || memcmp(e.old, e.new, e.new_len)))
		err = w->put(w->arg, &e);
	else if (!err)
		tool_error("'%s:%s' was not changed", w->label, path);
	unlink(e.file);
	free(e.file);
	free(e.old);
	free(e.new);
	return err ? -1 : 0;
}

int edit_all(const struct edit_way *w, const struct args *a)
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
		failed += edit(w, *path, dir) != 0;
	/* an editor may have left a copy of its own there */
	if (rmdir(dir))
		tool_warn("'%s' is left: %s", dir, strerror(errno));
	free(dir);
	return failed == a->count ? TOOL_FAILED : session_status();
}

static int in_image(struct image *img, void *arg, bool put)
{
	struct session s = { .fs = img->fs, .cwd = "/" };
	int err;

	s.img = *img;
	err = put ? edit_put(&s, arg) : edit_get(&s, arg);
	return err ? TOOL_FAILED : TOOL_OK;
}

static int run_get(struct image *img, void *arg)
{
	return in_image(img, arg, false);
}

static int run_put(struct image *img, void *arg)
{
	return in_image(img, arg, true);
}

/* Have a process of its own do it; the image is opened for each. */
static int apart(const struct image *how, struct edited *e, bool put)
{
	struct image img = *how;
	struct confined c = {
		.img = &img,
		.run = put ? run_put : run_get,
		.arg = e,
	};

	img.readonly = !put;
	img.disks = tool_alloc(NULL, img.count * sizeof(*img.disks));
	if (img.count)
		memcpy(img.disks, how->disks, img.count * sizeof(*img.disks));
	key_copy(&img.key, &how->key);
	return confined_run(&c) ? -1 : 0;
}

static int get_apart(void *arg, struct edited *e)
{
	return apart(arg, e, false);
}

static int put_apart(void *arg, struct edited *e)
{
	return apart(arg, e, true);
}

int edit_main(const struct verb *v, int argc, char **argv)
{
	struct image img = { 0 };
	struct args a;
	struct edit_way w = { get_apart, put_apart, &img, NULL };
	int err = args_read(v, argc, argv, &img, &a), status;

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (!a.count)
		return args_bad("missing image");
	w.label = img.file = a.operand[0];
	a.operand++;
	a.count--;
	if (!a.count)
		return args_bad("missing operand");
	/* which may be a pipe, that is read once */
	if (img.key.file && key_get(&img.key, img.file, "-K"))
		return TOOL_FAILED;
	img.key.file = NULL;
	signal(SIGPIPE, SIG_IGN);
	status = edit_all(&w, &a);
	key_forget(&img.key);
	return status;
}
