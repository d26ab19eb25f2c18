// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames on a byte stream: each follows its length, 32 bits in network byte
 * order, as other programs do it, too.
 *
 * What is read goes through a buffer.  A frame of which only a part could be
 * written has its remainder kept until there is room; frames behind it wait.
 *
 * A reader that begins in the middle of a frame sees an impossible length,
 * throws away what is there, and tries again: the sender writes whole frames,
 * so an empty stream goes on with a new one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "../../host/iov.h"
#include "../net.h"

#define LENGTH sizeof(uint32_t)
#define ETH_HDR 14

/*
 * @lock: of what follows
 * @rest, @first, @last: what remains to be written
 * @buf, @start, @end: what has been read
 * @told: that the stream makes no sense
 */
struct stream_wire {
	struct fd_wire fd;
	char name[32];
	int lock;
	unsigned int first, last;
	char rest[LENGTH + FRAME_MAX];
	unsigned int start, end;
	bool told;
	char buf[4 * (LENGTH + FRAME_MAX)];
};

static struct stream_wire *to_stream(struct lkl_netdev *nd)
{
	return (struct stream_wire *)nd;
}

static bool try_lock(struct stream_wire *w)
{
	return !__atomic_exchange_n(&w->lock, 1, __ATOMIC_ACQUIRE);
}

static void unlock(struct stream_wire *w)
{
	__atomic_store_n(&w->lock, 0, __ATOMIC_RELEASE);
}

/* Returns whether nothing remains to be written. */
static bool flush(struct stream_wire *w)
{
	while (w->first != w->last) {
		struct iovec iov = { w->rest + w->first, w->last - w->first };
		long ret = lkl_fd_transfer(&w->fd, true, &iov, 1);

		if (ret == -EAGAIN)
			return false;
		/* Nobody reads any more. */
		w->first = ret < 0 ? w->last : w->first + ret;
	}
	return true;
}

/* Keep what is behind the first @sent bytes. */
static void keep(struct stream_wire *w, struct iovec *iov, int cnt, size_t sent)
{
	unsigned int used = iov_skip(iov, cnt, sent);

	w->first = 0;
	w->last = iov_get(iov + used, cnt - used, w->rest, sizeof(w->rest));
}

static int send_frame(struct stream_wire *w, struct iovec *iov, int cnt)
{
	struct iovec all[cnt + 1];
	size_t size = iov_length(iov, cnt);
	uint32_t length = htonl(size);
	long ret;

	if (!flush(w))
		return -EAGAIN;
	if (size > FRAME_MAX)
		return 0;
	memcpy(all + 1, iov, cnt * sizeof(*iov));
	all[0] = (struct iovec){ &length, LENGTH };
	ret = lkl_fd_transfer(&w->fd, true, all, cnt + 1);
	if (ret > 0 && (size_t)ret < LENGTH + size)
		keep(w, all, cnt + 1, ret);
	return ret == -EAGAIN ? -EAGAIN : 0;
}

static int stream_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct stream_wire *w = to_stream(nd);
	int ret;

	/* If taken, poll() is flushing, and will report room. */
	if (!try_lock(w))
		return -EAGAIN;
	ret = send_frame(w, iov, cnt);
	unlock(w);
	return ret;
}

static int stream_poll(struct lkl_netdev *nd)
{
	struct stream_wire *w = to_stream(nd);
	int events = lkl_fd_poll(nd);

	if (events > 0 && events & LKL_DEV_NET_POLL_TX && try_lock(w)) {
		flush(w);
		unlock(w);
	}
	return events;
}

/* Returns the length of the frame at the start of the buffer, or 0. */
static unsigned int next_frame(struct stream_wire *w)
{
	unsigned int have = w->end - w->start;
	uint32_t length;

	if (have < LENGTH)
		return 0;
	memcpy(&length, w->buf + w->start, LENGTH);
	length = ntohl(length);
	if (length < ETH_HDR || length > FRAME_MAX) {
		if (!w->told)
			lkl_message(w->name,
				    "a frame of %u bytes cannot be; "
				    "starting afresh",
				    length);
		w->told = true;
		w->start = 0;
		w->end = 0;
		return 0;
	}
	return have - LENGTH >= length ? length : 0;
}

static int stream_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct stream_wire *w = to_stream(nd);
	unsigned int length;

	while (!(length = next_frame(w))) {
		struct iovec room;
		long ret;

		memmove(w->buf, w->buf + w->start, w->end - w->start);
		w->end -= w->start;
		w->start = 0;
		room.iov_base = w->buf + w->end;
		room.iov_len = sizeof(w->buf) - w->end;
		ret = lkl_fd_transfer(&w->fd, false, &room, 1);
		if (ret <= 0)
			return ret ? ret : -EPIPE;
		w->end += ret;
	}
	w->start += LENGTH;
	iov_put(iov, cnt, w->buf + w->start, length);
	w->start += length;
	return length;
}

static struct lkl_dev_net_ops stream_ops = {
	.tx = stream_tx,
	.rx = stream_rx,
	.poll = stream_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = lkl_fd_forked,
	.free = lkl_fd_free,
};

struct lkl_netdev *lkl_stream_wire(const char *wire, int in, int out,
				   unsigned int offload)
{
	struct stream_wire *w;

	w = lkl_fd_wire(sizeof(*w), &stream_ops, in, out);
	if (!w) {
		lkl_message(wire, "%s", strerror(errno));
		return NULL;
	}
	strncpy(w->name, wire, sizeof(w->name) - 1);
	w->fd.nd.offload = offload;
	w->fd.nd.has_vnet_hdr = !!(offload & ~OFFLOAD(MRG_RXBUF));
	return &w->fd.nd;
}
