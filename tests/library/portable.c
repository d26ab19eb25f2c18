// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library on each host: boots, files, pipes, epoll, threads, timers,
 * futexes, sockets over lo, mmap(), bad pointers, a state that is returned to
 * where the host can; or with arguments a disk:
 *
 *	portable [IMAGE TYPE]
 *
 * It asks nothing of the host but C and threads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef O_BINARY
#define OPEN_IMAGE (O_RDWR | O_BINARY)
#else
#define OPEN_IMAGE O_RDWR
#endif

#include <lkl.h>
#include <lkl_host.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>
#include <lkl/linux/mman.h>

#define EQ(a, b) equal(__LINE__, #a, a, b)
#define OK(a) ok(__LINE__, #a, a)

static void equal(int line, const char *what, long long is, long long want)
{
	if (is == want)
		return;
	printf("FAIL line %d: %s is %lld, not %lld\n", line, what, is, want);
	fflush(stdout);
	exit(1);
}

static long long ok(int line, const char *what, long long is)
{
	if (is < 0)
		equal(line, what, is, 0);
	return is;
}

static void files(void)
{
	char text[300000], back[sizeof(text)];
	struct lkl_stat st;
	lkl_long_t fd;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * 7;
	OK(lkl_sys_mkdir("/dir", 0700));
	EQ(lkl_sys_mkdir("/dir", 0700), -LKL_EEXIST);
	EQ(lkl_sys_open("/none", LKL_O_RDONLY, 0), -LKL_ENOENT);
	fd = OK(lkl_sys_open("/dir/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_write(fd, text, sizeof(text)), sizeof(text));
	/* Beyond 4 GiB. */
	EQ(lkl_sys_pwrite64(fd, "end", 3, 5LL << 30), 3);
	EQ(lkl_sys_lseek(fd, 0, LKL_SEEK_END), (5LL << 30) + 3);
	EQ(lkl_sys_pread64(fd, back, sizeof(back), 0), sizeof(back));
	EQ(memcmp(text, back, sizeof(text)), 0);
	EQ(lkl_sys_fstat(fd, &st), 0);
	EQ(st.st_size, (5LL << 30) + 3);
	EQ(lkl_sys_getdents64(OK(lkl_sys_open("/dir", LKL_O_RDONLY, 0)),
			      (void *)back, sizeof(back)) > 48,
	   1);
	OK(lkl_sys_close(fd));
	OK(lkl_sys_unlink("/dir/f"));
	OK(lkl_sys_rmdir("/dir"));
}

static void pipes(void)
{
	struct lkl_epoll_event event = { .events = LKL_EPOLLIN, .data = 77 };
	int fds[2];
	char c = 0;
	lkl_long_t ep;

	OK(lkl_sys_pipe2(fds, LKL_O_NONBLOCK));
	ep = OK(lkl_sys_epoll_create1(0));
	OK(lkl_sys_epoll_ctl(ep, LKL_EPOLL_CTL_ADD, fds[0], &event));
	EQ(lkl_sys_epoll_wait(ep, &event, 1, 0), 0);
	EQ(lkl_sys_read(fds[0], &c, 1), -LKL_EAGAIN);
	EQ(lkl_sys_write(fds[1], "x", 1), 1);
	memset(&event, 0, sizeof(event));
	EQ(lkl_sys_epoll_wait(ep, &event, 1, -1), 1);
	EQ(event.data, 77);
	EQ(lkl_sys_read(fds[0], &c, 1), 1);
	EQ(c, 'x');
	OK(lkl_sys_close(fds[0]));
	EQ(lkl_sys_write(fds[1], "x", 1), -LKL_EPIPE);
	OK(lkl_sys_close(fds[1]));
	OK(lkl_sys_close(ep));
}

static void bad_pointers(void)
{
	char *p = malloc(10);
	int fds[2];

	OK(lkl_sys_pipe2(fds, 0));
	EQ(lkl_sys_write(fds[1], (void *)16, 10), -LKL_EFAULT);
	EQ(lkl_sys_write(fds[1], NULL, 10), -LKL_EFAULT);
	EQ(lkl_sys_open((void *)8, 0, 0), -LKL_EFAULT);
	EQ(lkl_sys_uname((void *)0x8000000000000000), -LKL_EFAULT);
	EQ(lkl_sys_pipe2((void *)0x100000000, 0), -LKL_EFAULT);
	for (int i = 0; i < 1000; i++)
		EQ(lkl_sys_getcwd((void *)4096, 100), -LKL_EFAULT);
	EQ(lkl_sys_write(fds[1], p, 10), 10);
	OK(lkl_sys_close(fds[0]));
	OK(lkl_sys_close(fds[1]));
	free(p);
}

static void mappings(void)
{
	const lkl_long_t size = 4 << 20;
	lkl_long_t fd = OK(lkl_sys_open("/m", LKL_O_CREAT | LKL_O_RDWR, 0600));
	char c, *p;

	OK(lkl_sys_ftruncate(fd, size));
	p = (char *)OK(lkl_sys_mmap(NULL, size, LKL_PROT_READ | LKL_PROT_WRITE,
				    LKL_MAP_SHARED, fd, 0));
	for (lkl_long_t i = 0; i < size; i += 65536)
		p[i + 5] = i >> 16;
	for (lkl_long_t i = 0; i < size; i += 65536) {
		EQ(lkl_sys_pread64(fd, &c, 1, i + 5), 1);
		EQ(c, (char)(i >> 16));
	}
	/* What the kernel writes, the mapping shows. */
	EQ(lkl_sys_pwrite64(fd, "w", 1, 65536), 1);
	EQ(p[65536], 'w');
	/* The kernel's target is not there yet. */
	OK(lkl_sys_madvise((lkl_ulong_t)p, size, LKL_MADV_DONTNEED));
	EQ(lkl_sys_getrandom(p, size, 0) > 0, 1);
	OK(lkl_sys_munmap((lkl_ulong_t)p, size));
	EQ(lkl_sys_write(fd, p, 1), -LKL_EFAULT);
	OK(lkl_sys_close(fd));
	OK(lkl_sys_unlink("/m"));
}

static long long now(void)
{
	struct {
		long long s, ns;
	} t;

	OK(lkl_sys_clock_gettime(LKL_CLOCK_MONOTONIC, (void *)&t));
	return t.s * 1000000000 + t.ns;
}

static void timers(void)
{
	long long t[2] = { 0, 20000000 }, begin = now(), took;

	OK(lkl_sys_nanosleep((void *)t, NULL));
	took = now() - begin;
	EQ(took >= 20000000, 1);
	/* A busy host is late; one that loses timers is so for ever. */
	EQ(took < 2000000000, 1);
	printf("nanosleep of 20 ms took %lld us\n", took / 1000);
}

static int futex_word, in_turn;

static void *sleeper(void *unused)
{
	while (!__atomic_load_n(&futex_word, __ATOMIC_SEQ_CST))
		lkl_sys_futex((void *)&futex_word,
			      LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 0, NULL,
			      NULL, 0);
	return unused;
}

static void futexes(void)
{
	long long t[2] = { 0, 5000000 };
	pthread_t id;

	futex_word = 0;
	EQ(lkl_sys_futex((void *)&futex_word, LKL_FUTEX_WAIT, 1, NULL, NULL, 0),
	   -LKL_EAGAIN);
	EQ(lkl_sys_futex((void *)&futex_word, LKL_FUTEX_WAIT, 0, (void *)t,
			 NULL, 0),
	   -LKL_ETIMEDOUT);
	EQ(pthread_create(&id, NULL, sleeper, NULL), 0);
	OK(lkl_sys_nanosleep((void *)t, NULL));
	__atomic_store_n(&futex_word, 1, __ATOMIC_SEQ_CST);
	OK(lkl_sys_futex((void *)&futex_word,
			 LKL_FUTEX_WAKE | LKL_FUTEX_PRIVATE_FLAG, 1, NULL, NULL,
			 0));
	pthread_join(id, NULL);
}

/* Each passes a byte on to the next one, a hundred times. */
#define THREADS 100

static int ring[THREADS][2];

static void *pass_on(void *arg)
{
	int me = (int)(size_t)arg;
	char c;

	for (int i = 0; i < 20; i++) {
		EQ(lkl_sys_read(ring[me][0], &c, 1), 1);
		__atomic_fetch_add(&in_turn, 1, __ATOMIC_SEQ_CST);
		EQ(lkl_sys_write(ring[(me + 1) % THREADS][1], &c, 1), 1);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t id[THREADS];
	char c;

	in_turn = 0;
	for (int i = 0; i < THREADS; i++)
		OK(lkl_sys_pipe2(ring[i], 0));
	for (int i = 0; i < THREADS; i++)
		EQ(pthread_create(&id[i], NULL, pass_on, (void *)(size_t)i), 0);
	EQ(lkl_sys_write(ring[0][1], "x", 1), 1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	EQ(in_turn, 20 * THREADS);
	EQ(lkl_sys_read(ring[0][0], &c, 1), 1);
	for (int i = 0; i < THREADS; i++) {
		OK(lkl_sys_close(ring[i][0]));
		OK(lkl_sys_close(ring[i][1]));
	}
}

static struct lkl_sockaddr_in address = {
	.sin_family = LKL_AF_INET,
	/* Port 7000 and 127.0.0.1. */
	.sin_port = 0x581b,
	.sin_addr.s_addr = 0x0100007f,
};

static void *client(void *unused)
{
	lkl_long_t fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	static char data[65536];
	long long sent = 0;

	OK(lkl_sys_connect(fd, (void *)&address, sizeof(address)));
	memset(data, 's', sizeof(data));
	while (sent < 4 << 20)
		sent += OK(lkl_sys_send(fd, data, sizeof(data), 0));
	OK(lkl_sys_close(fd));
	return unused;
}

static void sockets(void)
{
	struct lkl_ifreq lo = { .lkl_ifr_name = "lo",
				.lkl_ifr_flags = LKL_IFF_UP };
	lkl_long_t n, got = 0, conn, fd;
	static char data[65536];
	pthread_t id;

	fd = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	OK(lkl_sys_ioctl(fd, LKL_SIOCSIFFLAGS, (lkl_ulong_t)&lo));
	OK(lkl_sys_bind(fd, (void *)&address, sizeof(address)));
	OK(lkl_sys_listen(fd, 1));
	EQ(pthread_create(&id, NULL, client, NULL), 0);
	conn = OK(lkl_sys_accept(fd, NULL, NULL));
	while ((n = OK(lkl_sys_recv(conn, data, sizeof(data), 0))) > 0)
		got += n;
	pthread_join(id, NULL);
	EQ(got, 4 << 20);
	OK(lkl_sys_close(conn));
	OK(lkl_sys_close(fd));
}

static void states(void)
{
	lkl_long_t err = lkl_freeze();

	if (err == -LKL_EOPNOTSUPP) {
		EQ(lkl_reset(), -LKL_EINVAL);
		EQ(lkl_thaw(), -LKL_EINVAL);
		return;
	}
	OK(err);
	OK(lkl_sys_mkdir("/later", 0700));
	OK(lkl_reset());
	EQ(lkl_sys_rmdir("/later"), -LKL_ENOENT);
	OK(lkl_thaw());
}

static void disk(const char *image, const char *type)
{
	struct lkl_disk disk = { .fd = open(image, OPEN_IMAGE) };
	static char data[1 << 20], back[1 << 20];
	char path[64], name[128];
	lkl_long_t fd;
	int id;

	if (disk.fd < 0) {
		perror(image);
		exit(1);
	}
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 13 >> 3;
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, type, 0, NULL, path, sizeof(path)));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%s/portable%d", path, i);
		fd = OK(lkl_sys_open(name, LKL_O_CREAT | LKL_O_RDWR, 0644));
		EQ(lkl_sys_write(fd, data, sizeof(data) - i), sizeof(data) - i);
		OK(lkl_sys_close(fd));
	}
	OK(lkl_umount_dev(id, 0, 0, 5000));
	OK(lkl_mount_dev(id, 0, type, 0, NULL, path, sizeof(path)));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%s/portable%d", path, i);
		fd = OK(lkl_sys_open(name, LKL_O_RDONLY, 0));
		EQ(lkl_sys_read(fd, back, sizeof(back)), sizeof(data) - i);
		EQ(memcmp(data, back, sizeof(data) - i), 0);
		OK(lkl_sys_close(fd));
	}
	OK(lkl_umount_dev(id, 0, 0, 5000));
	OK(lkl_disk_remove(disk));
}

static long long host_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void step(const char *name, void (*fn)(void))
{
	printf("%s\n", name);
	fflush(stdout);
	fn();
}

int main(int argc, char **argv)
{
	OK(lkl_init(&lkl_host_ops));
	if (!getenv("V"))
		lkl_host_ops.print = NULL;
	if (argc == 3) {
		OK(lkl_start_kernel("mem=128M loglevel=8"));
		disk(argv[1], argv[2]);
		OK(lkl_sys_halt());
		lkl_cleanup();
		return 0;
	}
	for (int boot = 0; boot < 3; boot++) {
		long long begin = host_us();

		OK(lkl_start_kernel("mem=128M loglevel=8"));
		EQ(lkl_sys_getpid(), 1);
		printf("booted in %lld us\n", host_us() - begin);
		EQ(lkl_is_running(), 1);
		step("files", files);
		step("pipes", pipes);
		step("bad pointers", bad_pointers);
		step("mappings", mappings);
		step("timers", timers);
		step("futexes", futexes);
		step("threads", threads);
		step("sockets", sockets);
		step("states", states);
		OK(lkl_sys_halt());
		EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	}
	lkl_cleanup();
	return 0;
}
