// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-user with the driver on our side: the frames of an interface go to
 * another process, a virtual switch or DPDK's programs, through memory.
 *
 * The other side maps all of RAM, and an area of ours with the rings.  These
 * are not the rings of the kernel's driver: what that makes available is
 * entered into ours (give), and what the other side is done with is handed on
 * (take). So the kernel's rings are out of reach, a side that goes and comes
 * again finds what it has not done, and a frame need not lie in RAM: pieces
 * that are the application's own memory (MSG_ZEROCOPY) are copied into the
 * area.  Short frames are, too, since that costs less than to hear when they
 * are done with.
 *
 * It is not told where rings are before something is given, which is when a
 * kernel runs.  If it goes away, the polling thread tries to connect again,
 * once a second; what was on its way is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <lkl/asm/virtio_host.h>
#include <lkl/linux/virtio_config.h>
#include "../iov.h"
#include "../message.h"
#include "client.h"
#include "protocol.h"

/* Frames up to so many bytes are copied. */
#define SHORT 1024
/* If fewer descriptors are free, it matters when others are. */
#define LOW (VHOST_DRIVER_NUM / 4)

/* Of what a chain for sending is called by: its buffers are others'. */
#define LENT 1

/* Features that are offloads. */
#define OFFLOADS                                                               \
	(OFFLOAD(CSUM) | OFFLOAD(GUEST_CSUM) | OFFLOAD(GUEST_TSO4) |           \
	 OFFLOAD(GUEST_TSO6) | OFFLOAD(GUEST_ECN) | OFFLOAD(GUEST_UFO) |       \
	 OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6) | OFFLOAD(HOST_ECN) |         \
	 OFFLOAD(HOST_UFO) | OFFLOAD(MRG_RXBUF))

/* What is added to the eventfd that wakes the polling thread. */
#define WAKEUP_RX 1
#define WAKEUP_START (1ULL << 16)
#define WAKEUP_BROKEN (1ULL << 32)
#define WAKEUP_HUP (1ULL << 48)

static struct client *to_client(struct lkl_netdev *nd)
{
	return (struct client *)nd;
}

/*
 * What the device does
 */

/* Can the other side reach a piece of a frame? */
static bool in_ram(const struct posix_ram *ram, const struct iovec *iov)
{
	unsigned long offset = (unsigned long)iov->iov_base - ram->addr;

	return offset < ram->size && iov->iov_len <= ram->size - offset;
}

static char *slot(struct client *c, unsigned int i)
{
	return c->area + 2 * RING_SPACE + i * (size_t)SLOT;
}

/* Copy what may not be there; returns whether it is.  The host copies. */
static bool copy_foreign(char *to, const struct iovec *iov, int cnt,
			 size_t size)
{
	struct iovec room = { to, size };
	long self = raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);

	return raw_syscall(SYS_process_vm_readv, self, (long)&room, 1,
			   (long)iov, cnt, 0) == (long)size;
}

/* 1 when the frame was copied, 0 when its buffers are lent, -EAGAIN */
static int send_frame(struct client *c, struct iovec *iov, int cnt, unsigned id)
{
	struct vhost_driver *d = &c->rings[TX];
	size_t size = iov_length(iov, cnt);
	struct posix_ram ram = posix_ram;
	bool foreign = false;
	char *to, *p;
	int i, head = -1;

	if (size > SLOT || d->lost)
		return 1;
	if (d->n_free < cnt)
		return -EAGAIN;
	for (i = 0; i < cnt; i++)
		foreign |= !in_ram(&ram, &iov[i]);
	if (!foreign && size > SHORT) {
		for (i = 0; i < cnt; i++)
			head = vhost_driver_add(
				d, head, client_physical(iov[i].iov_base),
				iov[i].iov_len, 0);
		vhost_driver_give(d, head, id * 2 | LENT);
		c->lent++;
		return 0;
	}
	to = slot(c, d->free);
	if (foreign) {
		if (!copy_foreign(to, iov, cnt, size))
			return 1;
	} else {
		for (p = to, i = 0; i < cnt; p += iov[i++].iov_len)
			memcpy(p, iov[i].iov_base, iov[i].iov_len);
	}
	head = vhost_driver_add(d, -1, client_physical(to), size, 0);
	vhost_driver_give(d, head, 0);
	return 1;
}

static int lend_buffer(struct client *c, struct iovec *iov, int cnt,
		       unsigned id)
{
	struct vhost_driver *d = &c->rings[RX];
	struct posix_ram ram = posix_ram;
	int i, head = -1;

	if (d->n_free < cnt)
		return -EAGAIN;
	for (i = 0; i < cnt; i++)
		if (!in_ram(&ram, &iov[i]))
			return 1;
	for (i = 0; i < cnt; i++)
		head = vhost_driver_add(d, head,
					client_physical(iov[i].iov_base),
					iov[i].iov_len, LKL_VRING_DESC_F_WRITE);
	vhost_driver_give(d, head, id);
	return 0;
}

static int client_give(struct lkl_netdev *nd, int out, struct iovec *iov,
		       int cnt, unsigned int id)
{
	struct client *c = to_client(nd);
	int ret;

	lock_take(&c->locks[out]);
	ret = out ? send_frame(c, iov, cnt, id) : lend_buffer(c, iov, cnt, id);
	lock_give(&c->locks[out]);
	return ret;
}

static int client_take(struct lkl_netdev *nd, int out, unsigned int *id,
		       unsigned int *len)
{
	struct client *c = to_client(nd);
	struct vhost_driver *d = &c->rings[out];
	bool found, was_broken, tell;

	lock_take(&c->locks[out]);
	was_broken = d->broken;
	do
		found = vhost_driver_take(d, id, len);
	while (found && out && !(*id & LENT));
	if (!found && !out) {
		clear_bell(c->call[RX]);
		if (vhost_driver_want(d, false))
			found = vhost_driver_take(d, id, len);
	}
	if (found && out) {
		*id /= 2;
		c->lent--;
	}
	tell = d->broken && !was_broken;
	lock_give(&c->locks[out]);
	if (tell)
		ring_bell(c->wakeup, WAKEUP_BROKEN);
	return found;
}

/* Returns whether there is something to take. */
static int client_push(struct lkl_netdev *nd, int out)
{
	struct client *c = to_client(nd);
	struct vhost_driver *d = &c->rings[out];
	bool tell, more = false;

	lock_take(&c->locks[out]);
	tell = vhost_driver_publish(d);
	if (!out)
		more = false;
	else if (c->lent || d->n_free < LOW)
		more = vhost_driver_want(d, true);
	else
		vhost_driver_want_nothing(d);
	lock_give(&c->locks[out]);
	if (!__atomic_exchange_n(&c->wanted, true, __ATOMIC_SEQ_CST))
		ring_bell(c->wakeup, WAKEUP_START);
	else if (tell)
		ring_bell(c->kick[out], 1);
	return more;
}

static void client_recall(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);
	unsigned int q;

	lock_take(&c->talk);
	/* If it does not end, there is no other way, and the poll will see it.
	 */
	if (c->started && client_end(c))
		raw_syscall(SYS_shutdown, c->sock, SHUT_RDWR, 0, 0, 0, 0);
	c->started = false;
	__atomic_store_n(&c->wanted, false, __ATOMIC_SEQ_CST);
	for (q = RX; q <= TX; q++) {
		lock_take(&c->locks[q]);
		vhost_driver_forget(&c->rings[q]);
		lock_give(&c->locks[q]);
	}
	c->lent = 0;
	lock_give(&c->talk);
}

/*
 * The polling thread
 */

static bool arm_timer(struct client *c)
{
	struct itimerspec when = { .it_value = { .tv_sec = 1 } };

	return !timerfd_settime(c->timer, 0, &when, NULL);
}

/* The other side has gone, or is of no use. */
static void disconnect(struct client *c, const char *why)
{
	unsigned int q;

	lock_take(&c->talk);
	close(c->sock);
	c->sock = -1;
	c->started = false;
	lock_give(&c->talk);
	for (q = RX; q <= TX; q++) {
		lock_take(&c->locks[q]);
		c->rings[q].broken = q == RX;
		c->rings[q].lost = q == TX;
		lock_give(&c->locks[q]);
	}
	if (!c->told)
		lkl_message(c->name, "%s; trying to connect again", why);
	c->told = true;
	arm_timer(c);
}

static const char *why(int err)
{
	switch (err) {
	case EAGAIN:
		return "it accepts no more connections";
	case ETIME:
		return "it does not answer";
	case EPROTO:
		return "it does not speak vhost-user";
	case EINVAL:
		return "it refuses our memory";
	case EPIPE:
		return "it has closed the connection";
	}
	return strerror(err);
}

/* Connect if need be, and tell the other side where all is. */
static void start(struct client *c)
{
	unsigned long long has = c->features;
	int ret = 0;

	if (c->started || !__atomic_load_n(&c->wanted, __ATOMIC_SEQ_CST))
		return;
	if (c->sock < 0) {
		if (client_connect(c)) {
			arm_timer(c);
			return;
		}
		ret = client_get_features(c, &has);
	}
	if (!ret && c->features & ~has) {
		disconnect(c, "it has other features than before");
		return;
	}
	lock_take(&c->talk);
	/* A reset may have been quicker. */
	if (!ret && c->wanted) {
		ret = client_begin(c);
		c->started = !ret;
	}
	lock_give(&c->talk);
	if (ret == -EAGAIN)
		return;
	if (ret)
		disconnect(c, why(-ret));
	else if (c->told)
		lkl_message(c->name, "connected again");
	c->told = c->told && ret;
}

static int client_link(struct lkl_netdev *nd)
{
	return to_client(nd)->sock >= 0;
}

/* Whatever comes of the other side unasked is its end, or nonsense. */
static int on_socket(struct client *c)
{
	char byte;
	ssize_t n;

	/* An answer is for the thread that has asked. */
	lock_take(&c->talk);
	n = recv(c->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	lock_give(&c->talk);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	disconnect(c, n > 0 ? why(EPROTO) : why(EPIPE));
	return LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_TX;
}

static int on_wakeup(struct client *c)
{
	uint64_t count;
	int mask = 0;

	if (read(c->wakeup, &count, sizeof(count)) < 0)
		return 0;
	if (count % WAKEUP_START)
		mask |= LKL_DEV_NET_POLL_RX;
	if (count % WAKEUP_BROKEN >= WAKEUP_START) {
		start(c);
		/* What was given before it began is out now. */
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
			LKL_DEV_NET_POLL_TX;
	}
	if (count % WAKEUP_HUP >= WAKEUP_BROKEN && c->sock >= 0 &&
	    (c->rings[RX].broken || c->rings[TX].broken)) {
		disconnect(c, "it has put nonsense into a ring");
		mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_TX;
	}
	if (count >= WAKEUP_HUP)
		mask |= LKL_DEV_NET_POLL_HUP;
	/* Look anew, and behind the listeners. */
	if (c->shared)
		epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->call[RX], NULL);
	c->shared = false;
	return mask;
}

static bool watch(struct client *c, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return !epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int client_poll(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);
	struct epoll_event events[8];
	int i, n, mask = 0;

	if (!c->shared)
		c->shared = watch(c, c->call[RX],
				  EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	do
		n = epoll_wait(c->epoll, events, 8, -1);
	while (n < 0 && errno == EINTR);
	for (i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == c->wakeup) {
			mask |= on_wakeup(c);
		} else if (fd == c->timer) {
			clear_bell(fd);
			start(c);
			mask |= LKL_DEV_NET_POLL_LINK | LKL_DEV_NET_POLL_RX |
				LKL_DEV_NET_POLL_TX;
		} else if (fd == c->call[RX]) {
			mask |= LKL_DEV_NET_POLL_RX;
		} else if (fd == c->call[TX]) {
			clear_bell(fd);
			mask |= LKL_DEV_NET_POLL_TX;
		} else if (fd == c->sock) {
			mask |= on_socket(c);
		}
	}
	return n < 0 ? -errno : mask;
}

static void client_poll_hup(struct lkl_netdev *nd)
{
	ring_bell(to_client(nd)->wakeup, WAKEUP_HUP);
}

static void client_poll_rx(struct lkl_netdev *nd)
{
	ring_bell(to_client(nd)->wakeup, WAKEUP_RX);
}

static int client_fd(struct lkl_netdev *nd)
{
	return to_client(nd)->call[RX];
}

/*
 * Making one
 */

static void client_forked(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);
	unsigned int q;

	close_fd(&c->sock);
	close_fd(&c->epoll);
	close_fd(&c->wakeup);
	close_fd(&c->timer);
	for (q = RX; q <= TX; q++) {
		close_fd(&c->call[q]);
		close_fd(&c->kick[q]);
	}
	close_fd(&c->area_fd);
}

static void client_free(struct lkl_netdev *nd)
{
	struct client *c = to_client(nd);

	client_forked(nd);
	if (c->area)
		munmap(c->area, AREA);
	free(c);
}

static int client_setup(struct lkl_netdev *nd, const unsigned char *mac,
			unsigned int offload)
{
	struct client *c = to_client(nd);

	(void)mac;
	if (offload & ~c->features) {
		lkl_message(c->name, "offload 0x%x: it has 0x%llx only",
			    offload, c->features & OFFLOADS);
		return -EOPNOTSUPP;
	}
	c->features = (c->features & ~(unsigned long long)OFFLOADS) | offload;
	return 0;
}

static struct lkl_dev_net_ops client_ops = {
	.give = client_give,
	.take = client_take,
	.push = client_push,
	.recall = client_recall,
	.poll = client_poll,
	.poll_hup = client_poll_hup,
	.free = client_free,
	.forked = client_forked,
	.setup = client_setup,
	.link = client_link,
	.fd = client_fd,
	.poll_rx = client_poll_rx,
};

static bool make_descriptors(struct client *c)
{
	unsigned int q;

	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	c->area_fd = posix_memory("lkl-vhost", AREA);
	for (q = RX; q <= TX; q++) {
		c->call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		c->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (c->call[q] < 0 || c->kick[q] < 0)
			return false;
	}
	if (c->area_fd < 0)
		errno = -c->area_fd;
	if (c->epoll < 0 || c->area_fd < 0)
		return false;
	c->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, c->area_fd, 0);
	if (c->area == MAP_FAILED) {
		c->area = NULL;
		return false;
	}
	/* A forked child has another kernel. */
	madvise(c->area, AREA, MADV_DONTFORK);
	return watch(c, c->wakeup, EPOLLIN) && watch(c, c->timer, EPOLLIN) &&
	       watch(c, c->call[TX], EPOLLIN);
}

/* Of what the other side has, what makes sense together. */
static unsigned int usual_offloads(unsigned int has)
{
	unsigned int send = OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6);
	unsigned int receive = OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6);
	unsigned int usual = OFFLOAD(CSUM) | OFFLOAD(GUEST_CSUM) |
			     OFFLOAD(MRG_RXBUF);

	if (has & OFFLOAD(CSUM))
		usual |= send;
	if (has & OFFLOAD(GUEST_CSUM))
		usual |= receive;
	return has & usual;
}

/* Hear what the other side can. */
static bool greet(struct client *c, unsigned int offload)
{
	unsigned long long has, must = VIRTIO(F_VERSION_1);
	int ret = client_connect(c);

	if (!ret)
		ret = client_get_features(c, &has);
	if (ret) {
		lkl_message(c->name, "%s", why(-ret));
		return false;
	}
	if (!(has & must)) {
		lkl_message(c->name, "it has no virtio 1.0");
		return false;
	}
	c->features = has & (must | VHOST_F_PROTOCOL_FEATURES |
			     VIRTIO(RING_F_EVENT_IDX) | VIRTIO(NET_F_MAC) |
			     VIRTIO(NET_F_MTU) | OFFLOADS);
	if (c->protocol & VHOST_PROTOCOL_CONFIG)
		client_get_config(c);
	c->features &= ~(VIRTIO(NET_F_MAC) | VIRTIO(NET_F_MTU));
	if (!offload)
		c->nd.needs = usual_offloads(c->features);
	c->nd.offload = offload;
	return true;
}

static struct lkl_netdev *create(const char *kind, const char *path,
				 int offload)
{
	struct client *c = calloc(1, sizeof(*c));
	unsigned int q;

	if (!c) {
		lkl_message(kind, "%s", strerror(ENOMEM));
		return NULL;
	}
	c->sock = c->epoll = c->wakeup = c->timer = c->area_fd = -1;
	for (q = RX; q <= TX; q++)
		c->call[q] = c->kick[q] = -1;
	c->nd.ops = &client_ops;
	c->nd.flags = LKL_NETDEV_INLINE;
	c->nd.has_vnet_hdr = 1;
	c->addr.sun_family = AF_UNIX;
	snprintf(c->name, sizeof(c->name), "%s %s", kind, path);
	if (!*path || strlen(path) >= sizeof(c->addr.sun_path)) {
		lkl_message(c->name, "a path has 1 to %zu characters",
			    sizeof(c->addr.sun_path) - 1);
	} else if (strcpy(c->addr.sun_path, path), !make_descriptors(c)) {
		lkl_message(c->name, "%s", strerror(errno));
	} else if (greet(c, offload)) {
		_Static_assert(VHOST_DRIVER_SIZE <= RING_SPACE, "no room");
		for (q = RX; q <= TX; q++)
			vhost_driver_init(&c->rings[q],
					  c->area + q * RING_SPACE);
		return &c->nd;
	}
	client_free(&c->nd);
	return NULL;
}

struct lkl_netdev *lkl_netdev_vhost_user_create(const char *path, int offload)
{
	return create("vhost-user", path, offload);
}

/* DPDK's programs are reached by memory, not by linking with them. */
struct lkl_netdev *lkl_netdev_dpdk_create(const char *ifname, int offload,
					  unsigned char *mac)
{
	(void)mac;
	return create("dpdk (vhost-user)", ifname, offload);
}
