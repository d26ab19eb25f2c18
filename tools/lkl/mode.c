// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permissions as chmod takes them.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "mode.h"

#define SET_ID (S_ISUID | S_ISGID)

/*
 * One step of a symbolic mode.
 *
 * @op: '+', '-' or '='
 * @who: the bits of those it is for, 07777 for all
 * @bits: permissions
 * @copy: bits are those that 'u', 'g' or 'o' have, or 0
 * @x_if_any: with X
 * @keeps: a directory keeps its set-id bits, as they have not been named
 */
struct step {
	char op;
	mode_t who;
	mode_t bits;
	char copy;
	bool x_if_any;
	bool keeps;
};

struct mode_change {
	size_t count;
	struct step steps[];
};

static struct step *add_step(struct mode_change **c)
{
	size_t n = (*c)->count++;

	*c = tool_alloc(*c, sizeof(**c) + (n + 1) * sizeof(struct step));
	memset(&(*c)->steps[n], 0, sizeof(struct step));
	return &(*c)->steps[n];
}

static const char *parse_who(const char *p, mode_t *who)
{
	for (*who = 0;; p++) {
		if (*p == 'u')
			*who |= S_ISUID | 0700;
		else if (*p == 'g')
			*who |= S_ISGID | 0070;
		else if (*p == 'o')
			*who |= S_ISVTX | 0007;
		else if (*p == 'a')
			*who |= 07777;
		else
			break;
	}
	if (!*who)
		*who = 07777;
	return p;
}

static const char *parse_bits(const char *p, struct step *s)
{
	if (*p && strchr("ugo", *p)) {
		s->copy = *p;
		return p + 1;
	}
	for (;; p++) {
		if (*p == 'r')
			s->bits |= 0444;
		else if (*p == 'w')
			s->bits |= 0222;
		else if (*p == 'x')
			s->bits |= 0111;
		else if (*p == 'X')
			s->x_if_any = true;
		else if (*p == 's')
			s->bits |= S_ISUID | S_ISGID;
		else if (*p == 't')
			s->bits |= S_ISVTX;
		else
			return p;
	}
}

static bool parse_octal(const char *text, struct mode_change **c)
{
	struct step *s = add_step(c);
	char *end;

	s->op = '=';
	s->keeps = strlen(text) < 5;
	s->who = 07777;
	s->bits = strtoul(text, &end, 8);
	return !*end && strlen(text) < 8 && s->bits <= 07777;
}

struct mode_change *mode_parse(const char *text)
{
	struct mode_change *c = tool_alloc(NULL, sizeof(*c));
	const char *p = text;
	mode_t who;

	c->count = 0;
	if (*p >= '0' && *p <= '7') {
		if (parse_octal(p, &c))
			return c;
		goto bad;
	}
	do {
		p = parse_who(p, &who);
		if (!*p || !strchr("+-=", *p))
			goto bad;
		while (*p && strchr("+-=", *p)) {
			struct step *s = add_step(&c);

			s->op = *p++;
			s->who = who;
			p = parse_bits(p, s);
			s->keeps = !(s->bits & SET_ID);
		}
	} while (*p == ',' && *++p);
	if (!*p && text[strlen(text) - 1] != ',')
		return c;
bad:
	free(c);
	return NULL;
}

mode_t mode_apply(const struct mode_change *c, mode_t mode)
{
	bool dir = S_ISDIR(mode);

	for (size_t i = 0; i < c->count; i++) {
		const struct step *s = &c->steps[i];
		mode_t bits = s->bits, keep = 0, three;

		if (s->copy) {
			three = mode >> (s->copy == 'u'	  ? 6
					 : s->copy == 'g' ? 3
							  : 0) &
				7;
			bits = three << 6 | three << 3 | three;
		}
		if (s->x_if_any && (dir || mode & 0111))
			bits |= 0111;
		bits &= s->who;
		/* as chmod does it: only naming them clears a directory's */
		if (dir && s->keeps)
			keep = mode & SET_ID & s->who;
		if (s->op == '+')
			mode |= bits;
		else if (s->op == '-')
			mode &= ~bits;
		else
			mode = (mode & ~s->who) | bits | keep;
	}
	return mode & 07777;
}
