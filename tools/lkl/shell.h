/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two processes of lkl sh.
 *
 * One has the image, is confined, and runs the verbs (sh_image.c).  The other
 * has what is the user's: it reads the lines (sh.c), opens files of the host,
 * runs commands there, and asks the first for the rest (sh_ask.c, sh_copy.c).
 * What that answers is not trusted.
 */
#ifndef LKL_SHELL_H
#define LKL_SHELL_H

#include "../common/link.h"
#include "verb.h"

/*
 * What is asked, and what comes back: any number of TELL_TEXT, and TELL_STATUS
 * at the end.
 */
enum {
	/* a verb: name for messages, words; its standard input and output */
	ASK_RUN,
	/* another directory: its path; TELL_TEXT is the new one from the root
	 */
	ASK_CD,
	/* a pattern: TELL_TEXT has the paths */
	ASK_GLOB,
	/* a directory: TELL_TEXT has its names, directories with a slash */
	ASK_LIST,
	/* a file for an editor, to a descriptor: its path */
	ASK_GET,
	/* what an editor made of it: path, content as it was, and new; @number
	 * is the size of the first */
	ASK_PUT,
	/* from the host: target; @number is the number of sources, with NO_DIR;
	 * TELL_TEXT says by which name the only source goes */
	ASK_COPY_IN,
	/* to the host: that name, paths */
	ASK_COPY_OUT,
	TELL_READY,
	TELL_TEXT,
	TELL_STATUS,
};

/* Of ASK_RUN: the output is a terminal, its reader may go away. */
#define RUN_TERMINAL 1
#define RUN_PIPE 2
/* Of ASK_COPY_IN: the only source is no directory. */
#define NO_DIR (1ULL << 62)

/* More than this is in no answer. */
#define ANSWER_MAX (256UL << 20)

/**
 * struct remote_image - the process that has the image
 *
 * @socket: to it
 * @ended: becomes readable when it has ended
 * @pid: its id
 * @typed: a person types, who may stop a command
 * @stopped: who has done so
 * @lost: it has gone
 */
struct remote_image {
	int socket;
	int ended;
	pid_t pid;
	bool typed;
	bool stopped;
	bool lost;
};

/**
 * ask_ready() - wait until the image is mounted
 * @r: the process
 *
 * Return: false when it will not be
 */
bool ask_ready(struct remote_image *r);

/**
 * ask() - ask for something
 * @r: the process
 * @m: the request, which is freed
 *
 * Return: false when the process has gone, or after a signal
 */
bool ask(struct remote_image *r, struct message *m);

/**
 * answer() - wait for the next part of an answer
 * @r: the process
 * @m: filled in; to be freed
 *
 * Return: false when the process has gone, or a signal ends this one
 */
bool answer(struct remote_image *r, struct message *m);

/**
 * answer_status() - wait for the end of an answer
 * @r: the process
 * @text: the last text that has come before, to be freed; or NULL
 *
 * Return: exit status
 */
int answer_status(struct remote_image *r, struct message *text);

/**
 * ask_run() - have a verb run, with this process's standard input and output
 * @r: the process
 * @v: the verb
 * @words: the command line, with NULL at the end
 * @quiet: the reader of the output may go away
 * @what: name to show the progress with, or NULL
 *
 * Return: exit status
 */
int ask_run(struct remote_image *r, const struct verb *v, char *const *words,
	    bool quiet, const char *what);

/**
 * ask_paths() - have the paths in the image found that match a pattern
 * @r: the process
 * @pattern: the pattern; a backslash takes away the meaning of what follows
 * @add: called for each of them, sorted; the path is its to free
 * @arg: for @add
 *
 * Return: how many there were
 */
size_t ask_paths(struct remote_image *r, const char *pattern,
		 void (*add)(void *arg, char *path), void *arg);

/**
 * ask_names() - read a directory
 * @r: the process
 * @dir: its path
 * @m: filled in with the names; to be freed
 */
void ask_names(struct remote_image *r, const char *dir, struct message *m);

/**
 * sh_copy() - the verb cp, for what is on the host or in the image
 * @r: the process with the image
 * @v: the verb
 * @img: the image, as it was given
 * @a: the command line, which is right
 * @words: the same as words
 *
 * Return: exit status
 */
int sh_copy(struct remote_image *r, const struct verb *v,
	    const struct image *img, const struct args *a, char *const *words);

/**
 * sh_edit() - the verb edit
 * @r: the process with the image
 * @label: how messages call the image
 * @a: the command line
 *
 * Return: exit status
 */
int sh_edit(struct remote_image *r, const char *label, const struct args *a);

/**
 * struct image_side - what the process with the image is told before it begins
 *
 * @s: the session
 * @a: the command line of lkl sh
 * @find: looks a verb up
 * @socket: to the other process
 * @typed: a person types, who may stop a verb
 */
struct image_side {
	struct session s;
	const struct args *a;
	const struct verb *(*find)(const char *name);
	int socket;
	bool typed;
};

/**
 * image_side_run() - do what the other process asks for, to its end
 * @side: what is known
 *
 * Return: exit status
 */
int image_side_run(struct image_side *side);

#endif /* LKL_SHELL_H */
