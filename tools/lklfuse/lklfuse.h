/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of lklfuse know of each other.
 *
 * Two processes share the work.  The *supervisor* (supervisor.c) does what
 * needs the rights of the user that started the program, and never looks at
 * what is in the image: it opens files, mounts and unmounts, prints and logs.
 * The *server* (server.c) gets the open image and later the open /dev/fuse, and
 * runs the library's kernel; unless told otherwise it is confined
 * (common/sandbox.c)
 * before it reads the first byte of the image.  If it dies all the same, the
 * supervisor can say so.
 */
#ifndef LKLFUSE_H
#define LKLFUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include "../common/image.h"

/**
 * struct owner_map - how owners in the image and owners here belong together
 *
 * @all: every owner in the image looks like @to
 * @to: see @all
 * @count: number of @pairs, which go before @all
 * @pairs: an owner in the image, and the same one here
 */
struct owner_map {
	bool all;
	uint32_t to;
	size_t count;
	struct owner_pair {
		uint32_t image;
		uint32_t here;
	} * pairs;
};

/**
 * struct lklfuse - what the command line asks for
 *
 * @img: the image
 * @uids: map of users
 * @gids: map of groups
 * @user: the user that started the program
 * @group: that user's group
 * @permissions: the host's kernel checks permissions
 * @sandbox: confine the server
 * @single: serve one request at a time
 * @loop: how to serve several
 * @session: libfuse's session, not mounted yet
 * @control: the server's socket to the supervisor, for struct group_query
 */
struct lklfuse {
	struct image img;
	struct owner_map uids;
	struct owner_map gids;
	uid_t user;
	gid_t group;
	bool permissions;
	bool sandbox;
	bool single;
	struct fuse_loop_config *loop;
	struct fuse_session *session;
	int control;
};

/* What the server says when the image is mounted in the library's kernel. */
#define SERVER_READY 'w'
#define SERVER_READY_READONLY 'r'

/* ioctl of the mount: write all that is in memory to the image. */
#define LKLFUSE_SYNC _IO('L', 0x46)

/**
 * struct group_query - what the server asks then: is a process in a group?
 *
 * @pid: the process
 * @gid: the group
 *
 * The answer is a byte, 1 for yes.
 */
struct group_query {
	pid_t pid;
	gid_t gid;
};

/**
 * server_run() - be the server
 * @lf: what to do
 * @control: socket to the supervisor: a SERVER_READY goes out, the descriptor
 *	of /dev/fuse comes in
 *
 * Return: exit status
 */
int server_run(struct lklfuse *lf, int control);

/* The operations of the session. */
extern const struct fuse_lowlevel_ops lklfuse_ops;

/**
 * ops_start() - prepare for the first request
 * @lf: the mounted image
 *
 * Return: 0, or -1 when it has said why not
 */
int ops_start(const struct lklfuse *lf);

/**
 * ops_end() - close all that is open in the image
 */
void ops_end(void);

/**
 * owner_parse() - read IMAGE:HERE[:IMAGE:HERE]...
 * @map: where the pairs go
 * @text: the pairs
 * @what: what they are, for the message; does not return when they are wrong
 */
void owner_parse(struct owner_map *map, const char *text, const char *what);

/**
 * owner_default() - in a file system without owners, all belongs to the user
 * @lf: the mounted image
 */
void owner_default(struct lklfuse *lf);

/**
 * owner_out() - map an owner in the image to one here
 * @map: the map
 * @id: the owner
 *
 * Return: the owner to show
 */
uint32_t owner_out(const struct owner_map *map, uint32_t id);

/**
 * owner_in() - map an owner here to one in the image
 * @map: the map
 * @id: the owner here
 *
 * Return: the owner to store
 */
uint32_t owner_in(const struct owner_map *map, uint32_t id);

/**
 * owner_acl() - map the owners in an ACL
 * @lf: has the maps
 * @acl: value of the extended attribute
 * @size: its size
 * @map: owner_in or owner_out
 */
void owner_acl(const struct lklfuse *lf, void *acl, size_t size,
	       uint32_t (*map)(const struct owner_map *map, uint32_t id));

#endif /* LKLFUSE_H */
