// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl sh: the process with the image, which runs the verbs.
 *
 * It is confined: what it works with comes to it, as descriptors and as streams
 * of files.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/copy.h"
#include "../common/progress.h"
#include "../common/tool.h"
#include "edit.h"
#include "hostdirs.h"
#include "ids.h"
#include "path.h"
#include "shell.h"
#include "words.h"

static bool tell(const struct image_side *i, uint32_t what, const char *text,
		 size_t size)
{
	struct message m = message_new(what);
	bool sent;

	if (size)
		message_add(&m, text, size);
	sent = link_send(i->socket, &m);
	message_free(&m);
	return sent;
}

/* A path without ".", ".." and doubled slashes, in its memory. */
static void tidy(char *path)
{
	char *to = path, *from = path;

	while (*from) {
		size_t len;

		from += strspn(from, "/");
		len = strcspn(from, "/");
		if (len == 2 && !strncmp(from, "..", 2)) {
			while (to > path && *--to != '/')
				;
		} else if (len && !(len == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, len);
			to += len;
		}
		from += len;
	}
	if (to == path)
		*to++ = '/';
	*to = 0;
}

static int change_dir(struct image_side *i, const char *path)
{
	struct session *s = &i->s;
	struct stat st;
	char *full;
	int err = path_stat(s, path, true, &st);

	if (!err && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	if (err) {
		path_error(s, "cannot change to", path, err);
		return TOOL_PARTIAL;
	}
	full = path_full(s, path);
	tidy(full);
	free(s->cwd);
	s->cwd = full;
	tell(i, TELL_TEXT, full, strlen(full) + 1);
	return TOOL_OK;
}

static void add_path(void *arg, char *path)
{
	message_add_text(arg, path);
	free(path);
}

static int find_paths(const struct image_side *i, const char *pattern)
{
	struct message m = message_new(TELL_TEXT);

	glob_image(&i->s, pattern, add_path, &m);
	link_send(i->socket, &m);
	message_free(&m);
	return TOOL_OK;
}

static int list_names(const struct image_side *i, const char *dir)
{
	const struct fs *fs = i->s.fs;
	struct message m = message_new(TELL_TEXT);
	struct walk_names found;
	struct stat st;
	int fd = path_open(&i->s, dir, LKL_O_RDONLY | LKL_O_DIRECTORY);

	if (fd < 0)
		return TOOL_PARTIAL;
	walk_names(fs, fd, &found);
	for (size_t n = 0; n < found.count; n++) {
		const char *name = found.list[n] + 1;

		message_add(&m, name, strlen(name));
		message_add_text(&m,
				 !fs->stat(fd, name, &st) && S_ISDIR(st.st_mode)
					 ? "/"
					 : "");
	}
	walk_names_free(&found);
	fs->close(fd);
	link_send(i->socket, &m);
	message_free(&m);
	return TOOL_OK;
}

/* Run a verb as its message says, whose words are right. */
static int run_verb(struct image_side *i, const struct message *m)
{
	static char name[512];
	const char *word = message_next(m, NULL);
	const struct verb *v;
	struct args a = { 0 };
	char **argv;
	int argc = 0, status = TOOL_FAILED;

	snprintf(name, sizeof(name), "%s", word ?: "lkl sh");
	tool_name = name;
	argv = tool_alloc(NULL, (m->size + 1) * sizeof(char *));
	while (word && (word = message_next(m, word)))
		argv[argc++] = (char *)word;
	argv[argc] = NULL;
	v = argc ? i->find(*argv) : NULL;
	if (v && v->run) {
		*argv = name;
		syscall(SYS_dup3, m->fds[0], STDOUT_FILENO, 0);
		if (m->fds[1] >= 0)
			syscall(SYS_dup3, m->fds[1], STDIN_FILENO, 0);
		output_begin(m->number & RUN_TERMINAL);
		output_quiet(m->number & RUN_PIPE);
		if (!args_read(v, argc, argv, NULL, &a))
			status = v->run(&i->s, &a);
		if (!output_end() && !status)
			status = TOOL_PARTIAL;
		args_free(&a);
		/* who reads a pipe waits for its end */
		syscall(SYS_dup3, STDERR_FILENO, STDOUT_FILENO, 0);
		if (v->flags & VERB_CHANGES)
			ids_forget();
	}
	free(argv);
	return status;
}

static int get_file(const struct image_side *i, const struct message *m)
{
	struct edited e = { .path = message_next(m, NULL), .fd = m->fds[0] };

	e.file = (char *)message_next(m, e.path);
	return e.file && !edit_get(&i->s, &e) ? TOOL_OK : TOOL_FAILED;
}

static int put_file(const struct image_side *i, const struct message *m)
{
	struct edited e = { .path = message_next(m, NULL) };
	size_t begin = e.path ? strlen(e.path) + 1 : 0;

	if (!e.path || m->number > m->size - begin)
		return TOOL_FAILED;
	e.old = m->text + begin;
	e.old_len = m->number;
	e.new = e.old + e.old_len;
	e.new_len = m->size - begin - e.old_len;
	return edit_put(&i->s, &e) ? TOOL_FAILED : TOOL_OK;
}

static int copy_in_here(const struct image_side *i, const struct message *m)
{
	struct sink sink = { .fs = i->s.fs };
	struct stream *stream = stream_of_file(m->fds[0]);
	unsigned int count = m->number & ~NO_DIR;
	char *target, *rename = NULL;

	if (!stream || !m->size)
		tool_no_memory();
	target = path_full(&i->s, m->text);
	sink.several = count > 1;
	if (!copy_in_target(&sink, count, m->number & NO_DIR, target,
			    &rename)) {
		progress_start(NULL);
		if (tell(i, TELL_TEXT, rename ?: "",
			 rename ? strlen(rename) + 1 : 1))
			sink_run(&sink, NULL, NULL, stream);
		sink_close(&sink, false);
		free(rename);
	}
	free(target);
	stream_free(stream);
	return tool_status();
}

static int copy_out_here(const struct image_side *i, const struct message *m)
{
	struct walk walk = {
		.fs = i->s.fs,
		.stream = stream_of_file(m->fds[0]),
		.rename = message_next(m, NULL),
	};
	const char *path = walk.rename;
	char **paths = tool_alloc(NULL, (m->size + 1) * sizeof(char *));

	if (!walk.stream)
		tool_no_memory();
	while (path && (path = message_next(m, path)))
		paths[walk.count++] = path_full(&i->s, path);
	walk.paths = paths;
	if (walk.rename && !*walk.rename)
		walk.rename = NULL;
	progress_count(&walk);
	walk_run(&walk);
	progress_end_count();
	stream_free(walk.stream);
	for (int n = 0; n < walk.count; n++)
		free(paths[n]);
	free(paths);
	return tool_status();
}

static int serve(struct image_side *i, const struct message *m)
{
	switch (m->what) {
	case ASK_RUN:
		return run_verb(i, m);
	case ASK_CD:
		return change_dir(i, m->text);
	case ASK_GLOB:
		return find_paths(i, m->text);
	case ASK_LIST:
		return list_names(i, m->text);
	case ASK_GET:
		return get_file(i, m);
	case ASK_PUT:
		return put_file(i, m);
	case ASK_COPY_IN:
		return copy_in_here(i, m);
	case ASK_COPY_OUT:
		return copy_out_here(i, m);
	default:
		return TOOL_FAILED;
	}
}

/* Wait for what is asked next; false at the end. */
static bool next(const struct image_side *i, struct message *m)
{
	/* what a person stops is a verb */
	do {
		if (i->typed && tool_signal == SIGINT)
			tool_signal = 0;
		tool_wait_input(i->socket);
	} while (i->typed && tool_signal == SIGINT);
	return !tool_signal && link_receive(i->socket, SIZE_MAX - 1, m);
}

int image_side_run(struct image_side *i)
{
	struct message m, end = message_new(TELL_STATUS);
	int status = TOOL_OK;
	bool going;

	if (hostdirs_mount(&i->s, i->a))
		return TOOL_FAILED;
	going = tell(i, TELL_READY, NULL, 0);
	while (going && next(i, &m)) {
		tool_forget_errors();
		end.status = serve(i, &m);
		for (int n = 0; n < LINK_FDS; n++) {
			if (m.fds[n] >= 0)
				close(m.fds[n]);
		}
		message_free(&m);
		going = link_send(i->socket, &end);
	}
	tool_name = "lkl sh";
	if (hostdirs_unmount(&i->s, i->a, i->a->list_count))
		status = TOOL_PARTIAL;
	return status;
}
