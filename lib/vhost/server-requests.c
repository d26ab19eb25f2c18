// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the other side asks a vhost-user back end for.
 *
 * A queue is used from when it has a size, a descriptor by which it is kicked,
 * and leave to be used, until the other side says anything else of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "server.h"

#define MAX_RING 32768

static void *at_guest(struct lkl_virtq *q, uint64_t addr, uint64_t len)
{
	return vhost_memory_guest(q->memory, addr, len);
}

/* Stop to use a queue; tells where it was. */
static void stop_queue(struct queue *q)
{
	lock_take(&q->lock);
	if (q->ring.desc)
		q->base = q->ring.next_avail;
	q->ring.desc = NULL;
	lock_give(&q->lock);
}

/* Use a queue of which all is known. */
static const char *start_queue(struct server *s, struct queue *q)
{
	struct lkl_virtq ring = { .map = at_guest,
				  .memory = &s->memory,
				  .num = q->num,
				  .next_avail = q->base };
	bool events = s->accepted & VIRTIO(RING_F_EVENT_IDX);
	size_t n = q->num;

	if (q->ring.desc || !q->num || q->kick < 0 || !q->enabled)
		return NULL;
	ring.event_idx = events;
	ring.avail = vhost_memory_user(&s->memory, q->avail, 6 + 2 * n);
	ring.used =
		vhost_memory_user(&s->memory, q->used,
				  6 + sizeof(struct lkl_vring_used_elem) * n);
	ring.desc = vhost_memory_user(&s->memory, q->desc,
				      sizeof(struct lkl_vring_desc) * n);
	if (!ring.desc || !ring.avail || !ring.used)
		return "a ring outside of its memory";
	if ((unsigned long)ring.desc % 16 || (unsigned long)ring.avail % 2 ||
	    (unsigned long)ring.used % 4)
		return "a ring at an odd address";
	ring.next_used = ring.used->idx;
	ring.told_used = ring.next_used;
	lock_take(&q->lock);
	q->ring = ring;
	q->told = false;
	lkl_virtq_enable_kick(&q->ring);
	lock_give(&q->lock);
	return NULL;
}

/* The descriptor of a request about a queue's; -1 when there is none. */
static const char *queue_fd(struct vhost_msg *msg, int *fd)
{
	*fd = -1;
	if (msg->u64 & VHOST_VRING_NO_FD)
		return msg->n_fds ? "a descriptor too many" : NULL;
	if (msg->n_fds != 1 || !vhost_bell_is(msg->fds[0]))
		return "no eventfd with a ring";
	*fd = lkl_net_keep(msg->fds[0]);
	msg->fds[0] = -1;
	if (*fd < 0)
		return "no number for the eventfd of a ring";
	fcntl(*fd, F_SETFL, O_RDWR | O_NONBLOCK);
	return NULL;
}

bool server_watch(struct server_pair *p, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return !epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

void server_unshare(struct server_pair *p)
{
	if (p->shared)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->queues[FROM].kick, NULL);
	p->shared = false;
}

/*
 * A queue that is at rest has no descriptor to be told by.  Epolls forget one
 * that is closed only if the other side has not got it any more, so listeners
 * are told to look at another one before it is.
 */
static void close_kick(struct queue *q)
{
	struct server_pair *p = q->pair;

	lock_take(&p->lock);
	if (q == &p->queues[FROM])
		server_unshare(p);
	else if (q->kick >= 0)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, q->kick, NULL);
	if (q->kick >= 0 && q->kick == p->listened) {
		p->retired = q->kick;
		p->listened = -1;
		q->kick = -1;
	}
	close_fd(&q->kick);
	lock_give(&p->lock);
}

static const char *set_kick(struct server *s, struct queue *q,
			    struct vhost_msg *msg)
{
	const char *why;
	int fd;

	why = queue_fd(msg, &fd);
	if (why)
		return why;
	if (fd < 0)
		return "a ring that wants to be polled";
	stop_queue(q);
	close_kick(q);
	lock_take(&q->pair->lock);
	q->kick = fd;
	lock_give(&q->pair->lock);
	if (!(s->accepted & VHOST_F_PROTOCOL_FEATURES))
		q->enabled = true;
	if (q == &q->pair->queues[TO] &&
	    !server_watch(q->pair, fd, EPOLLIN | EPOLLET))
		return strerror(errno);
	return start_queue(s, q);
}

static const char *set_call(struct server *s, struct queue *q,
			    struct vhost_msg *msg)
{
	const char *why;
	int fd;

	why = queue_fd(msg, &fd);
	if (why)
		return why;
	lock_take(&q->lock);
	close_fd(&q->call);
	q->call = fd;
	lock_give(&q->lock);
	/* It may have been asked for meanwhile. */
	if (fd >= 0)
		vhost_bell_ring(&s->bell, fd);
	return NULL;
}

/* Offloads of one side as the other one has them. */
unsigned int server_mirror(unsigned int offload)
{
	static const struct {
		unsigned int one, other;
	} pairs[] = {
		{ OFFLOAD(CSUM), OFFLOAD(GUEST_CSUM) },
		{ OFFLOAD(HOST_TSO4), OFFLOAD(GUEST_TSO4) },
		{ OFFLOAD(HOST_TSO6), OFFLOAD(GUEST_TSO6) },
		{ OFFLOAD(HOST_ECN), OFFLOAD(GUEST_ECN) },
		{ OFFLOAD(HOST_UFO), OFFLOAD(GUEST_UFO) },
	};
	unsigned int i, ret = 0;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (offload & pairs[i].one)
			ret |= pairs[i].other;
		if (offload & pairs[i].other)
			ret |= pairs[i].one;
	}
	return ret;
}

static const char *set_features(struct server *s, unsigned long long features)
{
	unsigned int sends = OFFLOAD(CSUM) | OFFLOAD(HOST_TSO4) |
			     OFFLOAD(HOST_TSO6) | OFFLOAD(HOST_ECN) |
			     OFFLOAD(HOST_UFO);

	if (features & ~s->offered)
		return "it accepts features that were not offered";
	if (!(features & VIRTIO(F_VERSION_1)))
		return "it has no virtio 1.0";
	if (server_mirror(s->offload & sends) & ~features)
		return "it takes fewer offloads than we send; give others";
	s->accepted = features;
	return NULL;
}

/* The queue that a request is about, or NULL. */
static struct queue *queue_of(struct server *s, const struct vhost_msg *msg)
{
	uint64_t index = msg->state.index;
	unsigned int size = sizeof(msg->state);

	switch (msg->request) {
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		index = msg->u64 & VHOST_VRING_INDEX;
		break;
	case VHOST_SET_VRING_ADDR:
		size = sizeof(msg->addr);
		break;
	}
	if (msg->size < size || index >= s->n * 2)
		return NULL;
	return &s->pairs[index / 2].queues[index % 2];
}

static const char *set_num(struct queue *q, unsigned int num)
{
	if (!num || num > MAX_RING || num & (num - 1))
		return "a ring of an impossible size";
	stop_queue(q);
	q->num = num;
	return NULL;
}

/* A request about one queue; it may become the answer. */
static const char *about_queue(struct server *s, struct vhost_msg *msg)
{
	struct queue *q = queue_of(s, msg);

	if (!q)
		return "a request about a ring that there is not";
	switch (msg->request) {
	case VHOST_SET_VRING_NUM:
		return set_num(q, msg->state.num);
	case VHOST_SET_VRING_BASE:
		stop_queue(q);
		q->base = msg->state.num;
		return NULL;
	case VHOST_SET_VRING_ADDR:
		stop_queue(q);
		q->desc = msg->addr.desc;
		q->avail = msg->addr.avail;
		q->used = msg->addr.used;
		return start_queue(s, q);
	case VHOST_SET_VRING_ENABLE:
		q->enabled = msg->state.num;
		if (q->enabled)
			return start_queue(s, q);
		stop_queue(q);
		return NULL;
	case VHOST_GET_VRING_BASE:
		stop_queue(q);
		/* It is at rest until it is kicked anew. */
		close_kick(q);
		msg->state.num = q->base;
		return NULL;
	case VHOST_SET_VRING_KICK:
		return set_kick(s, q, msg);
	case VHOST_SET_VRING_CALL:
		return set_call(s, q, msg);
	}
	return NULL;
}

static const char *set_memory(struct server *s, const struct vhost_msg *msg)
{
	struct server_pair *p;
	const char *why;

	for_each_server_pair(p, s) {
		stop_queue(&p->queues[TO]);
		stop_queue(&p->queues[FROM]);
	}
	why = vhost_memory_set(&s->memory, msg);
	for_each_server_pair(p, s) {
		if (!why)
			why = start_queue(s, &p->queues[TO]);
		if (!why)
			why = start_queue(s, &p->queues[FROM]);
	}
	return why;
}

static uint64_t protocol_features(const struct server *s)
{
	return VHOST_PROTOCOL_REPLY_ACK | (s->n > 1 ? VHOST_PROTOCOL_MQ : 0);
}

/* Does what is asked; the message may become the answer. */
static const char *handle(struct server *s, struct vhost_msg *msg)
{
	switch (msg->request) {
	case VHOST_GET_FEATURES:
		msg->u64 = s->offered;
		return NULL;
	case VHOST_GET_PROTOCOL_FEATURES:
		msg->u64 = protocol_features(s);
		return NULL;
	case VHOST_SET_FEATURES:
		return msg->size < 8 ? "a request too short"
				     : set_features(s, msg->u64);
	case VHOST_SET_PROTOCOL_FEATURES:
		if (msg->size < 8 || msg->u64 & ~protocol_features(s))
			return "it accepts features that were not offered";
		s->protocol = msg->u64;
		return NULL;
	case VHOST_GET_QUEUE_NUM:
		msg->u64 = s->n;
		return NULL;
	case VHOST_SET_OWNER:
	case VHOST_RESET_OWNER:
		return NULL;
	case VHOST_SET_MEM_TABLE:
		return set_memory(s, msg);
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_SET_VRING_ADDR:
	case VHOST_SET_VRING_ENABLE:
	case VHOST_GET_VRING_BASE:
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		return about_queue(s, msg);
	}
	return "a request that there is not";
}

/* The size of an answer; 0 when the request has none. */
static unsigned int answer_size(const struct vhost_msg *msg)
{
	switch (msg->request) {
	case VHOST_GET_FEATURES:
	case VHOST_GET_PROTOCOL_FEATURES:
	case VHOST_GET_QUEUE_NUM:
		return 8;
	case VHOST_GET_VRING_BASE:
		return sizeof(msg->state);
	}
	return 0;
}

const char *server_handle(struct server *s, struct vhost_msg *msg)
{
	bool ack = msg->flags & VHOST_NEED_REPLY &&
		   s->protocol & VHOST_PROTOCOL_REPLY_ACK;

	const char *why = handle(s, msg);
	unsigned int i, size = answer_size(msg);

	for (i = 1; i < s->n; i++)
		server_tell(&s->pairs[i]);

	if (!size && ack) {
		msg->u64 = !!why;
		size = 8;
	}
	if (size) {
		struct vhost_msg answer = *msg;

		answer.flags = VHOST_VERSION | VHOST_REPLY;
		answer.size = size;
		answer.n_fds = 0;
		/* If it is gone, that will be seen. */
		if (vhost_send(s->sock, &answer) == -EAGAIN && !why)
			why = "it does not read its answers";
	}
	return why;
}

static void forget_queue(struct queue *q)
{
	stop_queue(q);
	close_kick(q);
	lock_take(&q->lock);
	close_fd(&q->call);
	lock_give(&q->lock);
	q->num = 0;
	q->base = 0;
	q->enabled = false;
}

void server_forget(struct server *s)
{
	struct server_pair *p;

	for_each_server_pair(p, s) {
		forget_queue(&p->queues[TO]);
		forget_queue(&p->queues[FROM]);
		if (p->index)
			server_tell(p);
	}
	vhost_memory_clear(&s->memory);
	s->accepted = 0;
	s->protocol = 0;
}
