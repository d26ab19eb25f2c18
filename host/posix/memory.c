// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's memory, as POSIX has it.
 *
 * RAM is an object of shared memory without a name, shown a second time where
 * the kernel wants that.  POSIX has no anonymous memory: what is private is a
 * private mapping of an object that nobody writes to, which holds nothing.
 *
 * Nor can a mapping be made where nothing is mapped yet: the system is asked
 * for an address, and what it has put elsewhere is unmapped again.
 *
 * A forked child inherits it all.  A handler of forks removes RAM there, and
 * zeroes what the child has to find zeroed.  So a child must not be made by
 * anything but fork().
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <lkl/asm/areas.h>
#include <lkl_host.h>

#include "../host.h"
#include "host.h"
#include "posix.h"

#define MAX_WIPED 8
#define HOST_PAGE 4096UL

static struct {
	unsigned long addr;
	unsigned long size;
	int fd;
} ram = { .fd = -1 };

/* The object that holds nothing. */
static int zeros = -1;
static unsigned long zeros_size;
static int zeros_lock;

/* What a forked child finds zeroed. */
static struct {
	void *start;
	unsigned long size;
} wiped[MAX_WIPED];
static int n_wiped;

static int new_object(unsigned long size)
{
	static unsigned int number;
	unsigned int n = __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED);
	char name[64];
	int fd, err;

	snprintf(name, sizeof(name), "/lkl-%ld-%u", (long)getpid(), n);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -errno;
	shm_unlink(name);
	err = posix_set_size(fd, size);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Where such objects are kept there may be no room, which would be a fault. */
static bool has_room(const struct lkl_host_operations *ops, int fd,
		     unsigned long size)
{
	struct statvfs fs;
	char text[160];
	int n;

	if (fstatvfs(fd, &fs) || !fs.f_blocks ||
	    size / fs.f_frsize <= fs.f_bavail)
		return true;
	n = snprintf(text, sizeof(text),
		     "lkl: shared memory has room for %lu KiB, the kernel "
		     "needs %lu KiB\n",
		     (unsigned long)fs.f_bavail * fs.f_frsize >> 10,
		     size >> 10);
	if (ops->print)
		ops->print(text, n);
	return false;
}

/* The object that holds nothing, of at least that size. */
static int zeros_of(unsigned long size)
{
	unsigned long mask = posix_lock(&zeros_lock);
	int err = 0;

	if (zeros < 0) {
		zeros = new_object(size);
		zeros_size = zeros < 0 ? 0 : size;
	} else if (zeros_size < size) {
		err = posix_set_size(zeros, size);
		if (!err)
			zeros_size = size;
	}
	posix_unlock(&zeros_lock, mask);
	return err ? err : zeros;
}

static int show(unsigned long addr, unsigned long size, int prot, int flags,
		int fd, unsigned long offset)
{
	return mmap((void *)addr, size, prot, flags | MAP_FIXED, fd, offset) ==
			       MAP_FAILED
		       ? -errno
		       : 0;
}

/* The same unless something is there already. */
static int show_new(unsigned long addr, unsigned long size, int prot, int flags,
		    int fd)
{
	void *p = mmap((void *)addr, size, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (p == (void *)addr)
		return 0;
	munmap(p, size);
	return -EEXIST;
}

/* What is inaccessible needs an object, too. */
static int hide(unsigned long addr, unsigned long size, bool new)
{
	int fd = zeros_of(HOST_PAGE);

	if (fd < 0)
		return fd;
	return new ? show_new(addr, size, PROT_NONE, MAP_SHARED, fd)
		   : show(addr, size, PROT_NONE, MAP_SHARED, fd, 0);
}

static void forked(void)
{
	if (ram.size)
		munmap((void *)ram.addr, ram.size);
	if (ram.fd >= 0)
		close(ram.fd);
	ram.size = 0;
	ram.fd = -1;
	zeros_lock = 0;
	posix_wait_forked();
	posix_threads_forked();
	for (int i = 0; i < n_wiped; i++)
		memset(wiped[i].start, 0, wiped[i].size);
}

static void watch_forks(void)
{
	if (pthread_atfork(NULL, NULL, forked))
		abort();
}

static bool wipe(void *start, unsigned long size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch_forks);
	for (int i = 0; i < n_wiped; i++)
		if (wiped[i].start == start)
			return true;
	if (n_wiped == MAX_WIPED)
		return false;
	wiped[n_wiped].start = start;
	wiped[n_wiped++].size = size;
	return true;
}

int posix_wipe_on_fork(void *addr, unsigned long size)
{
	memset(addr, 0, size);
	return wipe(addr, size) ? 0 : -ENOMEM;
}

void *host_wiped_memory(size_t size)
{
	void *p = calloc(1, size);

	if (p && wipe(p, size))
		return p;
	free(p);
	return NULL;
}

bool host_after_fork(void (*child)(void))
{
	return !pthread_atfork(NULL, NULL, child);
}

void host_reset(void)
{
}

/* One that has loaded the library twice is not known by POSIX. */
bool host_has_own_libc(void)
{
	return false;
}

void *host_map_zeroed(size_t size)
{
	return calloc(1, size);
}

void host_unmap_zeroed(void *p, size_t size)
{
	(void)size;
	free(p);
}

void host_zero_again(void *p, size_t size)
{
	memset(p, 0, size);
}

void *posix_keep(unsigned long size)
{
	return calloc(1, size);
}

int posix_ram_open(const struct lkl_host_operations *ops, unsigned long addr,
		   unsigned long size)
{
	int fd = new_object(size), err;

	if (fd == -EFBIG)
		posix_say_limit(ops, RLIMIT_FSIZE, POSIX_FILE_SIZES, size);
	if (fd < 0)
		return fd;
	err = has_room(ops, fd, size)
		      ? show_new(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd)
		      : -ENOSPC;
	if (err == -ENOMEM)
		posix_say_limit(ops, RLIMIT_AS, POSIX_ADDRESS_SPACE, size);
	if (err) {
		close(fd);
		return err;
	}
	ram.addr = addr;
	ram.size = size;
	ram.fd = fd;
	lkl_ram_base = addr;
	return 0;
}

void posix_ram_close(void)
{
	munmap((void *)ram.addr, ram.size);
	close(ram.fd);
	ram.size = 0;
	ram.fd = -1;
}

int posix_reserve(const struct lkl_host_operations *ops, unsigned long addr,
		  unsigned long size)
{
	int err = hide(addr, size, true);

	if (err == -ENOMEM)
		posix_say_limit(ops, RLIMIT_AS, POSIX_ADDRESS_SPACE, size);
	return err;
}

void posix_release(unsigned long addr, unsigned long size)
{
	munmap((void *)addr, size);
}

int posix_map(unsigned long addr, unsigned long size, unsigned long offset,
	      int prot)
{
	int p = PROT_READ;

	if (prot & LKL_HOST_WRITE)
		p |= PROT_WRITE;
	if (prot & LKL_HOST_EXEC)
		p |= PROT_EXEC;
	return show(addr, size, p, MAP_SHARED, ram.fd, offset);
}

int posix_unmap(unsigned long addr, unsigned long size)
{
	return hide(addr, size, false);
}

int posix_protect(unsigned long addr, unsigned long size, int on)
{
	return mprotect((void *)addr, size,
			on ? PROT_NONE : PROT_READ | PROT_WRITE)
		       ? -errno
		       : 0;
}

int posix_anon(unsigned long addr, unsigned long size)
{
	int fd = zeros_of(size);

	return fd < 0 ? fd
		      : show_new(addr, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE, fd);
}

/* An object of many copies, mapped over and over. */
int posix_pattern(unsigned long addr, unsigned long size, const void *with,
		  unsigned long len)
{
	const unsigned long piece = 512 << 10;
	int fd = new_object(piece), err = 0;
	unsigned long pos;
	char *copies;

	if (fd < 0)
		return fd;
	copies = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (copies == MAP_FAILED) {
		err = -errno;
	} else {
		for (pos = 0; pos < piece; pos += len)
			memcpy(copies + pos, with, len);
		munmap(copies, piece);
	}
	for (pos = 0; pos < size && !err; pos += piece)
		err = show_new(addr + pos,
			       size - pos < piece ? size - pos : piece,
			       PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	close(fd);
	return err;
}

void posix_forget(unsigned long addr, unsigned long size)
{
	posix_madvise((void *)addr, size, POSIX_MADV_DONTNEED);
}

/* Other threads run code beside what is written. */
int posix_patch(unsigned long addr, unsigned long size, int writable)
{
	unsigned long start = addr & -HOST_PAGE;

	return mprotect((void *)start, addr + size - start,
			PROT_READ | PROT_EXEC | (writable ? PROT_WRITE : 0))
		       ? -errno
		       : 0;
}
