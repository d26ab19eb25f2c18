// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vhost-user driver of the library without a kernel, and a device that is
 * hostile: of its answers and of what it says unasked some are mutated, and
 * what it writes into the rings is out of range, doubled, or without end; it
 * ends in the middle, and comes again.  All that is fast, for many of them.
 *
 * The test does what the kernel's device does (lib/netdev/), and keeps what it
 * has given: that comes back once or not at all, with no more bytes than there
 * were, all of what is sent when the connection ends, and nothing after a
 * reset.
 *
 * ROUNDS says how many mutated messages there are.
 */
#include <linux/futex.h>
#include <poll.h>
#include <stdarg.h>

#include "vhost-peer.h"
#include "../../host/linux/linux.h"
#include <lkl/linux/virtio_net.h>

#define PAIRS 2
#define RING 1024
/* The library's RAM, and names of buffers. */
#define RAM (1 << 20)
#define IDS 300
/* Bytes that end whatever message has begun. */
#define FILLER 512

/* What the parts of the library, and check.h, need beside themselves. */
unsigned long lkl_ram_base;

const char *lkl_strerror(int err)
{
	return strerror(err == -1 ? errno : -err);
}

int posix_set_size(int fd, unsigned long size)
{
	return ftruncate(fd, size) ? -errno : 0;
}

/* There is one with each connection. */
void lkl_message(const char *what, const char *fmt, ...)
{
	va_list args;

	if (!getenv("LOUD"))
		return;
	va_start(args, fmt);
	fprintf(stderr, "%s: ", what);
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
}

/*
 * The device, in a thread of its own.
 */

static int listener;
/* It behaves. */
static int good;
/* What has happened to it: its rings were set up and written to, or a
 * connection has ended; how often it did the former; mutated messages. */
static unsigned int events, wild;
static unsigned long sent;

/*
 * A connection.
 *
 * @shifted: what was sent is no sequence of messages any more
 * @area: the library's memory with the rings, mapped
 * @user: its address there
 * @avail, @used: rings, as addresses there
 */
struct device {
	int sock;
	bool shifted;
	char *area;
	uint64_t size;
	uint64_t user;
	uint64_t avail[PAIRS * 2];
	uint64_t used[PAIRS * 2];
	uint16_t seen[PAIRS * 2];
	int call[PAIRS * 2];
};

static void count_event(void)
{
	__atomic_fetch_add(&events, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &events, FUTEX_WAKE, 1, NULL);
}

/* Whoever waits for the rest of a message gets one. */
static void fill(struct device *d)
{
	unsigned char filler[FILLER];

	for (int i = 0; i < FILLER; i++)
		filler[i] = random_number();
	send(d->sock, filler, FILLER, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say(struct device *d, struct vhost_msg *msg, bool mutate)
{
	if (__atomic_load_n(&good, __ATOMIC_SEQ_CST))
		mutate = false;
	else if (one_in(8))
		for (msg->n_fds = 0;
		     msg->n_fds < VHOST_MAX_REGIONS && !one_in(4); msg->n_fds++)
			msg->fds[msg->n_fds] = listener;
	if (!send_message(d->sock, msg, mutate))
		d->shifted = true;
	if (mutate)
		__atomic_fetch_add(&sent, 1, __ATOMIC_SEQ_CST);
	if (d->shifted)
		fill(d);
}

/* A ring in our mapping, or NULL. */
static void *ring_at(const struct device *d, uint64_t user)
{
	uint64_t offset = user - d->user;

	return d->area && offset < d->size - 0x10000 ? d->area + offset : NULL;
}

/* Return what was given, as one should, or with faults. */
static void return_buffers(struct device *d, int q, int faults)
{
	volatile struct lkl_vring_avail *a = ring_at(d, d->avail[q]);
	struct lkl_vring_used *u = ring_at(d, d->used[q]);
	unsigned int n = 0;

	if (!a || !u)
		return;
	while (d->seen[q] != a->idx && n++ < RING) {
		struct lkl_vring_used_elem *e = &u->ring[u->idx % RING];

		e->id = a->ring[d->seen[q]++ % RING];
		e->len = random_number() % 2000;
		if (faults && one_in(faults)) {
			switch (random_number() % 4) {
			case 0:
				e->id = random_number();
				break;
			case 1:
				e->id = odd_number();
				break;
			case 2:
				e->id = random_number() % RING;
				break;
			default:
				d->seen[q]--;
			}
			e->len = odd_number();
		}
		__atomic_store_n(&u->idx, u->idx + 1, __ATOMIC_RELEASE);
	}
}

static void write_nonsense(struct device *d, int q)
{
	struct lkl_vring_used *u = ring_at(d, d->used[q]);

	if (!u)
		return;
	for (int i = 0; i < 64; i++) {
		u->ring[i].id = one_in(4) ? odd_number()
					  : random_number() % RING;
		u->ring[i].len = odd_number();
	}
	u->flags = random_number();
	u->idx = one_in(4) ? random_number() : random_number() % 64;
	/* Into the tables, too, which begin 64 KiB or less before. */
	for (int i = 0; i < 50; i++)
		d->area[(d->used[q] - d->user) / 0x10000 * 0x10000 +
			random_number() % 0x10000] = random_number();
}

/* There is always one more. */
static void never_end(struct device *d, int q)
{
	struct lkl_vring_used *u = ring_at(d, d->used[q]);

	for (int i = 0; u && i < 200; i++) {
		u->ring[u->idx % RING].id = random_number() % (1 + i);
		__atomic_store_n(&u->idx, u->idx + 1 + one_in(50) * 64,
				 __ATOMIC_RELEASE);
	}
}

/* The library has told where all is. */
static void use_rings(struct device *d)
{
	bool behave = __atomic_load_n(&good, __ATOMIC_SEQ_CST);

	memset(d->seen, 0, sizeof(d->seen));
	for (int q = 0; q < PAIRS * 2; q++) {
		switch (behave ? 0 : random_number() % 5) {
		case 0:
			return_buffers(d, q, 0);
			break;
		case 1:
			return_buffers(d, q, 16);
			break;
		case 2:
			return_buffers(d, q, 2);
			break;
		case 3:
			write_nonsense(d, q);
			break;
		default:
			never_end(d, q);
		}
		if (d->call[q] >= 0 && !one_in(8))
			bell(d->call[q]);
	}
	__atomic_fetch_add(&wild, 1, __ATOMIC_SEQ_CST);
	count_event();
}

/* What nobody has asked for; returns false when it was the last. */
static bool say_unasked(struct device *d)
{
	struct vhost_msg msg = { .request = random_number() % 45,
				 .flags = VHOST_VERSION | VHOST_REPLY,
				 .size = 8,
				 .u64 = odd_number() };

	if (__atomic_load_n(&good, __ATOMIC_SEQ_CST))
		return true;
	if (one_in(4))
		say(d, &msg, true);
	/* No end of it. */
	if (one_in(64))
		for (int i = 0; i < 1000; i++)
			fill(d);
	return !one_in(4);
}

static bool answer(struct device *d, struct vhost_msg *msg)
{
	struct vhost_msg a = *msg;
	unsigned int q = (msg->request == VHOST_SET_VRING_ADDR
				  ? msg->addr.index
				  : msg->u64 & VHOST_VRING_INDEX) %
			 (PAIRS * 2);

	a.flags = VHOST_VERSION | VHOST_REPLY;
	a.n_fds = 0;
	a.size = 8;
	switch (msg->request) {
	case VHOST_GET_FEATURES:
		a.u64 = 1ULL << 32 | 1ULL << 30 | 1ULL << 29 |
			1ULL << LKL_VIRTIO_NET_F_MRG_RXBUF;
		break;
	case VHOST_GET_PROTOCOL_FEATURES:
		a.u64 = VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_CONFIG |
			VHOST_PROTOCOL_MQ;
		break;
	case VHOST_GET_QUEUE_NUM:
		a.u64 = PAIRS;
		break;
	case VHOST_GET_CONFIG:
		a.size = msg->size;
		break;
	case VHOST_SET_MEM_TABLE:
		if (!d->area && msg->n_fds == 2) {
			d->user = msg->memory.regions[1].user;
			d->size = msg->memory.regions[1].size;
			d->area = mmap(NULL, d->size, PROT_READ | PROT_WRITE,
				       MAP_SHARED, msg->fds[1], 0);
			CHECK(d->area != MAP_FAILED);
		}
		if (!(msg->flags & VHOST_NEED_REPLY))
			return true;
		a.u64 = 0;
		break;
	case VHOST_SET_VRING_ADDR:
		d->avail[q] = msg->addr.avail;
		d->used[q] = msg->addr.used;
		return true;
	case VHOST_SET_VRING_CALL:
		close(d->call[q]);
		d->call[q] = msg->fds[0];
		msg->fds[0] = -1;
		return true;
	case VHOST_SET_VRING_KICK:
		if (q < PAIRS * 2 - 1)
			return true;
		use_rings(d);
		return say_unasked(d);
	case VHOST_GET_VRING_BASE:
		break;
	default:
		return true;
	}
	say(d, &a, one_in(3));
	return __atomic_load_n(&good, __ATOMIC_SEQ_CST) || !one_in(30);
}

static void serve_library(int sock)
{
	struct device d = { .sock = sock, .call = { -1, -1, -1, -1 } };
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct vhost_in in = { 0 };
	bool go_on = true;
	int ret = 0;

	while (go_on && ret >= 0) {
		ret = vhost_receive(sock, &in);
		if (!ret)
			poll(&p, 1, -1);
		if (ret == 1)
			go_on = answer(&d, &in.msg);
		if (ret)
			vhost_done(&in);
	}
	for (int q = 0; q < PAIRS * 2; q++)
		close(d.call[q]);
	if (d.area)
		munmap(d.area, d.size);
	close(sock);
	count_event();
}

static void *device(void *unused)
{
	uint64_t n = 0;
	int sock;

	(void)unused;
	while ((sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		state = ++n * 0x9e3779b97f4a7c15ULL;
		serve_library(sock);
	}
	return NULL;
}

/*
 * The library, and what it was given.
 */

/* Bytes of a buffer that is with the library, or 0. */
static unsigned int with[PAIRS][2][IDS];
static unsigned long returned;
static char *ram;

static struct lkl_netdev *pair_of(struct lkl_netdev *nd, unsigned int i)
{
	return i ? nd->next : nd;
}

static void give(struct lkl_netdev *nd, unsigned int i, int out)
{
	unsigned int n = 1 + random_number() % 3, id = random_number() % IDS, k;
	unsigned int most = one_in(8) ? 20000 : 500, size = 0;
	struct iovec iov[3];
	static char own[20000];
	int ret;

	if (with[i][out][id])
		return;
	for (k = 0; k < n; k++) {
		bool foreign = out && one_in(8);

		iov[k].iov_len = 1 + random_number() % most;
		iov[k].iov_base =
			foreign ? own : ram + random_number() % (RAM - 20000);
		size += iov[k].iov_len;
	}
	ret = nd->ops->give(pair_of(nd, i), out, iov, n, id);
	CHECK(out || ret <= 0);
	if (!ret)
		with[i][out][id] = size;
}

static void take_all(struct lkl_netdev *nd, unsigned int i, int out)
{
	unsigned int id, len;

	while (nd->ops->take(pair_of(nd, i), out, &id, &len)) {
		if (id >= IDS || !with[i][out][id])
			FAIL("what was not given comes back: %u", id);
		if (len > with[i][out][id])
			FAIL("%u bytes of %u", len, with[i][out][id]);
		with[i][out][id] = 0;
		returned++;
	}
}

static void each_queue(struct lkl_netdev *nd,
		       void (*fn)(struct lkl_netdev *, unsigned int, int))
{
	for (unsigned int i = 0; i < PAIRS; i++)
		for (int out = 0; out <= 1; out++)
			fn(nd, i, out);
}

static void give_some(struct lkl_netdev *nd, unsigned int i, int out)
{
	for (unsigned int n = random_number() % 12; n; n--)
		give(nd, i, out);
}

static void push(struct lkl_netdev *nd, unsigned int i, int out)
{
	nd->ops->push(pair_of(nd, i), out);
}

/* After a reset. */
static void nothing_left(struct lkl_netdev *nd, unsigned int i, int out)
{
	unsigned int id, len;

	EQ(nd->ops->take(pair_of(nd, i), out, &id, &len), 0);
}

/* When there is no other side. */
static void nothing_sent(struct lkl_netdev *nd, unsigned int i, int out)
{
	(void)nd;
	for (unsigned int id = 0; out && id < IDS; id++)
		EQ(with[i][out][id], 0);
}

/* What the polling threads do, without waiting. */
static void see(struct lkl_netdev *nd)
{
	for (unsigned int i = 0; i < PAIRS; i++) {
		nd->ops->poll_rx(pair_of(nd, i));
		CHECK(nd->ops->poll(pair_of(nd, i)) >= 0);
	}
}

/* Until the device has done something, which a connection that has not begun
 * does not make it do. */
static void await_device(struct lkl_netdev *nd, unsigned int before)
{
	struct timespec most = { .tv_nsec = 100000000 };

	if (nd->ops->link(nd))
		syscall(SYS_futex, &events, FUTEX_WAIT, before, &most);
}

static struct lkl_netdev *make_wire(void)
{
	static const unsigned char mac[] = { 2, 0, 0, 0, 0, 1 };
	char param[sizeof(addr.sun_path) + 16];
	struct lkl_netdev *nd;

	memset(with, 0, sizeof(with));
	snprintf(param, sizeof(param), "%s,queues=%d", addr.sun_path, PAIRS);
	nd = lkl_netdev_vhost_user_create(param, 0);
	if (nd)
		EQ(nd->ops->setup(nd, mac, nd->needs), 0);
	return nd;
}

/* A driver begins, does its work for some time, and ends. */
static void use_wire(struct lkl_netdev *nd)
{
	unsigned int before = __atomic_load_n(&events, __ATOMIC_SEQ_CST), n;

	each_queue(nd, give_some);
	nd->ops->pairs(nd, 1 + one_in(2));
	each_queue(nd, push);
	see(nd);
	await_device(nd, before);
	for (n = random_number() % 5; n; n--) {
		each_queue(nd, give_some);
		nd->ops->look(nd, one_in(2));
		each_queue(nd, take_all);
		each_queue(nd, push);
		see(nd);
		if (!nd->ops->link(nd)) {
			each_queue(nd, take_all);
			each_queue(nd, nothing_sent);
		}
	}
	nd->ops->recall(nd);
	each_queue(nd, nothing_left);
	memset(with, 0, sizeof(with));
}

/* One that behaves returns all. */
static void use_good_wire(void)
{
	unsigned int i, id, before;
	struct lkl_netdev *nd = make_wire();

	CHECK(nd);
	each_queue(nd, give_some);
	each_queue(nd, give_some);
	before = __atomic_load_n(&events, __ATOMIC_SEQ_CST);
	each_queue(nd, push);
	see(nd);
	while (__atomic_load_n(&events, __ATOMIC_SEQ_CST) == before)
		await_device(nd, before);
	EQ(nd->ops->link(nd), 1);
	each_queue(nd, take_all);
	for (i = 0; i < PAIRS; i++)
		for (id = 0; id < IDS; id++)
			EQ(with[i][0][id] + with[i][1][id], 0);
	nd->ops->free(nd);
}

static int count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void answers(void)
{
	struct lkl_netdev *nd = NULL;
	unsigned int made = 0, used = 0;
	pthread_t thread;
	int open_files;

	count_rounds(20000);
	unlink(addr.sun_path);
	linux_ram.fd = OK(linux_memory("ram", RAM));
	linux_ram.size = RAM;
	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, linux_ram.fd,
		   0);
	linux_ram.addr = (unsigned long)ram;
	listener = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	OK(bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	OK(listen(listener, 8));
	open_files = count_open();
	EQ(pthread_create(&thread, NULL, device, NULL), 0);
	while (__atomic_load_n(&sent, __ATOMIC_SEQ_CST) < rounds) {
		if (nd && one_in(16)) {
			nd->ops->free(nd);
			nd = NULL;
		}
		if (!nd) {
			nd = make_wire();
			made += !!nd;
		}
		if (nd) {
			use_wire(nd);
			used++;
		}
	}
	if (nd)
		nd->ops->free(nd);
	printf("%lu messages mutated, %u wires, %u uses of them, %u times "
	       "rings written to, %lu buffers returned\n",
	       sent, made, used, wild, returned);
	/* The test has tried what it is for. */
	CHECK(made > rounds / 1000 && wild > rounds / 20 && returned > rounds);
	__atomic_store_n(&good, 1, __ATOMIC_SEQ_CST);
	use_good_wire();
	shutdown(listener, SHUT_RDWR);
	EQ(pthread_join(thread, NULL), 0);
	EQ(count_open(), open_files);
	close(listener);
}

static const struct check tests[] = { { "answers", answers } };

int main(int argc, char **argv)
{
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
