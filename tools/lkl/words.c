// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of lkl sh, taken apart.
 */
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "words.h"

/*
 * A word that is being read: as it is, and as a pattern, in which what was
 * quoted has a backslash.
 */
struct word {
	char *text, *pattern;
	size_t len, pattern_len;
	bool begun;
	bool magic;
};

static void put(struct word *w, char c, bool quoted)
{
	bool magic = strchr("*?[", c);

	w->text[w->len++] = c;
	if (quoted && (magic || c == '\\' || c == ']'))
		w->pattern[w->pattern_len++] = '\\';
	w->pattern[w->pattern_len++] = c;
	w->magic |= magic && !quoted;
	w->begun = true;
}

/* Read a word; where the line goes on, or NULL when a quote does not end. */
static const char *read_word(const char *p, struct word *w)
{
	char quote = 0;

	*w = (struct word){ .text = tool_alloc(NULL, strlen(p) + 1),
			    .pattern = tool_alloc(NULL, 2 * strlen(p) + 1) };
	for (; *p; p++) {
		if (quote == '\'' ? *p == '\'' : quote && *p == '"') {
			quote = 0;
		} else if (quote == '\'') {
			put(w, *p, true);
		} else if (*p == '\\' && p[1] &&
			   (!quote || strchr("\"\\$`", p[1]))) {
			put(w, *++p, true);
		} else if (quote) {
			put(w, *p, true);
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
			w->begun = true;
		} else if (strchr(" \t;|<>", *p)) {
			break;
		} else {
			put(w, *p, false);
		}
	}
	w->text[w->len] = 0;
	w->pattern[w->pattern_len] = 0;
	return quote ? NULL : p;
}

static void add_word(void *arg, char *text)
{
	struct command *c = arg;

	c->word = tool_alloc(c->word, (c->count + 2) * sizeof(char *));
	c->word[c->count++] = text;
	c->word[c->count] = NULL;
}

/* A pattern that matches nothing stays as it is, as in the shell. */
static void take_word(const struct finder *f, struct command *c, struct word *w)
{
	if (!w->magic || !f->find(f->arg, c->count ? *c->word : NULL,
				  w->pattern, add_word, c))
		add_word(c, w->text);
	else
		free(w->text);
	free(w->pattern);
}

static char *rest_of(const char **line)
{
	const char *p = *line + strspn(*line, " \t");
	char *rest = strdup(p);

	if (!rest)
		tool_no_memory();
	*line = p + strlen(p);
	return rest;
}

static int unfinished(void)
{
	tool_error("unexpected end of line");
	return -1;
}

/* What comes behind "<", ">" or ">>". */
static int read_target(const char **line, struct command *c)
{
	bool input = **line == '<', append = !strncmp(*line, ">>", 2);
	char **target = input ? &c->input : &c->output;
	struct word w;
	const char *p = *line + 1 + append;

	p = read_word(p + strspn(p, " \t"), &w);
	free(w.pattern);
	if (!p || !w.begun) {
		free(w.text);
		return unfinished();
	}
	free(*target);
	*target = w.text;
	if (!input)
		c->append = append;
	*line = p;
	return 0;
}

int words_read(const struct finder *f, const char **line, struct command *c)
{
	const char *p = *line;
	struct word w;

	*c = (struct command){ 0 };
	add_word(c, NULL);
	c->count = 0;
	for (;;) {
		p += strspn(p, " \t");
		if (*p == '#' || !*p) {
			*line = p + strlen(p);
			return 0;
		}
		if (*p == ';') {
			*line = p + 1;
			return 0;
		}
		if (*p == '!' && !c->count) {
			p++;
			c->local = rest_of(&p);
			*line = p;
			return 0;
		}
		if (*p == '|') {
			p++;
			c->pipe = true;
			c->local = rest_of(&p);
			*line = p;
			return *c->local && c->count ? 0 : unfinished();
		}
		if (*p == '<' || *p == '>') {
			if (read_target(&p, c))
				return -1;
			continue;
		}
		p = read_word(p, &w);
		if (!p) {
			free(w.text);
			free(w.pattern);
			tool_error("a quote does not end");
			return -1;
		}
		take_word(f, c, &w);
	}
}

void words_free(struct command *c)
{
	for (int i = 0; i < c->count; i++)
		free(c->word[i]);
	free(c->word);
	free(c->input);
	free(c->output);
	free(c->local);
}
