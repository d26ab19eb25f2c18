// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's network without any privilege: libslirp ends the connections of
 * the library's kernel and makes ordinary ones of the host instead.
 *
 * libslirp knows one thread only, the polling one.  A frame that the kernel
 * sends goes through a ring to that thread; what libslirp has to deliver is
 * collected in a buffer, which the thread empties before it polls again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <slirp/libslirp.h>

#include "../../host/linux/linux.h"
#include "../../host/iov.h"
#include "../load.h"
#include "../net.h"

/*
 * No wire carries these packets, so they can be large; but several of them must
 * fit into libslirp's window of 128 KiB for it to acknowledge at once.
 */
#define MTU 32000
#define RING_SIZE (1U << 20)
#define LENGTH sizeof(uint32_t)

static const char wire[] = "user";

static struct {
	Slirp *(*create)(const SlirpConfig *config, const SlirpCb *callbacks,
			 void *opaque);
	void (*cleanup)(Slirp *slirp);
	void (*fill)(Slirp *slirp, uint32_t *timeout, SlirpAddPollCb add,
		     void *opaque);
	void (*poll)(Slirp *slirp, int error, SlirpGetREventsCb get,
		     void *opaque);
	void (*input)(Slirp *slirp, const uint8_t *frame, int len);
	int (*forward)(Slirp *slirp, int is_udp, struct in_addr host_addr,
		       int host_port, struct in_addr guest_addr,
		       int guest_port);
} lib;

static const char *const names[] = { "slirp_new",
				     "slirp_cleanup",
				     "slirp_pollfds_fill",
				     "slirp_pollfds_poll",
				     "slirp_input",
				     "slirp_add_hostfwd",
				     NULL };

struct timer {
	struct timer *next;
	SlirpTimerCb fn;
	void *arg;
	int64_t expires;
};

/*
 * @wakeup: eventfd
 * @hup: poll_hup() was called
 * @sleeping: the thread waits, or is about to
 * @full: a frame is waiting for room in the ring
 * @head, @tail: bytes that were put into the ring and taken from it
 * @frame: one that was taken
 * @packet, @packet_end: of a packet in fragments the header, and what has come
 * @ready, @start, @end, @size: frames to deliver
 */
struct user_wire {
	struct lkl_netdev nd;
	Slirp *slirp;
	int wakeup;
	int hup;
	int sleeping;
	int full;
	uint32_t head, tail;
	char ring[RING_SIZE];
	uint8_t frame[FRAME_MAX];
	uint8_t packet[20];
	unsigned int packet_end;
	char *ready;
	size_t start, end, size;
	struct pollfd *fds;
	unsigned int nfds, max_fds;
	struct timer *timers;
};

static struct user_wire *to_user(struct lkl_netdev *nd)
{
	return (struct user_wire *)nd;
}

static int64_t now_ns(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* From inside the kernel, too. */
static void wake(struct user_wire *w)
{
	const uint64_t one = 1;

	raw_syscall(__NR_write, w->wakeup, (long)&one, sizeof(one), 0, 0, 0);
}

/*
 * The ring: positions only grow.  Only the kernel puts frames in, and only the
 * thread takes them out.
 */

static void ring_put(struct user_wire *w, uint32_t pos, const void *data,
		     uint32_t len)
{
	uint32_t i = pos % RING_SIZE;
	uint32_t n = len < RING_SIZE - i ? len : RING_SIZE - i;

	memcpy(w->ring + i, data, n);
	memcpy(w->ring, (const char *)data + n, len - n);
}

static void ring_get(struct user_wire *w, uint32_t pos, void *data,
		     uint32_t len)
{
	uint32_t i = pos % RING_SIZE;
	uint32_t n = len < RING_SIZE - i ? len : RING_SIZE - i;

	memcpy(data, w->ring + i, n);
	memcpy((char *)data + n, w->ring, len - n);
}

static int user_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct user_wire *w = to_user(nd);
	uint32_t len = iov_length(iov, cnt), pos = w->head + LENGTH, used;
	int i;

	if (len > FRAME_MAX)
		return 0;
	used = w->head - __atomic_load_n(&w->tail, __ATOMIC_ACQUIRE);
	if (RING_SIZE - used < LENGTH + len) {
		__atomic_store_n(&w->full, 1, __ATOMIC_SEQ_CST);
		used = w->head - __atomic_load_n(&w->tail, __ATOMIC_SEQ_CST);
		if (RING_SIZE - used < LENGTH + len)
			return -EAGAIN;
	}
	ring_put(w, w->head, &len, LENGTH);
	for (i = 0; i < cnt; i++) {
		ring_put(w, pos, iov[i].iov_base, iov[i].iov_len);
		pos += iov[i].iov_len;
	}
	__atomic_store_n(&w->head, pos, __ATOMIC_SEQ_CST);
	if (__atomic_exchange_n(&w->sleeping, 0, __ATOMIC_SEQ_CST))
		wake(w);
	return 0;
}

/*
 * libslirp trusts fragments of IPv4 not to overlap: let it have those only that
 * come one behind the other, as a kernel makes them.
 */
static bool is_trustworthy(struct user_wire *w, const uint8_t *frame,
			   uint32_t len)
{
	const uint8_t *ip = frame + 14;
	unsigned int head, total, offset;

	if (len < 14 + 20 || frame[12] != 8 || frame[13])
		return true;
	offset = (ip[6] << 8 | ip[7]) & 0x3fff;
	if (!offset)
		return true;
	head = (ip[0] & 15) * 4;
	total = ip[2] << 8 | ip[3];
	offset = (offset & 0x1fff) * 8;
	if (head < 20 || total <= head || total > len - 14 ||
	    offset + total > 65535)
		return false;
	/* Identification and protocol, addresses */
	if (!offset)
		memcpy(w->packet, ip, sizeof(w->packet));
	else if (offset != w->packet_end || memcmp(w->packet + 4, ip + 4, 2) ||
		 w->packet[9] != ip[9] || memcmp(w->packet + 12, ip + 12, 8))
		return false;
	w->packet_end = ip[6] & 0x20 ? offset + total - head : 0;
	return true;
}

static void take_frames(struct user_wire *w)
{
	uint32_t len;

	while (w->tail != __atomic_load_n(&w->head, __ATOMIC_SEQ_CST)) {
		ring_get(w, w->tail, &len, LENGTH);
		ring_get(w, w->tail + LENGTH, w->frame, len);
		__atomic_store_n(&w->tail, w->tail + LENGTH + len,
				 __ATOMIC_SEQ_CST);
		if (is_trustworthy(w, w->frame, len))
			lib.input(w->slirp, w->frame, len);
	}
}

/* libslirp has a frame for the interface. */
static ssize_t deliver(const void *frame, size_t len, void *opaque)
{
	struct user_wire *w = opaque;
	uint32_t length = len;

	if (w->size - w->end < LENGTH + len) {
		size_t size = 2 * w->size + LENGTH + len;
		char *ready = realloc(w->ready, size);

		if (!ready)
			return len; /* lost, which TCP can bear */
		w->ready = ready;
		w->size = size;
	}
	memcpy(w->ready + w->end, &length, LENGTH);
	memcpy(w->ready + w->end + LENGTH, frame, len);
	w->end += LENGTH + len;
	return len;
}

static int user_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct user_wire *w = to_user(nd);
	uint32_t len;

	if (w->start == w->end) {
		w->start = 0;
		w->end = 0;
		return -EAGAIN;
	}
	memcpy(&len, w->ready + w->start, LENGTH);
	w->start += LENGTH;
	iov_put(iov, cnt, w->ready + w->start, len);
	w->start += len;
	return len;
}

static void guest_error(const char *message, void *opaque)
{
	(void)message;
	(void)opaque;
}

static void *timer_new(SlirpTimerCb fn, void *arg, void *opaque)
{
	struct user_wire *w = opaque;
	struct timer *timer = malloc(sizeof(*timer));

	if (!timer)
		abort(); /* libslirp does not expect that either */
	*timer = (struct timer){ w->timers, fn, arg, INT64_MAX };
	w->timers = timer;
	return timer;
}

static void timer_free(void *timer, void *opaque)
{
	struct user_wire *w = opaque;
	struct timer **p = &w->timers;

	while (*p != timer)
		p = &(*p)->next;
	*p = (*p)->next;
	free(timer);
}

static void timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->expires = expires_ms;
}

/* Run the timers that are due; returns when the next is, in ms, or -1. */
static int64_t run_timers(struct user_wire *w)
{
	int64_t now = now_ns(NULL) / 1000000, next = INT64_MAX;
	struct timer *timer;

	for (timer = w->timers; timer; timer = timer->next) {
		if (timer->expires <= now) {
			timer->expires = INT64_MAX;
			timer->fn(timer->arg);
		}
		if (timer->expires < next)
			next = timer->expires;
	}
	return next == INT64_MAX ? -1 : next - now;
}

static void ignore_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

/* Only ever called by the thread itself. */
static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = deliver,
	.guest_error = guest_error,
	.clock_get_ns = now_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = ignore_fd,
	.unregister_poll_fd = ignore_fd,
	.notify = notify,
};

/* The same events under two names. */
static const struct {
	int slirp;
	short poll;
} event_names[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT },
	{ SLIRP_POLL_PRI, POLLPRI }, { SLIRP_POLL_ERR, POLLERR },
	{ SLIRP_POLL_HUP, POLLHUP },
};

#define EVENTS (sizeof(event_names) / sizeof(*event_names))

static int add_fd(int fd, int events, void *opaque)
{
	struct user_wire *w = opaque;
	unsigned int i;

	if (w->nfds == w->max_fds) {
		struct pollfd *fds =
			realloc(w->fds, 2 * w->max_fds * sizeof(*fds));

		if (!fds)
			return -1;
		w->fds = fds;
		w->max_fds *= 2;
	}
	w->fds[w->nfds] = (struct pollfd){ .fd = fd };
	for (i = 0; i < EVENTS; i++) {
		if (events & event_names[i].slirp)
			w->fds[w->nfds].events |= event_names[i].poll;
	}
	return w->nfds++;
}

static int get_events(int index, void *opaque)
{
	struct user_wire *w = opaque;
	int events = 0;
	unsigned int i;

	if (index < 0)
		return 0;
	for (i = 0; i < EVENTS; i++) {
		if (w->fds[index].revents & event_names[i].poll)
			events |= event_names[i].slirp;
	}
	return events;
}

/* Sleep until libslirp or we have something to do, and do it. */
static void wait_and_work(struct user_wire *w)
{
	uint32_t timeout = UINT32_MAX;
	int64_t timer = run_timers(w);
	uint64_t count;
	int n;

	w->nfds = 1;
	lib.fill(w->slirp, &timeout, add_fd, w);
	if (timer >= 0 && timer < timeout)
		timeout = timer;
	__atomic_store_n(&w->sleeping, 1, __ATOMIC_SEQ_CST);
	if (w->tail != __atomic_load_n(&w->head, __ATOMIC_SEQ_CST) ||
	    __atomic_load_n(&w->hup, __ATOMIC_SEQ_CST))
		timeout = 0;
	n = poll(w->fds, w->nfds, timeout > INT32_MAX ? -1 : (int)timeout);
	__atomic_store_n(&w->sleeping, 0, __ATOMIC_SEQ_CST);
	if (n > 0 && w->fds[0].revents &&
	    read(w->wakeup, &count, sizeof(count)) < 0)
		w->fds[0].revents = 0;
	lib.poll(w->slirp, n < 0, get_events, w);
}

static int user_poll(struct lkl_netdev *nd)
{
	struct user_wire *w = to_user(nd);
	int events = 0;

	for (;;) {
		if (__atomic_exchange_n(&w->hup, 0, __ATOMIC_SEQ_CST))
			return LKL_DEV_NET_POLL_HUP;
		take_frames(w);
		if (__atomic_exchange_n(&w->full, 0, __ATOMIC_SEQ_CST))
			events |= LKL_DEV_NET_POLL_TX;
		if (w->start != w->end)
			events |= LKL_DEV_NET_POLL_RX;
		if (events)
			return events;
		wait_and_work(w);
	}
}

static void user_poll_hup(struct lkl_netdev *nd)
{
	struct user_wire *w = to_user(nd);

	__atomic_store_n(&w->hup, 1, __ATOMIC_SEQ_CST);
	wake(w);
}

static void user_free(struct lkl_netdev *nd)
{
	struct user_wire *w = to_user(nd);

	if (w->slirp)
		lib.cleanup(w->slirp);
	close(w->wakeup);
	free(w->ready);
	free(w->fds);
	free(w);
}

static struct lkl_dev_net_ops user_ops = {
	.tx = user_tx,
	.rx = user_rx,
	.poll = user_poll,
	.poll_hup = user_poll_hup,
	.free = user_free,
};

static int port_number(const char *s)
{
	char *end;
	long port = s ? strtol(s, &end, 10) : 0;

	return s && *s && !*end && port > 0 && port < 65536 ? port : -1;
}

/* PROTOCOL:[ADDRESS:]PORT:PORT */
static bool forward_one(struct user_wire *w, const char *rule)
{
	struct in_addr host = { INADDR_ANY };
	struct in_addr guest = { htonl(0x0a00020f) };
	char buf[64], *proto, *field[4] = { NULL }, *rest = buf;
	int n = 0, outside, inside;

	if (snprintf(buf, sizeof(buf), "%s", rule) >= (int)sizeof(buf))
		goto bad;
	while (rest && n < 4)
		field[n++] = strsep(&rest, ":");
	if (rest || n < 3)
		goto bad;
	proto = field[0];
	if (strcmp(proto, "tcp") && strcmp(proto, "udp"))
		goto bad;
	if (n == 4 && inet_pton(AF_INET, field[1], &host) != 1)
		goto bad;
	outside = port_number(field[n - 2]);
	inside = port_number(field[n - 1]);
	if (outside < 0 || inside < 0)
		goto bad;
	if (lib.forward(w->slirp, *proto == 'u', host, outside, guest, inside) <
	    0) {
		lkl_message(wire, "cannot forward %s: %s", rule,
			    strerror(errno));
		return false;
	}
	return true;
bad:
	lkl_message(wire, "not tcp|udp:[ADDRESS:]PORT:PORT: %s", rule);
	return false;
}

static bool forward_all(struct user_wire *w, const char *rules)
{
	char *copy = strdup(rules ? rules : ""), *rest = copy, *rule;
	bool ok = copy;

	while (ok && (rule = strsep(&rest, ",")))
		ok = !*rule || forward_one(w, rule);
	free(copy);
	return ok;
}

struct lkl_netdev *lkl_netdev_user_create(const char *forward)
{
	SlirpConfig config = {
		.version = 1,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vnameserver.s_addr = htonl(0x0a000203),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
		.in6_enabled = true,
		.vprefix_len = 64,
		.if_mtu = MTU,
		.if_mru = MTU,
	};
	struct user_wire *w;

	if (!lkl_load(wire, "libslirp.so.0", "libslirp0", names, (void **)&lib))
		return NULL;
	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);

	w = calloc(1, sizeof(*w));
	if (!w) {
		lkl_message(wire, "%s", strerror(ENOMEM));
		return NULL;
	}
	w->nd.ops = &user_ops;
	w->nd.flags = LKL_NETDEV_INLINE;
	w->nd.mtu = MTU;
	w->nd.offload = OFFLOAD(MRG_RXBUF);
	w->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->max_fds = 16;
	w->fds = calloc(w->max_fds, sizeof(*w->fds));
	if (w->wakeup < 0 || !w->fds) {
		lkl_message(wire, "%s", strerror(errno));
		user_free(&w->nd);
		return NULL;
	}
	w->fds[0] = (struct pollfd){ .fd = w->wakeup, .events = POLLIN };
	w->slirp = lib.create(&config, &callbacks, w);
	if (!w->slirp) {
		lkl_message(wire, "libslirp cannot begin");
		user_free(&w->nd);
		return NULL;
	}
	if (!forward_all(w, forward)) {
		user_free(&w->nd);
		return NULL;
	}
	return &w->nd;
}
