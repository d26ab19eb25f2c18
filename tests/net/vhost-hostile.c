// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-user with a hostile other side: mutated and truncated requests and
 * answers, memory tables that lie, wild descriptors and ring indices, an end in
 * the middle.  The same on each run.  The library must not crash, and serve the
 * next one that behaves.
 *
 * ROUNDS says how many, of some 25 messages each.
 */
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <lkl/linux/virtio_net.h>

#include "netlab.h"
#include "../../lib/vhost/protocol.h"
#include <lkl/linux/virtio_ring.h>

#define RING 64
/* What the library puts both rings of a pair into. */
#define TABLES 0x20000
#define MEMORY (1 << 20)
#define GUEST 0x40000000ULL
#define USER 0x7f0000000000ULL
/* Of ring Q in the memory: its tables, and its buffers. */
#define DESC(q) ((q)*0x4000)
#define AVAIL(q) (DESC(q) + 0x1000)
#define USED(q) (DESC(q) + 0x2000)
#define BUFFERS(q) (0x10000 + (q)*0x40000)

static unsigned int rounds = 2000;
static struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "s" };

static uint64_t state = 1;

static uint32_t random_number(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static bool one_in(unsigned int n)
{
	return !(random_number() % n);
}

/* A number that a check might have left out. */
static uint64_t odd_number(void)
{
	static const uint64_t odd[] = { 0,	    1,	   2,	    255,
					0x100,	    65535, 1 << 20, ~0ULL,
					~0ULL >> 1, GUEST, USER,    1ULL << 63,
					~0U,	    12 };

	return odd[random_number() % ARRAY_SIZE(odd)] + random_number() % 3 - 1;
}

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

static void send_message(int sock, struct vhost_msg *msg, bool mutate)
{
	char control[CMSG_SPACE(sizeof(msg->fds))] = { 0 };
	struct iovec iov = { msg, 12 + msg->size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (mutate) {
		unsigned char *bytes = (void *)msg;

		switch (random_number() % 8) {
		case 0:
			msg->request = random_number() % 45;
			break;
		case 1:
			msg->size = odd_number();
			break;
		case 2:
			msg->flags = random_number() % 16;
			break;
		case 3:
			msg->n_fds = random_number() % (msg->n_fds + 1);
			break;
		case 4:
			iov.iov_len = random_number() % (iov.iov_len + 100);
			break;
		default:
			if (msg->size > 280)
				break;
			if (one_in(2) && msg->size >= 8) {
				uint64_t odd = odd_number();

				memcpy(bytes + 12 +
					       random_number() %
						       (msg->size - 7),
				       &odd, sizeof(odd));
			} else if (msg->size)
				bytes[12 + random_number() % msg->size] =
					random_number();
		}
	}
	if (msg->n_fds) {
		struct cmsghdr *c;

		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(msg->n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(msg->n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), msg->fds, msg->n_fds * sizeof(int));
	}
	if (iov.iov_len > sizeof(*msg))
		iov.iov_len = sizeof(*msg);
	sendmsg(sock, &hdr, MSG_NOSIGNAL);
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

static void bell(int fd)
{
	uint64_t one = 1;

	OK(write(fd, &one, sizeof(one)));
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

/* Run @peer in another process beside the library. */
static pid_t start_peer(void (*peer)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		peer();
		_exit(0);
	}
	return pid;
}

static void wait_peer(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static void quiet(void)
{
	OK(dup2(OK(open("/dev/null", O_WRONLY)), 2));
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

	if (getenv("ROUNDS"))
		alarm(0);
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

/*
 * The other way round
 */

static int listener;

/* What a driver says that is of use, and wrong answers. */
static void hostile_device_round(void)
{
	int sock = accept(listener, NULL, NULL);
	struct timeval timeout = { .tv_usec = 300000 };
	char *area = NULL;
	uint64_t area_user = 0, area_size = 0;
	uint64_t used[4] = { 0 };
	int call = -1;

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	for (;;) {
		struct vhost_in in = { 0 };
		struct vhost_msg *msg = &in.msg, answer;
		int ret, tries = 0;

		while (!(ret = vhost_receive(sock, &in)) && tries++ < 100)
			usleep(1000);
		if (ret != 1)
			break;
		answer = *msg;
		answer.flags = VHOST_VERSION | VHOST_REPLY;
		answer.n_fds = 0;
		answer.size = 8;
		switch (msg->request) {
		case VHOST_GET_FEATURES:
			answer.u64 = 1ULL << 32 | 1ULL << 30 | 1ULL << 29 |
				     0x8000;
			break;
		case VHOST_GET_PROTOCOL_FEATURES:
			answer.u64 = VHOST_PROTOCOL_REPLY_ACK |
				     VHOST_PROTOCOL_CONFIG | VHOST_PROTOCOL_MQ;
			break;
		case VHOST_GET_QUEUE_NUM:
			answer.u64 = one_in(8) ? odd_number() : 2;
			break;
		case VHOST_GET_CONFIG:
			answer.size = msg->size;
			break;
		case VHOST_SET_MEM_TABLE:
			answer.u64 = 0;
			if (msg->n_fds == 2 && !area) {
				area_user = msg->memory.regions[1].user;
				area_size = msg->memory.regions[1].size;
				area = mmap(NULL, area_size,
					    PROT_READ | PROT_WRITE, MAP_SHARED,
					    msg->fds[1], 0);
			}
			break;
		case VHOST_SET_VRING_ADDR:
			used[msg->addr.index & 3] = msg->addr.used;
			answer.size = 0;
			break;
		case VHOST_SET_VRING_CALL:
			if (!(msg->u64 & 1)) {
				call = msg->fds[0];
				msg->fds[0] = -1;
			}
			answer.size = 0;
			break;
		case VHOST_GET_VRING_BASE:
			break;
		default:
			answer.size = 0;
		}
		if (answer.size)
			send_message(sock, &answer, one_in(20));
		ret = msg->request == VHOST_SET_VRING_ENABLE &&
		      msg->state.index && msg->state.num;
		vhost_done(&in);
		if (!ret || !area)
			continue;
		for (int q = 0; q < 4; q++) {
			struct lkl_vring_used *u =
				(void *)(area + (used[q] - area_user));

			if (used[q] < area_user ||
			    used[q] - area_user > area_size - TABLES)
				continue;
			for (int i = 0; i < 64; i++) {
				u->ring[i].id =
					one_in(4) ? odd_number()
						  : random_number() % 1024;
				u->ring[i].len = odd_number();
			}
			u->flags = random_number();
			u->idx = one_in(4) ? random_number()
					   : random_number() % 64;
		}
		/* Into the tables, too. */
		for (int i = 0; i < 50; i++)
			area[one_in(2) * (area_size / 2) +
			     random_number() % TABLES] = random_number();
		if (call >= 0)
			bell(call);
		if (one_in(2))
			break;
	}
	if (area)
		munmap(area, area_size);
	if (call >= 0)
		close(call);
	close(sock);
}

static void hostile_device(void)
{
	for (;;)
		hostile_device_round();
}

static void client(void)
{
	unsigned int i, made = 0;
	char param[sizeof(addr.sun_path) + 16];
	pid_t peer;

	snprintf(param, sizeof(param), "%s,queues=2", addr.sun_path);

	if (getenv("ROUNDS"))
		alarm(0);

	unlink(addr.sun_path);
	listener = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	OK(bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	OK(listen(listener, 8));
	peer = start_peer(hostile_device);
	boot("mem=64M");
	if (!getenv("LOUD"))
		quiet();
	for (i = 0; i < rounds / 20; i++) {
		struct lkl_netdev *nd = lkl_netdev_vhost_user_create(param, 0);
		int id;

		if (!nd)
			continue;
		id = lkl_netdev_add(nd, NULL);
		if (id >= 0) {
			made++;
			ifindex = OK(lkl_netdev_get_ifindex(id));
			EQ(lkl_if_up(ifindex), 0);
			usleep(1000 + random_number() % 5000);
		}
		lkl_netdev_free(nd);
	}
	EQ(made > 0, 1);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	halt();
}

static const struct check tests[] = { { "server", server },
				      { "full", full },
				      { "semaphore", semaphore },
				      { "forked", forked },
				      { "client", client } };

int main(int argc, char **argv)
{
	if (getenv("ROUNDS"))
		rounds = atoi(getenv("ROUNDS"));
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
