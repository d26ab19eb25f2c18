// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vhost-user back end of the library, and a driver that is hostile: mutated,
 * truncated and endless requests, memory tables that lie, wild descriptors and
 * ring indices, an end in the middle.  The library must not crash, and serve
 * the next one that behaves.
 */
#include <lkl/linux/virtio_net.h>

#include "vhost-peer.h"

#define RING 64
#define MEMORY (1 << 20)
/* Of ring Q in the memory: its tables, and its buffers. */
#define DESC(q) ((q)*0x4000)
#define AVAIL(q) (DESC(q) + 0x1000)
#define USED(q) (DESC(q) + 0x2000)
#define BUFFERS(q) (0x10000 + (q)*0x40000)

static char *memory;
static int memory_fd, kicks[2], calls[2];

static void make_memory(bool good)
{
	memory_fd = OK(memfd_create("peer", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	OK(ftruncate(memory_fd, MEMORY));
	if (good || !one_in(8))
		OK(fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK));
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED,
		      memory_fd, 0);
	for (int q = 0; q < 2; q++) {
		kicks[q] = OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
		calls[q] = OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	}
}

static void free_memory(void)
{
	munmap(memory, MEMORY);
	close(memory_fd);
	for (int q = 0; q < 2; q++) {
		close(kicks[q]);
		close(calls[q]);
	}
}

/* The first queue that the driver asks about. */
static unsigned int pair;

/* The requests of a driver, the nth of them. */
static bool request(unsigned int n, struct vhost_msg *msg)
{
	unsigned int q = n % 2;

	memset(msg, 0, sizeof(*msg));
	msg->flags = VHOST_VERSION;
	msg->size = 8;
	switch (n) {
	case 0:
		msg->request = VHOST_GET_FEATURES;
		msg->size = 0;
		return true;
	case 1:
		msg->request = VHOST_SET_PROTOCOL_FEATURES;
		msg->u64 = VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_MQ;
		return true;
	case 2:
		msg->request = VHOST_SET_FEATURES;
		msg->u64 = 1ULL << 32 | 1ULL << 30 | 1ULL << 29 | 1ULL << 28 |
			   1 << LKL_VIRTIO_NET_F_MRG_RXBUF;
		return true;
	case 3:
		msg->request = VHOST_SET_MEM_TABLE;
		msg->size = 8 + sizeof(struct vhost_region);
		msg->memory.count = 1;
		msg->memory.regions[0] =
			(struct vhost_region){ GUEST, MEMORY, USER, 0 };
		msg->fds[0] = memory_fd;
		msg->n_fds = 1;
		return true;
	case 4:
	case 5:
		msg->request = VHOST_SET_VRING_NUM;
		msg->state.index = pair + q;
		msg->state.num = RING;
		return true;
	case 6:
	case 7:
		msg->request = VHOST_SET_VRING_ADDR;
		msg->size = sizeof(msg->addr);
		msg->addr.index = pair + q;
		msg->addr.desc = USER + DESC(q);
		msg->addr.avail = USER + AVAIL(q);
		msg->addr.used = USER + USED(q);
		return true;
	case 8:
	case 9:
		msg->request = VHOST_SET_VRING_CALL;
		msg->u64 = pair + q;
		msg->fds[0] = calls[q];
		msg->n_fds = 1;
		return true;
	case 10:
	case 11:
		msg->request = VHOST_SET_VRING_KICK;
		msg->u64 = pair + q;
		msg->fds[0] = kicks[q];
		msg->n_fds = 1;
		return true;
	case 12:
	case 13:
		msg->request = VHOST_SET_VRING_ENABLE;
		msg->state.index = pair + q;
		msg->state.num = 1;
		return true;
	}
	return false;
}

static struct lkl_vring_desc *desc_of(int q)
{
	return (void *)(memory + DESC(q));
}

static struct lkl_vring_avail *avail_of(int q)
{
	return (void *)(memory + AVAIL(q));
}

static volatile struct lkl_vring_used *used_of(int q)
{
	return (void *)(memory + USED(q));
}

static void wild_rings(void)
{
	for (int q = 0; q < 2; q++) {
		for (int i = 0; i < RING; i++) {
			struct lkl_vring_desc *d = &desc_of(q)[i];

			d->addr = one_in(4) ? odd_number()
					    : GUEST + random_number() % MEMORY;
			d->len = one_in(8) ? odd_number()
					   : random_number() % 2000;
			d->flags = random_number() % (one_in(8) ? 65536 : 8);
			d->next = random_number() % (one_in(16) ? 65536 : RING);
			avail_of(q)->ring[i] =
				random_number() % (one_in(16) ? 65536 : RING);
		}
		avail_of(q)->idx = one_in(4) ? random_number()
					     : random_number() % RING;
	}
}

static int connect_to_server(void)
{
	int sock = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	OK(connect(sock, (struct sockaddr *)&addr, sizeof(addr)));
	return sock;
}

static void hostile_driver(void)
{
	for (unsigned int i = 0; i < rounds; i++) {
		int sock = connect_to_server();
		unsigned int n, after = random_number() % 40;
		struct vhost_msg msg;
		char answer[400];

		make_memory(false);
		/* By the second pair of queues, or with an index that is none.
		 */
		pair = one_in(3) ? 2 : one_in(16) ? 4 : 0;
		for (n = 0; request(n, &msg); n++)
			send_message(sock, &msg, one_in(14));
		wild_rings();
		bell(kicks[0]);
		bell(kicks[1]);
		for (n = 0; n < after; n++) {
			request(random_number() % 14, &msg);
			send_message(sock, &msg, one_in(4));
		}
		/* Time for it, now and then. */
		if (one_in(2)) {
			struct timeval tv = { .tv_usec = 1000 };

			setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv,
				   sizeof(tv));
			while (recv(sock, answer, sizeof(answer), 0) > 0)
				;
		}
		close(sock);
		free_memory();
	}
	pair = 0;
}

/* A driver that behaves asks for an address, and is told. */
static void good_driver(void)
{
	static const unsigned char ask[12 + 42] = {
		[12] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  0, 0, 0, 0,
		9,	     8,	   6,	 0,    1,    8,	   0,  6, 4, 0, 1,
		2,	     0,	   0,	 0,    0,    9,	   10, 9, 0, 9, 0,
		0,	     0,	   0,	 0,    0,    10,   9,  0, 1
	};
	int sock = connect_to_server(), told = 0, i;
	struct vhost_msg msg;
	unsigned int n;

	make_memory(true);
	for (i = 0; i < RING; i++) {
		desc_of(0)[i] =
			(struct lkl_vring_desc){ GUEST + BUFFERS(0) + i * 2048,
						 2048, LKL_VRING_DESC_F_WRITE,
						 0 };
		avail_of(0)->ring[i] = i;
	}
	avail_of(0)->idx = RING;
	memcpy(memory + BUFFERS(1), ask, sizeof(ask));
	desc_of(1)[0] = (struct lkl_vring_desc){ GUEST + BUFFERS(1),
						 sizeof(ask), 0, 0 };
	avail_of(1)->idx = 1;
	for (n = 0; request(n, &msg); n++)
		send_message(sock, &msg, false);
	bell(kicks[1]);
	/* The link comes up, and then frames; one of them is the answer. */
	for (i = 0; !told && i < 500; i++) {
		unsigned int k, idx = used_of(0)->idx;

		for (k = 0; k < idx && k < RING; k++) {
			unsigned int id = used_of(0)->ring[k].id % RING;
			char *frame = memory + BUFFERS(0) + id * 2048 + 12;

			if (frame[12] == 8 && frame[13] == 6 && frame[21] == 2)
				told = 1;
		}
		usleep(20000);
	}
	close(sock);
	EQ(told, 1);
}

/* Send requests until @last, and wait until they are done. */
static void begin_driver(int sock, unsigned int last)
{
	char answer[12 + 8];
	struct vhost_msg msg;
	unsigned int n;

	make_memory(true);
	for (n = 1; n <= last && request(n, &msg); n++) {
		/* Without event index it is told each time. */
		if (msg.request == VHOST_SET_FEATURES)
			msg.u64 &= ~(1ULL << 29);
		send_message(sock, &msg, false);
	}
	request(0, &msg);
	send_message(sock, &msg, false);
	EQ(recv(sock, answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
}

/* Whoever wants to tell this driver something waits until it is read. */
static void full_driver(void)
{
	uint64_t full = ~1ULL, count;
	int sock = connect_to_server(), i;

	begin_driver(sock, 13);
	for (i = 0; i < RING; i++) {
		desc_of(0)[i] =
			(struct lkl_vring_desc){ GUEST + BUFFERS(0) + i * 2048,
						 2048, LKL_VRING_DESC_F_WRITE,
						 0 };
		avail_of(0)->ring[i] = i;
	}
	for (i = 0; i < 2; i++) {
		read(calls[i], &count, sizeof(count));
		OK(fcntl(calls[i], F_SETFL, 0));
		OK(write(calls[i], &full, sizeof(full)));
	}
	__atomic_store_n(&avail_of(0)->idx, RING, __ATOMIC_SEQ_CST);
	bell(kicks[0]);
	for (i = 0; used_of(0)->idx < 3 && i < 3000; i++)
		usleep(10000);
	EQ(i < 3000, 1);
	close(sock);
}

static int ifindex;

static struct lkl_netdev *make_server(void)
{
	struct lkl_netdev *nd;
	char param[sizeof(addr.sun_path) + 16];

	unlink(addr.sun_path);
	snprintf(param, sizeof(param), "%s,queues=2", addr.sun_path);
	nd = lkl_netdev_vhost_user_server_create(param, 0x8000);
	EQ(nd != NULL, 1);
	boot("mem=64M");
	ifindex = OK(lkl_netdev_get_ifindex(OK(lkl_netdev_add(nd, NULL))));
	EQ(lkl_if_up(ifindex), 0);
	EQ(lkl_if_set_ipv4(ifindex, inet_addr("10.9.0.1"), 24), 0);
	return nd;
}

/* Until the driver's rings are used. */
static void await_link(void)
{
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0)), i;
	struct lkl_ifreq ifr = { .lkl_ifr_ifindex = ifindex };

	OK(lkl_sys_ioctl(fd, LKL_SIOCGIFNAME, (long)&ifr));
	for (i = 0; i < 3000; i++) {
		OK(lkl_sys_ioctl(fd, LKL_SIOCGIFFLAGS, (long)&ifr));
		if (ifr.lkl_ifr_flags & LKL_IFF_RUNNING)
			break;
		usleep(10000);
	}
	EQ(i < 3000, 1);
	lkl_sys_close(fd);
}

static void server(void)
{
	struct lkl_netdev *nd = make_server();

	count_rounds(2000);
	if (!getenv("LOUD"))
		quiet();
	wait_peer(start_peer(hostile_driver));
	wait_peer(start_peer(good_driver));
	lkl_netdev_free(nd);
	halt();
}

/* A peer cannot have the kernel wait for it. */
static void full(void)
{
	struct lkl_netdev *nd = make_server();
	const unsigned char mac[] = { 2, 0, 0, 0, 0, 9 };
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET,
				      .sin_port = htons(9) };
	int status, fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));
	pid_t peer = start_peer(full_driver);

	to.sin_addr.lkl_s_addr = inet_addr("10.9.0.2");
	EQ(lkl_add_neighbor(ifindex, LKL_AF_INET, &to.sin_addr, mac), 0);
	while (!waitpid(peer, &status, WNOHANG)) {
		lkl_sys_sendto(fd, "x", 1, 0, (void *)&to, sizeof(to));
		usleep(10000);
	}
	EQ(status, 0);
	lkl_netdev_free(nd);
	halt();
}

/* An eventfd that stays readable keeps nobody busy. */
static void semaphore_driver(void)
{
	int sock = connect_to_server();
	struct vhost_msg msg;
	char answer[12 + 8];

	begin_driver(sock, 9);
	for (int i = 0; i < 2; i++) {
		close(kicks[i]);
		kicks[i] = OK(eventfd(1 << 30, EFD_SEMAPHORE));
	}
	for (int n = 10; request(n, &msg); n++)
		send_message(sock, &msg, false);
	/* Until the library has waited. */
	EQ(recv(sock, answer, 1, 0), 0);
	close(sock);
}

static void semaphore(void)
{
	struct lkl_netdev *nd = make_server();
	struct __lkl__kernel_timespec second = { .tv_sec = 1 };
	struct timespec before, after;
	pid_t peer = start_peer(semaphore_driver);

	await_link();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	lkl_sys_nanosleep((void *)&second, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	/* A thread that is busy uses most of it. */
	EQ((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec -
			   before.tv_nsec <
		   100000000,
	   1);
	lkl_netdev_free(nd);
	wait_peer(peer);
	halt();
}

/* Requests that need no answer, many at a time, and no end of them. */
static void endless_driver(void)
{
	static const char owner[12] = { VHOST_SET_OWNER, 0, 0, 0,
					VHOST_VERSION };
	static char requests[sizeof(owner) * 10000];
	int sock = connect_to_server();
	size_t i;

	for (i = 0; i < sizeof(requests); i += sizeof(owner))
		memcpy(requests + i, owner, sizeof(owner));
	while (send(sock, requests, sizeof(requests), MSG_NOSIGNAL) > 0)
		;
}

/* They do not keep a wire from being removed. */
static void endless(void)
{
	struct lkl_netdev *nd = make_server();
	pid_t peer[2] = { start_peer(endless_driver),
			  start_peer(endless_driver) };

	msleep(300);
	lkl_netdev_free(nd);
	wait_peer(peer[0]);
	wait_peer(peer[1]);
	halt();
}

/* The end of a process is seen although a child of it lives. */
static void forked(void)
{
	int ready[2], go[2], sock;
	pid_t parent, child = 0;
	char byte = 0;

	OK(pipe(ready));
	OK(pipe(go));
	parent = OK(fork());
	if (!parent) {
		make_server();
		OK(write(ready[1], &child, sizeof(child)));
		EQ(read(go[0], &byte, 1), 1);
		child = OK(fork());
		while (!child)
			pause();
		OK(write(ready[1], &child, sizeof(child)));
		for (;;)
			pause();
	}
	EQ(read(ready[0], &child, sizeof(child)), sizeof(child));
	sock = connect_to_server();
	begin_driver(sock, 13);
	OK(write(go[1], &byte, 1));
	EQ(read(ready[0], &child, sizeof(child)), sizeof(child));
	kill(parent, SIGKILL);
	EQ(waitpid(parent, NULL, 0), parent);
	EQ(recv(sock, &byte, 1, 0), 0);
	EQ(kill(child, SIGKILL), 0);
	close(sock);
}

static const struct check tests[] = { { "server", server },
				      { "full", full },
				      { "semaphore", semaphore },
				      { "endless", endless },
				      { "forked", forked } };

int main(int argc, char **argv)
{
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
