// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines of verbs, read and explained by the table of verbs.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "verb.h"

/* Long options of one verb: its own, the image's, and two that all have. */
#define MAX_OPTIONS 64
/* The image's options are told apart from a verb's by this. */
#define IMAGE_BIT 0x1000
/* Where the text begins in a line of --help. */
#define HELP_COLUMN 26

static const struct option image_options[] = { IMAGE_LONG_OPTIONS,
					       SANDBOX_LONG_OPTION };

#define IMAGE_COUNT (sizeof(image_options) / sizeof(*image_options))

/* What getopt_long() takes. */
struct grammar {
	char letters[MAX_OPTIONS * 2 + 4];
	struct option longs[MAX_OPTIONS];
	size_t letter_count, long_count;
};

/* Its letter, or 0: some have a number that is no letter of theirs. */
static int image_letter(const struct option *o)
{
	if (o->val == 'I')
		return 'i'; /* which is something else to cptofs */
	return strchr(IMAGE_OPTIONS, o->val) ? o->val : 0;
}

static void add_letter(struct grammar *g, int letter, bool arg)
{
	g->letters[g->letter_count++] = letter;
	if (arg)
		g->letters[g->letter_count++] = ':';
	g->letters[g->letter_count] = 0;
}

static void add_long(struct grammar *g, const char *name, bool arg, int val)
{
	g->longs[g->long_count++] =
		(struct option){ name, arg ? required_argument : no_argument,
				 NULL, val };
}

static bool has_letter(const struct grammar *g, int letter)
{
	return letter > ' ' && letter < OPT_MAX && strchr(g->letters, letter);
}

static bool takes(const struct verb *v, const struct option *o)
{
	return !v->no_image_options || !strchr(v->no_image_options, o->val);
}

/*
 * Where a verb has GNU's meaning of a letter that the image's options use as
 * well, only the long name is left of the latter.
 */
static void make_grammar(const struct verb *v, bool image, struct grammar *g)
{
	*g = (struct grammar){ 0 };
	add_letter(g, v->flags & VERB_RAW ? '+' : '-', false);
	for (const struct verb_option *o = v->options; o && o->id; o++) {
		if (o->id > ' ')
			add_letter(g, o->id, o->arg);
		if (o->name)
			add_long(g, o->name, o->arg, o->id);
	}
	for (size_t i = 0; image && i < IMAGE_COUNT; i++) {
		const struct option *o = &image_options[i];
		int letter = image_letter(o);

		if (!takes(v, o))
			continue;
		if (letter && !has_letter(g, letter))
			add_letter(g, letter, o->has_arg);
		add_long(g, o->name, o->has_arg, o->val | IMAGE_BIT);
	}
	add_long(g, "help", false, OPT_HELP);
	add_long(g, "version", false, OPT_VERSION);
}

static bool is_own(const struct verb *v, int id)
{
	for (const struct verb_option *o = v->options; o && o->id; o++) {
		if (o->id == id)
			return true;
	}
	return false;
}

int args_bad(const char *fmt, ...)
{
	va_list args;
	char text[512];

	if (fmt) {
		va_start(args, fmt);
		vsnprintf(text, sizeof(text), fmt, args);
		va_end(args);
		tool_error("%s", text);
	}
	fprintf(stderr, "Try '%s --help' for more information.\n", tool_name);
	return TOOL_FAILED;
}

static void add_operand(struct args *a, char *text)
{
	a->operand = tool_alloc(a->operand, (a->count + 2) * sizeof(char *));
	a->operand[a->count++] = text;
	a->operand[a->count] = NULL;
}

/* A mode as chmod takes it, that looks like options: "-x", "-rw,+X". */
static bool is_mode(const char *text)
{
	return *text == '-' && text[1] && text[1] != '-' &&
	       !text[1 + strspn(text + 1, "rwxXstugo,+-=")];
}

/* Let getopt_long() take such a mode for an operand: "a-x" is the same. */
static void protect_mode(int argc, char **argv, struct args *a)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (is_mode(argv[i])) {
			a->mode = tool_alloc(NULL, strlen(argv[i]) + 2);
			sprintf(a->mode, "a%s", argv[i]);
			argv[i] = a->mode;
			return;
		}
	}
}

int args_read(const struct verb *v, int argc, char **argv, struct image *img,
	      struct args *a)
{
	struct grammar g;
	int opt, seen = 0;

	*a = (struct args){ 0 };
	add_operand(a, NULL);
	a->count = 0;
	make_grammar(v, img, &g);
	if (v->flags & VERB_MODE)
		protect_mode(argc, argv, a);
	optind = 0; /* have it begin anew */
	while ((opt = getopt_long(argc, argv, g.letters, g.longs, NULL)) !=
	       -1) {
		if (opt == '?')
			return args_bad(NULL), -1;
		if (opt == 1) {
			add_operand(a, optarg);
			continue;
		}
		if (opt == OPT_HELP) {
			verb_help(v, !img);
			return 1;
		}
		if (opt == OPT_VERSION) {
			printf("%s (lkl) %s\n", tool_name, LKL_VERSION);
			return 1;
		}
		if (opt & IMAGE_BIT || !is_own(v, opt)) {
			image_option(img, opt == 'i' ? 'I' : opt & ~IMAGE_BIT);
			continue;
		}
		a->given[opt] = true;
		a->value[opt] = optarg;
		a->order[opt] = ++seen;
		if (!optarg)
			continue;
		a->list = tool_alloc(a->list,
				     (a->list_count + 1) * sizeof(*a->list));
		a->list[a->list_count].id = opt;
		a->list[a->list_count++].value = optarg;
	}
	while (optind < argc)
		add_operand(a, argv[optind++]);
	return 0;
}

void args_free(struct args *a)
{
	free(a->list);
	free(a->operand);
	free(a->mode);
}

static void put_option(int id, const char *name, const char *arg,
		       const char *help)
{
	char text[128];
	int n = 0;

	n += id > ' ' && id < OPT_MAX ? snprintf(text, sizeof(text), "  -%c%s",
						 id, name ? ", " : "")
				      : snprintf(text, sizeof(text), "      ");
	if (name)
		n += snprintf(text + n, sizeof(text) - n, "--%s", name);
	if (arg)
		n += snprintf(text + n, sizeof(text) - n, "%s%s",
			      name ? "=" : " ", arg);
	if (n < HELP_COLUMN - 1)
		printf("%-*s%s\n", HELP_COLUMN, text, help);
	else
		printf("%s\n%*s%s\n", text, HELP_COLUMN, "", help);
}

/* Is a line of IMAGE_HELP about this option? */
static bool is_about(const char *line, const struct option *o)
{
	const char *name = strstr(line, "--");
	size_t len = strlen(o->name);

	return name && !strncmp(name + 2, o->name, len) &&
	       strchr("= ", name[2 + len]);
}

/*
 * The image's options, but for those that the verb does not take, and letters
 * that mean something else here.
 */
static void put_image_options(const struct verb *v)
{
	char line[] = IMAGE_HELP SANDBOX_HELP;
	bool show = true;

	for (char *l = strtok(line, "\n"); l; l = strtok(NULL, "\n")) {
		for (size_t i = 0; i < IMAGE_COUNT; i++) {
			if (is_about(l, &image_options[i]))
				show = takes(v, &image_options[i]);
		}
		/* as the line before, if it goes on with that */
		if (!show)
			continue;
		if (l[2] == '-' && is_own(v, l[3]))
			memset(l + 2, ' ', 4);
		if (strstr(l, "--inspect") && !is_own(v, 'i'))
			memcpy(l + 2, "-i, ", 4);
		puts(l);
	}
}

/* "lkl NAME LINE" for each line. */
static void put_examples(const struct verb *v, bool shell)
{
	const char *line = v->examples;

	puts("\nExamples:");
	while (*line) {
		int len = strcspn(line, "\n");

		printf("  %s%s %.*s\n", shell ? "" : "lkl ", v->name, len,
		       line);
		line += len + 1;
	}
}

void verb_help(const struct verb *v, bool shell)
{
	const char *lkl = shell ? "" : "lkl ";
	bool own = (v->main && !(v->flags & VERB_IMAGE)) || v->program;
	const char *image = own || shell ? "" : "IMAGE ";
	const char *args = v->args;

	printf("Usage: %s%s [OPTION]... ", lkl, v->name);
	for (const char *bar; (bar = strchr(args, '|')); args = bar + 1)
		printf("%s%.*s\n  or:  %s%s [OPTION]... ", image,
		       (int)(bar - args), args, lkl, v->name);
	printf("%s%s\n%c%s.\n", image, args, toupper(*v->what), v->what + 1);
	if (v->more)
		printf("%s", v->more);
	puts("");
	for (const struct verb_option *o = v->options; o && o->id; o++)
		put_option(o->id, o->name, o->arg, o->help);
	if (!shell)
		put_image_options(v);
	put_option(0, "help", NULL, "show this help");
	put_option(0, "version", NULL, "show the version");
	if (v->examples && !shell)
		put_examples(v, shell);
	if (v->status) {
		printf("\nExit status: %s.\n", v->status);
		return;
	}
	printf("\nExit status: %d all was done, %d something was not, %d "
	       "nothing was.\n",
	       TOOL_OK, TOOL_PARTIAL, TOOL_FAILED);
}
