// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl find - look for files
 *
 * The expression becomes a tree of nodes, which is evaluated for each file.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/tool.h"
#include "ids.h"
#include "json.h"
#include "mode.h"
#include "path.h"
#include "stat.h"
#include "text.h"

#define MAX_NESTING 200

enum kind {
	AND,
	OR,
	COMMA,
	NOT,
	NAME,
	PATH,
	LINK_NAME,
	REGEX,
	TYPE,
	SIZE,
	EMPTY,
	TIME,
	NEWER,
	UID,
	GID,
	NO_USER,
	NO_GROUP,
	PERM,
	LINKS,
	INODE,
	ALWAYS,
	NEVER,
	PRUNE,
	QUIT,
	PRINT,
	PRINT0,
	PRINTF,
};

/*
 * @left: first operand, or only one
 * @text: a pattern, types, or a format
 * @flags: of fnmatch()
 * @compare: how to compare with @value: '+' for more, '-' for less, or 0; of
 *	modes: '-' for all bits, '/' for any
 * @unit: what @value counts
 * @which: the time: 'a', 'c' or 'm'
 */
struct node {
	enum kind kind;
	struct node *left, *right;
	const char *text;
	int flags;
	char compare;
	uint64_t value;
	uint64_t unit;
	char which;
	struct timespec time;
	regex_t regex;
};

struct find {
	const struct session *s;
	char **args;
	struct node *expression;
	unsigned int nesting;
	bool acts;
	bool depth_first;
	bool one;
	bool json;
	unsigned long min, max;
	size_t start_len;
	struct timespec now;
	bool prune;
	bool quit;
};

static struct node *new_node(enum kind kind, struct node *left,
			     struct node *right)
{
	struct node *n = tool_alloc(NULL, sizeof(*n));

	memset(n, 0, sizeof(*n));
	n->kind = kind;
	n->left = left;
	n->right = right;
	return n;
}

static void free_node(struct node *n)
{
	if (!n)
		return;
	free_node(n->left);
	free_node(n->right);
	if (n->kind == REGEX)
		regfree(&n->regex);
	free(n);
}

static struct node *bad(struct node *n, const char *what, const char *text)
{
	args_bad("%s '%s'", what, text);
	free_node(n);
	return NULL;
}

/* "[+-]N". */
static bool parse_number(struct node *n, const char *text, char **end)
{
	n->compare = *text == '+' || *text == '-' ? *text++ : 0;
	errno = 0;
	n->value = strtoull(text, end, 10);
	return isdigit((unsigned char)*text) && !errno;
}

static struct node *parse_size(struct node *n, const char *arg)
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

static struct node *parse_id(const struct find *f, struct node *n,
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

static struct node *parse_perm(struct node *n, const char *arg)
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

static struct node *parse_newer(const struct find *f, struct node *n,
				const char *arg)
{
	struct stat st;
	int err = path_stat(f->s, arg, true, &st);

	if (err) {
		path_error(f->s, "cannot stat", arg, err);
		free_node(n);
		return NULL;
	}
	n->time = st.st_mtim;
	return n;
}

static struct node *parse_regex(struct node *n, const char *arg, bool fold)
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
static struct node *parse_bare(struct find *f, const char *name)
{
	static const struct {
		const char *name;
		enum kind kind;
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

static struct node *parse_time(struct node *n, const char *name,
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
static struct node *parse_with(struct find *f, const char *name,
			       const char *arg)
{
	static const struct {
		const char *name;
		enum kind kind;
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
	struct node *n;
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
		free_node(n);
		return NULL;
	default:
		return n;
	}
}

static struct node *parse_list(struct find *f);

static struct node *parse_primary(struct find *f)
{
	const char *arg = *f->args;
	struct node *n;

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

static struct node *parse_and(struct find *f)
{
	struct node *left = parse_primary(f), *right;

	while (left && *f->args && !is_word(f, ")", ",") &&
	       !is_word(f, "-o", "-or")) {
		f->args += is_word(f, "-a", "-and");
		right = parse_primary(f);
		if (!right) {
			free_node(left);
			return NULL;
		}
		left = new_node(AND, left, right);
	}
	return left;
}

static struct node *parse_or(struct find *f)
{
	struct node *left = parse_and(f), *right;

	while (left && is_word(f, "-o", "-or")) {
		f->args++;
		right = parse_and(f);
		if (!right) {
			free_node(left);
			return NULL;
		}
		left = new_node(OR, left, right);
	}
	return left;
}

static struct node *parse_list(struct find *f)
{
	struct node *left = parse_or(f), *right;

	while (left && is_word(f, ",", ",")) {
		f->args++;
		right = parse_or(f);
		if (!right) {
			free_node(left);
			return NULL;
		}
		left = new_node(COMMA, left, right);
	}
	return left;
}

static bool compare(const struct node *n, uint64_t value)
{
	if (n->compare == '+')
		return value > n->value;
	return n->compare == '-' ? value < n->value : value == n->value;
}

static char type_letter(mode_t mode)
{
	static const char types[] = "?pc?d?b?f?l?s???";

	return types[mode >> 12 & 15];
}

static const char *base_name(const struct tree_entry *e)
{
	const char *slash;

	if (e->depth)
		return e->name;
	slash = strrchr(e->path, '/');
	return slash && slash[1] ? slash + 1 : e->path;
}

static bool is_empty(const struct find *f, const struct tree_entry *e)
{
	struct walk_names names;
	bool empty;
	int fd;

	if (S_ISREG(e->st.st_mode))
		return !e->st.st_size;
	if (!S_ISDIR(e->st.st_mode))
		return false;
	fd = f->s->fs->open_dir(e->dir, *e->name ? e->name : ".");
	if (fd < 0)
		return false;
	empty = !walk_names(f->s->fs, fd, &names) && !names.count;
	walk_names_free(&names);
	f->s->fs->close(fd);
	return empty;
}

static bool time_fits(const struct find *f, const struct node *n,
		      const struct stat *st)
{
	const struct timespec *ts = n->which == 'a'   ? &st->st_atim
				    : n->which == 'c' ? &st->st_ctim
						      : &st->st_mtim;
	double age = f->now.tv_sec - ts->tv_sec +
		     (f->now.tv_nsec - ts->tv_nsec) / 1e9;

	/* minutes are compared as they are, days without their fraction */
	if (n->unit == 60)
		return n->compare == '+'   ? age > n->value * 60.0
		       : n->compare == '-' ? age < n->value * 60.0
					   : age > (n->value - 1.0) * 60 &&
						     age <= n->value * 60.0;
	return n->compare == '+'   ? age >= (n->value + 1.0) * 86400
	       : n->compare == '-' ? age < n->value * 86400.0
				   : age >= n->value * 86400.0 &&
					     age < (n->value + 1.0) * 86400;
}

static bool perm_fits(const struct node *n, mode_t mode)
{
	if (n->compare == '-')
		return (mode & n->value) == n->value;
	if (n->compare == '/')
		return !n->value || mode & n->value;
	return (mode & 07777) == n->value;
}

static void put_format_time(const char *form, const struct timespec *ts)
{
	char text[TIME_TEXT], format[4] = { '%', *form };
	struct tm tm;

	if (*form == '@') {
		printf("%lld.%09ld0", (long long)ts->tv_sec, ts->tv_nsec);
	} else if (*form == '+') {
		if (!localtime_r(&ts->tv_sec, &tm))
			return;
		strftime(text, sizeof(text), "%Y-%m-%d+%H:%M:%S", &tm);
		printf("%s.%09ld0", text, ts->tv_nsec);
	} else if (localtime_r(&ts->tv_sec, &tm) &&
		   strftime(text, sizeof(text), format, &tm)) {
		fputs(text, stdout);
	}
}

/* A directive of -printf; where it goes on. */
static const char *put_directive(const struct find *f,
				 const struct tree_entry *e, const char *p)
{
	const struct stat *st = &e->st;
	char text[PATH_MAX];
	const char *name, *slash;

	switch (*p) {
	case '%':
		putchar('%');
		break;
	case 'p':
		put_name(e->path);
		break;
	case 'P':
		name = e->path + (e->depth ? f->start_len : strlen(e->path));
		put_name(name + (*name == '/'));
		break;
	case 'f':
		put_name(base_name(e));
		break;
	case 'h':
		slash = strrchr(e->path, '/');
		snprintf(text, sizeof(text), "%.*s",
			 slash ? (int)(slash - e->path) : 1,
			 slash ? e->path : ".");
		put_name(text);
		break;
	case 'l':
		if (S_ISLNK(st->st_mode) &&
		    !text_link(f->s, e->dir, e->name, text))
			put_name(text);
		break;
	case 's':
		printf("%lld", (long long)st->st_size);
		break;
	case 'b':
		printf("%lld", (long long)st->st_blocks);
		break;
	case 'k':
		printf("%lld", (long long)(st->st_blocks + 1) / 2);
		break;
	case 'm':
		printf("%o", st->st_mode & 07777);
		break;
	case 'M':
		fputs(text_mode(st->st_mode, text), stdout);
		break;
	case 'U':
		printf("%u", st->st_uid);
		break;
	case 'G':
		printf("%u", st->st_gid);
		break;
	case 'u':
	case 'g':
		name = ids_name(f->s, *p == 'u' ? IDS_USERS : IDS_GROUPS,
				*p == 'u' ? st->st_uid : st->st_gid);
		if (name)
			put_name(name);
		else
			printf("%u", *p == 'u' ? st->st_uid : st->st_gid);
		break;
	case 'i':
		printf("%llu", (unsigned long long)st->st_ino);
		break;
	case 'n':
		printf("%lu", (unsigned long)st->st_nlink);
		break;
	case 'y':
		putchar(type_letter(st->st_mode));
		break;
	case 'd':
		printf("%u", e->depth);
		break;
	case 'T':
	case 'A':
	case 'C':
		if (!p[1])
			return p;
		put_format_time(p + 1, *p == 'T'   ? &st->st_mtim
				       : *p == 'A' ? &st->st_atim
						   : &st->st_ctim);
		return p + 2;
	default:
		printf("%%%c", *p);
	}
	return p + 1;
}

static void put_format(const struct find *f, const struct tree_entry *e,
		       const char *format)
{
	for (const char *p = format; *p;) {
		if (*p == '%' && p[1])
			p = put_directive(f, e, p + 1);
		else if (*p == '\\' && p[1])
			p = stat_escape(p + 1);
		else
			putchar(*p++);
	}
}

static void put(const struct find *f, const struct tree_entry *e)
{
	if (f->json) {
		json_item(json_file(f->s, e->dir, e->name, e->path, &e->st));
		return;
	}
	put_name(e->path);
	putchar('\n');
}

static bool eval(struct find *f, const struct node *n,
		 const struct tree_entry *e)
{
	const struct stat *st = &e->st;
	char target[PATH_MAX];

	switch (n->kind) {
	case AND:
		return eval(f, n->left, e) && !f->quit && eval(f, n->right, e);
	case OR:
		return eval(f, n->left, e) || f->quit || eval(f, n->right, e);
	case COMMA:
		eval(f, n->left, e);
		return !f->quit && eval(f, n->right, e);
	case NOT:
		return !eval(f, n->left, e);
	case NAME:
		return !fnmatch(n->text, base_name(e), n->flags);
	case PATH:
		return !fnmatch(n->text, e->path, n->flags);
	case LINK_NAME:
		return S_ISLNK(st->st_mode) &&
		       !text_link(f->s, e->dir, e->name, target) &&
		       !fnmatch(n->text, target, 0);
	case REGEX:
		return !regexec(&n->regex, e->path, 0, NULL, 0);
	case TYPE:
		return strchr(n->text, type_letter(st->st_mode));
	case SIZE:
		return compare(n, (st->st_size + n->unit - 1) / n->unit);
	case EMPTY:
		return is_empty(f, e);
	case TIME:
		return time_fits(f, n, st);
	case NEWER:
		return st->st_mtim.tv_sec > n->time.tv_sec ||
		       (st->st_mtim.tv_sec == n->time.tv_sec &&
			st->st_mtim.tv_nsec > n->time.tv_nsec);
	case UID:
		return compare(n, st->st_uid);
	case GID:
		return compare(n, st->st_gid);
	case NO_USER:
		return !ids_name(f->s, IDS_USERS, st->st_uid);
	case NO_GROUP:
		return !ids_name(f->s, IDS_GROUPS, st->st_gid);
	case PERM:
		return perm_fits(n, st->st_mode);
	case LINKS:
		return compare(n, st->st_nlink);
	case INODE:
		return compare(n, st->st_ino);
	case ALWAYS:
		return true;
	case NEVER:
		return false;
	case PRUNE:
		f->prune = true;
		return true;
	case QUIT:
		f->quit = true;
		return false;
	case PRINT:
		put(f, e);
		return true;
	case PRINT0:
		fputs(e->path, stdout);
		putchar(0);
		return true;
	case PRINTF:
		put_format(f, e, n->text);
		return true;
	}
	return false;
}

static void look_at(struct find *f, const struct tree_entry *e)
{
	if (f->quit || e->depth < f->min || tool_signal)
		return;
	if ((!f->expression || eval(f, f->expression, e)) && !f->acts)
		put(f, e);
}

static bool find_enter(struct tree *t, const struct tree_entry *e)
{
	struct find *f = t->arg;

	if (!e->depth)
		f->start_len = strlen(e->path);
	f->prune = false;
	if (!f->depth_first)
		look_at(f, e);
	return !f->quit && !f->prune && e->depth < f->max;
}

static void find_leave(struct tree *t, const struct tree_entry *e)
{
	struct find *f = t->arg;

	if (f->depth_first)
		look_at(f, e);
}

/* Does the expression begin here? */
static bool is_expression(const char *arg)
{
	return (*arg == '-' && arg[1]) || !strcmp(arg, "!") ||
	       !strcmp(arg, "(");
}

int find_run(struct session *s, const struct args *a)
{
	struct find f = {
		.s = s,
		.args = a->operand,
		.json = a->given[OPT_JSON],
		.max = ULONG_MAX,
	};
	struct tree t = {
		.s = s,
		.enter = find_enter,
		.leave = find_leave,
		.arg = &f,
	};
	char *here = s->cwd, **paths = a->operand;
	int count = 0;

	while (*f.args && !is_expression(*f.args)) {
		f.args++;
		count++;
	}
	clock_gettime(CLOCK_REALTIME, &f.now);
	if (*f.args) {
		f.expression = parse_list(&f);
		if (!f.expression)
			return TOOL_FAILED;
		if (*f.args) {
			args_bad("unexpected '%s'", *f.args);
			free_node(f.expression);
			return TOOL_FAILED;
		}
	}
	if (f.json && f.acts) {
		args_bad("--json and -print exclude each other");
		free_node(f.expression);
		return TOOL_FAILED;
	}
	if (!count) {
		paths = &here;
		count = 1;
	}
	t.one = f.one;
	if (f.json)
		json_begin();
	for (int i = 0; i < count && !f.quit && !tool_signal; i++)
		tree_walk(&t, paths[i]);
	if (f.json)
		json_end();
	free_node(f.expression);
	return session_status();
}
