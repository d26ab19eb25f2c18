// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-net where there is none: a thread of this program is the host's. What
 * the library asks of /dev/vhost-net is stopped by the host (seccomp) and
 * answered here, and the rings are served, with a tap behind them, as the
 * kernel would. The requests have to come in the kernel's order, and traffic
 * has to get through.
 */
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/vhost.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "netlab.h"
#include <lkl/linux/virtio_ring.h>

#define SIZE 1024

/* What was asked, a letter for each request; small for the second ring. */
static char asked[200];
static unsigned int n_asked;

static struct ring {
	struct lkl_vring_desc *desc;
	struct lkl_vring_avail *avail;
	struct lkl_vring_used *used;
	int kick, call, tap;
	uint16_t next;
} rings[2];

static uint64_t features, accepted;
static struct {
	uint64_t guest, size, user;
} regions[8];
static unsigned int n_regions;
static int notifier, device = -1, refuse;

static void *at(uint64_t addr, uint64_t len)
{
	for (unsigned int i = 0; i < n_regions; i++)
		if (addr >= regions[i].guest &&
		    addr + len <= regions[i].guest + regions[i].size)
			return (void *)(addr - regions[i].guest +
					regions[i].user);
	fprintf(stderr, "%#lx is outside of memory\n", addr);
	abort();
}

/* The buffers of a request. */
static int chain(struct ring *r, uint16_t i, int out, struct iovec iov[64])
{
	int cnt = 0;

	for (;;) {
		struct lkl_vring_desc *d = &r->desc[i];

		EQ(i < SIZE && cnt < 64, 1);
		EQ(!(d->flags & LKL_VRING_DESC_F_WRITE), out);
		iov[cnt++] = (struct iovec){ at(d->addr, d->len), d->len };
		if (!(d->flags & LKL_VRING_DESC_F_NEXT))
			return cnt;
		i = d->next;
	}
}

/* Whether a request of a ring could be served. */
static bool serve_one(struct ring *r, int out)
{
	uint16_t head = r->avail->ring[r->next % SIZE];
	struct iovec iov[64];
	int cnt = chain(r, head, out, iov);
	long len = out ? writev(r->tap, iov, cnt) : readv(r->tap, iov, cnt);

	if (len < 0 && !out)
		return false;
	/* One buffer is enough for a frame. */
	if (!out)
		((unsigned char *)iov[0].iov_base)[10] = 1;
	r->used->ring[r->next % SIZE] =
		(struct lkl_vring_used_elem){ head, out ? 0 : len };
	r->next++;
	__atomic_store_n(&r->used->idx, r->next, __ATOMIC_RELEASE);
	return true;
}

/* Serve a ring until there is nothing to do. */
static void serve(int out)
{
	struct ring *r = &rings[out];
	uint64_t one = 1;
	bool some = false;

	if (r->tap < 0)
		return;
	do {
		while (__atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE) !=
			       r->next &&
		       serve_one(r, out))
			some = true;
		/* When we want to be told next. */
		memcpy(&r->used->ring[SIZE], &r->next, sizeof(r->next));
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (out &&
		 __atomic_load_n(&r->avail->idx, __ATOMIC_RELAXED) != r->next);
	if (some)
		OK(write(r->call, &one, sizeof(one)));
}

/* The letter of a request about a ring. */
static void note(char letter, unsigned int ring)
{
	EQ(n_asked < sizeof(asked) - 1, 1);
	EQ(ring < 2, 1);
	asked[n_asked++] = ring ? letter | 0x20 : letter;
}

static long set_memory(const struct vhost_memory *memory)
{
	note('M', 0);
	if (refuse)
		return -E2BIG;
	n_regions = memory->nregions;
	EQ(n_regions <= 8 && !memory->padding, 1);
	for (unsigned int i = 0; i < n_regions; i++) {
		regions[i].guest = memory->regions[i].guest_phys_addr;
		regions[i].size = memory->regions[i].memory_size;
		regions[i].user = memory->regions[i].userspace_addr;
	}
	return 0;
}

static long about_ring(unsigned int what, void *arg)
{
	struct vhost_vring_state *state = arg;
	struct vhost_vring_file *file = arg;
	struct vhost_vring_addr *addr = arg;
	struct ring *r = &rings[state->index & 1];

	switch (what) {
	case VHOST_SET_VRING_NUM:
		note('N', state->index);
		EQ(state->num, SIZE);
		return r->tap >= 0 ? -EBUSY : 0;
	case VHOST_SET_VRING_BASE:
		note('B', state->index);
		r->next = state->num;
		return r->tap >= 0 ? -EBUSY : 0;
	case VHOST_SET_VRING_ADDR:
		note('A', addr->index);
		EQ(addr->flags, 0);
		r->desc = (void *)addr->desc_user_addr;
		r->avail = (void *)addr->avail_user_addr;
		r->used = (void *)addr->used_user_addr;
		return addr->desc_user_addr % 16 ? -EINVAL : 0;
	case VHOST_SET_VRING_KICK:
		note('K', file->index);
		r->kick = file->fd;
		return 0;
	case VHOST_SET_VRING_CALL:
		note('C', file->index);
		r->call = file->fd;
		return 0;
	case VHOST_NET_SET_BACKEND:
		note(file->fd < 0 ? 'E' : 'T', file->index);
		r->tap = file->fd;
		return 0;
	}
	return -ENOTTY;
}

static long answer(unsigned int what, void *arg)
{
	switch (what) {
	case VHOST_SET_OWNER:
		note('O', 0);
		return 0;
	case VHOST_GET_FEATURES:
		note('G', 0);
		memcpy(arg, &features, sizeof(features));
		return 0;
	case VHOST_SET_FEATURES:
		note('F', 0);
		memcpy(&accepted, arg, sizeof(accepted));
		return accepted & ~features ? -EOPNOTSUPP : 0;
	case VHOST_SET_MEM_TABLE:
		return set_memory(arg);
	}
	return about_ring(what, arg);
}

/* A call that the host has stopped. */
static void handle(void)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp reply = { 0 };
	static const char name[] = "/dev/vhost-net";

	if (ioctl(notifier, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	reply.id = call.id;
	if (call.data.nr == SYS_ioctl) {
		reply.error = answer((unsigned int)call.data.args[1],
				     (void *)call.data.args[2]);
	} else if (!strcmp((char *)call.data.args[1], name) && features) {
		device = OK(eventfd(0, EFD_CLOEXEC));
		reply.val = device;
	} else {
		reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	OK(ioctl(notifier, SECCOMP_IOCTL_NOTIF_SEND, &reply));
}

static void *host(void *arg)
{
	while (!__atomic_load_n(&notifier, __ATOMIC_ACQUIRE))
		usleep(1000);
	for (;;) {
		struct pollfd p[] = { { notifier, POLLIN, 0 },
				      { rings[0].tap, POLLIN, 0 },
				      { rings[1].tap < 0 ? -1 : rings[1].kick,
					POLLIN, 0 } };
		uint64_t count;

		poll(p, 3, 100);
		if (p[0].revents)
			handle();
		if (p[2].revents)
			read(rings[1].kick, &count, sizeof(count));
		serve(0);
		serve(1);
	}
	return arg;
}

/* Have the host stop openat(), and requests of vhost. */
static void stop_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		/* The type of a request is its second byte. */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VHOST_VIRTIO << 8, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };
	pthread_t thread;

	rings[0].tap = rings[1].tap = -1;
	EQ(pthread_create(&thread, NULL, host, NULL), 0);
	EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	__atomic_store_n(
		&notifier,
		OK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			   SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)),
		__ATOMIC_RELEASE);
}

/* The tap's address on the host: 10.9.0.1. */
static void set_address(void)
{
	int fd = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct ifreq ifr = { .ifr_name = "t0" };
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = inet_addr("10.9.0.1");
	OK(ioctl(fd, SIOCSIFADDR, &ifr));
	in->sin_addr.s_addr = inet_addr("255.255.255.0");
	OK(ioctl(fd, SIOCSIFNETMASK, &ifr));
	ifr.ifr_flags = IFF_UP;
	OK(ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
}

#define STREAM 500000

/* What the library sends comes back from the host. */
static void *echo(void *arg)
{
	int fd = OK(accept(*(int *)arg, NULL, NULL));
	static char buf[4096];
	long n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		EQ(write(fd, buf, n), n);
	close(fd);
	return NULL;
}

static void talk(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET,
				      .sin_port = htons(9) };
	int one = 1, ears = OK(socket(AF_INET, SOCK_STREAM, 0)), fd;
	static unsigned char sent[STREAM], got[STREAM];
	long done = 0, back = 0;
	pthread_t thread;

	at.sin_addr.s_addr = to.sin_addr.lkl_s_addr = inet_addr("10.9.0.1");
	OK(setsockopt(ears, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	OK(bind(ears, (struct sockaddr *)&at, sizeof(at)));
	OK(listen(ears, 1));
	EQ(pthread_create(&thread, NULL, echo, &ears), 0);
	for (int i = 0; i < STREAM; i++)
		sent[i] = i * 7 + i / 251;
	fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	OK(lkl_sys_connect(fd, (void *)&to, sizeof(to)));
	while (back < STREAM) {
		/* No more on its way than the host's buffers take. */
		while (done < STREAM && done < back + 40000)
			done += OK(lkl_sys_send(fd, sent + done, 10000, 0));
		back += OK(lkl_sys_recv(fd, got + back, STREAM - back, 0));
	}
	EQ(memcmp(sent, got, STREAM), 0);
	lkl_sys_close(fd);
	EQ(pthread_join(thread, NULL), 0);
	close(ears);
}

static void run(struct lkl_netdev *nd)
{
	int ifindex;

	boot("mem=64M");
	ifindex = OK(lkl_netdev_get_ifindex(OK(lkl_netdev_add(nd, NULL))));
	EQ(lkl_if_up(ifindex), 0);
	EQ(lkl_if_set_ipv4(ifindex, inet_addr("10.9.0.2"), 24), 0);
	talk();
	halt();
}

static void came(const char *expected)
{
	asked[n_asked] = 0;
	if (strcmp(asked, expected))
		fprintf(stderr, "%s\n%s\n", asked, expected);
	EQ(strcmp(asked, expected), 0);
	n_asked = 0;
}

#define BEGIN "FMNBAKCnbakcTt"
#define END "Ee"

static void sequence(void)
{
	struct lkl_netdev *nd;

	stop_calls();
	EQ(lkl_netdev_tap_create("t0,vhost", 0) == NULL, 1);
	for (int i = 0; i < 2; i++) {
		features = 1ULL << 32 | (i ? 1 << 29 : 0);
		nd = lkl_netdev_tap_create("t0,vhost", i ? 0 : 1);
		EQ(nd != NULL, 1);
		came("OG");
		set_address();
		run(nd);
		came(BEGIN END);
		EQ(accepted, features);
		run(nd);
		came(BEGIN END);
		lkl_netdev_free(nd);
		came("");
	}
}

/* What goes wrong is tried again. */
static void refused(void)
{
	struct lkl_netdev *nd;

	stop_calls();
	features = 1 << 29;
	EQ(lkl_netdev_tap_create("t0,vhost", 0) == NULL, 1);
	features |= 1ULL << 32;
	nd = lkl_netdev_tap_create("t0,vhost", 0);
	set_address();
	refuse = 1;
	boot("mem=64M");
	EQ(lkl_if_up(OK(lkl_netdev_get_ifindex(OK(lkl_netdev_add(nd, NULL))))),
	   0);
	while (!memchr(asked, 'M', sizeof(asked)))
		usleep(1000);
	refuse = 0;
	while (!memchr(asked, 'T', sizeof(asked)))
		usleep(1000);
	halt();
	run(nd);
	lkl_netdev_free(nd);
}

static const struct check tests[] = { { "sequence", sequence },
				      { "refused", refused } };

int main(int argc, char **argv)
{
	if (!host_namespace()) {
		printf("skip: no network namespaces, or no taps\n");
		return 77;
	}
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
