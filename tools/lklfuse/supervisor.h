/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process that mounts, and looks after the one that serves.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "lklfuse.h"

/**
 * struct supervisor - the supervisor
 *
 * @lf: what the command line asks for
 * @fuse: what it asks libfuse for
 * @args: options of the session
 * @server: the process that serves
 * @control: socket to the server, or -1 when it has nothing more to ask for
 * @messages: what the server prints
 * @signals: signals to this process
 * @front: pipe to the process on the terminal when this one is a daemon
 * @daemon: messages go to the system's log
 * @mounted: the mount point is ours
 * @stopping: a signal has asked for the end
 * @line: unfinished line of a message
 * @len: its length
 */
struct supervisor {
	struct lklfuse *lf;
	const struct fuse_cmdline_opts *fuse;
	struct fuse_args args;
	pid_t server;
	int control;
	int messages;
	int signals;
	int front;
	bool daemon;
	bool mounted;
	bool stopping;
	char line[1024];
	size_t len;
};

/**
 * supervisor_session() - make a session for the mount
 * @s: the supervisor
 *
 * Return: the session, or NULL when libfuse has said what is wrong with its
 * options
 */
struct fuse_session *supervisor_session(struct supervisor *s);

/**
 * supervisor_option() - add an option of the mount
 * @s: the supervisor
 * @name: the option, or what it begins with
 * @value: what comes behind that, or NULL
 */
void supervisor_option(struct supervisor *s, const char *name,
		       const char *value);

/**
 * supervisor_start() - start the server
 * @s: the supervisor, with the image open
 * @log: descriptor of the file for the kernel's messages, or -1
 *
 * Return: 0, or -1 when it has said why not
 */
int supervisor_start(struct supervisor *s, int log);

/**
 * supervisor_run() - look after the server until it has ended
 * @s: the supervisor
 *
 * Return: exit status
 */
int supervisor_run(struct supervisor *s);

/**
 * attach() - mount on behalf of a lklfuse that may not
 * @process: its number; its standard input is /dev/fuse
 * @image: what to call the device
 * @mountpoint: the directory
 * @user: the only one with access, or NULL for all
 * @group: the group of that user, or NULL
 *
 * Return: exit status
 */
int attach(const char *process, const char *image, const char *mountpoint,
	   const char *user, const char *group);

#endif /* SUPERVISOR_H */
