// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the components of a name may lead to, by their text alone.
 */
#include <lkl/asm/netns.h>

#include "lookup.h"

bool lookup_below(const char *name, const char *dir)
{
	while (*dir)
		if (*name++ != *dir++)
			return false;
	return !*name || *name == '/';
}

bool lookup_is(const char *p, const char *word)
{
	return lookup_below(p, word);
}

/* Is it @word, and what follows @next, if anything does? */
static bool is_with(const char *p, const char *word, const char *next)
{
	if (!lookup_is(p, word))
		return false;
	p += strlen(word);
	while (*p == '/')
		p++;
	return !*p || lookup_is(p, next);
}

bool lookup_is_first(const char *p)
{
	switch (*p) {
	case 'd':
		return lookup_is(p, "dev");
	case 'e':
		return lookup_is(p, "etc");
	case 'p':
		return lookup_is(p, "proc");
	case 'r':
		return is_with(p, "run", "netns");
	case 's':
		return lookup_is(p, "sys");
	case 'v':
		return is_with(p, "var", "run");
	}
	return false;
}

static bool is_telling(const char *p)
{
	switch (*p) {
	case 'c':
		return lookup_is(p, "cwd");
	case 'd':
		return lookup_is(p, "devices");
	case 'f':
		return lookup_is(p, "fd");
	case 'n':
		return lookup_is(p, "net") || lookup_is(p, "ns") ||
		       lookup_is(p, "netns");
	case 'r':
		return lookup_is(p, "resolv.conf");
	case 's':
		return lookup_is(p, "stdin") || lookup_is(p, "stdout") ||
		       lookup_is(p, "stderr");
	}
	return false;
}

struct lookup_words lookup_look_at(const char *p)
{
	struct lookup_words w = { 0 };

	while (*p) {
		if (*p != '/') {
			w.first |= lookup_is_first(p);
			w.telling |= is_telling(p);
			w.up |= p[0] == '.' && lookup_is(p, "..");
			while (*p && *p != '/')
				p++;
		} else {
			p++;
		}
	}
	return w;
}

/* Which bytes of a word are this one?  The highest bit of each says so. */
static uint64_t bytes_that_are(uint64_t word, char c)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t other = word ^ (ones * c);

	return (other - ones) & ~other & (ones << 7);
}

bool lookup_is_dotted(const char *p, size_t len)
{
	uint64_t word;
	size_t i;

	if (*p == '.')
		return true;
	for (i = 0; i < len; i += 7) {
		memcpy(&word, p + i, sizeof(word));
		if (bytes_that_are(word, '/') << 8 & bytes_that_are(word, '.'))
			return true;
	}
	return false;
}

const char *const lookup_places[] = { "/proc/sys/net",	  "/sys/class/net",
				      "/dev/net/tun",	  LKL_NETNS_DIR,
				      LOOKUP_SELF "/net", NULL };

bool lookup_is_library(const char *name)
{
	size_t i;

	for (i = 0; lookup_places[i]; i++)
		if (lookup_below(name, lookup_places[i]))
			return true;
	return false;
}

bool lookup_near(const char *name)
{
	return !name[1] || lookup_is_first(name + 1);
}
