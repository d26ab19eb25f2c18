/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of qemu that read images in formats of their own.
 */
#ifndef QEMU_H
#define QEMU_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

/**
 * struct qemu - an image, and how to treat it
 *
 * @name: its name, for messages
 * @path: its absolute path
 * @format: its format, as qemu calls it
 * @file: descriptor of the open image
 * @readonly: do not change it
 * @trust: use other files and servers that the image names
 */
struct qemu {
	const char *name;
	const char *path;
	const char *format;
	int file;
	bool readonly;
	bool trust;
};

/**
 * struct qemu_server - a qemu-nbd that may have no client yet
 *
 * @keeper: the process that ends it if this one dies
 * @orders: where that hears of it
 */
struct qemu_server {
	pid_t keeper;
	int orders;
};

/**
 * qemu_serve() - start a qemu-nbd for an image
 * @q: the image
 * @listener: socket that it listens on, which is closed
 * @addr: where that is
 * @end: writing end of a pipe, which it keeps as long as it runs
 * @s: filled in
 *
 * An image that names other files or servers is refused unless it is trusted,
 * and the program that reads it can reach nothing but the image.
 *
 * Return: 0 once it serves, or -1 when it has said why not
 */
int qemu_serve(const struct qemu *q, int listener,
	       const struct sockaddr_un *addr, int end, struct qemu_server *s);

/**
 * qemu_leave() - let a server run for as long as it has clients
 * @s: the server, which has one
 */
void qemu_leave(struct qemu_server *s);

/**
 * qemu_end() - end a server
 * @s: the server, which may have ended
 */
void qemu_end(struct qemu_server *s);

#endif /* QEMU_H */
