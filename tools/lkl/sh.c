// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl sh - many verbs on one mounted image
 *
 * Each command is a verb of the table, run on the session: its options are read
 * as on the command line, without those that say which image.  Redirections put
 * the host's files in the place of the standard input and output for as long.
 *
 * A script ends with its first command that fails, unless it said "set +e".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../common/tool.h"
#include "hostdirs.h"
#include "ids.h"
#include "path.h"
#include "prompt.h"
#include "run.h"
#include "words.h"

/*
 * @source: name of the script, or NULL when it is typed
 * @line: number of its line
 * @go_on: a command that fails does not end it
 * @quit: it is to end
 * @failed: a command has failed
 */
struct shell {
	struct session s;
	const char *source;
	unsigned int line;
	bool go_on;
	bool quit;
	bool failed;
};

/* Messages begin with where the script is. */
static void set_name(const struct shell *sh)
{
	static char name[256];

	if (sh->source)
		snprintf(name, sizeof(name), "lkl sh: %.200s:%u", sh->source,
			 sh->line);
	tool_name = sh->source ? name : "lkl sh";
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

static int change_dir(struct session *s, const char *path)
{
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
	return TOOL_OK;
}

static void help(void)
{
	for (size_t i = 0; i < verb_count; i++) {
		if (verbs[i].run)
			printf("  %-9s %s\n", verbs[i].name, verbs[i].what);
	}
	printf("  %-9s %s\n", "cd", "change the directory");
	printf("  %-9s %s\n", "pwd", "show it");
	printf("  %-9s %s\n", "set",
	       "-e: end with the first command that "
	       "fails; +e: go on");
	printf("  %-9s %s\n", "exit", "end");
	printf("  %-9s %s\n", "!COMMAND", "run a command of the host");
	puts("\n'VERB --help' tells more.  FILEs of the host: < FILE, > FILE, "
	     ">> FILE, | COMMAND.");
}

/* The commands that are no verbs; -1 when it is none of them. */
static int builtin(struct shell *sh, const struct command *c)
{
	const char *name = c->word[0];
	const char *arg = c->count > 1 ? c->word[1] : NULL;

	if (!strcmp(name, "cd"))
		return change_dir(&sh->s, arg ?: "/");
	if (!strcmp(name, "pwd")) {
		put_name(sh->s.cwd);
		putchar('\n');
		return TOOL_OK;
	}
	if (!strcmp(name, "help")) {
		help();
		return TOOL_OK;
	}
	if (!strcmp(name, "exit") || !strcmp(name, "quit")) {
		sh->quit = true;
		return TOOL_OK;
	}
	if (!strcmp(name, "set")) {
		if (!arg || (strcmp(arg, "-e") && strcmp(arg, "+e"))) {
			tool_error("set takes -e or +e");
			return TOOL_FAILED;
		}
		sh->go_on = *arg == '+';
		return TOOL_OK;
	}
	return -1;
}

static int run_verb(struct shell *sh, const struct command *c)
{
	const struct verb *v = verb_find(c->word[0]);
	const char *name = tool_name;
	struct args a;
	char **argv;
	int status;

	if (!v || !v->run) {
		const char *nearest = v ? NULL : verb_nearest(c->word[0]);

		if (v)
			tool_error("'%s' is not for lkl sh", c->word[0]);
		else if (nearest)
			tool_error("no such verb: '%s'; did you mean '%s'?",
				   c->word[0], nearest);
		else
			tool_error("no such verb: '%s'", c->word[0]);
		return TOOL_FAILED;
	}
	if (v->flags & VERB_CHANGES && sh->s.img.readonly) {
		tool_error("'%s' changes the image, which is read-only here",
			   v->name);
		return TOOL_FAILED;
	}
	/* getopt_long() begins its messages so, and changes the order */
	argv = tool_alloc(NULL, (c->count + 1) * sizeof(char *));
	memcpy(argv, c->word, (c->count + 1) * sizeof(char *));
	argv[0] = (char *)name;
	status = args_read(v, c->count, argv, NULL, &a);
	if (status) {
		status = status < 0 ? TOOL_FAILED : TOOL_OK;
	} else if (a.count < v->min) {
		tool_error("%s: missing operand", v->name);
		status = TOOL_FAILED;
	} else if (v->max >= 0 && a.count > v->max) {
		tool_error("%s: extra operand '%s'", v->name,
			   a.operand[v->max]);
		status = TOOL_FAILED;
	} else {
		status = v->run(&sh->s, &a);
	}
	args_free(&a);
	free(argv);
	if (v->flags & VERB_CHANGES)
		ids_forget();
	return status;
}

static int run_local(const char *command)
{
	int status;

	fflush(NULL);
	status = system(command);
	if (status == -1)
		tool_error("cannot run a command: %s", strerror(errno));
	else if (WIFSIGNALED(status))
		tool_error("'%s' was ended by signal %d", command,
			   WTERMSIG(status));
	return status ? TOOL_PARTIAL : TOOL_OK;
}

/* Put a descriptor in the place of @fd; what was there, or -1. */
static int put_in_place(int fd, int new)
{
	int old = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	dup2(new, fd);
	close(new);
	return old;
}

static void put_back(int fd, int old)
{
	if (old >= 0) {
		dup2(old, fd);
		close(old);
	}
}

static int open_host(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		tool_file_error("cannot open", NULL, file, -errno);
	return fd;
}

/* Run a command with its standard input and output where they belong. */
static int run_redirected(struct shell *sh, const struct command *c)
{
	int in = -1, out = -1, status, fd;
	FILE *pipe = NULL;

	if (c->input) {
		fd = open_host(c->input, O_RDONLY);
		if (fd < 0)
			return TOOL_FAILED;
		in = put_in_place(STDIN_FILENO, fd);
	}
	if (c->output) {
		fd = open_host(c->output,
			       O_WRONLY | O_CREAT |
				       (c->append ? O_APPEND : O_TRUNC));
		if (fd < 0) {
			put_back(STDIN_FILENO, in);
			return TOOL_FAILED;
		}
		out = put_in_place(STDOUT_FILENO, fd);
	} else if (c->pipe) {
		pipe = popen(c->local, "we");
		if (!pipe) {
			tool_error("cannot run a command: %s", strerror(errno));
			put_back(STDIN_FILENO, in);
			return TOOL_FAILED;
		}
		out = put_in_place(STDOUT_FILENO, dup(fileno(pipe)));
	}
	output_begin();
	output_quiet(c->pipe);
	status = builtin(sh, c);
	if (status < 0)
		status = run_verb(sh, c);
	if (!output_end() && !status)
		status = TOOL_PARTIAL;
	output_quiet(false);
	put_back(STDIN_FILENO, in);
	put_back(STDOUT_FILENO, out);
	if (pipe && pclose(pipe) && !status)
		status = TOOL_PARTIAL;
	return status;
}

static void run_command(struct shell *sh, const struct command *c)
{
	int status = TOOL_OK;

	tool_forget_errors();
	if (c->local && !c->pipe)
		status = run_local(c->local);
	else if (c->count)
		status = run_redirected(sh, c);
	/* a person who stops a command goes on with another */
	if (!sh->source && tool_signal == SIGINT)
		tool_signal = 0;
	if (!status || tool_signal)
		return;
	sh->failed = true;
	if (sh->source && !sh->go_on) {
		tool_error("'%s' failed, what follows is left out",
			   c->count ? c->word[0] : "!");
		sh->quit = true;
	}
}

static void run_line(struct shell *sh, const char *line)
{
	struct command c;

	set_name(sh);
	while (*line && !sh->quit && !tool_signal) {
		if (words_read(&sh->s, &line, &c)) {
			sh->failed = true;
			sh->quit |= sh->source && !sh->go_on;
			words_free(&c);
			return;
		}
		run_command(sh, &c);
		words_free(&c);
	}
}

/* A line from a script, which ends at the newline. */
static void run_script(struct shell *sh, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (!sh->quit && !tool_signal &&
	       (f != stdin || tool_wait_input(0)) &&
	       (len = getline(&line, &size, f)) > 0) {
		sh->line++;
		if (strlen(line) != (size_t)len) {
			set_name(sh);
			tool_error("there is a 0 byte in the line");
			sh->failed = true;
			break;
		}
		line[strcspn(line, "\n")] = 0;
		run_line(sh, line);
	}
	free(line);
}

static void run_typed(struct shell *sh)
{
	const char *typed = NULL;
	char *line;

	sh->s.interactive = true;
	if (prompt_begin(&sh->s)) {
		sh->failed = true;
		return;
	}
	while (!sh->quit && (typed = prompt_line())) {
		line = strdup(typed);
		if (!line)
			tool_no_memory();
		line[strcspn(line, "\n")] = 0;
		run_line(sh, line);
		free(line);
		/* how it went has been said, and is no failure of the whole */
		sh->failed = false;
		if (tool_signal && tool_signal != SIGINT)
			break;
	}
	if (!typed && !tool_signal)
		putchar('\n');
	prompt_end();
}

static int run_shell(struct shell *sh, const char *commands, FILE *script)
{
	FILE *f = script;

	if (commands) {
		sh->source = "-c";
		f = *commands
			    ? fmemopen((char *)commands, strlen(commands), "r")
			    : NULL;
	}
	if (f)
		run_script(sh, f);
	else if (!commands)
		run_typed(sh);
	if (f && f != stdin)
		fclose(f);
	tool_name = "lkl sh";
	return sh->failed ? TOOL_PARTIAL : TOOL_OK;
}

int sh_main(const struct verb *v, int argc, char **argv)
{
	struct shell sh = { 0 };
	int status = TOOL_FAILED;
	FILE *script = NULL;
	struct args a;
	int err = args_read(v, argc, argv, &sh.s.img, &a);

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (!a.count)
		return args_bad("missing image");
	if (a.count > 2 || (a.count == 2 && a.given['c']))
		return args_bad("extra operand '%s'", a.operand[a.count - 1]);
	if (a.count == 2) {
		sh.source = a.operand[1];
		script = fopen(sh.source, "re");
		if (!script) {
			tool_file_error("cannot open", NULL, sh.source, -errno);
			return TOOL_FAILED;
		}
	} else if (!a.given['c'] && !isatty(STDIN_FILENO)) {
		sh.source = "stdin";
		script = stdin;
	}
	sh.s.img.file = a.operand[0];
	sh.s.img.readonly = a.given['r'];
	sh.s.cwd = strdup("/");
	signal(SIGPIPE, SIG_IGN);
	tzset();
	if (!image_mount(&sh.s.img) && !hostdirs_mount(&sh.s, &a)) {
		sh.s.fs = sh.s.img.fs;
		status = run_shell(&sh, a.value['c'], script);
		if (hostdirs_unmount(&sh.s, &a, a.list_count))
			status = TOOL_PARTIAL;
	}
	if (image_unmount(&sh.s.img))
		status = TOOL_PARTIAL;
	free(sh.s.cwd);
	args_free(&a);
	return status;
}
