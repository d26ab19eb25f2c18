// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of RAM that are a snapshot's until they are changed.
 *
 * RAM is a memory file.  When a kernel starts from a snapshot, pages of that
 * are mapped over it privately: the host shows the same page to all who have
 * the snapshot, and makes one of the process's own when it is written to.  Such
 * a page is not in the memory file, so it cannot be shown under a second
 * address, or to another process.  Before that it is *owned*: copied to the
 * file, which is mapped in its place.  Most pages never need that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "borrow.h"
#include "linux.h"
#include "maps.h"

#define PAGE 4096UL
#define BITS (8 * sizeof(unsigned long))

bool linux_borrows;

/* A bit for each page that is borrowed. */
static unsigned long *pages;
static unsigned long pages_size;

void linux_borrow_none(void)
{
	linux_borrows = false;
	if (pages)
		munmap(pages, pages_size);
	pages = NULL;
}

static bool is_borrowed(unsigned long page)
{
	return pages[page / BITS] >> page % BITS & 1;
}

static long is_error(long ret)
{
	return ret < 0 && ret > -4096 ? ret : 0;
}

/* As for all of RAM: a forked process does not have it. */
static void keep_from_children(unsigned long addr, unsigned long size)
{
	raw_syscall(__NR_madvise, addr, size, MADV_DONTFORK, 0, 0, 0);
}

void linux_borrowed(void)
{
	keep_from_children(linux_ram.addr, linux_ram.size);
}

int linux_borrow(unsigned long ram, unsigned long size, int fd,
		 unsigned long offset)
{
	unsigned long addr = linux_ram.addr + ram, page;
	long ret;

	if (!pages) {
		pages_size = linux_ram.size / PAGE / 8 + PAGE;
		pages = mmap(NULL, pages_size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);
		if (pages == MAP_FAILED) {
			pages = NULL;
			return -ENOMEM;
		}
	}
	ret = is_error(raw_syscall(
		__NR_mmap, addr, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, offset));
	if (ret)
		return ret;
	for (page = ram / PAGE; page < (ram + size) / PAGE; page++)
		pages[page / BITS] |= 1UL << page % BITS;
	linux_borrows = true;
	return 0;
}

static void returned(unsigned long ram, unsigned long size)
{
	unsigned long page;

	for (page = ram / PAGE; page < (ram + size) / PAGE; page++)
		pages[page / BITS] &= ~(1UL << page % BITS);
}

/* Pages in a row, all borrowed. */
static long own(unsigned long ram, unsigned long size)
{
	unsigned long addr = linux_ram.addr + ram;
	long ret, file;

	file = raw_syscall(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_NORESERVE, linux_ram.fd, ram);
	if (is_error(file))
		return file;
	memcpy((void *)file, (void *)addr, size);
	/* In one step, as other threads may read the page. */
	ret = is_error(raw_syscall(__NR_mremap, file, size, size,
				   MREMAP_MAYMOVE | MREMAP_FIXED, addr, 0));
	if (ret) {
		raw_syscall(__NR_munmap, file, size, 0, 0, 0, 0);
		return ret;
	}
	keep_from_children(addr, size);
	returned(ram, size);
	return 0;
}

/*
 * The same while nothing runs yet and RAM has just been made, so that the limit
 * on files' sizes allows it: pages that nobody looks at need not be mapped.
 */
static long own_early(unsigned long ram, unsigned long size)
{
	unsigned long addr = linux_ram.addr + ram;
	long ret =
		raw_syscall(__NR_pwrite64, linux_ram.fd, addr, size, ram, 0, 0);

	if (ret != (long)size)
		return ret < 0 ? ret : -EIO;
	ret = is_error(raw_syscall(
		__NR_mmap, addr, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED | MAP_NORESERVE, linux_ram.fd, ram));
	if (!ret)
		returned(ram, size);
	return ret;
}

static int each_borrowed(unsigned long ram, unsigned long size,
			 long (*fn)(unsigned long ram, unsigned long size))
{
	unsigned long page = ram / PAGE, end = (ram + size) / PAGE, first;
	long err;

	while (linux_borrows && page < end) {
		if (!pages[page / BITS]) {
			page = (page / BITS + 1) * BITS;
			continue;
		}
		for (first = page; page < end && is_borrowed(page); page++)
			;
		err = first < page ? fn(first * PAGE, (page - first) * PAGE)
				   : 0;
		if (err)
			return err;
		page += first == page;
	}
	return 0;
}

int linux_borrowed_own(unsigned long ram, unsigned long size)
{
	return each_borrowed(ram, size, own);
}

int linux_borrowed_own_early(unsigned long ram, unsigned long size)
{
	return each_borrowed(ram, size, own_early);
}

/* Parts of RAM that are inaccessible. */
struct guards {
	struct linux_mapping *m;
	unsigned int count, room;
};

static bool add_guard(const struct linux_mapping *m, void *arg)
{
	struct guards *guards = arg;
	struct linux_mapping *more;

	if (m->prot || m->addr >= linux_ram.addr + linux_ram.size)
		return true;
	if (guards->count == guards->room) {
		guards->room = 2 * guards->room + 64;
		more = realloc(guards->m, guards->room * sizeof(*more));
		if (!more)
			return false;
		guards->m = more;
	}
	guards->m[guards->count++] = *m;
	return true;
}

int linux_borrowed_settle(void)
{
	struct guards guards = { 0 };
	unsigned int i;
	int err;

	if (!linux_borrows)
		return 0;
	err = linux_each_mapping(add_guard, &guards);
	if (!err) {
		mprotect((void *)linux_ram.addr, linux_ram.size,
			 PROT_READ | PROT_WRITE);
		err = linux_borrowed_own(0, linux_ram.size);
		for (i = 0; i < guards.count; i++)
			mprotect((void *)guards.m[i].addr, guards.m[i].size,
				 PROT_NONE);
	}
	free(guards.m);
	if (!err)
		linux_borrow_none();
	return err;
}
