// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frozen kernel returns to its state as often as asked: files in memory and
 * on disk, connections, mappings, descriptors, timers; whatever else the
 * application does meanwhile, and in the wrong order.
 *
 * FREEZE_ROUNDS is how many rounds the test of memory and descriptors makes.
 */
#include <stdint.h>
#include <sys/socket.h>

#include <lkl_host.h>

#include "check.h"

#define ROUNDS 30
#define PAGE 4096
#define FILES 16
#define FILE_MAX 30000

static unsigned long long seed = 1;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static void fill(char *to, size_t len)
{
	while (len--)
		*to++ = rnd(256);
}

/*
 * Files whose contents the application knows
 */

struct model {
	char dir[64];
	int fd[FILES];
	size_t len[FILES];
	char data[FILES][FILE_MAX];
};

static char *name_of(const struct model *m, int i)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/file-%d", m->dir, i);
	return path;
}

static void make_files(struct model *m, const char *dir)
{
	snprintf(m->dir, sizeof(m->dir), "%s", dir);
	for (int i = 0; i < FILES; i++) {
		m->len[i] = rnd(FILE_MAX);
		fill(m->data[i], m->len[i]);
		m->fd[i] = OK(lkl_sys_open(name_of(m, i),
					   LKL_O_CREAT | LKL_O_RDWR, 0600));
		EQ(lkl_sys_write(m->fd[i], m->data[i], m->len[i]), m->len[i]);
		/* Some are only known by name. */
		if (i % 4 == 3) {
			EQ(lkl_sys_fsync(m->fd[i]), 0);
			EQ(lkl_sys_close(m->fd[i]), 0);
			m->fd[i] = -1;
		}
	}
}

static void compare_files(const struct model *m)
{
	static char seen[FILE_MAX + 1];

	for (int i = 0; i < FILES; i++) {
		int fd = m->fd[i];

		if (fd < 0)
			fd = OK(lkl_sys_open(name_of(m, i), LKL_O_RDONLY, 0));
		EQ(lkl_sys_pread64(fd, seen, sizeof(seen), 0), m->len[i]);
		CHECK(!memcmp(seen, m->data[i], m->len[i]));
		if (m->fd[i] < 0)
			EQ(lkl_sys_close(fd), 0);
		else
			EQ(lkl_sys_lseek(fd, 0, LKL_SEEK_CUR), m->len[i]);
	}
	EQ(lkl_sys_access("/new", 0), -LKL_ENOENT);
	snprintf(seen, sizeof(seen), "%s/new", m->dir);
	EQ(lkl_sys_access(seen, 0), -LKL_ENOENT);
}

static void change_files(const struct model *m)
{
	static char junk[FILE_MAX];
	char path[100];
	int fd;

	for (int n = rnd(40); n >= 0; n--) {
		int i = rnd(FILES);

		fill(junk, 64);
		switch (rnd(6)) {
		case 0:
			lkl_sys_unlink(name_of(m, i));
			break;
		case 1:
			if (m->fd[i] >= 0)
				lkl_sys_ftruncate(m->fd[i], rnd(FILE_MAX));
			break;
		case 2:
			if (m->fd[i] >= 0)
				lkl_sys_close(m->fd[i]);
			break;
		case 3:
			lkl_sys_truncate(name_of(m, i), rnd(FILE_MAX));
			break;
		case 4:
			if (m->fd[i] >= 0)
				lkl_sys_fsync(m->fd[i]);
			break;
		default:
			if (m->fd[i] >= 0)
				lkl_sys_pwrite64(m->fd[i], junk, rnd(FILE_MAX),
						 rnd(FILE_MAX));
		}
	}
	snprintf(path, sizeof(path), "%s/new", m->dir);
	fd = OK(lkl_sys_open(path, LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, junk, sizeof(junk)), sizeof(junk));
	if (rnd(2))
		lkl_sys_sync();
}

static struct model model;

static void in_memory(void)
{
	boot("mem=64M");
	make_files(&model, "/");
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		compare_files(&model);
		change_files(&model);
		EQ(lkl_reset(), 0);
	}
	compare_files(&model);
	EQ(lkl_thaw(), 0);
	compare_files(&model);
	/* And once more, of the state as it is now. */
	EQ(lkl_sys_mkdir("/thawed", 0700), 0);
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		change_files(&model);
		EQ(lkl_sys_rmdir("/thawed"), 0);
		EQ(lkl_reset(), 0);
		compare_files(&model);
	}
	halt();
}

/* What the host finds in an image. */
static unsigned long long sum_of(int fd)
{
	static char buf[1 << 16];
	unsigned long long sum = 14695981039346656037ULL;
	long n, pos = 0;

	while ((n = pread(fd, buf, sizeof(buf), pos)) > 0) {
		for (long i = 0; i < n; i++)
			sum = (sum ^ (unsigned char)buf[i]) * 1099511628211ULL;
		pos += n;
	}
	EQ(n, 0);
	return sum;
}

static void fsck(int fd)
{
	char command[100];

	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin e2fsck -fn /proc/self/fd/%d "
		 ">/dev/null 2>&1",
		 fd);
	EQ(system(command), 0);
}

/* With the host's cache, and without. */
static void on_disk_with(int flags)
{
	struct lkl_disk disk = { .fd = ext4_image(32) };
	char path[64], new[80], buf[8];
	unsigned long long sum;
	int id, fd, image = disk.fd;

	if (flags) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
		disk.fd = open(path, O_RDWR | flags);
		/* Not on every file system. */
		if (disk.fd < 0)
			return;
	}
	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	make_files(&model, path);
	EQ(lkl_freeze(), 0);
	sum = sum_of(image);
	for (int i = 0; i < ROUNDS; i++) {
		compare_files(&model);
		change_files(&model);
		EQ(lkl_reset(), 0);
	}
	compare_files(&model);
	/* No byte of that reaches the image. */
	CHECK(sum_of(image) == sum);

	snprintf(new, sizeof(new), "%s/kept", path);
	fd = OK(lkl_sys_open(new, LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, "kept", 4), 4);
	EQ(lkl_sys_close(fd), 0);
	lkl_sys_sync();
	CHECK(sum_of(image) == sum);
	EQ(lkl_thaw(), 0);
	CHECK(sum_of(image) != sum);
	compare_files(&model);
	for (int i = 0; i < FILES; i++)
		if (model.fd[i] >= 0)
			EQ(lkl_sys_close(model.fd[i]), 0);
	EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
	EQ(lkl_sys_halt(), 0);
	fsck(image);

	/* A kernel that knows nothing of it finds the same. */
	OK(lkl_start_kernel("mem=64M"));
	OK(lkl_mount_dev(id, 0, "ext4", LKL_MS_RDONLY, NULL, path,
			 sizeof(path)));
	for (int i = 0; i < FILES; i++)
		model.fd[i] = -1;
	compare_files(&model);
	fd = OK(lkl_sys_open(new, LKL_O_RDONLY, 0));
	EQ(lkl_sys_read(fd, buf, sizeof(buf)), 4);
	EQ(memcmp(buf, "kept", 4), 0);
	EQ(lkl_sys_close(fd), 0);
	EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
	halt();
}

static void on_disk(void)
{
	on_disk_with(0);
}

static void on_disk_direct(void)
{
	on_disk_with(O_DIRECT);
}

/* A file system that is mounted and unmounted each time. */
static void mount_each_time(void)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	char path[64], file[80];
	int id;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		int fd;

		OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
		snprintf(file, sizeof(file), "%s/f", path);
		EQ(lkl_sys_access(file, 0), -LKL_ENOENT);
		fd = OK(lkl_sys_open(file, LKL_O_CREAT | LKL_O_RDWR, 0600));
		OK(lkl_sys_write(fd, model.data, sizeof(model.data)));
		EQ(lkl_sys_close(fd), 0);
		if (i % 2)
			EQ(lkl_umount_dev(id, 0, 0, 1000), 0);
		EQ(lkl_reset(), 0);
	}
	halt();
	fsck(disk.fd);
}

/*
 * Sockets
 */

static struct lkl_sockaddr_in address = { .sin_family = LKL_AF_INET };

/* A connection over the loopback interface; returns its ends. */
static void connect_ends(int end[2])
{
	struct lkl_sockaddr_in addr = address;
	int len = sizeof(addr), s;

	OK(lkl_if_up(1));
	addr.sin_addr.lkl_s_addr = __builtin_bswap32(0x7f000001);
	s = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	EQ(lkl_sys_bind(s, (void *)&addr, len), 0);
	EQ(lkl_sys_listen(s, 1), 0);
	EQ(lkl_sys_getsockname(s, (void *)&addr, &len), 0);
	end[0] = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	EQ(lkl_sys_connect(end[0], (void *)&addr, len), 0);
	end[1] = OK(lkl_sys_accept(s, NULL, NULL));
	EQ(lkl_sys_close(s), 0);
}

static void sockets(void)
{
	char buf[16];
	int end[2];

	boot("mem=64M");
	connect_ends(end);
	EQ(lkl_sys_write(end[0], "before", 6), 6);
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		int len = 1 + rnd(FILE_MAX - 1);

		EQ(lkl_sys_read(end[1], buf, sizeof(buf)), 6);
		EQ(memcmp(buf, "before", 6), 0);
		EQ(lkl_sys_write(end[1], "answer", 6), 6);
		EQ(lkl_sys_read(end[0], buf, sizeof(buf)), 6);
		EQ(memcmp(buf, "answer", 6), 0);
		EQ(lkl_sys_write(end[0], model.data, len), len);
		if (i % 3 == 1)
			EQ(lkl_sys_close(end[0]), 0);
		if (i % 3 == 2)
			connect_ends((int[2]){ 0 });
		EQ(lkl_reset(), 0);
	}
	EQ(lkl_thaw(), 0);
	EQ(lkl_sys_read(end[1], buf, sizeof(buf)), 6);
	halt();
}

/* The other end of a wire returns each frame of ours, with one byte changed. */
#define ETHERTYPE 0x88b5
#define FRAME 200

static void *mirror(void *arg)
{
	int fd = *(int *)arg;
	unsigned char frame[2048];
	long n;

	while ((n = recv(fd, frame, sizeof(frame), 0)) > 0) {
		if (n != FRAME || frame[12] << 8 != (ETHERTYPE & 0xff00) ||
		    frame[13] != (ETHERTYPE & 0xff))
			continue;
		frame[15]++;
		EQ(send(fd, frame, n, 0), n);
	}
	return NULL;
}

/* Frames to and fro, more than the rings have room for. */
static void wire(void)
{
	struct lkl_timeval second = { .tv_sec = 10 };
	struct lkl_sockaddr_ll addr = {
		.sll_family = LKL_AF_PACKET,
		.sll_protocol = __builtin_bswap16(ETHERTYPE),
	};
	unsigned char frame[FRAME], seen[2048];
	int fd[2], s, n = 0;
	struct lkl_netdev *nd;
	pthread_t id;

	EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	boot("mem=64M");
	nd = lkl_netdev_fd_create(fd[1], 0);
	CHECK(nd);
	addr.sll_ifindex =
		OK(lkl_netdev_get_ifindex(OK(lkl_netdev_add(nd, NULL))));
	OK(lkl_if_up(addr.sll_ifindex));
	s = OK(lkl_sys_socket(LKL_AF_PACKET, LKL_SOCK_RAW, addr.sll_protocol));
	EQ(lkl_sys_bind(s, (void *)&addr, sizeof(addr)), 0);
	EQ(lkl_sys_setsockopt(s, LKL_SOL_SOCKET, LKL_SO_RCVTIMEO_OLD,
			      (void *)&second, sizeof(second)),
	   0);
	id = start(mirror, fd);
	memset(frame, 0xff, sizeof(frame));
	frame[12] = ETHERTYPE >> 8;
	frame[13] = ETHERTYPE & 0xff;
	EQ(lkl_freeze(), 0);
	for (int round = 0; round < 100; round++) {
		for (int i = rnd(20); i >= 0; i--) {
			frame[14] = ++n;
			frame[15] = i;
			EQ(lkl_sys_write(s, frame, FRAME), FRAME);
			/* Older ones that came after the reset may be before
			 * it. */
			do
				EQ(lkl_sys_recv(s, seen, sizeof(seen), 0),
				   FRAME);
			while (seen[14] != (unsigned char)n);
			EQ(seen[15], (unsigned char)(i + 1));
		}
		/* This may come back before the reset, or after. */
		EQ(lkl_sys_write(s, frame, FRAME), FRAME);
		EQ(lkl_reset(), 0);
	}
	EQ(lkl_thaw(), 0);
	frame[14] = ++n;
	EQ(lkl_sys_write(s, frame, FRAME), FRAME);
	do
		EQ(lkl_sys_recv(s, seen, sizeof(seen), 0), FRAME);
	while (seen[14] != (unsigned char)n);
	shutdown(fd[0], SHUT_RDWR);
	pthread_join(id, NULL);
	EQ(lkl_sys_halt(), 0);
	lkl_netdev_free(nd);
	lkl_cleanup();
}

/*
 * Memory
 */

static int is_mapped(void *p)
{
	unsigned char vec;

	return !lkl_sys_mincore((unsigned long)p, PAGE, &vec);
}

static void mappings(void)
{
	const int prot = LKL_PROT_READ | LKL_PROT_WRITE, pages = 50;
	char *own, *shared;
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_ftruncate(fd, 2000 * PAGE));
	own = (void *)OK(lkl_sys_mmap(NULL, pages * PAGE, prot,
				      LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS, -1,
				      0));
	shared = (void *)OK(
		lkl_sys_mmap(NULL, pages * PAGE, prot, LKL_MAP_SHARED, fd, 0));
	for (int i = 0; i < pages; i++) {
		own[i * PAGE] = i;
		/* Of every other page there is no more than the size. */
		if (i % 2)
			shared[i * PAGE] = i;
	}
	EQ(lkl_freeze(), 0);
	for (int round = 0; round < ROUNDS; round++) {
		char *more, c;

		for (int i = 0; i < pages; i++) {
			EQ(own[i * PAGE], i);
			EQ(shared[i * PAGE], i % 2 ? i : 0);
			EQ(lkl_sys_pread64(fd, &c, 1, i * PAGE), 1);
			EQ(c, i % 2 ? i : 0);
			shared[i * PAGE] = 99;
			own[i * PAGE] = 99;
			EQ(lkl_sys_pread64(fd, &c, 1, i * PAGE), 1);
			EQ(c, 99);
		}
		/* So many that the reset begins anew. */
		more = (void *)OK(lkl_sys_mmap(NULL, 1500 * PAGE, prot,
					       LKL_MAP_SHARED, fd, 0));
		if (round % 10 == 5)
			for (int i = 0; i < 1500; i++)
				more[i * PAGE] = 1;
		else
			more[0] = 1;
		EQ(is_mapped(more), 1);
		if (round % 3 == 0)
			EQ(lkl_sys_munmap((long)shared, pages * PAGE), 0);
		if (round % 3 == 1)
			EQ(lkl_sys_munmap((long)own, 4 * PAGE), 0);
		EQ(lkl_reset(), 0);
		EQ(is_mapped(more), 0);
		EQ(is_mapped(own), 1);
		EQ(is_mapped(shared), 1);
	}
	EQ(lkl_thaw(), 0);
	shared[PAGE] = 77;
	EQ(lkl_sys_pread64(fd, own, 1, PAGE), 1);
	EQ(own[0], 77);
	halt();
}

/* Memory of the application that the kernel knows as pages, before and since.
 */
static void direct(void)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	char path[64], file[80], *old = NULL;
	int id, fd;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	snprintf(file, sizeof(file), "%s/f", path);
	fd = OK(lkl_sys_open(file, LKL_O_CREAT | LKL_O_RDWR | LKL_O_DIRECT,
			     0600));
	EQ(posix_memalign((void **)&old, PAGE, PAGE), 0);
	memset(old, 'a', PAGE);
	EQ(lkl_sys_pwrite64(fd, old, PAGE, 0), PAGE);
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		/* Each time at another place, gone before the reset or not. */
		char *new = mmap((void *)(0x200000000000 + i * (1L << 30)),
				 PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(new != MAP_FAILED);
		EQ(lkl_sys_pread64(fd, new, PAGE, 0), PAGE);
		EQ(new[PAGE - 1], 'a');
		memset(new, 'b', PAGE);
		EQ(lkl_sys_pwrite64(fd, new, PAGE, 0), PAGE);
		EQ(lkl_sys_pread64(fd, old, PAGE, 0), PAGE);
		EQ(old[0], 'b');
		if (i % 2)
			munmap(new, PAGE);
		EQ(lkl_reset(), 0);
	}
	halt();
}

/*
 * Time
 */

static long long kernel_time(void)
{
	struct __lkl__kernel_timespec ts;

	EQ(lkl_sys_clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void clocks(void)
{
	struct __lkl__kernel_itimerspec when = { .it_value.tv_nsec = 50000000 };
	struct __lkl__kernel_timespec ts = { .tv_nsec = 2000000 };
	long long frozen, begin, after, late;
	uint64_t count;
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_timerfd_create(CLOCK_MONOTONIC, 0));
	frozen = kernel_time();
	EQ(lkl_sys_timerfd_settime(fd, 0, &when, NULL), 0);
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < 5; i++) {
		begin = now(CLOCK_MONOTONIC);
		after = kernel_time();
		EQ(lkl_sys_nanosleep(&ts, NULL), 0);
		CHECK(now(CLOCK_MONOTONIC) - begin >= ts.tv_nsec);
		/* As far away as it was, and no further. */
		EQ(lkl_sys_read(fd, &count, sizeof(count)), sizeof(count));
		EQ(count, 1);
		late = kernel_time();
		CHECK(late - frozen >= 50000000);
		CHECK(now(CLOCK_MONOTONIC) - begin >=
		      frozen + 50000000 - after);
		EQ(lkl_reset(), 0);
		CHECK(kernel_time() >= frozen);
		CHECK(kernel_time() < late);
	}
	EQ(lkl_thaw(), 0);
	begin = kernel_time();
	EQ(lkl_sys_nanosleep(&ts, NULL), 0);
	CHECK(kernel_time() - begin >= ts.tv_nsec);
	halt();
}

/*
 * Other threads
 */

static int ready, ended;

static void *blocked(void *arg)
{
	char c;
	long ret;

	EQ(lkl_sys_getpid(), 1);
	__atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
	ret = lkl_sys_read(*(int *)arg, &c, 1);
	/* And the next is made in what has come of it. */
	EQ(lkl_sys_getpid(), 1);
	return (void *)ret;
}

static void wait_for(int *what)
{
	while (!__atomic_load_n(what, __ATOMIC_SEQ_CST))
		msleep(1);
}

static void in_a_call(void)
{
	int pipe[2];
	pthread_t id;
	void *ret;

	boot("mem=64M");
	OK(lkl_sys_pipe2(pipe, 0));
	id = start(blocked, pipe);
	wait_for(&ready);
	msleep(20);
	EQ(lkl_freeze(), -LKL_EBUSY);
	EQ(lkl_sys_write(pipe[1], "x", 1), 1);
	pthread_join(id, &ret);
	EQ(ret, 1);
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		ready = 0;
		id = start(blocked, pipe);
		wait_for(&ready);
		if (i % 2)
			msleep(5);
		EQ(lkl_reset(), 0);
		/* If it was not blocked yet, it is now. */
		while (pthread_tryjoin_np(id, &ret)) {
			lkl_sys_write(pipe[1], "x", 1);
			msleep(1);
		}
		CHECK((long)ret == -LKL_ESHUTDOWN || (long)ret == 1);
		EQ(lkl_reset(), 0);
	}
	halt();
}

static void *caller(void *arg)
{
	char buf[64];
	long n = 0;

	while (!__atomic_load_n(&ended, __ATOMIC_SEQ_CST)) {
		int fd = lkl_sys_open("/f", LKL_O_RDWR, 0);
		long ret;

		n++;
		CHECK(fd >= 0 || fd == -LKL_ESHUTDOWN);
		if (fd < 0)
			continue;
		ret = lkl_sys_pread64(fd, buf, sizeof(buf), 0);
		CHECK(ret == 6 || ret == -LKL_EBADF || ret == -LKL_ESHUTDOWN);
		lkl_sys_close(fd);
	}
	(void)arg;
	return (void *)n;
}

/* Two threads call all the time, two others reset. */
static void *resetter(void *arg)
{
	for (int i = 0; i < 200; i++)
		EQ(lkl_reset(), 0);
	return arg;
}

static void all_at_once(void)
{
	pthread_t id[4];
	void *calls;
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, "before", 6), 6);
	EQ(lkl_sys_close(fd), 0);
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < 4; i++)
		id[i] = start(i < 2 ? caller : resetter, NULL);
	pthread_join(id[2], NULL);
	pthread_join(id[3], NULL);
	__atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++) {
		pthread_join(id[i], &calls);
		CHECK((long)calls > 10);
	}
	EQ(lkl_thaw(), 0);
	halt();
}

/* While others call, it may take a while until none is in a call. */
static void freeze_amid(void)
{
	pthread_t id[2];
	int fd, frozen = 0;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, "before", 6), 6);
	for (int i = 0; i < 2; i++)
		id[i] = start(caller, NULL);
	for (int i = 0; i < 1000 && frozen < 10; i++) {
		int err = lkl_freeze();

		CHECK(!err || err == -LKL_EBUSY);
		if (err)
			continue;
		frozen++;
		EQ(lkl_reset(), 0);
		EQ(lkl_thaw(), 0);
	}
	CHECK(frozen);
	__atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	halt();
}

static void on_signal(int sig)
{
	(void)sig;
	ready = lkl_reset();
}

/* A handler cannot wait for the call that it has interrupted. */
static void in_handler(void)
{
	struct __lkl__kernel_timespec ts = { .tv_nsec = 200000000 };
	struct sigaction sa = { .sa_handler = on_signal };

	boot("mem=64M");
	EQ(lkl_freeze(), 0);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 0);
	EQ(lkl_sys_nanosleep(&ts, NULL), -LKL_EINTR);
	EQ(ready, -LKL_EDEADLK);
	alarm(CHECK_LIMIT);
	halt();
}

/*
 * The wrong order
 */

static void orders(void)
{
	struct lkl_disk disk = { .fd = ext4_image(8) }, other = disk;
	int fds, id;

	EQ(lkl_freeze(), -LKL_ENOSYS);
	EQ(lkl_reset(), -LKL_ENOSYS);
	EQ(lkl_thaw(), -LKL_ENOSYS);
	fds = entries("/proc/self/fd");
	for (int i = 0; i < 4; i++) {
		boot("mem=64M");
		id = OK(lkl_disk_add(&disk));
		EQ(lkl_reset(), -LKL_EINVAL);
		EQ(lkl_thaw(), -LKL_EINVAL);
		EQ(lkl_freeze(), 0);
		EQ(lkl_freeze(), -LKL_EBUSY);
		EQ(lkl_start_kernel("mem=64M"), -LKL_EBUSY);
		EQ(lkl_disk_add(&other), -LKL_EBUSY);
		EQ(lkl_disk_remove(disk), -LKL_EBUSY);
		EQ(lkl_reset(), 0);
		if (i & 1) {
			EQ(lkl_thaw(), 0);
			EQ(lkl_thaw(), -LKL_EINVAL);
			EQ(lkl_reset(), -LKL_EINVAL);
			EQ(lkl_disk_remove(disk), 0);
			EQ(lkl_disk_add(&disk), id);
			EQ(lkl_freeze(), 0);
			EQ(lkl_reset(), 0);
		}
		if (i & 2)
			EQ(lkl_reset(), 0);
		halt();
		EQ(lkl_reset(), -LKL_ENOSYS);
		EQ(entries("/proc/self/fd"), fds);
	}
	/* What was written is not lost when the kernel is halted. */
	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	EQ(lkl_freeze(), 0);
	{
		char path[64];

		OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
		EQ(lkl_sys_chdir(path), 0);
		EQ(lkl_sys_mkdir("kept", 0700), 0);
		EQ(lkl_sys_halt(), 0);
		OK(lkl_start_kernel("mem=64M"));
		OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
		EQ(lkl_sys_chdir(path), 0);
		EQ(lkl_sys_rmdir("kept"), 0);
	}
	halt();
}

/* A child has no kernel, as ever, and the parent does not notice. */
static void forks(void)
{
	boot("mem=64M");
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			EQ(lkl_sys_getpid(), -LKL_ENOSYS);
			EQ(lkl_reset(), -LKL_ENOSYS);
			EQ(lkl_start_kernel("mem=64M"), 0);
			EQ(lkl_sys_getpid(), 1);
			EQ(lkl_reset(), -LKL_EINVAL);
			EQ(lkl_freeze(), 0);
			EQ(lkl_reset(), 0);
			halt();
			_exit(0);
		}
		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
		EQ(lkl_sys_mkdir("/d", 0700), 0);
		EQ(lkl_reset(), 0);
	}
	halt();
}

static void *make_pipes(void *stop)
{
	int fds[2];

	while (!__atomic_load_n((int *)stop, __ATOMIC_SEQ_CST)) {
		if (lkl_sys_pipe2(fds, 0))
			continue;
		lkl_sys_write(fds[1], "", 1);
		lkl_sys_close(fds[0]);
		lkl_sys_close(fds[1]);
	}
	return NULL;
}

/* All of several virtual CPUs return to the state, whatever they are at. */
static void several_cpus(void)
{
	int fds[2], stop = 0;
	pthread_t id[2];

	boot("mem=64M maxcpus=2");
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < 2; i++)
		id[i] = start(make_pipes, &stop);
	for (int i = 0; i < 20; i++) {
		EQ(lkl_sys_mkdir("/d", 0700), 0);
		msleep(1);
		EQ(lkl_reset(), 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	EQ(lkl_reset(), 0);
	EQ(lkl_thaw(), 0);
	EQ(lkl_sys_mkdir("/d", 0700), 0);
	OK(lkl_sys_pipe2(fds, 0));
	EQ(fds[0], 0);
	halt();
}

/*
 * Nothing grows
 */

static long maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	long n = 0;
	int c;

	CHECK(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void one_round(const char *path)
{
	char name[100], *p;
	int fd, end[2];

	snprintf(name, sizeof(name), "%s/new", path);
	fd = OK(lkl_sys_open(name, LKL_O_CREAT | LKL_O_EXCL | LKL_O_RDWR,
			     0600));
	EQ(lkl_sys_write(fd, model.data, FILE_MAX), FILE_MAX);
	EQ(lkl_sys_fsync(fd), 0);
	p = (void *)OK(
		lkl_sys_mmap(NULL, PAGE, LKL_PROT_READ, LKL_MAP_SHARED, fd, 0));
	EQ(memcmp(p, model.data, PAGE), 0);
	OK(lkl_sys_socketpair(LKL_AF_UNIX, LKL_SOCK_STREAM, 0, end));
	EQ(lkl_sys_write(end[0], "x", 1), 1);
	EQ(lkl_reset(), 0);
}

static void nothing_grows(void)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	const char *many = getenv("FREEZE_ROUNDS");
	int rounds = many ? atoi(many) : 1000, fds;
	char path[64];
	long rss, vmas;

	alarm(many ? 0 : CHECK_LIMIT);
	fill(model.data[0], sizeof(model.data));
	boot("mem=64M");
	OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(0, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_freeze(), 0);
	for (int i = 0; i < 100; i++)
		one_round(path);
	fds = entries("/proc/self/fd");
	rss = status_kb("VmRSS:");
	vmas = maps();
	for (int i = 0; i < rounds; i++)
		one_round(path);
	EQ(entries("/proc/self/fd"), fds);
	CHECK(status_kb("VmRSS:") <= rss + 1024);
	CHECK(maps() <= vmas + 20);
	halt();
}

static const struct check tests[] = {
	{ "in-memory", in_memory },
	{ "on-disk", on_disk },
	{ "on-disk-direct", on_disk_direct },
	{ "mount-each-time", mount_each_time },
	{ "sockets", sockets },
	{ "wire", wire },
	{ "mappings", mappings },
	{ "direct", direct },
	{ "clocks", clocks },
	{ "in-a-call", in_a_call },
	{ "all-at-once", all_at_once },
	{ "freeze-amid", freeze_amid },
	{ "in-handler", in_handler },
	{ "orders", orders },
	{ "forks", forks },
	{ "several-cpus", several_cpus },
	{ "nothing-grows", nothing_grows },
};

CHECK_MAIN(tests)
