// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-user with the device on our side: another process, a virtual machine or
 * one with a library like this, connects to a socket of ours, and its driver's
 * rings are what the wire sends to and receives from.
 *
 * Each frame is copied once, between the memory of the two.  Of a pair of
 * queues the first is what the other side receives from, the second what it
 * sends by.  It may use fewer pairs than our kernel: what it has no queue for
 * goes by its first.
 *
 * The other side is not trusted: what it says of its memory is checked when it
 * says it (memory.c), and each address in a ring when it is used (virtio.c),
 * and it is told without waiting for it (bell.c).  What it can do is to send
 * bad frames.
 *
 * Requests are answered by the polling thread of the first pair.  A queue's
 * lock is held while it is used, in the middle of the kernel too, and while a
 * request changes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../host/iov.h"
#include "../message.h"
#include "server.h"

/* Buffers of a frame. */
#define MAX_IOV 256
/* Chains that a frame is put into. */
#define MAX_CHAINS 64
/* Requests to answer at a time. */
#define MAX_REQUESTS 64
#define VNET_HDR sizeof(struct lkl_virtio_net_hdr_v1)

#define DEFAULT_OFFLOAD                                                        \
	(OFFLOAD(CSUM) | OFFLOAD(GUEST_CSUM) | OFFLOAD(GUEST_TSO4) |           \
	 OFFLOAD(GUEST_TSO6) | OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6) |       \
	 OFFLOAD(MRG_RXBUF))

static struct server_pair *to_pair(struct lkl_netdev *nd)
{
	return (struct server_pair *)nd;
}

/* Have the polling thread see to a ring with nonsense in it. */
static void check_ring(struct server *s, struct queue *q)
{
	/* Once, as the event counts. */
	if (q->ring.broken && !q->told) {
		q->told = true;
		ring_bell(s->pairs->wakeup, WAKEUP_BROKEN);
	}
}

static void tell(struct server *s, struct queue *q)
{
	if (lkl_virtq_mark(&q->ring) && q->call >= 0)
		vhost_bell_ring(&s->bell, q->call);
}

/*
 * Frames
 */

/* Copy between two lists of buffers; returns how many bytes. */
static size_t copy(const struct iovec *to, unsigned int n_to,
		   const struct iovec *from, unsigned int n_from)
{
	size_t done = 0, at_to = 0, at_from = 0;

	while (n_to && n_from) {
		size_t n = to->iov_len - at_to;

		if (n > from->iov_len - at_from)
			n = from->iov_len - at_from;
		memcpy((char *)to->iov_base + at_to,
		       (char *)from->iov_base + at_from, n);
		done += n;
		at_to += n;
		at_from += n;
		if (at_to == to->iov_len)
			to++, n_to--, at_to = 0;
		if (n_from && at_from == from->iov_len)
			from++, n_from--, at_from = 0;
	}
	return done;
}

/* Returns false when the other side has no buffers for so much. */
static bool send_frame(struct server *s, struct queue *q, struct iovec *frame,
		       int cnt)
{
	struct lkl_virtio_net_hdr_v1 *hdr = frame->iov_base;
	unsigned int i, n = 0, used = 0, most = 1;
	size_t size = iov_length(frame, cnt), room = 0;
	struct iovec iov[MAX_IOV];
	struct {
		int head;
		size_t size;
	} chains[MAX_CHAINS];

	if (s->accepted & VIRTIO(NET_F_MRG_RXBUF))
		most = MAX_CHAINS;
	while (room < size && n < most) {
		struct lkl_chain chain = { .iov = iov + used,
					   .max = MAX_IOV - used };

		chains[n].head = lkl_virtq_pop(&q->ring);
		if (chains[n].head < 0) {
			q->ring.next_avail -= n;
			return false;
		}
		if (lkl_virtq_chain(&q->ring, chains[n].head, &chain))
			return true;
		if (chain.out) {
			lkl_virtq_broken(&q->ring, "bad receive buffer");
			return true;
		}
		chains[n].size = iov_length(chain.iov, chain.in);
		room += chains[n++].size;
		used += chain.in;
	}
	/* The first piece of a frame of ours has the header, or more. */
	hdr->num_buffers = n;
	/* What is too long for its buffers is lost, and they are free again. */
	size = room < size ? 0 : copy(iov, used, frame, cnt);
	for (i = 0; i < n; i++) {
		size_t len = chains[i].size < size ? chains[i].size : size;

		lkl_virtq_push(&q->ring, chains[i].head, len);
		size -= len;
	}
	return true;
}

static int server_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct server_pair *p = to_pair(nd);
	struct queue *q = &p->queues[TO];
	struct server *s = p->s;
	int ret = 0;

	if (!__atomic_load_n(&q->ring.desc, __ATOMIC_RELAXED))
		q = &s->pairs->queues[TO];

	lock_take(&q->lock);
	if (q->ring.desc) {
		while (!send_frame(s, q, iov, cnt)) {
			if (!lkl_virtq_enable_kick(&q->ring)) {
				ret = -EAGAIN;
				break;
			}
		}
		tell(s, q);
		check_ring(s, q);
	}
	lock_give(&q->lock);
	return ret;
}

static int server_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct server *s = to_pair(nd)->s;
	struct queue *q = &to_pair(nd)->queues[FROM];
	struct iovec frame[MAX_IOV];
	struct lkl_chain chain = { .iov = frame, .max = MAX_IOV };
	int head, ret = -EAGAIN;

	lock_take(&q->lock);
	head = lkl_virtq_pop(&q->ring);
	if (head < 0 && q->ring.desc && lkl_virtq_enable_kick(&q->ring))
		head = lkl_virtq_pop(&q->ring);
	if (head >= 0 && !lkl_virtq_chain(&q->ring, head, &chain)) {
		size_t size = iov_length(frame, chain.out);

		/* Zero is a frame that is lost. */
		ret = 0;
		if (size > VNET_HDR && size <= FRAME_MAX)
			ret = copy(iov, cnt, frame, chain.out);
		lkl_virtq_push(&q->ring, head, 0);
		tell(s, q);
	}
	check_ring(s, q);
	lock_give(&q->lock);
	return ret;
}

static int server_look(struct lkl_netdev *nd, int again)
{
	struct queue *q = &to_pair(nd)->queues[FROM];
	bool found = false;

	lock_take(&q->lock);
	if (q->ring.desc && again) {
		lkl_virtq_disable_kick(&q->ring);
		found = lkl_virtq_ready(&q->ring);
	} else if (q->ring.desc) {
		found = lkl_virtq_enable_kick(&q->ring);
	}
	lock_give(&q->lock);
	return found;
}

static void drop(struct server *s, const char *why)
{
	if (why)
		lkl_message(s->name, "%s", why);
	server_forget(s);
	vhost_done(&s->in);
	close_fd(&s->sock);
	server_watch(s->pairs, s->listener, EPOLLIN | EPOLLET);
}

/* There may be no end of them, and more to do than to answer. */
static void on_socket(struct server *s)
{
	struct vhost_msg *msg = &s->in.msg;
	int i, ret = 0;

	for (i = 0; i < MAX_REQUESTS; i++) {
		const char *why;

		ret = vhost_receive(s->sock, &s->in);
		if (ret != 1)
			break;
		why = server_handle(s, msg);
		vhost_done(&s->in);
		if (why) {
			drop(s, why);
			return;
		}
	}
	if (ret < 0)
		drop(s, ret == -EPIPE ? NULL : "it does not speak vhost-user");
}

/* One at a time: others wait until this one goes. */
static void on_listener(struct server *s)
{
	s->sock = lkl_net_keep(
		accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	if (s->sock < 0)
		return;
	epoll_ctl(s->pairs->epoll, EPOLL_CTL_DEL, s->listener, NULL);
	if (!server_watch(s->pairs, s->sock, EPOLLIN | EPOLLRDHUP))
		drop(s, strerror(errno));
}

static const char *broken(const struct server *s)
{
	const struct server_pair *p;

	for_each_server_pair(p, s) {
		if (p->queues[TO].ring.broken)
			return p->queues[TO].ring.broken;
		if (p->queues[FROM].ring.broken)
			return p->queues[FROM].ring.broken;
	}
	return NULL;
}

static int on_wakeup(struct server_pair *p)
{
	struct server *s = p->s;
	uint64_t count;
	int mask = 0;

	if (read(p->wakeup, &count, sizeof(count)) < 0)
		return 0;
	if (count % WAKEUP_BROKEN)
		mask |= LKL_DEV_NET_POLL_RX;
	if (count % WAKEUP_BROKEN && p->index)
		mask |= LKL_DEV_NET_POLL_TX;
	if (count % WAKEUP_HUP >= WAKEUP_BROKEN && s->sock >= 0) {
		const char *why = broken(s);

		if (why)
			drop(s, why);
	}
	if (count >= WAKEUP_HUP)
		mask |= LKL_DEV_NET_POLL_HUP;
	/* Look anew, and behind the listeners. */
	lock_take(&p->lock);
	server_unshare(p);
	lock_give(&p->lock);
	return mask;
}

/* There is room in a queue, which others may use as well. */
static int on_room(struct server_pair *p)
{
	struct server_pair *other;

	for_each_server_pair(other, p->s)
		if (!p->index && other != p && !other->queues[TO].ring.desc)
			server_tell(other);
	return LKL_DEV_NET_POLL_TX;
}

static bool is_used(const struct server_pair *p)
{
	return p->queues[TO].ring.desc && p->queues[FROM].ring.desc;
}

static int server_poll(struct lkl_netdev *nd)
{
	struct server_pair *p = to_pair(nd);
	struct server *s = p->s;
	struct epoll_event events[8];
	int i, n, mask = 0;

	lock_take(&p->lock);
	if (!p->shared && p->up)
		p->shared = server_watch(p, p->queues[FROM].kick,
					 EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	lock_give(&p->lock);
	do
		n = epoll_wait(p->epoll, events, 8, -1);
	while (n < 0 && errno == EINTR);
	for (i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == p->wakeup)
			mask |= on_wakeup(p);
		else if (!p->index && fd == s->listener)
			on_listener(s);
		else if (!p->index && fd == s->sock)
			on_socket(s);
		else if (fd == p->queues[FROM].kick)
			mask |= LKL_DEV_NET_POLL_RX;
		else if (fd == p->queues[TO].kick)
			mask |= on_room(p);
	}
	lock_take(&p->lock);
	if (is_used(p) != p->up || p->retired >= 0) {
		p->up = is_used(p);
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_TX |
			LKL_DEV_NET_POLL_RX;
	}
	lock_give(&p->lock);
	return n < 0 ? -errno : mask;
}

static int server_link(struct lkl_netdev *nd)
{
	return to_pair(nd)->up;
}

static int server_fd(struct lkl_netdev *nd)
{
	struct server_pair *p = to_pair(nd);

	lock_take(&p->lock);
	/* Nobody listens to it any more. */
	close_fd(&p->retired);
	p->listened = p->up ? p->queues[FROM].kick : -1;
	lock_give(&p->lock);
	return p->listened;
}

static void server_poll_hup(struct lkl_netdev *nd)
{
	ring_bell(to_pair(nd)->wakeup, WAKEUP_HUP);
}

static void server_poll_rx(struct lkl_netdev *nd)
{
	server_tell(to_pair(nd));
}

static int server_setup(struct lkl_netdev *nd, const unsigned char *mac,
			unsigned int offload)
{
	struct server *s = to_pair(nd)->s;

	(void)mac;
	s->offload = offload;
	s->offered = VIRTIO(F_VERSION_1) | VHOST_F_PROTOCOL_FEATURES |
		     VIRTIO(RING_F_EVENT_IDX) | VIRTIO(RING_F_INDIRECT_DESC) |
		     OFFLOAD(MRG_RXBUF) | server_mirror(offload);
	if (s->n > 1)
		s->offered |= VIRTIO(NET_F_MQ);
	return 0;
}

/*
 * Making one
 */

static void server_forked(struct lkl_netdev *nd)
{
	struct server *s = to_pair(nd)->s;
	struct server_pair *p;
	unsigned int q;

	for_each_server_pair(p, s) {
		for (q = TO; q <= FROM; q++) {
			close_fd(&p->queues[q].kick);
			close_fd(&p->queues[q].call);
		}
		close_fd(&p->retired);
		close_fd(&p->wakeup);
		close_fd(&p->epoll);
	}
	close_fd(&s->sock);
	/* The socket's name is the other process's. */
	s->inode = 0;
	close_fd(&s->listener);
}

static void server_free(struct lkl_netdev *nd)
{
	struct server *s = to_pair(nd)->s;
	struct stat st;

	if (s->sock >= 0)
		drop(s, NULL);
	if (s->inode && !lstat(s->addr.sun_path, &st) && st.st_ino == s->inode)
		unlink(s->addr.sun_path);
	vhost_bell_close(&s->bell);
	server_forked(nd);
	free(s);
}

static struct lkl_dev_net_ops server_ops = {
	.tx = server_tx,
	.rx = server_rx,
	.look = server_look,
	.poll = server_poll,
	.poll_hup = server_poll_hup,
	.free = server_free,
	.forked = server_forked,
	.setup = server_setup,
	.link = server_link,
	.fd = server_fd,
	.poll_rx = server_poll_rx,
};

/* What a process that did not end well has left. */
static void remove_stale(const struct sockaddr_un *addr)
{
	int sock =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (sock >= 0 && !lstat(addr->sun_path, &st) && S_ISSOCK(st.st_mode) &&
	    connect(sock, (const struct sockaddr *)addr, sizeof(*addr)) &&
	    errno == ECONNREFUSED)
		unlink(addr->sun_path);
	close_fd(&sock);
}

static bool open_server(struct server *s)
{
	struct server_pair *p;
	struct stat st;

	for_each_server_pair(p, s) {
		p->epoll = epoll_create1(EPOLL_CLOEXEC);
		p->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (p->epoll < 0 || p->wakeup < 0 ||
		    !server_watch(p, p->wakeup, EPOLLIN))
			return false;
	}
	s->listener =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0)
		return false;
	vhost_bell_open(&s->bell, s->pairs->wakeup);
	remove_stale(&s->addr);
	if (bind(s->listener, (struct sockaddr *)&s->addr, sizeof(s->addr)))
		return false;
	if (!lstat(s->addr.sun_path, &st))
		s->inode = st.st_ino;
	return !listen(s->listener, 1) &&
	       server_watch(s->pairs, s->listener, EPOLLIN | EPOLLET);
}

/* Nothing of it is open yet. */
static struct server *new_server(unsigned int queues, unsigned int offload)
{
	struct server *s = calloc(1, sizeof(*s) + queues * sizeof(*s->pairs));
	struct server_pair *p;
	unsigned int q;

	if (!s)
		return NULL;
	s->sock = s->listener = -1;
	s->n = queues;
	for_each_server_pair(p, s) {
		p->s = s;
		p->index = p - s->pairs;
		p->epoll = p->wakeup = p->listened = p->retired = -1;
		for (q = TO; q <= FROM; q++) {
			p->queues[q].pair = p;
			p->queues[q].kick = p->queues[q].call = -1;
		}
		p->nd.ops = &server_ops;
		p->nd.flags = LKL_NETDEV_INLINE | LKL_NETDEV_EDGE;
		p->nd.has_vnet_hdr = 1;
		p->nd.offload = offload;
		if (!offload)
			p->nd.needs = DEFAULT_OFFLOAD;
		if (p->index + 1 < queues)
			p->nd.next = &p[1].nd;
	}
	return s;
}

struct lkl_netdev *lkl_netdev_vhost_user_server_create(const char *param,
						       int offload)
{
	static const char kind[] = "vhost-user-server";
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	int queues = lkl_net_queues(kind, param, path, sizeof(path));
	struct server *s;

	if (!queues)
		return NULL;
	s = new_server(queues, offload);
	if (!s) {
		lkl_message(kind, "%s", strerror(ENOMEM));
		return NULL;
	}
	s->addr.sun_family = AF_UNIX;
	snprintf(s->name, sizeof(s->name), "%s %s", kind, path);
	if (!*path || strlen(path) >= sizeof(s->addr.sun_path)) {
		lkl_message(s->name, "a path has 1 to %zu characters",
			    sizeof(s->addr.sun_path) - 1);
	} else if (lkl_net_check_offload(s->name, offload)) {
		strcpy(s->addr.sun_path, path);
		if (open_server(s))
			return &s->pairs->nd;
		lkl_message(s->name, "%s", strerror(errno));
	}
	server_free(&s->pairs->nd);
	return NULL;
}
