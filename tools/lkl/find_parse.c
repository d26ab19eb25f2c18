// SPDX-License-Identifier: GPL-2.0-only
/*
 * The expression of find becomes a tree of nodes.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "find.h"
#include "ids.h"
#include "mode.h"
#include "text.h"

#define MAX_NESTING 200

static struct find_node *new_node(enum find_kind kind, struct find_node *left,
				  struct find_node *right)
{
	struct find_node *n = tool_alloc(NULL, sizeof(*n));

	memset(n, 0, sizeof(*n));
	n->kind = kind;
	n->left = left;
	n->right = right;
	return n;
}

void find_free(struct find_node *n)
{
	if (!n)
		return;
	find_free(n->left);
	find_free(n->right);
	if (n->kind == REGEX)
		regfree(&n->regex);
	free(n);
}

static struct find_node *bad(struct find_node *n, const char *what,
			     const char *text)
{
	args_bad("%s '%s'", what, text);
	find_free(n);
	return NULL;
}

/* "[+-]N". */
static bool parse_number(struct find_node *n, const char *text, char **end)
{
	n->compare = *text == '+' || *text == '-' ? *text++ : 0;
	errno = 0;
	n->value = strtoull(text, end, 10);
	return isdigit((unsigned char)*text) && !errno;
}

static struct find_node *parse_size(struct find_node *n, const char *arg)
{
	static const char units[] = "cwbkMG";
	static const uint64_t sizes[] = {
		1, 2, 512, 1 << 10, 1 << 20, 1 << 30
	};
	const char *unit;
	char *end;

	if (!parse_number(n, arg, &end))
		return bad(n, "invalid size", arg);
	unit = *end ? strchr(units, *end) : &units[2];
	if (!unit || (*end && end[1]))
		return bad(n, "invalid size", arg);
	n->unit = sizes[unit - units];
	return n;
}

static struct find_node *parse_id(const struct find *f, struct find_node *n,
				  const char *arg, bool name)
{
	enum ids_kind kind = n->kind == UID ? IDS_USERS : IDS_GROUPS;
	uint32_t id;
	char *end;

	if (name && ids_number(f->s, kind, arg, &id)) {
		n->value = id;
		return n;
	}
	if (name)
		return bad(n,
			   kind == IDS_USERS ? "the image has no user"
					     : "the image has no group",
			   arg);
	if (parse_number(n, arg, &end) && !*end)
		return n;
	return bad(n, "invalid number", arg);
}

static struct find_node *parse_perm(struct find_node *n, const char *arg)
{
	struct mode_change *c;

	n->compare = *arg == '-' || *arg == '/' ? *arg : 0;
	c = mode_parse(arg + !!n->compare);
	if (!c)
		return bad(n, "invalid mode", arg);
	n->value = mode_apply(c, S_IFREG);
	free(c);
	return n;
}

static struct find_node *parse_newer(const struct find *f, struct find_node *n,
				     const char *arg)
{
	struct stat st;
	int err = path_stat(f->s, arg, true, &st);

	if (err) {
		path_error(f->s, "cannot stat", arg, err);
		find_free(n);
		return NULL;
	}
	n->time = st.st_mtim;
	return n;
}

static struct find_node *parse_regex(struct find_node *n, const char *arg,
				     bool fold)
{
	char *whole;

	/* all of the path must match */
	if (asprintf(&whole, "^(%s)$", arg) < 0)
		tool_no_memory();
	if (regcomp(&n->regex, whole,
		    REG_EXTENDED | REG_NOSUB | (fold ? REG_ICASE : 0))) {
		n->kind = ALWAYS;
		n = bad(n, "invalid regular expression", arg);
	}
	free(whole);
	return n;
}

static bool take_depth(struct find *f, const char *arg, unsigned long *depth)
{
	char *end;

	(void)f;
	*depth = strtoul(arg, &end, 10);
	if (isdigit((unsigned char)*arg) && !*end)
		return true;
	args_bad("invalid depth '%s'", arg);
	return false;
}

/* A predicate that takes no argument. */
static struct find_node *parse_bare(struct find *f, const char *name)
{
	static const struct {
		const char *name;
		enum find_kind kind;
	} bare[] = {
		{ "-empty", EMPTY },	  { "-nouser", NO_USER },
		{ "-nogroup", NO_GROUP }, { "-true", ALWAYS },
		{ "-false", NEVER },	  { "-prune", PRUNE },
		{ "-quit", QUIT },	  { "-print", PRINT },
		{ "-print0", PRINT0 },	  { "-depth", ALWAYS },
		{ "-xdev", ALWAYS },	  { "-mount", ALWAYS },
	};

	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++) {
		if (strcmp(bare[i].name, name))
			continue;
		f->depth_first |= !strcmp(name, "-depth");
		f->one |= !strcmp(name, "-xdev") || !strcmp(name, "-mount");
		f->acts |= bare[i].kind == PRINT || bare[i].kind == PRINT0;
		return new_node(bare[i].kind, NULL, NULL);
	}
	return NULL;
}

static struct find_node *parse_time(struct find_node *n, const char *name,
				    const char *arg)
{
	char *end;

	n->which = name[1];
	n->unit = strstr(name, "min") ? 60 : 86400;
	if (parse_number(n, arg, &end) && !*end)
		return n;
	return bad(n, "invalid time", arg);
}

/* A predicate that takes one. */
static struct find_node *parse_with(struct find *f, const char *name,
				    const char *arg)
{
	static const struct {
		const char *name;
		enum find_kind kind;
		int flags;
	} with[] = {
		{ "-name", NAME, 0 },
		{ "-iname", NAME, FNM_CASEFOLD },
		{ "-path", PATH, 0 },
		{ "-wholename", PATH, 0 },
		{ "-ipath", PATH, FNM_CASEFOLD },
		{ "-lname", LINK_NAME, 0 },
		{ "-regex", REGEX, 0 },
		{ "-iregex", REGEX, 1 },
		{ "-type", TYPE, 0 },
		{ "-size", SIZE, 0 },
		{ "-mtime", TIME, 0 },
		{ "-atime", TIME, 0 },
		{ "-ctime", TIME, 0 },
		{ "-mmin", TIME, 0 },
		{ "-amin", TIME, 0 },
		{ "-cmin", TIME, 0 },
		{ "-newer", NEWER, 0 },
		{ "-uid", UID, 0 },
		{ "-gid", GID, 0 },
		{ "-user", UID, 1 },
		{ "-group", GID, 1 },
		{ "-perm", PERM, 0 },
		{ "-links", LINKS, 0 },
		{ "-inum", INODE, 0 },
		{ "-printf", PRINTF, 0 },
		{ "-maxdepth", ALWAYS, 0 },
		{ "-mindepth", ALWAYS, 0 },
	};
	struct find_node *n;
	char *end;
	size_t i = 0;

	while (i < sizeof(with) / sizeof(*with) && strcmp(with[i].name, name))
		i++;
	if (i == sizeof(with) / sizeof(*with)) {
		args_bad("unknown predicate '%s'", name);
		return NULL;
	}
	if (!arg) {
		args_bad("missing argument of '%s'", name);
		return NULL;
	}
	f->args++;
	n = new_node(with[i].kind, NULL, NULL);
	n->text = arg;
	n->flags = with[i].flags;
	switch (n->kind) {
	case REGEX:
		return parse_regex(n, arg, n->flags);
	case TYPE:
		/* "f,d" */
		for (const char *p = arg; *p; p += 1 + (p[1] == ',' && p[2])) {
			if (!strchr("bcdpfls", *p) || (p[1] && p[1] != ','))
				return bad(n, "unknown type", arg);
			if (p[1] == ',' && !p[2])
				return bad(n, "unknown type", arg);
		}
		return *arg ? n : bad(n, "unknown type", arg);
	case SIZE:
		return parse_size(n, arg);
	case TIME:
		return parse_time(n, name, arg);
	case NEWER:
		return parse_newer(f, n, arg);
	case UID:
	case GID:
		return parse_id(f, n, arg, n->flags);
	case PERM:
		return parse_perm(n, arg);
	case LINKS:
	case INODE:
		if (!parse_number(n, arg, &end) || *end)
			return bad(n, "invalid number", arg);
		return n;
	case PRINTF:
		f->acts = true;
		return n;
	case ALWAYS:
		if (take_depth(f, arg, name[2] == 'a' ? &f->max : &f->min))
			return n;
		find_free(n);
		return NULL;
	default:
		return n;
	}
}

static struct find_node *parse_list(struct find *f);

static struct find_node *parse_primary(struct find *f)
{
	const char *arg = *f->args;
	struct find_node *n;

	if (!arg) {
		args_bad("the expression ends too early");
		return NULL;
	}
	if (f->nesting > MAX_NESTING) {
		args_bad("the expression is nested too deeply");
		return NULL;
	}
	f->args++;
	if (!strcmp(arg, "!") || !strcmp(arg, "-not")) {
		f->nesting++;
		n = parse_primary(f);
		f->nesting--;
		return n ? new_node(NOT, n, NULL) : NULL;
	}
	if (!strcmp(arg, "(")) {
		f->nesting++;
		n = parse_list(f);
		f->nesting--;
		if (n && (!*f->args || strcmp(*f->args, ")")))
			return bad(n, "missing", ")");
		f->args++;
		return n;
	}
	n = parse_bare(f, arg);
	return n ?: parse_with(f, arg, *f->args);
}

static bool is_word(const struct find *f, const char *a, const char *b)
{
	return *f->args && (!strcmp(*f->args, a) || !strcmp(*f->args, b));
}

static struct find_node *parse_and(struct find *f)
{
	struct find_node *left = parse_primary(f), *right;

	while (left && *f->args && !is_word(f, ")", ",") &&
	       !is_word(f, "-o", "-or")) {
		f->args += is_word(f, "-a", "-and");
		right = parse_primary(f);
		if (!right) {
			find_free(left);
			return NULL;
		}
		left = new_node(AND, left, right);
	}
	return left;
}

static struct find_node *parse_or(struct find *f)
{
	struct find_node *left = parse_and(f), *right;

	while (left && is_word(f, "-o", "-or")) {
		f->args++;
		right = parse_and(f);
		if (!right) {
			find_free(left);
			return NULL;
		}
		left = new_node(OR, left, right);
	}
	return left;
}

static struct find_node *parse_list(struct find *f)
{
	struct find_node *left = parse_or(f), *right;

	while (left && is_word(f, ",", ",")) {
		f->args++;
		right = parse_or(f);
		if (!right) {
			find_free(left);
			return NULL;
		}
		left = new_node(COMMA, left, right);
	}
	return left;
}

struct find_node *find_parse(struct find *f)
{
	struct find_node *n = parse_list(f);

	if (n && *f->args) {
		args_bad("unexpected '%s'", *f->args);
		find_free(n);
		return NULL;
	}
	return n;
}
