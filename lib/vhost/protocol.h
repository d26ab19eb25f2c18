/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the vhost-user protocol, and how they are sent and received.
 *
 * The side with the driver (the front end) sends requests over a UNIX socket,
 * with descriptors beside them; the side with the device (the back end)
 * answers those that ask for something.
 */
#ifndef LIB_VHOST_PROTOCOL_H
#define LIB_VHOST_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
};

/* A feature beside virtio's: there are protocol features. */
#define VHOST_F_PROTOCOL_FEATURES (1ULL << 30)

#define VHOST_PROTOCOL_MQ (1ULL << 0)
#define VHOST_PROTOCOL_REPLY_ACK (1ULL << 3)
#define VHOST_PROTOCOL_CONFIG (1ULL << 9)

/* Flags of a message. */
#define VHOST_VERSION 1
#define VHOST_VERSION_MASK 3
#define VHOST_REPLY 4
#define VHOST_NEED_REPLY 8

/* Of a payload that tells the queue of a descriptor. */
#define VHOST_VRING_INDEX 0xffULL
#define VHOST_VRING_NO_FD 0x100ULL

#define VHOST_MAX_REGIONS 8
#define VHOST_MAX_CONFIG 256

struct vhost_region {
	uint64_t guest;
	uint64_t size;
	uint64_t user;
	uint64_t offset;
};

/**
 * struct vhost_msg - a message
 * @request: enum vhost_request
 * @flags: VHOST_VERSION, VHOST_REPLY, VHOST_NEED_REPLY
 * @size: bytes of the payload
 * @fds: descriptors that come with it; not on the wire
 * @n_fds: how many
 */
struct vhost_msg {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} state;
		struct {
			uint32_t index;
			uint32_t flags;
			uint64_t desc;
			uint64_t used;
			uint64_t avail;
			uint64_t log;
		} addr;
		struct {
			uint32_t count;
			uint32_t padding;
			struct vhost_region regions[VHOST_MAX_REGIONS];
		} memory;
		struct {
			uint32_t offset;
			uint32_t size;
			uint32_t flags;
			unsigned char bytes[VHOST_MAX_CONFIG];
		} config;
	} __attribute__((packed));
	int fds[VHOST_MAX_REGIONS];
	int n_fds;
} __attribute__((packed));

/**
 * struct vhost_in - a message that is being received
 * @msg: what there is of it
 * @got: bytes of it
 */
struct vhost_in {
	struct vhost_msg msg;
	unsigned int got;
};

/**
 * vhost_receive - receive the next message, or more of it, without waiting
 * @sock: the connection
 * @in: zeroed at first; what it holds is kept until the message is complete
 *
 * Return: 1 when the message is complete, after which vhost_done() must
 * follow; 0 when there is not all of it yet; -EPIPE at the end of the
 * connection; -EPROTO for what is no message
 */
int vhost_receive(int sock, struct vhost_in *in);

/* Close the descriptors that nobody has taken (set to -1), and begin anew. */
void vhost_done(struct vhost_in *in);

/**
 * vhost_send - send a message
 * @sock: the connection
 * @msg: the message
 *
 * Return: 0 or a negative error number; -EAGAIN when the other side does not
 * read
 */
int vhost_send(int sock, const struct vhost_msg *msg);

/**
 * vhost_ask - send a request and wait for the answer
 * @sock: the connection
 * @msg: the request; becomes the answer, which has no descriptors
 * @size: bytes that the answer must have at least
 * @seconds: how long the other side may take
 *
 * Return: 0 or a negative error number; -ETIME when the other side does not
 * answer
 */
int vhost_ask(int sock, struct vhost_msg *msg, unsigned int size,
	      unsigned int seconds);

#endif /* LIB_VHOST_PROTOCOL_H */
