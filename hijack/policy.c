// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that say which stack a socket belongs to.
 *
 *	WAY|[PROTOCOL:]ADDRESS[/LEN][:PORT[-PORT]]|STACK;...
 *
 * WAY is "listen", "connect" or "any", PROTOCOL "tcp" or "udp", STACK "lkl" or
 * "host"; ADDRESS is an IPv4 address, an IPv6 address in brackets, or "*".  The
 * first rule that fits is taken; without one it is the library's.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define MAX_RULES 64

static struct rule {
	bool listen, connect, host;
	int type; /* SOCK_*, 0 is any */
	int family; /* AF_*, 0 is any */
	unsigned char addr[16];
	unsigned int len; /* of the prefix, in bits */
	unsigned int first, last; /* ports */
} rules[MAX_RULES];
static int n_rules;

bool policy_exists(void)
{
	return n_rules;
}

/* Whether the text begins with a word, which is skipped. */
static bool word(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*text, word, n))
		return false;
	*text += n;
	return true;
}

static bool number(const char **text, unsigned int max, unsigned int *value)
{
	char *end;
	unsigned long n = strtoul(*text, &end, 10);

	if (**text < '0' || **text > '9' || n > max)
		return false;
	*text = end;
	*value = n;
	return true;
}

static bool parse_address(const char **text, struct rule *r)
{
	char copy[INET6_ADDRSTRLEN];
	const char *t = *text, *end;
	unsigned int bits;

	if (word(text, "*"))
		return true;
	r->family = *t == '[' ? AF_INET6 : AF_INET;
	t += *t == '[';
	end = t + strcspn(t, r->family == AF_INET6 ? "]" : "/:|;");
	if ((size_t)(end - t) >= sizeof(copy))
		return false;
	memcpy(copy, t, end - t);
	copy[end - t] = 0;
	if (inet_pton(r->family, copy, r->addr) != 1)
		return false;
	if (r->family == AF_INET6 && *end++ != ']')
		return false;
	*text = end;
	bits = r->family == AF_INET6 ? 128 : 32;
	r->len = bits;
	return !word(text, "/") || number(text, bits, &r->len);
}

static bool parse_rule(const char **text, struct rule *r)
{
	*r = (struct rule){ .last = 65535 };
	if (word(text, "any|"))
		r->listen = r->connect = true;
	else if (word(text, "listen|"))
		r->listen = true;
	else if (word(text, "connect|"))
		r->connect = true;
	else
		return false;
	if (word(text, "tcp:"))
		r->type = SOCK_STREAM;
	else if (word(text, "udp:"))
		r->type = SOCK_DGRAM;
	if (!parse_address(text, r))
		return false;
	if (word(text, ":")) {
		if (!number(text, 65535, &r->first))
			return false;
		r->last = r->first;
		if (word(text, "-") && !number(text, 65535, &r->last))
			return false;
	}
	if (!word(text, "|"))
		return false;
	r->host = word(text, "host");
	return (r->host || word(text, "lkl")) && (!**text || **text == ';');
}

/**
 * policy_parse - take rules
 * @text: the rules
 *
 * Return: 0, or -EINVAL and a line on stderr
 */
int policy_parse(const char *text)
{
	while (*text) {
		const char *start = text;

		if (word(&text, ";"))
			continue;
		if (n_rules == MAX_RULES ||
		    !parse_rule(&text, &rules[n_rules])) {
			fprintf(stderr, "%s: policy '%.*s': %s\n", hijack_name,
				(int)strcspn(start, ";"), start,
				n_rules == MAX_RULES
					? "too many rules"
					: "not "
					  "WAY|[PROTOCOL:]ADDRESS[/"
					  "LEN][:PORT[-PORT]]|STACK");
			return -EINVAL;
		}
		n_rules++;
	}
	return 0;
}

static bool prefix_is(const struct rule *r, const unsigned char *addr)
{
	unsigned int bytes = r->len / 8, bits = r->len % 8, i;

	for (i = 0; i < bytes; i++)
		if (addr[i] != r->addr[i])
			return false;
	return !bits || !((addr[i] ^ r->addr[i]) >> (8 - bits));
}

static bool fits(const struct rule *r, enum policy_way way, int type,
		 int family, const unsigned char *addr, unsigned int port)
{
	if (!(way == POLICY_LISTEN ? r->listen : r->connect) ||
	    (r->type && r->type != type) || port < r->first || port > r->last)
		return false;
	return !r->family || (r->family == family && prefix_is(r, addr));
}

/**
 * policy_is_host - is a socket the host's?
 * @way: what it is used for
 * @type: SOCK_*
 * @address: its own or the other's, or NULL
 * @len: length of @address
 */
bool policy_is_host(enum policy_way way, int type, const void *address,
		    unsigned long len)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in *in = address;
	const struct sockaddr_in6 *in6 = address;
	const unsigned char *addr = NULL;
	unsigned int port = 0;
	int family = 0, i;

	if (address && len >= sizeof(*in) && in->sin_family == AF_INET) {
		family = AF_INET;
		addr = (void *)&in->sin_addr;
		port = ntohs(in->sin_port);
	} else if (address && len >= sizeof(*in6) &&
		   in->sin_family == AF_INET6) {
		family = AF_INET6;
		addr = (void *)&in6->sin6_addr;
		port = ntohs(in6->sin6_port);
		for (i = 0; i < 12 && addr[i] == mapped[i]; i++)
			;
		if (i == 12) {
			family = AF_INET;
			addr += 12;
		}
	}
	for (i = 0; i < n_rules; i++)
		if (fits(&rules[i], way, type, family, addr, port))
			return rules[i].host;
	return false;
}
