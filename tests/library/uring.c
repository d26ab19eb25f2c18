// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring: rings in mmap()ed memory, registered buffers, and a kernel thread
 * that polls the ring.
 */
#include "check.h"

#define PAGE KERNEL_PAGE

static struct {
	int fd;
	unsigned int *sq_head, *sq_tail, *sq_flags, sq_mask;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct lkl_io_uring_sqe *sqes;
	struct lkl_io_uring_cqe *cqes;
} ring;

static void make_ring(unsigned int flags, unsigned int idle_ms)
{
	struct lkl_io_uring_params p = { .flags = flags,
					 .sq_thread_idle = idle_ms };
	unsigned int *array;
	char *sq, *cq;

	ring.fd = OK(lkl_sys_io_uring_setup(8, &p));
	sq = (char *)OK(lkl_sys_mmap(NULL, p.sq_off.array + p.sq_entries * 4,
				     PROT_READ | PROT_WRITE, MAP_SHARED,
				     ring.fd, LKL_IORING_OFF_SQ_RING));
	cq = (char *)OK(lkl_sys_mmap(
		NULL, p.cq_off.cqes + p.cq_entries * sizeof(*ring.cqes),
		PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
		LKL_IORING_OFF_CQ_RING));
	ring.sqes = (void *)OK(lkl_sys_mmap(
		NULL, p.sq_entries * sizeof(*ring.sqes), PROT_READ | PROT_WRITE,
		MAP_SHARED, ring.fd, LKL_IORING_OFF_SQES));
	ring.sq_head = (void *)(sq + p.sq_off.head);
	ring.sq_tail = (void *)(sq + p.sq_off.tail);
	ring.sq_flags = (void *)(sq + p.sq_off.flags);
	ring.sq_mask = *(unsigned int *)(sq + p.sq_off.ring_mask);
	ring.cq_head = (void *)(cq + p.cq_off.head);
	ring.cq_tail = (void *)(cq + p.cq_off.tail);
	ring.cq_mask = *(unsigned int *)(cq + p.cq_off.ring_mask);
	ring.cqes = (void *)(cq + p.cq_off.cqes);
	array = (void *)(sq + p.sq_off.array);
	for (unsigned int i = 0; i < p.sq_entries; i++)
		array[i] = i;
}

/* The rings are in memory of the application's. */
static void make_own_ring(void *rings, void *sqes)
{
	struct lkl_io_uring_params p = {
		.flags = LKL_IORING_SETUP_NO_MMAP,
		.cq_off.user_addr = (unsigned long)rings,
		.sq_off.user_addr = (unsigned long)sqes,
	};
	unsigned int *array;

	ring.fd = OK(lkl_sys_io_uring_setup(128, &p));
	ring.sqes = sqes;
	ring.sq_head = rings + p.sq_off.head;
	ring.sq_tail = rings + p.sq_off.tail;
	ring.sq_flags = rings + p.sq_off.flags;
	ring.sq_mask = *(unsigned int *)(rings + p.sq_off.ring_mask);
	ring.cq_head = rings + p.cq_off.head;
	ring.cq_tail = rings + p.cq_off.tail;
	ring.cq_mask = *(unsigned int *)(rings + p.cq_off.ring_mask);
	ring.cqes = rings + p.cq_off.cqes;
	array = rings + p.sq_off.array;
	for (unsigned int i = 0; i < p.sq_entries; i++)
		array[i] = i;
}

static struct lkl_io_uring_sqe *queue(int op, int fd, void *addr, unsigned len,
				      long off)
{
	unsigned int tail = *ring.sq_tail;
	struct lkl_io_uring_sqe *sqe = &ring.sqes[tail & ring.sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (long)addr;
	sqe->len = len;
	sqe->off = off;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	return sqe;
}

/* The next result, which is there or will be; no call into the kernel. */
static int result(int ms)
{
	long long end = now(CLOCK_MONOTONIC) + ms * 1000000LL;
	unsigned int head = *ring.cq_head;
	int res;

	while (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE)) {
		if (now(CLOCK_MONOTONIC) > end)
			FAIL("no result");
		sched_yield();
	}
	res = ring.cqes[head & ring.cq_mask].res;
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return res;
}

static int run_one(void)
{
	EQ(lkl_sys_io_uring_enter(ring.fd, 1, 1, LKL_IORING_ENTER_GETEVENTS,
				  NULL, 0),
	   1);
	return result(0);
}

static void plain(void)
{
	static const char bad[] = "constant";
	char buf[64] = "hello";
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	make_ring(0, 0);
	for (int i = 0; i < 20; i++) {
		queue(LKL_IORING_OP_NOP, -1, NULL, 0, 0);
		EQ(run_one(), 0);
	}
	queue(LKL_IORING_OP_WRITE, fd, buf, 5, 0);
	EQ(run_one(), 5);
	queue(LKL_IORING_OP_FSYNC, fd, NULL, 0, 0);
	EQ(run_one(), 0);
	memset(buf, 0, sizeof(buf));
	queue(LKL_IORING_OP_READ, fd, buf, 64, 0);
	EQ(run_one(), 5);
	EQ(memcmp(buf, "hello", 5), 0);
	queue(LKL_IORING_OP_READ, fd, (void *)bad, 5, 0);
	EQ(run_one(), -LKL_EFAULT);
	queue(LKL_IORING_OP_READ, fd, (void *)PAGE, 5, 0);
	EQ(run_one(), -LKL_EFAULT);
	queue(LKL_IORING_OP_FSYNC, 99, NULL, 0, 0);
	EQ(run_one(), -LKL_EBADF);
	queue(LKL_IORING_OP_OPENAT, LKL_AT_FDCWD, "/f", 0, 0);
	CHECK(run_one() > 0);
	halt();
}

static int pipes[2];

static void *write_soon(void *arg)
{
	msleep(50);
	EQ(lkl_sys_write(pipes[1], "x", 1), 1);
	return arg;
}

/* Results come while the thread that asked is outside the kernel. */
static void outside(void)
{
	struct __lkl__kernel_timespec ts = { 0, 30000000 };
	pthread_t id;
	char c;

	boot("mem=64M");
	OK(lkl_sys_pipe2(pipes, 0));
	make_ring(0, 0);
	queue(LKL_IORING_OP_READ, pipes[0], &c, 1, -1);
	EQ(lkl_sys_io_uring_enter(ring.fd, 1, 0, 0, NULL, 0), 1);
	id = start(write_soon, NULL);
	EQ(result(5000), 1);
	EQ(c, 'x');
	pthread_join(id, NULL);
	queue(LKL_IORING_OP_TIMEOUT, -1, &ts, 1, 0);
	EQ(lkl_sys_io_uring_enter(ring.fd, 1, 0, 0, NULL, 0), 1);
	EQ(result(5000), -LKL_ETIME);
	halt();
}

/* Work that may block is done by threads of the kernel. */
static void workers(void)
{
	char buf[8][100];
	struct lkl_io_uring_sqe *sqe;
	int fd;

	boot("mem=64M");
	make_ring(0, 0);
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_ftruncate(fd, 800), 0);
	for (int i = 0; i < 8; i++) {
		sqe = queue(LKL_IORING_OP_READ, fd, buf[i], 100, i * 100);
		sqe->flags = LKL_IOSQE_ASYNC;
	}
	EQ(lkl_sys_io_uring_enter(ring.fd, 8, 8, LKL_IORING_ENTER_GETEVENTS,
				  NULL, 0),
	   8);
	for (int i = 0; i < 8; i++)
		EQ(result(0), 100);
	halt();
}

static void registered(void)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	char *heap = aligned_alloc(PAGE, 64 * PAGE), *seen = malloc(64 * PAGE);
	struct lkl_iovec iov[2] = { { heap, 64 * PAGE } };
	struct lkl_io_uring_sqe *sqe;
	char path[64];
	int id, fd;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	make_ring(0, 0);
	iov[1].iov_base =
		(void *)OK(lkl_sys_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	iov[1].iov_len = 4 * PAGE;
	EQ(lkl_sys_io_uring_register(ring.fd, LKL_IORING_REGISTER_BUFFERS, iov,
				     2),
	   0);
	for (int direct = 0; direct < 2; direct++) {
		fd = OK(lkl_sys_open("f",
				     LKL_O_CREAT | LKL_O_RDWR |
					     (direct ? LKL_O_DIRECT : 0),
				     0600));
		memset(heap, 'a' + direct, 64 * PAGE);
		sqe = queue(LKL_IORING_OP_WRITE_FIXED, fd, heap, 64 * PAGE, 0);
		sqe->buf_index = 0;
		EQ(run_one(), 64 * PAGE);
		EQ(lkl_sys_pread64(fd, heap, 64 * PAGE, 0), 64 * PAGE);
		memset(seen, 'a' + direct, 64 * PAGE);
		EQ(memcmp(heap, seen, 64 * PAGE), 0);
		sqe = queue(LKL_IORING_OP_READ_FIXED, fd, iov[1].iov_base,
			    4 * PAGE, 0);
		sqe->buf_index = 1;
		EQ(run_one(), 4 * PAGE);
		EQ(memcmp(iov[1].iov_base, seen, 4 * PAGE), 0);
		EQ(lkl_sys_close(fd), 0);
	}
	EQ(lkl_sys_io_uring_register(ring.fd, LKL_IORING_UNREGISTER_BUFFERS,
				     NULL, 0),
	   0);
	iov[0].iov_base = (void *)PAGE;
	EQ(lkl_sys_io_uring_register(ring.fd, LKL_IORING_REGISTER_BUFFERS, iov,
				     1),
	   -LKL_EFAULT);
	halt();
}

/* What is unmapped though it is registered is not there to be used. */
static void unmapped(void)
{
	long size = 64 * PAGE;
	char *buf = map_pages(size, MAP_PRIVATE);
	struct lkl_iovec iov = { buf, size };
	char seen[PAGE];
	unsigned char in_core;
	int fd;

	boot("mem=64M");
	make_ring(0, 0);
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_io_uring_register(ring.fd, LKL_IORING_REGISTER_BUFFERS, &iov,
				     1),
	   0);
	memset(buf, 'x', size);
	queue(LKL_IORING_OP_WRITE_FIXED, fd, buf, size, 0);
	EQ(run_one(), size);
	munmap(buf, size);
	for (long i = 0; i < size; i += PAGE) {
		/* What is read cannot be seen; what is written is not known. */
		queue(LKL_IORING_OP_READ_FIXED, fd, buf + i, PAGE, i);
		EQ(run_one(), PAGE);
		queue(LKL_IORING_OP_WRITE_FIXED, fd, buf + i, PAGE, i);
		EQ(run_one(), PAGE);
		EQ(lkl_sys_pread64(fd, seen, PAGE, i), PAGE);
		CHECK(!seen[0] || seen[0] == 'x');
	}
	queue(LKL_IORING_OP_READ_FIXED, fd, buf, size, 0);
	EQ(run_one(), size);
	/* Nor does anything stay there. */
	for (long at = 0, i = 0; at < size;) {
		if (mincore(buf + at, 1, &in_core)) {
			at += sysconf(_SC_PAGESIZE);
			continue;
		}
		if (i++ == 1000)
			FAIL("%ld of %ld stays", at, size);
		lkl_sys_getpid();
		msleep(1);
	}
	CHECK(mmap(buf, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		   0) == buf);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/*
 * Rings of several pages that the application provides, and buffers that it
 * provides in a ring of such pages.
 */
static void provided(void)
{
	enum { BUFFERS = 1024, GROUP = 7, SIZE = 64 };
	static char data[BUFFERS][SIZE];
	struct lkl_io_uring_buf_reg reg = { .ring_entries = BUFFERS,
					    .bgid = GROUP };
	struct lkl_io_uring_buf_ring *buffers;
	struct lkl_io_uring_sqe *sqe;
	struct lkl_io_uring_params p = { .flags = LKL_IORING_SETUP_NO_MMAP };
	unsigned int head;
	char *rings, *sqes;
	int fd;

	boot("mem=64M");
	/* Memory that is not there, or cannot be written, is refused. */
	EQ(lkl_sys_io_uring_setup(128, &p), -LKL_EFAULT);
	rings = map_pages(4 * PAGE, MAP_PRIVATE);
	/* the end of a ring, which larger pages hold whole */
	EQ(mprotect(rings + (PAGE > 4096 ? 0 : PAGE), PAGE, PROT_READ), 0);
	p.cq_off.user_addr = p.sq_off.user_addr = (unsigned long)rings;
	EQ(lkl_sys_io_uring_setup(128, &p), -LKL_EFAULT);
	munmap(rings, 4 * PAGE);

	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, "provided", 8), 8);
	for (int i = 0; i < 4; i++) {
		int kind = i & 1 ? MAP_SHARED : MAP_PRIVATE;

		rings = map_pages(4 * PAGE, kind);
		sqes = map_pages(4 * PAGE, kind);
		make_own_ring(rings, sqes);
		for (int j = 0; j < 300; j++) {
			queue(LKL_IORING_OP_WRITE, fd, "provided", 8, 8 * j);
			EQ(run_one(), 8);
		}

		buffers = (void *)map_pages(BUFFERS * sizeof(*buffers->bufs),
					    kind);
		reg.ring_addr = (unsigned long)buffers;
		EQ(lkl_sys_io_uring_register(
			   ring.fd, LKL_IORING_REGISTER_PBUF_RING, &reg, 1),
		   0);
		for (int j = 0; j < BUFFERS; j++)
			buffers->bufs[j] = (struct lkl_io_uring_buf){
				.addr = (unsigned long)data[j],
				.len = SIZE,
				.bid = j,
				.resv = j ? 0 : BUFFERS,
			};
		__atomic_store_n(&buffers->tail, BUFFERS, __ATOMIC_RELEASE);
		for (int j = 0; j < BUFFERS; j++) {
			sqe = queue(LKL_IORING_OP_READ, fd, NULL, 8, 0);
			sqe->flags = LKL_IOSQE_BUFFER_SELECT;
			sqe->buf_group = GROUP;
			head = *ring.cq_head;
			EQ(run_one(), 8);
			EQ(ring.cqes[head & ring.cq_mask].flags >>
				   LKL_IORING_CQE_BUFFER_SHIFT,
			   j);
			EQ(memcmp(data[j], "provided", 8), 0);
		}
		memset(data, 0, sizeof(data));
		EQ(lkl_sys_io_uring_register(
			   ring.fd, LKL_IORING_UNREGISTER_PBUF_RING, &reg, 1),
		   0);
		EQ(lkl_sys_close(ring.fd), 0);
		munmap(buffers, BUFFERS * sizeof(*buffers->bufs));
		munmap(sqes, 4 * PAGE);
		munmap(rings, 4 * PAGE);
	}
	/* What is mmap()ed of the library's kernel will do as well. */
	rings = (char *)OK(lkl_sys_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	sqes = (char *)OK(lkl_sys_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	make_own_ring(rings, sqes);
	queue(LKL_IORING_OP_WRITE, fd, "provided", 8, 0);
	EQ(run_one(), 8);
	/* They are unmapped while the ring is there: no harm is done. */
	rings = map_pages(4 * PAGE, MAP_PRIVATE);
	sqes = map_pages(4 * PAGE, MAP_PRIVATE);
	make_own_ring(rings, sqes);
	munmap(rings, 4 * PAGE);
	munmap(sqes, 4 * PAGE);
	lkl_sys_io_uring_enter(ring.fd, 1, 0, 0, NULL, 0);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* The kernel's thread sees what is queued without a call, and goes to sleep. */
static void polled(void)
{
	long long used;
	char buf[16];
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, "polled", 6), 6);
	make_ring(LKL_IORING_SETUP_SQPOLL, 100);
	for (int i = 0; i < 10; i++) {
		queue(LKL_IORING_OP_READ, fd, buf, 16, 0);
		if (*(volatile unsigned int *)ring.sq_flags &
		    LKL_IORING_SQ_NEED_WAKEUP)
			OK(lkl_sys_io_uring_enter(ring.fd, 1, 0,
						  LKL_IORING_ENTER_SQ_WAKEUP,
						  NULL, 0));
		EQ(result(5000), 6);
	}
	/* Others are served meanwhile. */
	EQ(lkl_sys_getpid(), 1);
	for (int i = 0; i < 3000; i++) {
		if (*(volatile unsigned int *)ring.sq_flags &
		    LKL_IORING_SQ_NEED_WAKEUP)
			break;
		msleep(1);
	}
	CHECK(*ring.sq_flags & LKL_IORING_SQ_NEED_WAKEUP);
	msleep(50);
	used = now(CLOCK_PROCESS_CPUTIME_ID);
	msleep(1000);
	used = now(CLOCK_PROCESS_CPUTIME_ID) - used;
	if (used > 10000000)
		FAIL("idle for 1 s used %lld us", used / 1000);
	queue(LKL_IORING_OP_NOP, -1, NULL, 0, 0);
	OK(lkl_sys_io_uring_enter(ring.fd, 1, 0, LKL_IORING_ENTER_SQ_WAKEUP,
				  NULL, 0));
	EQ(result(5000), 0);
	halt();
}

static const struct check tests[] = {
	{ "plain", plain },	  { "outside", outside },
	{ "workers", workers },	  { "registered", registered },
	{ "unmapped", unmapped }, { "provided", provided },
	{ "polled", polled },
};

CHECK_MAIN(tests)
