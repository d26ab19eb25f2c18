// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call of the library's life cycle against every other, from several
 * threads: whatever the order, each one either does its work or is refused, and
 * nothing is freed twice, used after it was freed, or left behind.
 *
 * LIFE_SECONDS says for how long (3); the nightly tests take an hour.
 */
#include <lkl_host.h>

#include "check.h"
#include "nowhere.h"

#define THREADS 4

static void wire_free(struct lkl_netdev *nd)
{
	struct wire *w = (struct wire *)nd;

	close(w->event);
	free(w);
}

static struct lkl_dev_net_ops wire_ops = {
	.tx = wire_tx,
	.rx = wire_rx,
	.poll = wire_poll,
	.poll_hup = wire_hup,
	.free = wire_free,
};

static int image;
static int stop;
static unsigned long done[16];

/* What a call may say: 0 or more, or that this is not the moment. */
static int refused(long ret)
{
	switch (ret) {
	case -LKL_EBUSY:
	case -LKL_EINVAL:
	case -LKL_ENOSYS:
	case -LKL_ESHUTDOWN:
	case -LKL_ENODEV:
		return 1;
	}
	if (ret < 0)
		FAIL("%ld: %s", ret, lkl_strerror(ret));
	return 0;
}

static int do_init(void)
{
	return refused(lkl_init(&lkl_host_ops));
}

static int do_start(void)
{
	return refused(lkl_start_kernel("mem=64M"));
}

static int do_halt(void)
{
	return refused(lkl_sys_halt());
}

static int do_cleanup(void)
{
	lkl_cleanup();
	return 0;
}

static int do_disk(void)
{
	struct lkl_disk disk = { .fd = image };
	char buf[4096];
	unsigned int dev;
	long fd;
	int id = lkl_disk_add(&disk);

	if (refused(id))
		return 1;
	if (!lkl_get_virtio_blkdev(id, 0, &dev)) {
		lkl_sys_mknod("/disk", LKL_S_IFBLK | 0600, dev);
		fd = lkl_sys_open("/disk", LKL_O_RDONLY, 0);
		if (fd >= 0) {
			lkl_sys_pread64(fd, buf, sizeof(buf), 0);
			lkl_sys_close(fd);
		}
		lkl_sys_unlink("/disk");
	}
	/* EINVAL: lkl_cleanup() has removed it. */
	return refused(lkl_disk_remove(disk));
}

static int do_net(void)
{
	struct wire *w = calloc(1, sizeof(*w));
	int id;

	w->nd.ops = &wire_ops;
	w->event = eventfd(0, 0);
	CHECK(w->event >= 0);
	id = lkl_netdev_add(&w->nd, NULL);
	if (!refused(id)) {
		lkl_netdev_get_ifindex(id);
		/* Perhaps another thread's by now. */
		if (id & 1)
			lkl_netdev_remove(id);
	}
	lkl_netdev_free(&w->nd);
	return 0;
}

static int do_calls(void)
{
	char path[32];
	long ret = lkl_sys_getpid();

	if (ret != 1)
		return refused(ret);
	snprintf(path, sizeof(path), "/%ld", lkl_sys_gettid());
	lkl_sys_mkdir(path, 0700);
	lkl_sys_rmdir(path);
	return 0;
}

/* Blocked until the kernel halts, or for a moment. */
static int do_sleep(void)
{
	struct __lkl__kernel_timespec ts = { 0, 3000000 };

	return refused(lkl_sys_nanosleep(&ts, NULL));
}

static int do_irq(void)
{
	int irq = lkl_get_free_irq("life");

	if (irq < 0)
		return 1;
	lkl_trigger_irq(irq);
	lkl_put_irq(irq, "life");
	lkl_is_running();
	return 0;
}

static void *newborn(void *arg)
{
	do_calls();
	return arg;
}

/* A thread whose first call, and end, may be at any moment. */
static int do_thread(void)
{
	pthread_join(start(newborn, NULL), NULL);
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void);
} steps[] = {
	{ "init", do_init },	   { "start", do_start },
	{ "start", do_start },	   { "halt", do_halt },
	{ "disk", do_disk },	   { "net", do_net },
	{ "calls", do_calls },	   { "sleep", do_sleep },
	{ "irq", do_irq },	   { "thread", do_thread },
	{ "cleanup", do_cleanup },
};

static void *any_step(void *arg)
{
	unsigned int seed = (long)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned int i = rand_r(&seed) % ARRAY_SIZE(steps);

		if (!steps[i].fn())
			__atomic_fetch_add(&done[i], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void all(void)
{
	const char *seconds = getenv("LIFE_SECONDS");
	pthread_t id[THREADS];
	int before;

	alarm(0);
	lkl_host_ops.print = NULL;
	image = memfd_create("image", 0);
	EQ(ftruncate(image, 1 << 20), 0);
	before = entries("/proc/self/fd");
	for (long i = 0; i < THREADS; i++)
		id[i] = start(any_step, (void *)(i + time(NULL)));
	/* Each second there must have been a halt. */
	for (int i = seconds ? atoi(seconds) : 3; i; i--) {
		unsigned long was = __atomic_load_n(&done[3], __ATOMIC_RELAXED);

		for (int ms = 0; ms < 1000 || done[3] == was; ms++) {
			if (ms == 30000)
				FAIL("it has come to a stop");
			msleep(1);
		}
	}
	stop = 1;
	alarm(60);
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++)
		if (!done[i])
			FAIL("no %s", steps[i].name);
	/* It ends as it began. */
	lkl_sys_halt();
	lkl_cleanup();
	EQ(entries("/proc/self/fd"), before);
	boot("mem=64M");
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* Two threads halt at once. */
static pthread_barrier_t barrier;

static void *halter(void *arg)
{
	pthread_barrier_wait(&barrier);
	*(long *)arg = lkl_sys_halt();
	return NULL;
}

static void halts(void)
{
	long ret[2];
	pthread_t id[2];

	pthread_barrier_init(&barrier, NULL, 2);
	for (int n = 0; n < 30; n++) {
		struct lkl_disk disk = { .fd = memfd_create("image", 0) };

		EQ(ftruncate(disk.fd, 1 << 20), 0);
		boot("mem=64M");
		OK(lkl_disk_add(&disk));
		for (int i = 0; i < 2; i++)
			id[i] = start(halter, &ret[i]);
		for (int i = 0; i < 2; i++)
			pthread_join(id[i], NULL);
		EQ(ret[0] + ret[1], -LKL_ENOSYS);
		CHECK(!ret[0] || !ret[1]);
		lkl_cleanup();
		close(disk.fd);
	}
}

static const struct check tests[] = {
	{ "halts", halts },
	{ "all", all },
};

CHECK_MAIN(tests)
