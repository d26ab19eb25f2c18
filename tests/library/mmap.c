// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap() of the library's kernel: pages come on demand, are shared with the
 * page cache, and go again.
 */
#include <setjmp.h>

#include "check.h"

#define PAGE KERNEL_PAGE
/* Pages that several threads touch. */
#define TOUCHED (PAGE > 4096 ? 500 : 2000)

static char *map(long size, int prot, int flags, int fd)
{
	return (char *)OK(lkl_sys_mmap(NULL, size, prot, flags, fd, 0));
}

static char *anonymous(long size)
{
	return map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1);
}

static int new_file(const char *path, long size)
{
	int fd = OK(lkl_sys_open(path, LKL_O_CREAT | LKL_O_RDWR, 0600));

	EQ(lkl_sys_ftruncate(fd, size), 0);
	return fd;
}

/* Try to touch memory; the signal that came, or 0. */
static sigjmp_buf out;

static void on_fault(int sig)
{
	siglongjmp(out, sig);
}

static int touch(char *p, int write)
{
	int sig = sigsetjmp(out, 1);

	if (sig)
		return sig;
	if (write)
		*(volatile char *)p = 1;
	else
		(void)*(volatile char *)p;
	return 0;
}

static void set_up(void)
{
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	boot(MEM);
}

static void anon(void)
{
	char *p;

	set_up();
	p = anonymous(16 * PAGE);
	for (int i = 0; i < 16; i++) {
		EQ(p[i * PAGE + 7], 0);
		p[i * PAGE + 7] = i;
	}
	for (int i = 0; i < 16; i++)
		EQ(p[i * PAGE + 7], i);
	/* The kernel reads and writes there, also what is not there yet. */
	EQ(lkl_sys_getrandom(p, 3 * PAGE, 0), 3 * PAGE);
	p = anonymous(64 * PAGE);
	EQ(lkl_sys_write(new_file("/a", 0), p, 64 * PAGE), 64 * PAGE);
	EQ(lkl_sys_munmap((long)p, 64 * PAGE), 0);
	EQ(touch(p, 0), SIGSEGV);
	EQ(lkl_sys_getrandom(p, 10, 0), -LKL_EFAULT);

	p = anonymous(4 * PAGE);
	memset(p, 5, 4 * PAGE);
	EQ(lkl_sys_madvise((long)p, 2 * PAGE, LKL_MADV_DONTNEED), 0);
	EQ(p[0], 0);
	EQ(p[2 * PAGE], 5);
	halt();
}

/* A buffer that is not there yet, as the kernel's target. */
static void copy_out(void)
{
	char *p, want[100];
	int fd;

	set_up();
	fd = new_file("/f", 0);
	memset(want, 'w', sizeof(want));
	EQ(lkl_sys_write(fd, want, 100), 100);
	p = anonymous(2 * PAGE);
	EQ(lkl_sys_pread64(fd, p + PAGE - 50, 100, 0), 100);
	EQ(memcmp(p + PAGE - 50, want, 100), 0);
	EQ(p[0], 0);
	p = anonymous(PAGE);
	EQ(lkl_sys_stat("/f", (void *)p), 0);
	EQ(((struct lkl_stat *)p)->st_size, 100);
	p = anonymous(PAGE);
	EQ(lkl_sys_mkdir(p, 0), -LKL_ENOENT);
	/* The last page ends where nothing else is. */
	EQ(lkl_sys_munmap((long)p, PAGE), 0);
	p = anonymous(2 * PAGE);
	EQ(lkl_sys_munmap((long)p + PAGE, PAGE), 0);
	EQ(lkl_sys_pread64(fd, p + PAGE - 50, 100, 0), 50);
	halt();
}

static void shared_file(const char *path)
{
	char *a, *b, c;
	int fd = new_file(path, 4 * PAGE);

	a = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	b = map(4 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	EQ(lkl_sys_pwrite64(fd, "x", 1, PAGE), 1);
	EQ(a[PAGE], 'x');
	EQ(b[PAGE], 'x');
	a[PAGE] = 'y';
	EQ(lkl_sys_pread64(fd, &c, 1, PAGE), 1);
	EQ(c, 'y');
	EQ(b[PAGE], 'y');
	EQ(lkl_sys_msync((long)a, 4 * PAGE, LKL_MS_SYNC), 0);
	/* Written back, it is clean; the next write must be noticed. */
	a[PAGE] = 'z';
	EQ(lkl_sys_msync((long)a, 4 * PAGE, LKL_MS_SYNC), 0);
	EQ(lkl_sys_pread64(fd, &c, 1, PAGE), 1);
	EQ(c, 'z');
	EQ(lkl_sys_pwrite64(fd, "w", 1, PAGE), 1);
	EQ(a[PAGE], 'w');

	/* Read-only is read-only, also when the file is not. */
	EQ(touch(b + PAGE, 1), SIGSEGV);
	EQ(lkl_sys_mprotect((long)b, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
	EQ(touch(b + PAGE, 1), 0);
	EQ(b[PAGE], 1);
	EQ(a[PAGE], 'w');
	/* A private copy is not followed any more. */
	a[PAGE] = 'v';
	EQ(b[PAGE], 1);
	EQ(lkl_sys_mprotect((long)a, 4 * PAGE, PROT_NONE), 0);
	EQ(touch(a + PAGE, 0), SIGSEGV);
	EQ(lkl_sys_write(fd, a + PAGE, 1), -LKL_EFAULT);
	EQ(lkl_sys_mprotect((long)a, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
	EQ(a[PAGE], 'v');
	EQ(lkl_sys_mprotect((long)a, 4 * PAGE, PROT_READ), 0);
	EQ(touch(a + PAGE, 1), SIGSEGV);
	EQ(lkl_sys_pread64(fd, a + PAGE, 1, 0), -LKL_EFAULT);

	/* The file ends under the mapping. */
	EQ(lkl_sys_mprotect((long)a, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
	EQ(touch(a + 2 * PAGE, 1), 0);
	EQ(lkl_sys_ftruncate(fd, PAGE + 10), 0);
	EQ(touch(a + 2 * PAGE, 1), SIGBUS);
	EQ(touch(a + 2 * PAGE, 0), SIGBUS);
	EQ(touch(a + PAGE, 0), 0);
	EQ(lkl_sys_pread64(fd, a + 2 * PAGE, 1, 0), -LKL_EFAULT);
	EQ(lkl_sys_ftruncate(fd, 4 * PAGE), 0);
	EQ(a[2 * PAGE], 0);
	EQ(lkl_sys_munmap((long)a, 4 * PAGE), 0);
	EQ(lkl_sys_munmap((long)b, 4 * PAGE), 0);
	EQ(lkl_sys_close(fd), 0);
}

static void files(void)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	char path[64];
	int id;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	boot(MEM);
	shared_file("/f");
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	shared_file("f");
	EQ(lkl_sys_chdir("/"), 0);
	OK(lkl_umount_dev(id, 0, 0, 1000));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	/* What a mapping wrote has come to the disk. */
	id = OK(lkl_sys_open("f", LKL_O_RDONLY, 0));
	EQ(lkl_sys_pread64(id, path, 1, PAGE), 1);
	EQ(path[0], 'v');
	halt();
}

static void others(void)
{
	char *p, *q;
	int fd, shm;

	set_up();
	p = anonymous(2 * PAGE);
	p[0] = 1;
	p[PAGE] = 2;
	q = (char *)OK(lkl_sys_mremap((long)p, 2 * PAGE, 8 * PAGE,
				      LKL_MREMAP_MAYMOVE, 0));
	EQ(q[0], 1);
	EQ(q[PAGE], 2);
	EQ(q[7 * PAGE], 0);
	q = (char *)OK(lkl_sys_mremap((long)q, 8 * PAGE, PAGE, 0, 0));
	EQ(q[0], 1);
	EQ(touch(q + PAGE, 0), SIGSEGV);
	/* Moved, it is gone where it was. */
	p = anonymous(4 * PAGE);
	EQ(lkl_sys_mremap((long)q, PAGE, PAGE,
			  LKL_MREMAP_MAYMOVE | LKL_MREMAP_FIXED,
			  (long)p + PAGE),
	   (long)p + PAGE);
	EQ(p[PAGE], 1);
	EQ(p[0], 0);
	EQ(touch(q, 0), SIGSEGV);

	fd = OK(lkl_sys_memfd_create("m", 0));
	EQ(lkl_sys_ftruncate(fd, PAGE), 0);
	p = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	q = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	p[5] = 9;
	EQ(q[5], 9);
	shm = OK(lkl_sys_shmget(1, PAGE, LKL_IPC_CREAT | 0600));
	p = (char *)OK(lkl_sys_shmat(shm, NULL, 0));
	q = (char *)OK(lkl_sys_shmat(shm, NULL, LKL_SHM_RDONLY));
	p[5] = 8;
	EQ(q[5], 8);
	EQ(touch(q, 1), SIGSEGV);
	EQ(lkl_sys_shmdt((void *)p), 0);
	EQ(touch(p, 0), SIGSEGV);
	/* Not the application's memory, nor the library's own. */
	EQ(lkl_sys_munmap((long)&p & -PAGE, PAGE), -LKL_EPERM);
	CHECK(lkl_sys_mmap((void *)((long)&p & -PAGE), PAGE, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0);
	CHECK(lkl_sys_mmap((void *)0x110000000000, PAGE, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* More than there is: an error or a signal, and nothing hangs. */
static void too_much(void)
{
	long size = 256L << 20, i;
	int sig;
	char *p;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	boot(MEM);
	p = (char *)lkl_sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				 -1, 0);
	CHECK((long)p > 0);
	for (i = 0; i < size; i += PAGE)
		if (touch(p + i, 1))
			break;
	CHECK(i > 20 << 20 && i < MEM_SIZE);
	/* Another virtual CPU may have kept some pages until now. */
	while ((sig = touch(p + i, 1)) == 0 && i < size - PAGE)
		i += PAGE;
	EQ(sig, SIGBUS);
	EQ(lkl_sys_getrandom(p + i, 1, 0), -LKL_EFAULT);
	EQ(lkl_sys_munmap((long)p, size), 0);
	p = anonymous(16 << 20);
	memset(p, 1, 16 << 20);
	halt();
}

static char *area;

static void *touch_all(void *arg)
{
	for (int i = 0; i < TOUCHED; i++)
		__atomic_fetch_add((int *)(area + i * PAGE), 1,
				   __ATOMIC_RELAXED);
	return arg;
}

static void *never_called(void *arg)
{
	EQ(area[5], 5);
	return arg;
}

static void faulting_threads(void)
{
	pthread_t id[8];

	set_up();
	for (int round = 0; round < 5; round++) {
		area = anonymous(TOUCHED * PAGE);
		for (int i = 0; i < 8; i++)
			id[i] = start(touch_all, NULL);
		for (int i = 0; i < 8; i++)
			pthread_join(id[i], NULL);
		for (int i = 0; i < TOUCHED; i++)
			EQ(*(int *)(area + i * PAGE), 8);
		EQ(lkl_sys_munmap((long)area, TOUCHED * PAGE), 0);
	}
	/* A thread whose first word to the kernel is a fault. */
	area = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   new_file("/f", PAGE));
	EQ(lkl_sys_pwrite64(0, "\5\5\5\5\5\5", 6, 0), 6);
	pthread_join(start(never_called, NULL), NULL);
	halt();
}

/* A kernel's mappings end with it. */
static void halted(void)
{
	char *p;

	set_up();
	p = anonymous(PAGE);
	p[0] = 1;
	halt();
	EQ(touch(p, 0), SIGSEGV);
	boot(MEM);
	EQ(touch(p, 0), SIGSEGV);
	halt();
}

/* What the host allows a process to have. */
static long max_mappings(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	long max;

	CHECK(f && fscanf(f, "%ld", &max) == 1);
	fclose(f);
	return max;
}

/*
 * Neighbouring pages that differ need a mapping of the host each, and it gives
 * a process so many only.
 */
static void fragmented(void)
{
	long i, pages = 2 * max_mappings() + 10000;
	char *p, buf[16];
	int fd;

	if (pages > 200000 || pages * PAGE > 900L << 20)
		return;
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	boot("mem=1G");
	OK(lkl_sys_mkdir("/t", 0700));
	OK(lkl_sys_mount("t", "/t", "tmpfs", 0, "size=900M"));
	fd = new_file("/t/f", pages * PAGE);
	p = map(pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	for (i = 0; i < pages; i++)
		CHECK(p[i * PAGE] == 0);
	for (i = 0; i < pages; i += 2)
		*(long *)(p + i * PAGE) = i + 1;
	for (i = 0; i < pages; i++)
		EQ(*(long *)(p + i * PAGE), i % 2 ? 0 : i + 1);
	/* The kernel reaches them, too, by this and the other way. */
	for (i = 0; i < pages; i += 10000) {
		EQ(lkl_sys_pread64(fd, p + (i + 1) * PAGE, 8, i * PAGE), 8);
		EQ(*(long *)(p + (i + 1) * PAGE), i + 1);
	}
	EQ(lkl_sys_munmap((long)p, pages * PAGE), 0);
	EQ(touch(p, 0), SIGSEGV);
	EQ(lkl_sys_pread64(fd, buf, 8, 0), 8);
	halt();
}

/* When the application has all mappings itself, what it touches is not there.
 */
static void no_mappings(void)
{
	long i, n = max_mappings();
	char *own, *p;
	int fd;

	set_up();
	fd = new_file("/f", 64 * PAGE);
	p = map(64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	own = mmap(NULL, 2 * n * PAGE, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(own != MAP_FAILED);
	for (i = 0; i < 2 * n; i += 2)
		if (mprotect(own + i * PAGE, PAGE, PROT_READ))
			break;
	CHECK(i < 2 * n);
	EQ(touch(p + 33 * PAGE, 1), SIGBUS);
	EQ(lkl_sys_getpid(), 1);
	CHECK(lkl_sys_pread64(fd, p + 17 * PAGE, 8, 0) < 0);
	/* At the ends of the area a page takes one mapping less. */
	for (i = 1; i < 62; i++)
		EQ(touch(p + i * PAGE, 0), SIGBUS);
	munmap(own, 2 * n * PAGE);
	EQ(touch(p + 33 * PAGE, 1), 0);
	EQ(lkl_sys_pread64(fd, p + 17 * PAGE, 1, 33 * PAGE), 1);
	EQ(p[17 * PAGE], 1);
	halt();
}

static const struct check tests[] = {
	{ "fragmented", fragmented }, { "no-mappings", no_mappings },
	{ "anonymous", anon },	      { "copy-out", copy_out },
	{ "files", files },	      { "others", others },
	{ "too-much", too_much },     { "faulting-threads", faulting_threads },
	{ "halted", halted },
};

CHECK_MAIN(tests)
