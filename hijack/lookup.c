// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose file a name means: names lead through links, "..", and directories that
 * the program has open or is in, and what tells about the network is the
 * library's wherever a name comes from.
 *
 * A look at the text comes first: hardly any name has a component that is on
 * the way to such a file.  One that has is followed as the kernel does,
 * component by component, with the host's links read from the host.  The names
 * below belong to the library, and all that is beneath them:
 *
 *	/proc/PID/net, /proc/PID/task/TID/net, also by /proc/net, self and so on
 *	/proc/PID/ns/net, also of other processes that the same kernel has
 *	/proc/PID/fd/N, if N is a descriptor of the library's
 *	/proc/sys/net
 *	/sys/class/net, and where its links lead to in /sys/devices
 *	/dev/net/tun
 *	/run/netns
 *	/etc/resolv.conf, if the configuration has a name server
 *
 * The rest of a name goes to the library in one piece; only if it has a ".." is
 * it followed there, too, as that may lead out again.
 */
#include <fcntl.h>
#include <unistd.h>

#include "lookup.h"
#include "user.h"

/* As many links as the kernel follows. */
#define MAX_LINKS 40

bool lookup_resolv_conf;

/**
 * struct walk - a name is being followed
 * @l: where it has led to, and room
 * @len: length of that name; 0 is the root
 * @rest: what is left of the text
 * @links: followed so far
 * @library: the name is one of the library's
 */
struct walk {
	struct lookup *l;
	size_t len;
	char *rest;
	int links;
	bool library;
};

/* Most names are none of the library's, by the little that is looked at here.
 */
static bool is_plain(const char *p, size_t len, long dir)
{
	if (lookup_is_dotted(p, len))
		return false;
	if (*p != '/')
		return dir == AT_FDCWD && !cwd_is_near() && !cwd_get(NULL);
	while (*p == '/')
		p++;
	return !lookup_is_first(p);
}

static long parse_number(const char *p)
{
	long n = 0;

	while (*p >= '0' && *p <= '9' && n < FD_MAX)
		n = n * 10 + *p++ - '0';
	return n;
}

/* What follows the number of this process, or of a thread of its, in /proc. */
static const char *after_self(const char *name)
{
	char self[24];
	const char *p;
	long n;

	if (!lookup_below(name, "/proc") || !name[5] ||
	    !lookup_skip_number(name + 6))
		return NULL;
	n = own_call3(SYS_readlink, "/proc/self", self, sizeof(self) - 1);
	if (n <= 0)
		return NULL;
	self[n] = 0;
	if (!lookup_below(name + 6, self))
		return NULL;
	name += 6 + n;
	if (!lookup_below(name, "/task") || !name[5])
		return name;
	p = lookup_skip_number(name + 6);
	return p && *p == '/' ? p : name;
}

static bool set_name(struct walk *w, const char *name)
{
	size_t len = strlen(name);

	if (len >= LOOKUP_NAME)
		return false;
	memmove(w->l->name, name, len + 1);
	w->len = len;
	return true;
}

static bool append(struct walk *w, const char *text, size_t n)
{
	if (w->len + 1 + n >= LOOKUP_NAME)
		return false;
	w->l->name[w->len++] = '/';
	memcpy(w->l->name + w->len, text, n);
	w->len += n;
	w->l->name[w->len] = 0;
	return true;
}

static void pop(struct walk *w)
{
	while (w->len && w->l->name[--w->len] != '/')
		;
	w->l->name[w->len] = 0;
}

static bool is_there(const char *name)
{
	return !lkl_any(SYS_access, (long)name, F_OK, 0, 0, 0);
}

static bool ends_with_net(const struct walk *w)
{
	return w->len >= 4 && !memcmp(w->l->name + w->len - 4, "/net", 4);
}

/* The network namespace of another process that has the same kernel */
static bool enter_other(struct walk *w)
{
	const char *rest;
	long fd;

	if (!lookup_below(w->l->name, "/proc") || !w->l->name[5])
		return false;
	rest = lookup_skip_number(w->l->name + 6);
	if (!rest || strcmp(rest, "/ns/net"))
		return false;
	fd = netns_open(parse_number(w->l->name + 6));
	if (fd < 0)
		return false;
	w->l->opened = fd + 1;
	w->len = lookup_put_descriptor(w->l->name, fd);
	return true;
}

/* Is the name one of those where the library begins?  It becomes its own. */
static bool enter(struct walk *w)
{
	char *name = w->l->name;
	const char *rest;
	size_t i;

	for (i = 0; lookup_places[i]; i++)
		if (!strcmp(name, lookup_places[i]))
			return true;
	if (lookup_resolv_conf && !strcmp(name, "/etc/resolv.conf"))
		return true;
	if (lookup_below(name, "/sys/devices"))
		return ends_with_net(w) && is_there(name);
	rest = after_self(name);
	if (!rest)
		return enter_other(w);
	if (!strcmp(rest, "/net"))
		return set_name(w, LOOKUP_SELF "/net");
	if (!strcmp(rest, "/ns/net"))
		return set_name(w, LOOKUP_SELF "/ns/net");
	if (!strcmp(rest, "/cwd") && cwd_get(NULL)) {
		cwd_get(name);
		w->len = strlen(name);
		return true;
	}
	if (!lookup_below(rest, "/fd") || !rest[3])
		return false;
	rest += 4;
	if (!lookup_skip_number(rest) || *lookup_skip_number(rest) ||
	    !fd_is_lkl(parse_number(rest)))
		return false;
	w->len = lookup_put_descriptor(name,
				       fd_number(fd_word(parse_number(rest))));
	return true;
}

/* A ".." in the library: does it lead out? */
static void go_up(struct walk *w)
{
	char *name = w->l->name, parent[LOOKUP_NAME];
	size_t i;

	pop(w);
	if (lookup_is_library(name))
		return;
	/* What only the library has, or part of what it enters at. */
	if (lookup_below(name, "/sys/devices") && name[12]) {
		for (i = 0; name[i]; i++)
			if (name[i] == '/' && lookup_is(name + i + 1, "net"))
				return;
		if (host2(SYS_access, name, F_OK))
			return;
	}
	w->library = false;
	if (lookup_below(name, LOOKUP_SELF)) {
		lookup_to_program(parent, name);
		set_name(w, parent);
	}
}

/*
 * If the name is a link of the host's, continue where it points to.  Returns 1
 * if so, 0 or a negative error number.
 */
static long follow_link(struct walk *w)
{
	char target[LOOKUP_NAME];
	struct lookup *l = w->l;
	long n;

	n = own_call3(SYS_readlink, l->name, target, sizeof(target));
	if (n == -EINVAL)
		return 0;
	if (n < 0)
		return n;
	if (n == sizeof(target) || n + 1 > w->rest - l->text)
		return -ENAMETOOLONG;
	if (++w->links > MAX_LINKS)
		return -ELOOP;
	*--w->rest = '/';
	w->rest -= n;
	memcpy(w->rest, target, n);
	pop(w);
	if (target[0] == '/')
		w->len = l->name[0] = 0;
	return 1;
}

/* Give the library what is left, or have a name from which ".." leads up. */
static bool in_library(struct walk *w, bool *done)
{
	const char *rest = w->rest;

	while (*rest == '/')
		rest++;
	/* It may not even be there, which the library finds out, too. */
	*done = !lookup_look_at(rest).up || lookup_canonical(w->l->name, 0);
	if (!*done) {
		w->len = strlen(w->l->name);
		return true;
	}
	/* A slash at the end says that it is a directory. */
	return !*w->rest || append(w, rest, strlen(rest));
}

static enum whose walk(struct walk *w, bool follow)
{
	struct lookup *l = w->l;
	bool gone = false, done = false;
	char *name;
	size_t n;

	if (w->library && (!in_library(w, &done) || done))
		return done ? LIBRARY : HOST;
	for (;;) {
		while (*w->rest == '/')
			w->rest++;
		name = w->rest;
		while (*w->rest && *w->rest != '/')
			w->rest++;
		n = w->rest - name;
		if (!n)
			break;
		if (n == 1 && name[0] == '.')
			continue;
		if (n == 2 && name[0] == '.' && name[1] == '.') {
			if (w->library)
				go_up(w);
			else
				pop(w);
			continue;
		}
		if (!append(w, name, n))
			return HOST;
		if (!w->library && !gone)
			w->library = enter(w);
		if (!w->library && !gone && (*w->rest || follow)) {
			long err = follow_link(w);

			gone = err < 0;
			w->library = gone &&
				     lookup_below(l->name, "/sys/devices") &&
				     is_there(l->name);
		}
		if (w->library && (!in_library(w, &done) || done))
			return done ? LIBRARY : HOST;
	}
	return w->library ? LIBRARY : HOST;
}

/* Begin in a directory of the host's that the program has open. */
static bool begin_at(struct walk *w, long dir)
{
	char link[40] = "/proc/self/fd/";
	long n;

	if (dir == AT_FDCWD) {
		n = own_call3(SYS_getcwd, w->l->name, LOOKUP_NAME, 0) - 1;
	} else if (dir < 0 || dir >= FD_MAX) {
		return false;
	} else {
		link[14 + lookup_put_number(link + 14, dir)] = 0;
		n = own_call3(SYS_readlink, link, w->l->name, LOOKUP_NAME - 1);
	}
	if (n <= 0 || w->l->name[0] != '/')
		return false;
	/* The root has no name. */
	w->len = n > 1 ? n : 0;
	w->l->name[w->len] = 0;
	return true;
}

/*
 * Most names of the library's begin in the same way.  If the host's link is
 * what it is in any /proc, it need not be followed.
 */
static bool is_proc_net(struct lookup *l, bool follow)
{
	static const char link[] = "self/net", to[] = LOOKUP_SELF "/net";
	const char *rest = l->text + 9;
	char target[sizeof(link)];
	size_t len;

	if (!lookup_below(l->text, "/proc/net") || !(*rest || follow))
		return false;
	len = strlen(rest) + 1;
	if (sizeof(to) + len > LOOKUP_NAME ||
	    own_call3(SYS_readlink, "/proc/net", target, sizeof(target)) !=
		    sizeof(link) - 1 ||
	    memcmp(target, link, sizeof(link) - 1))
		return false;
	memcpy(l->name, to, sizeof(to) - 1);
	memcpy(l->name + sizeof(to) - 1, rest, len);
	return true;
}

enum whose lookup(struct lookup *l, long dir, long path, bool follow)
{
	struct walk w = { .l = l };
	const char *p = l->text;
	bool from_library = false;
	enum whose whose;
	struct lookup_words has;
	uint32_t word;
	long len;

	l->opened = 0;
	/* The upper half of the register does not count. */
	dir = (int)dir;
	word = dir == AT_FDCWD ? 0 : fd_word(dir);
	len = user_string(l->text, path, sizeof(l->text));
	/* What is wrong with it the kernel says. */
	if (unlikely(len <= 0 || len + 8 > (long)sizeof(l->text)))
		return word & FD_LKL ? LIBRARY_FD : HOST;
	if (likely(is_plain(p, len, dir)))
		return HOST;
	has = lookup_look_at(p);
	if (*p == '/') {
		while (p[0] == '/' || (p[0] == '.' && p[1] == '/'))
			p++;
		if (likely(!has.telling || !has.first ||
			   !(has.up || lookup_is_first(p))))
			return HOST;
		if (!has.up && is_proc_net(l, follow))
			return LIBRARY;
	} else if (word & FD_LKL) {
		if (!has.up)
			return LIBRARY_FD;
		from_library = true;
	} else if (dir == AT_FDCWD && unlikely(cwd_get(l->name))) {
		from_library = true;
	} else if (likely(!has.telling)) {
		return HOST;
	} else if (dir == AT_FDCWD && !cwd_is_near() &&
		   !(has.up && has.first)) {
		return HOST;
	}

	/* The text moves to the end, so that links can be put before it. */
	w.rest = l->text + sizeof(l->text) - len - 1;
	memmove(w.rest, l->text, len + 1);
	l->name[w.len] = 0;
	if (*w.rest == '/') {
		;
	} else if (word & FD_LKL) {
		w.len = lookup_put_descriptor(l->name, fd_number(word));
		w.library = true;
	} else if (from_library) {
		cwd_get(l->name);
		w.len = strlen(l->name);
		w.library = true;
	} else if (!begin_at(&w, dir) ||
		   !(has.up || lookup_near(w.len ? l->name : "/"))) {
		return HOST;
	}
	whose = walk(&w, follow);
	if (whose != HOST || !from_library)
		return whose;
	/* The host would begin somewhere else. */
	while (*w.rest == '/')
		w.rest++;
	if (*w.rest && !append(&w, w.rest, strlen(w.rest)))
		return HOST;
	if (!w.len)
		memcpy(l->name, "/", 2);
	return HOST_NAME;
}
