// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl sh - many verbs on one mounted image
 *
 * Each command is a verb of the table, run by the process that has the image
 * (shell.h): its options are read as on the command line, without those that
 * say which image.  Redirections put the host's files in the place of the
 * standard input and output for as long.
 *
 * A script ends with its first command that fails, unless it said "set +e".
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/progress.h"
#include "../common/tool.h"
#include "hostdirs.h"
#include "path.h"
#include "prompt.h"
#include "run.h"
#include "shell.h"
#include "words.h"

/*
 * @img: the image, and
 * @a: the command line, as it was given
 * @side: for the process that has the image
 * @image: that process
 * @sockets: this process's end, and its end, of what is between them
 * @cwd: the directory that relative paths begin at
 * @source: name of the script, or NULL when it is typed
 * @script: that, if it is a file
 * @line: number of its line
 * @go_on: a command that fails does not end it
 * @quit: it is to end
 * @failed: a command has failed
 */
struct shell {
	struct image img;
	struct args a;
	struct image_side side;
	struct remote_image image;
	int sockets[2];
	char *cwd;
	const char *source;
	FILE *script;
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

static int change_dir(struct shell *sh, const char *path)
{
	struct message m = message_new(ASK_CD), full;
	int status = TOOL_FAILED;

	message_add_text(&m, path);
	if (!ask(&sh->image, &m))
		return status;
	status = answer_status(&sh->image, &full);
	if (!status && full.size) {
		free(sh->cwd);
		sh->cwd = full.text;
	} else {
		message_free(&full);
	}
	return status;
}

static void help(void)
{
	for (size_t i = 0; i < verb_count; i++) {
		if (verbs[i].run || verbs[i].flags & VERB_SHELL)
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
		return change_dir(sh, arg ?: "/");
	if (!strcmp(name, "pwd")) {
		put_name(sh->cwd);
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

static int no_verb(const char *word, bool known)
{
	const char *nearest = known ? NULL : verb_nearest(word);

	if (known)
		tool_error("'%s' is not for lkl sh", word);
	else if (nearest)
		tool_error("no such verb: '%s'; did you mean '%s'?", word,
			   nearest);
	else
		tool_error("no such verb: '%s'", word);
	return TOOL_FAILED;
}

/* Run a verb whose command line is right. */
static int run_there(struct shell *sh, const struct verb *v,
		     const struct args *a, const struct command *c)
{
	struct remote_image *r = &sh->image;
	bool silent = v->flags & VERB_CHANGES && !a->given['v'] &&
		      !(v->flags & VERB_INPUT);

	if (!strcmp(v->name, "cp"))
		return sh_copy(r, v, &sh->img, a, c->word);
	if (!strcmp(v->name, "edit"))
		return sh_edit(r, sh->img.file, a);
	/* lines that it prints would be in the way of the progress */
	return ask_run(r, v, c->word, c->pipe,
		       silent || !isatty(STDOUT_FILENO) ? v->name : NULL);
}

static int run_verb(struct shell *sh, const struct command *c)
{
	const struct verb *v = verb_find(c->word[0]);
	const char *name = tool_name;
	struct args a;
	char **argv;
	int status;

	if (!v || (!v->run && !(v->flags & VERB_SHELL)))
		return no_verb(c->word[0], v);
	if (v->flags & VERB_CHANGES && sh->img.readonly) {
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
		status = run_there(sh, v, &a, c);
	}
	args_free(&a);
	free(argv);
	return status;
}

/* Commands of the host get signals as they are where this program was started.
 */
static void let_die(bool on)
{
	signal(SIGPIPE, on ? SIG_DFL : SIG_IGN);
	signal(SIGXFSZ, on ? SIG_DFL : SIG_IGN);
}

static int run_local(const char *command)
{
	int status;

	fflush(NULL);
	let_die(true);
	status = system(command);
	let_die(false);
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
		let_die(true);
		pipe = popen(c->local, "we");
		let_die(false);
		if (!pipe) {
			tool_error("cannot run a command: %s", strerror(errno));
			put_back(STDIN_FILENO, in);
			return TOOL_FAILED;
		}
		out = put_in_place(STDOUT_FILENO, dup(fileno(pipe)));
	}
	output_begin(isatty(STDOUT_FILENO));
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
	if (!status || tool_signal)
		return;
	sh->failed = true;
	if (sh->source && !sh->go_on && !sh->image.lost) {
		tool_error("'%s' failed, what follows is left out",
			   c->count ? c->word[0] : "!");
		sh->quit = true;
	}
}

/* A path with the colon of cp before it. */
struct with_colon {
	void (*add)(void *arg, char *path);
	void *arg;
};

static void add_with_colon(void *arg, char *path)
{
	struct with_colon *w = arg;
	char *text;

	if (asprintf(&text, ":%s", path) < 0)
		tool_no_memory();
	free(path);
	w->add(w->arg, text);
}

static size_t find_on_host(const char *pattern,
			   void (*add)(void *arg, char *path), void *arg)
{
	glob_t found = { 0 };
	size_t count = 0;

	if (!glob(pattern, 0, NULL, &found)) {
		for (; count < found.gl_pathc; count++) {
			char *path = strdup(found.gl_pathv[count]);

			if (!path)
				tool_no_memory();
			add(arg, path);
		}
	}
	globfree(&found);
	return count;
}

/* Patterns are for the image, but where cp has files of the host. */
static size_t find_paths(void *shell, const char *verb, const char *pattern,
			 void (*add)(void *arg, char *path), void *arg)
{
	struct shell *sh = shell;
	struct with_colon w = { add, arg };

	if (!verb || strcmp(verb, "cp"))
		return ask_paths(&sh->image, pattern, add, arg);
	if (*pattern != ':')
		return find_on_host(pattern, add, arg);
	return ask_paths(&sh->image, pattern + 1, add_with_colon, &w);
}

static bool is_over(const struct shell *sh)
{
	return sh->quit || tool_signal || sh->image.lost;
}

static void run_line(struct shell *sh, const char *line)
{
	const struct finder finder = { find_paths, sh };
	struct command c;

	set_name(sh);
	while (*line && !is_over(sh)) {
		if (words_read(&finder, &line, &c)) {
			sh->failed = true;
			sh->quit |= sh->source && !sh->go_on;
			words_free(&c);
			return;
		}
		/* a pattern may not have been looked for to its end */
		if (!is_over(sh))
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

	while (!is_over(sh) && (f != stdin || tool_wait_input(0)) &&
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

	if (prompt_begin(&sh->image, &sh->cwd)) {
		sh->failed = true;
		return;
	}
	while (!sh->quit && !sh->image.lost && (typed = prompt_line())) {
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
		/* a person who stops a line goes on with another */
		tool_signal = 0;
		sh->image.stopped = false;
	}
	if (!typed && !is_over(sh))
		putchar('\n');
	prompt_end();
}

static void run_shell(struct shell *sh)
{
	const char *commands = sh->a.value['c'];
	FILE *f = sh->script;

	if (commands)
		f = *commands
			    ? fmemopen((char *)commands, strlen(commands), "r")
			    : NULL;
	if (f)
		run_script(sh, f);
	else if (!commands)
		run_typed(sh);
	if (f && f != stdin)
		fclose(f);
	tool_name = "lkl sh";
}

static void make_sockets(void *arg)
{
	struct shell *sh = arg;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sh->sockets)) {
		tool_error("cannot make a socket: %s", strerror(errno));
		exit(TOOL_FAILED);
	}
}

/* The process with the image. */
static int have_image(struct image *img, void *arg)
{
	struct shell *sh = arg;

	close(sh->sockets[0]);
	if (sh->script && sh->script != stdin)
		close(fileno(sh->script));
	sh->side.s.img = *img;
	sh->side.s.fs = img->fs;
	sh->side.s.cwd = sh->cwd;
	sh->side.a = &sh->a;
	sh->side.find = verb_find;
	sh->side.socket = sh->sockets[1];
	sh->side.typed = sh->image.typed;
	return image_side_run(&sh->side);
}

/* And the one with the commands. */
static void have_commands(int ended, void *arg)
{
	struct shell *sh = arg;

	close(sh->sockets[1]);
	link_outside(sh->sockets[0]);
	sh->image.socket = sh->sockets[0];
	sh->image.ended = ended;
	sh->image.lost = false;
	if (ask_ready(&sh->image))
		run_shell(sh);
	/* which lets the other come to its end */
	close(sh->sockets[0]);
}

static int read_args(struct shell *sh, const struct verb *v, int argc,
		     char **argv)
{
	struct args *a = &sh->a;
	int err = args_read(v, argc, argv, &sh->img, a);

	if (err)
		return err < 0 ? TOOL_FAILED : -1;
	if (!a->count)
		return args_bad("missing image");
	if (a->count > 2 || (a->count == 2 && a->given['c']))
		return args_bad("extra operand '%s'", a->operand[a->count - 1]);
	if (a->given['c']) {
		sh->source = "-c";
	} else if (a->count == 2) {
		sh->source = a->operand[1];
		sh->script = fopen(sh->source, "re");
		if (!sh->script) {
			tool_file_error("cannot open", NULL, sh->source,
					-errno);
			return TOOL_FAILED;
		}
	} else if (!isatty(STDIN_FILENO)) {
		sh->source = "stdin";
		sh->script = stdin;
		/* no line is to wait in a buffer, and verbs read what follows
		 */
		setvbuf(stdin, NULL, _IONBF, 0);
	}
	sh->img.file = a->operand[0];
	sh->img.readonly = a->given['r'];
	return TOOL_OK;
}

int sh_main(const struct verb *v, int argc, char **argv)
{
	struct shell sh = { 0 };
	struct confined c = {
		.img = &sh.img,
		.run = have_image,
		.arg = &sh,
		.apart = true,
		.prepare = make_sockets,
		.meanwhile = have_commands,
		.child = &sh.image.pid,
	};
	struct sandbox_dir *dirs;
	int status = read_args(&sh, v, argc, argv);

	if (status)
		return status < 0 ? TOOL_OK : status;
	sh.cwd = strdup("/");
	sh.image.typed = !sh.source;
	c.dirs = dirs = hostdirs_list(&sh.a);
	signal(SIGPIPE, SIG_IGN);
	tzset();
	progress_prepare();
	status = confined_run(&c);
	if (!status && sh.failed)
		status = TOOL_PARTIAL;
	hostdirs_list_free(dirs);
	free(sh.cwd);
	args_free(&sh.a);
	return status;
}
