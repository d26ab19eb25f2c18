/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages between a confined process and the one outside.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_FDS 2

/**
 * struct message - a message
 *
 * @what: what it is about
 * @status: an exit status, or 0
 * @number: what else goes with it
 * @text: strings with their 0 bytes, or other bytes; has a 0 byte behind it
 * @size: size of @text
 * @fds: descriptors that go with it, -1 for none; not for messages from the
 *	confined process
 */
struct message {
	uint32_t what;
	int32_t status;
	uint64_t number;
	char *text;
	size_t size;
	int fds[LINK_FDS];
};

/**
 * message_new() - begin a message
 * @what: what it is about
 *
 * Return: the message; give it to message_free()
 */
struct message message_new(uint32_t what);

/**
 * message_add() - add bytes
 * @m: the message
 * @bytes: the bytes
 * @size: their number
 */
void message_add(struct message *m, const void *bytes, size_t size);

/**
 * message_add_text() - add a string with its 0 byte
 * @m: the message
 * @text: the string
 */
void message_add_text(struct message *m, const char *text);

/**
 * message_next() - the next string of a message
 * @m: the message
 * @text: the one before, or NULL
 *
 * Return: the string, or NULL when there are no more
 */
const char *message_next(const struct message *m, const char *text);

/**
 * message_free() - free what belongs to a message, but for descriptors
 * @m: the message
 */
void message_free(struct message *m);

/**
 * link_outside() - let a signal end what waits for the other process
 * @socket: a stream socket to the confined process, which may never answer
 */
void link_outside(int socket);

/**
 * link_send() - send a message
 * @socket: a stream socket
 * @m: the message
 *
 * Return: false when the other process has gone, or after a signal
 */
bool link_send(int socket, const struct message *m);

/**
 * link_receive() - receive one
 * @socket: a stream socket
 * @max: bytes of text at most
 * @m: filled in; its text is to be freed, its descriptors to be closed
 *
 * Return: false when the other process has gone, or sent what it must not, or
 * after a signal
 */
bool link_receive(int socket, size_t max, struct message *m);

#endif /* LINK_H */
