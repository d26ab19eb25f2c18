// SPDX-License-Identifier: GPL-2.0-only
/*
 * The application's memory as pages: direct I/O, pages in pipes and sockets,
 * shared futexes; and packet rings.
 */
#include <lkl/linux/errqueue.h>

#include "check.h"

#define PAGE KERNEL_PAGE

static const char constant[PAGE] __attribute__((aligned(PAGE))) = "constant";
static char variable[2 * PAGE] __attribute__((aligned(PAGE)));

static int fd;

static void set_up(void)
{
	struct lkl_disk disk = { .fd = ext4_image(32) };
	char path[64];
	int id;

	boot("mem=64M");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR | LKL_O_DIRECT,
			     0600));
}

/* Both ways through one piece of memory. */
static void round_trip(char *buf, long size)
{
	char *seen = malloc(size);
	int plain = OK(lkl_sys_open("f", LKL_O_RDWR, 0600));

	memset(buf, 0x55, size);
	buf[size - 1] = 7;
	EQ(lkl_sys_pwrite64(fd, buf, size, 0), size);
	EQ(lkl_sys_pread64(plain, seen, size, 0), size);
	EQ(memcmp(seen, buf, size), 0);
	memset(seen, 0xaa, size);
	EQ(lkl_sys_pwrite64(plain, seen, size, 0), size);
	EQ(lkl_sys_pread64(fd, buf, size, 0), size);
	EQ(memcmp(seen, buf, size), 0);
	EQ(lkl_sys_close(plain), 0);
	free(seen);
}

static void memory(void)
{
	char stack[2 * PAGE] __attribute__((aligned(512)));
	char *heap = aligned_alloc(PAGE, 4 << 20), *umap;
	char *odd = malloc(3 * PAGE);

	set_up();
	round_trip(heap, 4 << 20);
	round_trip(heap + 512, 7 * PAGE);
	round_trip(stack, PAGE);
	round_trip(variable, 2 * PAGE);
	round_trip((char *)(((long)odd + 511) & -512), PAGE);
	umap = (char *)OK(lkl_sys_mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	round_trip(umap, 8 * PAGE);
	/* What cannot be written can be read, and that only. */
	EQ(lkl_sys_pwrite64(fd, constant, PAGE, 0), PAGE);
	EQ(lkl_sys_pread64(fd, variable, PAGE, 0), PAGE);
	EQ(memcmp(variable, constant, PAGE), 0);
	EQ(lkl_sys_pread64(fd, (char *)constant, PAGE, 0), -LKL_EFAULT);
	halt();
}

/* Is a page still the file's own, as it is until it is written to? */
static int is_files(const char *page)
{
	int map = open("/proc/self/pagemap", O_RDONLY);
	unsigned long entry;

	EQ(pread(map, &entry, 8, (long)page / sysconf(_SC_PAGESIZE) * 8), 8);
	close(map);
	return entry >> 61 & 1;
}

/* What the kernel only reads is not changed by that, nor taken for changed. */
static void only_read(void)
{
	int file = open("/proc/self/exe", O_RDONLY);
	char *private =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	char seen[PAGE];

	CHECK(private != MAP_FAILED);
	CHECK(*(volatile char *)private == 0x7f);
	CHECK(is_files(private));
	set_up();
	for (int i = 0; i < 3; i++)
		EQ(lkl_sys_pwrite64(fd, private, PAGE, 0), PAGE);
	CHECK(is_files(private));
	EQ(lkl_sys_pread64(OK(lkl_sys_open("f", LKL_O_RDONLY, 0)), seen, PAGE,
			   0),
	   PAGE);
	EQ(memcmp(seen, private, PAGE), 0);
	/* To be written to, it can be all the same. */
	EQ(lkl_sys_pread64(fd, private, PAGE, 0), PAGE);
	CHECK(!is_files(private));
	halt();
}

static void bad_memory(void)
{
	char *p = map_pages(4 * PAGE, MAP_PRIVATE);

	set_up();
	EQ(lkl_sys_pwrite64(fd, NULL, PAGE, 0), -LKL_EFAULT);
	EQ(lkl_sys_pwrite64(fd, (char *)PAGE, PAGE, 0), -LKL_EFAULT);
	EQ(lkl_sys_pread64(fd, (char *)0xffff888000000000, PAGE, 0),
	   -LKL_EFAULT);
	round_trip(p, 4 * PAGE);
	/* Used before, and not there any more. */
	munmap(p, 4 * PAGE);
	EQ(lkl_sys_pwrite64(fd, p, PAGE, 0), -LKL_EFAULT);
	EQ(lkl_sys_pread64(fd, p, PAGE, 0), -LKL_EFAULT);
	/* There again, but not to be written. */
	CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0) == p);
	EQ(lkl_sys_pread64(fd, p, PAGE, 0), -LKL_EFAULT);
	EQ(lkl_sys_pwrite64(fd, p, PAGE, 0), PAGE);
	EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
	EQ(lkl_sys_pread64(fd, p, PAGE, 0), PAGE);
	/* Half of it is there. */
	CHECK(lkl_sys_pread64(fd, p, 2 * PAGE, 0) != 2 * PAGE);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

static unsigned int *futex_word;
static int woken;

static void *futex_waiter(void *arg)
{
	long ret;

	/* On Linux, too, a wait may end early. */
	while (!__atomic_load_n(futex_word, __ATOMIC_SEQ_CST)) {
		ret = lkl_sys_futex(futex_word, LKL_FUTEX_WAIT, 0, NULL, NULL,
				    0);
		CHECK(ret == 0 || ret == -LKL_EAGAIN);
	}
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void futex_on(unsigned int *word)
{
	pthread_t id[2];

	futex_word = word;
	*word = 0;
	woken = 0;
	id[0] = start(futex_waiter, NULL);
	id[1] = start(futex_waiter, NULL);
	/* Woken for nothing, they wait again. */
	while (lkl_sys_futex(word, LKL_FUTEX_WAKE, 10, NULL, NULL, 0) != 2)
		msleep(1);
	EQ(woken, 0);
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	OK(lkl_sys_futex(word, LKL_FUTEX_WAKE, 10, NULL, NULL, 0));
	pthread_join(id[0], NULL);
	pthread_join(id[1], NULL);
	EQ(lkl_sys_futex(word, LKL_FUTEX_WAKE, 10, NULL, NULL, 0), 0);
}

static void *pi_locker(void *arg)
{
	EQ(lkl_sys_futex(futex_word, LKL_FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	woken = 1;
	EQ(lkl_sys_futex(futex_word, LKL_FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	return arg;
}

static void pi_on(unsigned int *word)
{
	pthread_t id;

	futex_word = word;
	*word = 0;
	woken = 0;
	EQ(lkl_sys_futex(word, LKL_FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	id = start(pi_locker, NULL);
	msleep(30);
	EQ(woken, 0);
	EQ(lkl_sys_futex(word, LKL_FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	pthread_join(id, NULL);
	EQ(woken, 1);
}

/* A thread dies with a lock of its robust list. */
static struct {
	struct lkl_robust_list_head head;
	struct lkl_robust_list entry;
	unsigned int word;
} robust;

static void *robust_thread(void *arg)
{
	robust.head.list.next = &robust.entry;
	robust.entry.next = &robust.head.list;
	robust.head.futex_offset = (long)&robust.word - (long)&robust.entry;
	robust.word = lkl_sys_gettid();
	EQ(lkl_sys_set_robust_list(&robust.head, sizeof(robust.head)), 0);
	return arg;
}

static void futexes(void)
{
	static unsigned int word;
	unsigned int *heap = malloc(4), on_stack, *umap;

	boot("mem=64M");
	futex_on(&word);
	futex_on(heap);
	futex_on(&on_stack);
	umap = (void *)OK(lkl_sys_mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	futex_on(umap);
	umap = (void *)OK(lkl_sys_mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	futex_on(umap);
	pi_on(heap);
	pi_on(umap);
	pthread_join(start(robust_thread, NULL), NULL);
	CHECK(robust.word & LKL_FUTEX_OWNER_DIED);
	halt();
}

static void pages_in_pipes(void)
{
	char *buf = aligned_alloc(PAGE, 8 * PAGE), seen[PAGE];
	struct lkl_iovec iov = { buf, 8 * PAGE };
	int fds[2];

	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	for (int i = 0; i < 8; i++)
		memset(buf + i * PAGE, 'a' + i, PAGE);
	EQ(lkl_sys_vmsplice(fds[1], &iov, 1, 0), 8 * PAGE);
	for (int i = 0; i < 8; i++) {
		EQ(lkl_sys_read(fds[0], seen, PAGE), PAGE);
		EQ(memcmp(seen, buf + i * PAGE, PAGE), 0);
	}
	iov.iov_base = (void *)PAGE;
	EQ(lkl_sys_vmsplice(fds[1], &iov, 1, 0), -LKL_EFAULT);
	iov.iov_base = (void *)constant;
	iov.iov_len = PAGE;
	EQ(lkl_sys_vmsplice(fds[1], &iov, 1, 0), PAGE);
	EQ(lkl_sys_read(fds[0], seen, PAGE), PAGE);
	EQ(memcmp(seen, constant, PAGE), 0);
	halt();
}

static int lo_up(void)
{
	struct lkl_ifreq ifr = { .ifr_ifrn = { "lo" } };
	int sock = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0));

	ifr.ifr_ifru.ifru_flags = LKL_IFF_UP | LKL_IFF_RUNNING;
	EQ(lkl_sys_ioctl(sock, LKL_SIOCSIFFLAGS, (long)&ifr), 0);
	return sock;
}

static void tcp_pair(int pair[2])
{
	struct lkl_sockaddr_in address = { .sin_family = LKL_AF_INET };
	int listener, len = sizeof(address);

	listener = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	address.sin_addr.s_addr = 0x0100007f;
	EQ(lkl_sys_bind(listener, (void *)&address, len), 0);
	EQ(lkl_sys_listen(listener, 1), 0);
	EQ(lkl_sys_getsockname(listener, (void *)&address, &len), 0);
	pair[0] = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	EQ(lkl_sys_connect(pair[0], (void *)&address, len), 0);
	pair[1] = OK(lkl_sys_accept(listener, NULL, NULL));
}

static void zerocopy(void)
{
	struct lkl_pollfd poll = { 0 };
	/* Both ends are here: it must go into their buffers. */
	const long sent = 16 * 4096;
	char *buf = aligned_alloc(PAGE, 64 * PAGE), *seen = malloc(64 * PAGE);
	char control[128];
	struct lkl_user_msghdr msg = { .msg_control = control,
				       .msg_controllen = sizeof(control) };
	/* What a control message's header leaves of it. */
	struct lkl_sock_extended_err *err =
		(void *)(control + sizeof(struct lkl_cmsghdr));
	int pair[2], one = 1;
	long n = 0;

	boot("mem=64M");
	lo_up();
	tcp_pair(pair);
	EQ(lkl_sys_setsockopt(pair[0], LKL_SOL_SOCKET, LKL_SO_ZEROCOPY,
			      (void *)&one, sizeof(one)),
	   0);
	memset(buf, 'z', 64 * PAGE);
	EQ(lkl_sys_send(pair[0], buf, sent, LKL_MSG_ZEROCOPY), sent);
	while (n < sent)
		n += OK(lkl_sys_recv(pair[1], seen + n, 64 * PAGE - n, 0));
	EQ(n, sent);
	EQ(memcmp(buf, seen, n), 0);
	poll.fd = pair[0];
	EQ(lkl_sys_poll(&poll, 1, 5000), 1);
	CHECK(poll.revents & LKL_POLLERR);
	EQ(lkl_sys_recvmsg(pair[0], &msg, LKL_MSG_ERRQUEUE), 0);
	CHECK(msg.msg_controllen >= sizeof(struct lkl_cmsghdr) + sizeof(*err));
	EQ(err->ee_origin, LKL_SO_EE_ORIGIN_ZEROCOPY);
	EQ(err->ee_errno, 0);
	EQ(err->ee_info, 0);
	EQ(err->ee_data, 0);
	EQ(lkl_sys_send(pair[0], (void *)PAGE, PAGE, LKL_MSG_ZEROCOPY),
	   -LKL_EFAULT);
	/* All that was announced has been told. */
	EQ(lkl_sys_recvmsg(pair[0], &msg, LKL_MSG_ERRQUEUE), -LKL_EAGAIN);
	halt();
}

static void packet_ring(void)
{
	struct lkl_tpacket_req req = { .tp_block_size = 4 * PAGE,
				       .tp_block_nr = 4,
				       .tp_frame_size = 2048,
				       .tp_frame_nr = 16 * PAGE / 2048 };
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET,
				      .sin_port = 0x0900 };
	struct lkl_tpacket_hdr *frame;
	struct lkl_pollfd poll = { .events = LKL_POLLIN };
	int sock, ring;

	boot("mem=64M");
	sock = lo_up();
	ring = OK(lkl_sys_socket(LKL_AF_PACKET, LKL_SOCK_RAW, 0x0300));
	EQ(lkl_sys_setsockopt(ring, LKL_SOL_PACKET, LKL_PACKET_RX_RING,
			      (void *)&req, sizeof(req)),
	   0);
	frame = (void *)OK(lkl_sys_mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
					MAP_SHARED, ring, 0));
	EQ(frame->tp_status, LKL_TP_STATUS_KERNEL);
	to.sin_addr.s_addr = 0x0100007f;
	EQ(lkl_sys_sendto(sock, "needle", 6, 0, (void *)&to, sizeof(to)), 6);
	poll.fd = ring;
	EQ(lkl_sys_poll(&poll, 1, 5000), 1);
	CHECK(frame->tp_status & LKL_TP_STATUS_USER);
	EQ(memcmp((char *)frame + frame->tp_mac + 14 + 20 + 8, "needle", 6), 0);
	halt();
}

static const struct check tests[] = {
	{ "memory", memory },
	{ "only-read", only_read },
	{ "bad-memory", bad_memory },
	{ "futexes", futexes },
	{ "pages-in-pipes", pages_in_pipes },
	{ "zerocopy", zerocopy },
	{ "packet-ring", packet_ring },
};

CHECK_MAIN(tests)
