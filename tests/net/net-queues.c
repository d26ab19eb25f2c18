// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wires with several pairs of queues: the kernel uses one for each of its
 * virtual CPUs, both directions go by all of them, and the number can change on
 * either side while frames go by.  Numbers that make no sense are refused.
 *
 * Two kernels in two processes, the one as the device (vhost-user-server), the
 * other as the driver.  With two arguments both are drivers, at these two ports
 * of a switch, which have two pairs each.
 *
 * usage: net-queues [test | port port]
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <lkl/linux/ethtool.h>
#include <lkl/linux/sockios.h>

#include "netlab.h"

#define PORT 7
#define THREADS 4

static struct lkl_netdev *(*make_device)(const char *param, int offload) =
	lkl_netdev_vhost_user_server_create;
/* How often the driver changes how many pairs it uses. */
static int changes = 10;

static int ifindex, stop;
static const char *peer;

static int ethtool(void *data)
{
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0)), ret;
	struct lkl_ifreq ifr = { .lkl_ifr_ifindex = ifindex };

	OK(lkl_sys_ioctl(fd, LKL_SIOCGIFNAME, (long)&ifr));
	ifr.lkl_ifr_data = data;
	ret = lkl_sys_ioctl(fd, LKL_SIOCETHTOOL, (long)&ifr);
	lkl_sys_close(fd);
	return ret;
}

static struct lkl_ethtool_channels channels(void)
{
	struct lkl_ethtool_channels c = { .cmd = LKL_ETHTOOL_GCHANNELS };

	OK(ethtool(&c));
	return c;
}

static int use(unsigned int pairs)
{
	struct lkl_ethtool_channels c = { .cmd = LKL_ETHTOOL_SCHANNELS,
					  .combined_count = pairs };

	return ethtool(&c);
}

/* Boot with a wire, or return false. */
static bool begin(struct lkl_netdev *nd, const char *address, int cpus)
{
	char cmdline[40];

	if (!nd)
		return false;
	snprintf(cmdline, sizeof(cmdline), "mem=64M maxcpus=%d", cpus);
	boot(cmdline);
	ifindex = OK(lkl_netdev_get_ifindex(OK(lkl_netdev_add(nd, NULL))));
	OK(lkl_if_set_ipv4(ifindex, inet_addr(address), 24));
	OK(lkl_if_up(ifindex));
	return true;
}

static int udp(struct lkl_sockaddr_in *to)
{
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));
	struct __lkl__kernel_sock_timeval tv = { 0, 100000 };

	*to = (struct lkl_sockaddr_in){ .sin_family = LKL_AF_INET,
					.sin_port = htons(PORT) };
	OK(lkl_sys_setsockopt(fd, LKL_SOL_SOCKET, LKL_SO_RCVTIMEO_NEW,
			      (void *)&tv, sizeof(tv)));
	return fd;
}

static pthread_t threads[THREADS];
static unsigned long answers;
/* Which queues have received something; the kernel numbers them as it likes. */
static unsigned int napis[2];

static void note_queue(int fd)
{
	unsigned int napi = 0, i, none;
	int len = sizeof(napi);

	OK(lkl_sys_getsockopt(fd, LKL_SOL_SOCKET, LKL_SO_INCOMING_NAPI_ID,
			      (void *)&napi, &len));
	for (i = 0; napi && i < ARRAY_SIZE(napis); i++) {
		none = 0;
		if (__atomic_compare_exchange_n(&napis[i], &none, napi, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST) ||
		    none == napi)
			break;
	}
}

/* The threads are on the two processors by turns, so each queue is used. */
static void take_processor(void)
{
	static unsigned int next;
	unsigned long mask =
		1UL << __atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST) % 2;

	OK(lkl_sys_sched_setaffinity(0, sizeof(mask), (void *)&mask));
}

/* Answer whatever comes, by a new socket now and then: each knows its first
 * queue. */
static void *echo(void *arg)
{
	struct lkl_sockaddr_in addr;
	int one = 1, fd = -1, i;
	char buf[1500];

	(void)arg;
	take_processor();
	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_SEQ_CST); i++) {
		int len = sizeof(addr);
		long n;

		if (i % 50 == 0) {
			if (i)
				lkl_sys_close(fd);
			fd = udp(&addr);
			OK(lkl_sys_setsockopt(fd, LKL_SOL_SOCKET,
					      LKL_SO_REUSEPORT, (void *)&one,
					      sizeof(one)));
			OK(lkl_sys_bind(fd, (void *)&addr, sizeof(addr)));
		}
		n = lkl_sys_recvfrom(fd, buf, sizeof(buf), 0, (void *)&addr,
				     &len);
		if (n <= 0)
			continue;
		note_queue(fd);
		lkl_sys_sendto(fd, buf, n, 0, (void *)&addr, len);
	}
	lkl_sys_close(fd);
	return NULL;
}

/* Ask, some at a time, by a new socket each time, and count the answers. */
static void *ask(void *arg)
{
	struct lkl_sockaddr_in to;
	char buf[1400] = "";
	int fd, i;

	take_processor();
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		fd = udp(&to);
		to.sin_addr.lkl_s_addr = inet_addr(peer);
		OK(lkl_sys_connect(fd, (void *)&to, sizeof(to)));
		for (i = 0; i < 16; i++)
			lkl_sys_send(fd, buf, sizeof(buf), 0);
		for (i = 0; i < 16; i++) {
			if (lkl_sys_recv(fd, buf, sizeof(buf), 0) <= 0)
				break;
			note_queue(fd);
			__atomic_add_fetch((unsigned long *)arg, 1,
					   __ATOMIC_SEQ_CST);
		}
		lkl_sys_close(fd);
	}
	return NULL;
}

static void begin_all(void *(*fn)(void *))
{
	stop = 0;
	answers = 0;
	for (int i = 0; i < THREADS; i++)
		EQ(pthread_create(&threads[i], NULL, fn, &answers), 0);
}

static void end_all(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < THREADS; i++)
		EQ(pthread_join(threads[i], NULL), 0);
}

/* Wait until more answers have come. */
static void await_answers(void)
{
	unsigned long before = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);

	while (__atomic_load_n(&answers, __ATOMIC_SEQ_CST) < before + 500)
		usleep(1000);
}

/* Both queues have received something. */
static void await_both(void)
{
	while (!__atomic_load_n(&napis[1], __ATOMIC_SEQ_CST))
		usleep(10000);
}

static int up[2], down[2];

static void tell(int fd)
{
	EQ(write(fd, "x", 1), 1);
}

static void hear(int fd)
{
	char byte;

	EQ(read(fd, &byte, 1), 1);
}

/* The device, in another process: with @queues, of which it uses @then later.
 */
static pid_t device(const char *param, unsigned int queues, unsigned int then)
{
	pid_t pid;

	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (pid)
		return pid;
	OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (!begin(make_device(param, 0), "10.9.0.1", 2))
		_exit(1);
	EQ(channels().max_combined, queues);
	begin_all(echo);
	tell(up[1]);
	hear(down[0]);
	if (queues > 1 && then == queues)
		await_both();
	if (then != queues)
		OK(use(then));
	tell(up[1]);
	hear(down[0]);
	end_all();
	halt();
	_exit(0);
}

static void end_device(pid_t pid)
{
	int status;

	tell(down[1]);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

/* Have the driver's side ask while the device's side does as it was told. */
static void between(const char *device_param, unsigned int n_device,
		    unsigned int then, const char *param, unsigned int n)
{
	pid_t pid = device(device_param, n_device, then);

	hear(up[0]);
	peer = "10.9.0.1";
	CHECK(begin(lkl_netdev_vhost_user_create(param, 0), "10.9.0.2", 2));
	EQ(channels().max_combined, n);
	EQ(channels().combined_count, n);
	begin_all(ask);
	await_answers();
	tell(down[1]);
	hear(up[0]);
	await_answers();
	if (n > 1 && then > 1)
		await_both();
	if (n > 1) {
		for (int i = 0; i < changes; i++) {
			OK(use(i % 2 + 1));
			await_answers();
		}
		EQ(use(0), -LKL_EINVAL);
		EQ(use(n + 1), -LKL_EINVAL);
	}
	end_all();
	halt();
	end_device(pid);
}

static void both_two(void)
{
	between("s,queues=2", 2, 2, "s,queues=2", 2);
}

/* What comes by a queue that is not used is received by another one. */
static void device_folds(void)
{
	between("s,queues=2", 2, 1, "s,queues=2", 2);
}

static void driver_has_one(void)
{
	between("s,queues=3", 3, 3 - 1, "s", 1);
}

/* The device has fewer than are asked for. */
static void too_many(void)
{
	pid_t pid = device("s", 1, 1);

	hear(up[0]);
	EQ(lkl_netdev_vhost_user_create("s,queues=2", 0) == NULL, 1);
	tell(down[1]);
	hear(up[0]);
	end_device(pid);
	pid = device("s,queues=2", 2, 1);
	hear(up[0]);
	EQ(lkl_netdev_vhost_user_create("s,queues=3", 0) == NULL, 1);
	tell(down[1]);
	hear(up[0]);
	end_device(pid);
}

static void numbers(void)
{
	static const char *const bad[] = {
		"n,queues=0",  "n,queues=32",
		"n,queues=-1", "n,queues=",
		"n,queues=x",  "n,queues=1x",
		"n,queues= 1", "n,queues=99999999999999999999"
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EQ(lkl_netdev_vhost_user_create(bad[i], 0) == NULL, 1);
		EQ(lkl_netdev_vhost_user_server_create(bad[i], 0) == NULL, 1);
		EQ(lkl_netdev_tap_create(bad[i], 0) == NULL, 1);
	}
	EQ(lkl_netdev_tap_create("t0,vhost,queues=2", 0) == NULL, 1);
	EQ(access("n", F_OK), -1);
}

static char **ports;

/* A switch loses what it has for a queue that is not used. */
static void through_switch(void)
{
	char param[2][200];

	for (int i = 0; i < 2; i++)
		snprintf(param[i], sizeof(param[i]), "%s,queues=2", ports[i]);
	make_device = lkl_netdev_vhost_user_create;
	changes = 2;
	between(param[0], 2, 2, param[1], 2);
}

static const struct check switched[] = { { "switch", through_switch } };

static const struct check tests[] = { { "two", both_two },
				      { "device-folds", device_folds },
				      { "driver-has-one", driver_has_one },
				      { "too-many", too_many },
				      { "numbers", numbers } };

int main(int argc, char **argv)
{
	if (argc == 3) {
		ports = argv + 1;
		return check_main(switched, ARRAY_SIZE(switched), 1, argv);
	}
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
