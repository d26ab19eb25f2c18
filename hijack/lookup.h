/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose file a name means (lookup.c, by the text of its components:
 * component.c), what it is called (names.c), and the program's directory
 * (cwd.c).
 */
#ifndef HIJACK_LOOKUP_H
#define HIJACK_LOOKUP_H

#include <limits.h>

#include "internal.h"

/* What the calling thread's own /proc is called in the library. */
#define LOOKUP_SELF "/proc/thread-self"

/* No name is longer that is the library's. */
#define LOOKUP_NAME 512

/**
 * struct lookup - a name, and what it means
 * @name: the absolute name that it leads to, when that is asked for
 * @opened: number + 1 in the library's kernel of what has been opened to have
 *	that name, for lookup_end()
 * @text: the name as the program gave it; used up
 */
struct lookup {
	char name[LOOKUP_NAME];
	long opened;
	char text[PATH_MAX];
};

/**
 * enum whose - which kernel has the file
 * @HOST: the host, by the program's own arguments
 * @HOST_NAME: the host, as @name
 * @LIBRARY: the library, as @name
 * @LIBRARY_FD: the library, by the arguments with its number of the directory
 */
enum whose { HOST, HOST_NAME, LIBRARY, LIBRARY_FD };

/**
 * lookup - find out which kernel a file is in
 * @l: the result
 * @dir: a descriptor of the program's, or AT_FDCWD
 * @path: the program's pointer
 * @follow: a link at the end is followed
 */
enum whose lookup(struct lookup *l, long dir, long path, bool follow);

/* The program has a name server of its own: /etc/resolv.conf is the library's.
 */
extern bool lookup_resolv_conf;

/* What a text has among its components. */
struct lookup_words {
	bool first; /* the name of a directory in the root */
	bool telling; /* one that is on the way to a file of the library's */
	bool up; /* ".." */
};

struct lookup_words lookup_look_at(const char *p);

/* Is it a component, up to a slash or the end? */
bool lookup_is(const char *p, const char *word);

/* One that a name of the library's begins with? */
bool lookup_is_first(const char *p);

/*
 * May a component begin with a dot?  Eight bytes are looked at a time; those
 * after the end of the text may make the answer yes.
 */
bool lookup_is_dotted(const char *p, size_t len);

/* What is behind a number, or NULL if there is none. */
const char *lookup_skip_number(const char *p);

/* Write a number, and what a descriptor is called in the library; the length.
 */
size_t lookup_put_number(char *to, long n);
size_t lookup_put_descriptor(char *name, long kfd);

/* Where the library begins, but for what is the process's; up to a NULL. */
extern const char *const lookup_places[];

/* Is a name without links below one of those? */
bool lookup_is_library(const char *name);

/* The name is not used any more. */
static inline void lookup_end(struct lookup *l)
{
	if (unlikely(l->opened))
		lkl1(SYS_close, l->opened - 1);
}

/* mounts.c */
long mounts_open(const char *name, long flags, long mode);

/* Does a name begin with all of another one? */
bool lookup_below(const char *name, const char *dir);

/**
 * lookup_canonical - have a name of the library's without links
 * @name: LOOKUP_NAME bytes, replaced
 * @flags: of open(), beside O_PATH
 *
 * Return: 0 or a negative error number
 */
long lookup_canonical(char *name, int flags);

/**
 * lookup_descriptor - what a descriptor of the library's is open on
 * @name: LOOKUP_NAME bytes
 * @fd: number of the program's
 *
 * Return: 0 or a negative error number
 */
long lookup_descriptor(char *name, long fd);

/**
 * lookup_to_program - what a file of the library's is called in the host
 * @to: LOOKUP_NAME bytes
 * @name: its name in the library
 *
 * Return: length
 */
size_t lookup_to_program(char *to, const char *name);

/**
 * lookup_to_shown - the same for a name as the library's kernel tells it
 */
size_t lookup_to_shown(char *to, const char *name);

/* Is a directory near to those of the library's: above, or beside them? */
bool lookup_near(const char *name);

/**
 * cwd_get - the program's working directory, if that is the library's
 * @name: LOOKUP_NAME bytes, or NULL
 */
bool cwd_get(char *name);

/* Can a relative name be the library's, without leading far up? */
bool cwd_is_near(void);

/* The program has begun, or gone to a directory of the host's. */
void cwd_host(void);

/* It has gone to one of the library's. */
void cwd_library(const char *name);

#endif /* HIJACK_LOOKUP_H */
