// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vhost-user driver of the library, and a device that is hostile: mutated and
 * truncated answers and what was not asked for, wild ring indices and tables,
 * an end in the middle.  The library must not crash, and gives the wire up or
 * connects again.
 */
#include "vhost-peer.h"

/* What the library puts both rings of a pair into. */
#define TABLES 0x20000

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

	count_rounds(100);
	unlink(addr.sun_path);
	listener = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	OK(bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	OK(listen(listener, 8));
	peer = start_peer(hostile_device);
	boot("mem=64M");
	if (!getenv("LOUD"))
		quiet();
	for (i = 0; i < rounds; i++) {
		struct lkl_netdev *nd = lkl_netdev_vhost_user_create(param, 0);
		int id;

		if (!nd)
			continue;
		id = lkl_netdev_add(nd, NULL);
		if (id >= 0) {
			made++;
			EQ(lkl_if_up(OK(lkl_netdev_get_ifindex(id))), 0);
			usleep(1000 + random_number() % 5000);
		}
		lkl_netdev_free(nd);
	}
	EQ(made > 0, 1);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	halt();
}

static const struct check tests[] = { { "client", client } };

int main(int argc, char **argv)
{
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
