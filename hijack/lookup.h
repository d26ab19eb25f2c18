/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose file a name means (lookup.c), and the program's directory (cwd.c). */
#ifndef HIJACK_LOOKUP_H
#define HIJACK_LOOKUP_H

#include <limits.h>

#include "internal.h"

/* No name is longer that is the library's. */
#define LOOKUP_NAME 512

/**
 * struct lookup - a name, and what it means
 * @name: the absolute name that it leads to, when that is asked for
 * @text: the name as the program gave it; used up
 */
struct lookup {
	char name[LOOKUP_NAME];
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

#endif /* HIJACK_LOOKUP_H */
