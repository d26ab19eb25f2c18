// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot, halt, and what happens in the wrong order.
 */
#include <sys/eventfd.h>

#include <lkl_host.h>

#include "check.h"
#include "nowhere.h"

static void before_boot(void)
{
	struct lkl_host_operations *ops = &lkl_host_ops;
	long params[6] = { 0 };

	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	EQ(lkl_syscall(__lkl__NR_read, params), -LKL_ENOSYS);
	EQ(lkl_syscall(-1, params), -LKL_ENOSYS);
	EQ(lkl_sys_halt(), -LKL_ENOSYS);
	EQ(lkl_trigger_irq(3), -LKL_ENOSYS);
	EQ(lkl_is_running(), 0);
	EQ(lkl_start_kernel("mem=64M"), -LKL_EINVAL);
	EQ(lkl_init(NULL), -LKL_EINVAL);
	EQ(lkl_init(ops), 0);
	EQ(lkl_init(ops), -LKL_EBUSY);
	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	EQ(lkl_is_running(), 0);
	lkl_cleanup();
	EQ(lkl_start_kernel("mem=64M"), -LKL_EINVAL);
	/* Once more is no harm. */
	lkl_cleanup();
}

static void twice(void)
{
	boot("mem=64M");
	EQ(lkl_is_running(), 1);
	EQ(lkl_start_kernel("mem=64M"), -LKL_EBUSY);
	EQ(lkl_init(&lkl_host_ops), -LKL_EBUSY);
	EQ(lkl_sys_getpid(), 1);
	/* The first descriptor of a fresh kernel is 0. */
	EQ(lkl_sys_open("/", LKL_O_RDONLY, 0), 0);
	halt();
}

static void wire_free(struct lkl_netdev *nd)
{
	(void)nd;
}

static struct lkl_dev_net_ops wire_ops = {
	.tx = wire_tx,
	.rx = wire_rx,
	.poll = wire_poll,
	.poll_hup = wire_hup,
	.free = wire_free,
};

/*
 * A start that is refused leaves the running kernel's devices alone: a disk
 * that is written to, and a network that sends.
 */
static int busy_ends;
static unsigned long written;

static void *busy_disk(void *arg)
{
	static char block[1 << 16];
	int fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR | LKL_O_DSYNC,
				 0600));

	for (long i = 0; !__atomic_load_n(&busy_ends, __ATOMIC_RELAXED); i++) {
		EQ(lkl_sys_pwrite64(fd, block, sizeof(block),
				    i % 16 * sizeof(block)),
		   sizeof(block));
		__atomic_fetch_add(&written, 1, __ATOMIC_RELAXED);
	}
	EQ(lkl_sys_close(fd), 0);
	return arg;
}

static void *busy_net(void *arg)
{
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET,
				      .sin_port = 0x100,
				      .sin_addr = { 0x0201000a } };
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));

	while (!__atomic_load_n(&busy_ends, __ATOMIC_RELAXED)) {
		OK(lkl_sys_sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)));
		lkl_sys_sched_yield();
	}
	return arg;
}

static void more(unsigned long *count)
{
	unsigned long was = __atomic_load_n(count, __ATOMIC_RELAXED);

	for (int i = 0; __atomic_load_n(count, __ATOMIC_RELAXED) < was + 5; i++)
		if (i < 10000)
			msleep(1);
		else
			FAIL("I/O hangs");
}

static void twice_busy(void)
{
	struct wire wire = { .nd.ops = &wire_ops, .event = eventfd(0, 0) };
	struct lkl_disk disk = { .fd = ext4_image(16) };
	unsigned char mac[6] = { 2, 0, 0, 0, 0, 9 };
	unsigned int peer = 0x0201000a;
	char path[64];
	int id, net, ifindex;
	pthread_t threads[2];

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	net = OK(lkl_netdev_add(&wire.nd, NULL));
	ifindex = OK(lkl_netdev_get_ifindex(net));
	OK(lkl_if_up(ifindex));
	OK(lkl_if_set_ipv4(ifindex, 0x0101000a, 24));
	OK(lkl_add_neighbor(ifindex, LKL_AF_INET, &peer, mac));
	threads[0] = start(busy_disk, NULL);
	threads[1] = start(busy_net, NULL);
	for (int i = 0; i < 5; i++) {
		more(&written);
		more(&wire.sent);
		EQ(lkl_start_kernel("mem=64M"), -LKL_EBUSY);
		/* Nor does this take away what is in use. */
		lkl_cleanup();
	}
	more(&written);
	more(&wire.sent);
	__atomic_store_n(&busy_ends, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EQ(lkl_sys_chdir("/"), 0);
	OK(lkl_umount_dev(id, 0, 0, 1000));
	EQ(lkl_disk_remove(disk), 0);
	lkl_netdev_free(&wire.nd);
	halt();
}

static int send_one(void)
{
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET,
				      .sin_port = 0x100 };
	int fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));
	int ret;

	to.sin_addr.lkl_s_addr = 0x0201000a;
	ret = lkl_sys_sendto(fd, "x", 1, 0, (void *)&to, sizeof(to));
	lkl_sys_close(fd);
	return ret;
}

/* A wire that hangs up only when it is removed does not keep halt from its end.
 */
static void deaf_wire(void)
{
	struct wire wire = { .nd.ops = &wire_ops,
			     .event = eventfd(0, 0),
			     .deaf = 1 };
	unsigned char mac[6] = { 2, 0, 0, 0, 0, 9 };
	unsigned int peer = 0x0201000a;
	long long begin;
	int net, ifindex;

	OK(lkl_init(&lkl_host_ops));
	lkl_host_ops.print = NULL;
	net = OK(lkl_netdev_add(&wire.nd, NULL));
	for (int i = 0; i < 3; i++) {
		OK(lkl_start_kernel("mem=64M"));
		ifindex = OK(lkl_netdev_get_ifindex(net));
		OK(lkl_if_up(ifindex));
		OK(lkl_if_set_ipv4(ifindex, 0x0101000a, 24));
		OK(lkl_add_neighbor(ifindex, LKL_AF_INET, &peer, mac));
		wire.sent = 0;
		for (int tries = 0; !wire.sent; tries++) {
			CHECK(tries < 10000);
			EQ(send_one(), 1);
			msleep(1);
		}
		begin = now(CLOCK_MONOTONIC);
		EQ(lkl_sys_halt(), 0);
		CHECK(now(CLOCK_MONOTONIC) - begin < 10000000000);
	}
	wire.deaf = 0;
	lkl_netdev_free(&wire.nd);
	lkl_cleanup();
	boot("mem=64M");
	halt();
}

static void *getpid_thread(void *unused)
{
	return (void *)lkl_sys_getpid() + (unsigned long)unused;
}

static void after_halt(void)
{
	void *ret;

	boot("mem=64M");
	EQ(lkl_sys_getpid(), 1);
	pthread_join(start(getpid_thread, NULL), &ret);
	EQ(ret, 1);
	EQ(lkl_sys_halt(), 0);
	EQ(lkl_is_running(), 0);
	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	EQ(lkl_sys_halt(), -LKL_ENOSYS);
	EQ(lkl_trigger_irq(3), -LKL_ENOSYS);
	pthread_join(start(getpid_thread, NULL), &ret);
	EQ(ret, -LKL_ENOSYS);
	EQ(lkl_start_kernel("mem=64M"), 0);
	EQ(lkl_sys_getpid(), 1);
	EQ(lkl_sys_open("/", LKL_O_RDONLY, 0), 0);
	EQ(lkl_sys_halt(), 0);
	lkl_cleanup();
	boot("mem=64M");
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* A thread that outlives the kernel it called gets along with the next. */
static int step;

static void *survivor(void *unused)
{
	long first = lkl_sys_getpid(), between, second;

	__atomic_store_n(&step, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&step, __ATOMIC_SEQ_CST) != 2)
		msleep(1);
	between = lkl_sys_getpid();
	__atomic_store_n(&step, 3, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&step, __ATOMIC_SEQ_CST) != 4)
		msleep(1);
	second = lkl_sys_getpid();
	EQ(first, 1);
	EQ(between, -LKL_ENOSYS);
	EQ(second, 1);
	return unused;
}

static void survive(void)
{
	pthread_t id;

	boot("mem=64M");
	id = start(survivor, NULL);
	while (__atomic_load_n(&step, __ATOMIC_SEQ_CST) != 1)
		msleep(1);
	EQ(lkl_sys_halt(), 0);
	__atomic_store_n(&step, 2, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&step, __ATOMIC_SEQ_CST) != 3)
		msleep(1);
	EQ(lkl_start_kernel("mem=64M"), 0);
	__atomic_store_n(&step, 4, __ATOMIC_SEQ_CST);
	pthread_join(id, NULL);
	halt();
}

/* The numbers a boot prints into @printed when it is refused. */
static void refused(const char *cmdline, int err, const char *text)
{
	printed_len = 0;
	memset(printed, 0, sizeof(printed));
	EQ(lkl_start_kernel("%s", cmdline), err);
	EQ(lkl_is_running(), 0);
	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	if (!strstr(printed, text))
		FAIL("'%s' prints '%s', not '%s'", cmdline, printed, text);
}

static void command_line(void)
{
	static char line[8192];
	struct lkl_sysinfo info;

	lkl_host_ops.print = print_capture;
	EQ(lkl_init(&lkl_host_ops), 0);
	refused("mem=1M", -LKL_ENOMEM, "is needed");
	refused("mem=64M mem=0", -LKL_ENOMEM, "is needed");
	refused("mem=4K loglevel=8", -LKL_ENOMEM, "is needed");
	refused("mem=many", -LKL_EINVAL, "is not a size");
	refused("mem=", -LKL_EINVAL, "is not a size");
	refused("mem=64Mb", -LKL_EINVAL, "is not a size");
	refused("quiet mem=-1", -LKL_EINVAL, "is not a size");
	refused("mem=200T", -LKL_ENOMEM, "memory");
	memset(line, 'x', sizeof(line) - 1);
	refused(line, -LKL_E2BIG, "");
	line[4096] = 0;
	refused(line, -LKL_E2BIG, "");

	/* The last one counts; what only ends in mem= is another option. */
	EQ(lkl_start_kernel("mem=%dM quiet foomem=3 mem=%s", 1, "96M"), 0);
	OK(lkl_sys_sysinfo(&info));
	CHECK(info.totalram * info.mem_unit > 64UL << 20);
	CHECK(info.totalram * info.mem_unit < 96UL << 20);
	halt();
}

/* The least memory that boot accepts is enough to boot and do something. */
static void least_memory(void)
{
	char *text;
	int mb;

	lkl_host_ops.print = print_capture;
	EQ(lkl_init(&lkl_host_ops), 0);
	EQ(lkl_start_kernel("mem=1M"), -LKL_ENOMEM);
	text = strstr(printed, "boot, ");
	CHECK(text && sscanf(text, "boot, %dM", &mb) == 1);
	lkl_host_ops.print = NULL;
	EQ(lkl_start_kernel("mem=%dM", mb), 0);
	EQ(lkl_sys_getpid(), 1);
	OK(lkl_sys_mkdir("/a", 0700));
	EQ(lkl_mount_fs("proc"), 0);
	halt();
}

static void loglevel(void)
{
	int loud, quiet;

	lkl_host_ops.print = print_capture;
	EQ(lkl_init(&lkl_host_ops), 0);
	EQ(lkl_start_kernel("mem=64M loglevel=8"), 0);
	CHECK(strstr(printed, "Linux version 6."));
	CHECK(strstr(printed, "mem=64M loglevel=8"));
	EQ(lkl_sys_halt(), 0);
	loud = printed_len;

	printed_len = 0;
	EQ(lkl_start_kernel("mem=64M loglevel=1"), 0);
	EQ(lkl_sys_halt(), 0);
	quiet = printed_len;
	if (loud < 2000 || quiet)
		FAIL("%d and %d bytes: %.200s", loud, quiet, printed);

	/* Without a console, nothing is printed, but all of it is kept. */
	lkl_host_ops.print = NULL;
	EQ(lkl_start_kernel("mem=64M loglevel=8"), 0);
	/* Unless tests/common/kernel.c does. */
	EQ(lkl_printf("nobody reads this\n"), getenv("KERNEL_SAYS") ? 18 : 0);
	OK(lkl_sys_syslog(3, printed, sizeof(printed) - 1));
	CHECK(strstr(printed, "Linux version 6."));
	halt();
}

static void random_bytes(void)
{
	unsigned char bytes[3][32] = { 0 };
	long long begin;

	for (int i = 0; i < 2; i++) {
		boot("mem=64M");
		begin = now(CLOCK_MONOTONIC);
		EQ(lkl_sys_getrandom((char *)bytes[i], 32, 0), 32);
		CHECK(now(CLOCK_MONOTONIC) - begin < 2000000000);
		halt();
	}
	CHECK(memcmp(bytes[0], bytes[1], 32));
	CHECK(memcmp(bytes[0], bytes[2], 32));
}

static void strerror_all(void)
{
	static const char *const reasons[] = {
		[LKL_EPERM] = "not permitted",
		[LKL_EFAULT] = "address",
		[LKL_ENOSYS] = "not implemented",
		[LKL_EHWPOISON] = "hardware",
	};

	for (int err = 0; err <= LKL_EHWPOISON; err++) {
		const char *text = lkl_strerror(-err);

		/* 41 and 58 are not used. */
		if (err == 41 || err == 58)
			continue;
		CHECK(text && *text && !strstr(text, "nknown"));
		EQ(strcmp(text, lkl_strerror(err)), 0);
		if (err <= LKL_EHWPOISON && reasons[err])
			CHECK(strstr(text, reasons[err]));
	}
	CHECK(lkl_strerror(41) && lkl_strerror(-100000));
	CHECK(lkl_strerror((int)0x80000000));
}

/* The host's threads, mutexes and semaphores, for programs that want them. */
static struct lkl_mutex *mutex;
static struct lkl_sem *sem;
static lkl_thread_t other;
static long counted, other_tid;

static void count(void *unused)
{
	struct lkl_host_operations *ops = &lkl_host_ops;

	other_tid = ops->gettid();
	CHECK(ops->thread_equal(ops->thread_self(), ops->thread_self()));
	for (int i = 0; i < 100000; i++) {
		ops->mutex_lock(mutex);
		ops->mutex_lock(mutex);
		counted++;
		ops->mutex_unlock(mutex);
		ops->mutex_unlock(mutex);
	}
	ops->sem_up(sem);
	ops->thread_exit();
	FAIL("not ended %p", unused);
}

static void detached(void *unused)
{
	(void)unused;
	lkl_host_ops.thread_detach();
	lkl_host_ops.sem_up(sem);
}

static void host_threads(void)
{
	struct lkl_host_operations *ops = &lkl_host_ops;

	mutex = ops->mutex_alloc(1);
	sem = ops->sem_alloc(0);
	ops->mutex_lock(mutex);
	other = ops->thread_create(count, NULL);
	ops->mutex_unlock(mutex);
	CHECK(other && !ops->thread_equal(other, ops->thread_self()));
	for (int i = 0; i < 100000; i++) {
		ops->mutex_lock(mutex);
		counted++;
		ops->mutex_unlock(mutex);
	}
	ops->sem_down(sem);
	EQ(ops->thread_join(other), 0);
	EQ(counted, 200000);
	CHECK(other_tid != ops->gettid());
	EQ(ops->gettid(), gettid());
	CHECK(ops->thread_create(detached, NULL));
	ops->sem_down(sem);
	ops->sem_free(sem);
	ops->mutex_free(mutex);
}

static const struct check tests[] = {
	{ "host-threads", host_threads }, { "deaf-wire", deaf_wire },
	{ "before-boot", before_boot },	  { "twice", twice },
	{ "twice-busy", twice_busy },	  { "after-halt", after_halt },
	{ "survive", survive },		  { "command-line", command_line },
	{ "least-memory", least_memory }, { "loglevel", loglevel },
	{ "random", random_bytes },	  { "strerror", strerror_all },
};

CHECK_MAIN(tests)
