// SPDX-License-Identifier: GPL-2.0-only
/*
 * The prompt of lkl sh, by libedit.
 *
 * It is loaded when somebody types, as it brings a few libraries with it that a
 * verb on the command line would have to wait for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/control.h"
#include "../common/tool.h"
#include "path.h"
#include "prompt.h"

#define REMEMBERED 1000

#define FUNCTION(name) __typeof__(name) *name

static struct {
	FUNCTION(el_init);
	FUNCTION(el_end);
	FUNCTION(el_set);
	FUNCTION(el_gets);
	FUNCTION(el_line);
	FUNCTION(el_insertstr);
	FUNCTION(history_init);
	FUNCTION(history_end);
	FUNCTION(history);
} lib;

/* In the same order. */
static const char *const names[] = {
	"el_init",	"el_end",	"el_set",      "el_gets", "el_line",
	"el_insertstr", "history_init", "history_end", "history",
};

static struct remote_image *image;
static char *const *directory;
static EditLine *editor;
static History *past;
static char *file;

static int load(void)
{
	void *handle = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
	void **function = (void **)&lib;

	for (size_t i = 0; handle && i < sizeof(names) / sizeof(*names); i++) {
		function[i] = dlsym(handle, names[i]);
		if (!function[i])
			handle = NULL;
	}
	if (handle)
		return 0;
	tool_error("cannot load libedit: %s", dlerror());
	return -1;
}

static char *prompt(EditLine *e)
{
	static char text[64];
	const char *slash = strrchr(*directory, '/');

	(void)e;
	snprintf(text, sizeof(text), "lkl:%.40s> ",
		 slash && slash[1] ? slash + 1 : "/");
	/* the name of a directory may be anything */
	return control_hide(text);
}

/* A signal ends the wait for a key. */
static int get_key(EditLine *e, wchar_t *c)
{
	unsigned char byte;
	ssize_t n;
	static mbstate_t state;
	size_t used;

	(void)e;
	for (;;) {
		if (!tool_wait_input(STDIN_FILENO))
			return 0;
		n = read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return n;
		used = mbrtowc(c, (char *)&byte, 1, &state);
		if (used == (size_t)-1) {
			memset(&state, 0, sizeof(state));
			*c = byte;
			return 1;
		}
		if (used != (size_t)-2)
			return 1;
	}
}

/*
 * What may stand in place of a word: a list of candidates, and how much they
 * have in common.
 */
struct candidates {
	char **list;
	size_t count;
};

static void add(struct candidates *c, const char *text, const char *suffix)
{
	char *copy;

	if (asprintf(&copy, "%s%s", text, suffix) < 0)
		tool_no_memory();
	c->list = tool_alloc(c->list, (c->count + 1) * sizeof(char *));
	c->list[c->count++] = copy;
}

static void add_verbs(struct candidates *c, const char *word)
{
	static const char *const others[] = { "cd", "exit", "help", "pwd" };

	for (size_t i = 0; i < verb_count; i++) {
		if ((verbs[i].run || verbs[i].flags & VERB_SHELL) &&
		    !strncmp(verbs[i].name, word, strlen(word)))
			add(c, verbs[i].name, " ");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (!strncmp(others[i], word, strlen(word)))
			add(c, others[i], " ");
	}
}

/* With a backslash before what has a meaning on the line. */
static char *escape(const char *name)
{
	char *text = tool_alloc(NULL, 2 * strlen(name) + 1), *to = text;

	for (; *name; name++) {
		if (strchr(" \t;|<>'\"\\*?[]#!", *name))
			*to++ = '\\';
		*to++ = *name;
	}
	*to = 0;
	return text;
}

static bool printable(const char *name)
{
	bool control = false;

	while (*name && !control)
		name += control_next(name, &control);
	return !control;
}

static void add_files(struct candidates *c, const char *word)
{
	const char *slash = strrchr(word, '/'), *name = NULL;
	const char *start = slash ? slash + 1 : word;
	char *dir = strndup(word, start - word), *text;
	struct message found;
	size_t len;

	if (!dir)
		tool_no_memory();
	ask_names(image, *dir ? dir : ".", &found);
	while ((name = message_next(&found, name))) {
		if (strncmp(name, start, strlen(start)) ||
		    (*name == '.' && *start != '.') || !printable(name))
			continue;
		text = escape(name);
		len = strlen(text);
		add(c, text, len && text[len - 1] == '/' ? "" : " ");
		free(text);
	}
	message_free(&found);
	free(dir);
}

/* The word before the cursor, without its backslashes; where it begins. */
static const char *word_at(const LineInfo *li, char **word)
{
	const char *p = li->cursor;
	char *to;

	while (p > li->buffer && (!strchr(" \t;", p[-1]) ||
				  (p - 1 > li->buffer && p[-2] == '\\')))
		p--;
	*word = to = tool_alloc(NULL, li->cursor - p + 1);
	for (const char *from = p; from < li->cursor; from++) {
		if (*from == '\\' && from + 1 < li->cursor)
			from++;
		*to++ = *from;
	}
	*to = 0;
	return p;
}

static bool is_first(const LineInfo *li, const char *word)
{
	while (word > li->buffer && strchr(" \t", word[-1]))
		word--;
	return word == li->buffer || word[-1] == ';';
}

static unsigned char complete(EditLine *e, int key)
{
	const LineInfo *li = lib.el_line(e);
	struct candidates c = { 0 };
	const char *begin, *slash;
	size_t common, have;
	unsigned char ret = CC_ERROR;
	char *word, *part;

	(void)key;
	begin = word_at(li, &word);
	if (is_first(li, begin))
		add_verbs(&c, word);
	else
		add_files(&c, word);
	slash = strrchr(word, '/');
	part = is_first(li, begin) ? strdup(word)
				   : escape(slash ? slash + 1 : word);
	have = strlen(part);
	common = c.count ? strlen(c.list[0]) : 0;
	for (size_t i = 1; i < c.count; i++) {
		size_t n = 0;

		while (n < common && c.list[i][n] == c.list[0][n])
			n++;
		common = n;
	}
	if (common > have) {
		c.list[0][common] = 0;
		if (!lib.el_insertstr(e, c.list[0] + have))
			ret = CC_REFRESH;
	} else if (c.count > 1) {
		putchar('\n');
		for (size_t i = 0; i < c.count; i++)
			printf("%s%s", c.list[i], i + 1 < c.count ? " " : "\n");
		fflush(stdout);
		ret = CC_REDISPLAY;
	}
	for (size_t i = 0; i < c.count; i++)
		free(c.list[i]);
	free(c.list);
	free(part);
	free(word);
	return ret;
}

int prompt_begin(struct remote_image *r, char *const *cwd)
{
	const char *home = getenv("HOME");
	HistEvent ev;

	if (load())
		return -1;
	image = r;
	directory = cwd;
	editor = lib.el_init("lkl", stdin, stdout, stderr);
	past = lib.history_init();
	if (!editor || !past)
		tool_no_memory();
	lib.el_set(editor, EL_PROMPT, prompt);
	lib.el_set(editor, EL_EDITOR, "emacs");
	lib.el_set(editor, EL_SIGNAL, 1);
	lib.el_set(editor, EL_GETCFN, get_key);
	lib.el_set(editor, EL_ADDFN, "complete", "Complete", complete);
	lib.el_set(editor, EL_BIND, "^I", "complete", NULL);
	lib.el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
	lib.el_set(editor, EL_HIST, lib.history, past);
	lib.history(past, &ev, H_SETSIZE, REMEMBERED);
	lib.history(past, &ev, H_SETUNIQUE, 1);
	if (home && *home == '/' &&
	    asprintf(&file, "%s/.lkl_history", home) > 0)
		lib.history(past, &ev, H_LOAD, file);
	return 0;
}

const char *prompt_line(void)
{
	const char *line;
	HistEvent ev;
	int len;

	/* who stops a line begins another */
	while (!(line = lib.el_gets(editor, &len)) && tool_signal == SIGINT) {
		tool_signal = 0;
		image->stopped = false;
		putchar('\n');
	}
	if (line && len > 1)
		lib.history(past, &ev, H_ENTER, line);
	return line;
}

void prompt_end(void)
{
	HistEvent ev;
	mode_t old = umask(077);

	/* it may tell what nobody else should know */
	if (file)
		lib.history(past, &ev, H_SAVE, file);
	umask(old);
	free(file);
	file = NULL;
	lib.history_end(past);
	lib.el_end(editor);
}
