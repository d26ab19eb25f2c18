// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a frozen kernel: operations freeze, reset and thaw of the host.
 *
 * RAM is a memory file.  To freeze it is to map the file privately: from then
 * on it keeps the state, and what the kernel writes goes to pages of the
 * process's own, which the host makes as they are written to.  To reset it is
 * to have the host drop these pages.  Struct pages, .data and .bss are copied
 * into a file of their own and mapped likewise.
 *
 * A page of RAM that is shown under a second address (an alias: vmalloc, mmap()
 * of the library's kernel) cannot be private, for then each address would have
 * its own. It is *shared*: another file, as large as RAM, has it, and both
 * addresses show that one.  At a reset it is copied back.  Once a page is
 * shared it remains so; if there are too many, the reset begins anew with those
 * that were there at the freeze.
 *
 * What was mapped at the freeze, the host tells in /proc/self/maps.  What
 * changes afterwards is noted as it changes, and undone at the reset.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lkl/asm/areas.h>
#include <lkl/asm/host_ops.h>

#include "borrow.h"
#include "freeze.h"
#include "linux.h"
#include "maps.h"

#define PAGE 4096UL

/* Notes that are kept of one kind, and shared pages that are copied back. */
#define NOTES 256
#define SHARED_MAX 512

#define AREA_ALIASES (LKL_AREA_START + 0x010000000000UL)

bool linux_frozen;

/**
 * struct run - a part of the address space
 * @addr: where it is
 * @size: its size
 * @offset: what it shows of a file
 * @prot: PROT_*
 */
struct run {
	unsigned long addr;
	unsigned long size;
	unsigned long offset;
	int prot;
};

struct runs {
	struct run *run;
	unsigned int count;
	unsigned int room;
};

/* What has changed since the freeze; all else if there are too many notes. */
struct notes {
	struct run run[NOTES];
	unsigned int count;
	bool all;
};

/*
 * @ram_fd, @ram: the state of RAM, to be read
 * @rest_fd, @rest, @rest_size: that of all else
 * @areas: where the latter belongs
 * @guards: parts of RAM that are inaccessible
 * @aliases: where RAM is shown a second time
 * @shared: all of RAM that is shared, to be written
 * @is_shared: a bit for each page
 * @list: numbers of these pages
 * @count: how many
 * @first: how many are shared from the start
 * @mapped: changes of aliases
 * @guarded: changes of guards
 * @made: struct pages that were made
 */
static struct {
	int ram_fd, rest_fd;
	char *ram, *rest, *shared;
	unsigned long rest_size;
	struct runs areas, guards, aliases;
	unsigned long *is_shared;
	uint32_t *list;
	unsigned int count, first;
	struct notes mapped, guarded, made;
} f = { .ram_fd = -1, .rest_fd = -1 };

static void *map_file(int fd, unsigned long size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED | MAP_NORESERVE, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void *map_memory(unsigned long size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Show a file at an address, whatever is there. */
static long show(const struct run *run, int flags, int fd)
{
	long ret = raw_syscall(__NR_mmap, run->addr, run->size, run->prot,
			       flags | MAP_FIXED | MAP_NORESERVE, fd,
			       run->offset);

	return ret < 0 && ret > -4096 ? ret : 0;
}

static void hide(unsigned long addr, unsigned long size)
{
	raw_syscall(__NR_mmap, addr, size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		    0);
}

static bool add_run(struct runs *runs, struct run new)
{
	struct run *last = runs->run + runs->count - 1, *more;

	if (runs->count && last->addr + last->size == new.addr &&
	    last->offset + last->size == new.offset && last->prot == new.prot) {
		last->size += new.size;
		return true;
	}
	if (runs->count == runs->room) {
		runs->room = 2 * runs->room + 64;
		more = realloc(runs->run, runs->room * sizeof(*more));
		if (!more)
			return false;
		runs->run = more;
	}
	runs->run[runs->count++] = new;
	return true;
}

/* In the file of the rest, one area lies behind the other. */
static bool add_area(unsigned long addr, unsigned long size)
{
	struct run new = { addr, size, f.rest_size, PROT_READ | PROT_WRITE };

	f.rest_size += size;
	return add_run(&f.areas, new);
}

static bool add_guard(struct runs *guards, struct run run)
{
	run.offset = run.addr;
	return run.addr >= AREA_ALIASES || run.prot || add_run(guards, run);
}

/* Find out what is mapped where, or of the guards only. */
static bool add_mapping(const struct linux_mapping *m, void *guards)
{
	struct run run = { m->addr, m->size, m->offset, m->prot };

	if (guards)
		return add_guard(guards, run);
	if (run.addr >= LKL_AREA_PAGES)
		return add_area(run.addr, run.size);
	if (run.addr >= AREA_ALIASES)
		return !m->shared || add_run(&f.aliases, run);
	return add_guard(&f.guards, run);
}

/* Files and memory for a state; nothing is changed yet. */
static int prepare(const struct lkl_host_range *ranges, unsigned int count)
{
	unsigned long pages = linux_ram.size / PAGE;
	unsigned int i;
	int shared_fd, err = linux_each_mapping(add_mapping, NULL);

	for (; !err && count; ranges++, count--)
		if (!add_area(ranges->addr, ranges->size))
			err = -ENOMEM;
	if (err)
		return err;
	f.rest_fd = linux_memory("lkl-frozen", f.rest_size);
	if (f.rest_fd < 0)
		return f.rest_fd;
	shared_fd = linux_memory("lkl-ram", linux_ram.size);
	if (shared_fd < 0)
		return shared_fd;
	f.ram_fd = linux_ram.fd;
	linux_ram.fd = shared_fd;
	f.ram = map_file(f.ram_fd, linux_ram.size, PROT_READ);
	f.shared = map_file(shared_fd, linux_ram.size, PROT_READ | PROT_WRITE);
	f.rest = map_file(f.rest_fd, f.rest_size, PROT_READ | PROT_WRITE);
	f.is_shared = map_memory(pages / 8 + 8);
	f.list = map_memory(pages * sizeof(*f.list));
	if (!f.ram || !f.shared || !f.rest || !f.is_shared || !f.list)
		return -ENOMEM;
	madvise(f.shared, linux_ram.size, MADV_DONTFORK);
	for (i = 0; i < f.areas.count; i++)
		memcpy(f.rest + f.areas.run[i].offset,
		       (void *)f.areas.run[i].addr, f.areas.run[i].size);
	return 0;
}

static void unmap(void *p, unsigned long size)
{
	if (p)
		munmap(p, size);
}

/* The state is not needed any more; RAM is another file's affair. */
static void discard(void)
{
	unsigned long pages = linux_ram.size / PAGE;

	linux_frozen = false;
	unmap(f.ram, linux_ram.size);
	unmap(f.shared, linux_ram.size);
	unmap(f.rest, f.rest_size);
	unmap(f.is_shared, pages / 8 + 8);
	unmap(f.list, pages * sizeof(*f.list));
	free(f.areas.run);
	free(f.guards.run);
	free(f.aliases.run);
	if (f.ram_fd >= 0)
		close(f.ram_fd);
	if (f.rest_fd >= 0)
		close(f.rest_fd);
	memset(&f, 0, sizeof(f));
	f.ram_fd = -1;
	f.rest_fd = -1;
}

static bool page_is_shared(unsigned long page)
{
	return f.is_shared[page / 64] >> page % 64 & 1;
}

int linux_share(unsigned long offset, unsigned long size)
{
	unsigned long page = offset / PAGE, end = (offset + size) / PAGE, first;

	for (; page < end; page++) {
		struct run run = { .prot = PROT_READ | PROT_WRITE };
		long err;

		if (page_is_shared(page))
			continue;
		for (first = page; page < end && !page_is_shared(page); page++)
			;
		run.offset = first * PAGE;
		run.addr = linux_ram.addr + run.offset;
		run.size = (page - first) * PAGE;
		memcpy(f.shared + run.offset, (void *)run.addr, run.size);
		err = show(&run, MAP_SHARED, linux_ram.fd);
		if (err)
			return err;
		raw_syscall(__NR_madvise, run.addr, run.size, MADV_DONTFORK, 0,
			    0, 0);
		for (; first < page; first++) {
			f.is_shared[first / 64] |= 1UL << first % 64;
			f.list[f.count++] = first;
		}
	}
	return 0;
}

static void note(struct notes *notes, unsigned long addr, unsigned long size,
		 int prot)
{
	struct run *last = notes->run + notes->count - 1;

	if (notes->count && last->addr + last->size == addr &&
	    last->prot == prot) {
		last->size += size;
	} else if (notes->count == NOTES) {
		notes->all = true;
	} else {
		last[1] = (struct run){ addr, size, 0, prot };
		notes->count++;
	}
}

void linux_note_mapping(unsigned long addr, unsigned long size)
{
	if (addr >= AREA_ALIASES && addr < LKL_AREA_PAGES)
		note(&f.mapped, addr, size, 0);
	else if (addr >= LKL_AREA_PAGES && addr < LKL_AREA_END)
		note(&f.made, addr, size, 0);
}

void linux_note_guard(unsigned long addr, unsigned long size, bool on)
{
	note(&f.guarded, addr, size, on ? PROT_NONE : PROT_READ | PROT_WRITE);
}

/* Show, between two addresses, what was shown there. */
static void show_aliases(unsigned long start, unsigned long end)
{
	unsigned int i = 0, high = f.aliases.count;

	/* They are in order: find the first that does not end before. */
	while (i < high) {
		unsigned int middle = (i + high) / 2;
		struct run *run = &f.aliases.run[middle];

		if (run->addr + run->size <= start)
			i = middle + 1;
		else
			high = middle;
	}
	for (; i < f.aliases.count && f.aliases.run[i].addr < end; i++) {
		struct run run = f.aliases.run[i];
		unsigned long cut;

		cut = run.addr < start ? start - run.addr : 0;
		run.addr += cut;
		run.offset += cut;
		run.size -= cut;
		if (run.size > end - run.addr)
			run.size = end - run.addr;
		if (linux_share(run.offset, run.size) ||
		    show(&run, MAP_SHARED, linux_ram.fd))
			abort();
	}
}

static void hide_aliases(void)
{
	const unsigned long vmalloc_size = 0x1000000000UL;

	hide(AREA_ALIASES, vmalloc_size);
	hide(LKL_AREA_MMAP, LKL_AREA_MMAP_SIZE);
}

static void set_guards(const struct runs *guards)
{
	unsigned int i;

	for (i = 0; i < guards->count; i++)
		raw_syscall(__NR_mprotect, guards->run[i].addr,
			    guards->run[i].size, PROT_NONE, 0, 0, 0);
}

/* All of RAM is private, but for what is shown a second time. */
static int begin_anew(void)
{
	struct run ram = { linux_ram.addr, linux_ram.size, 0,
			   PROT_READ | PROT_WRITE };
	long err = show(&ram, MAP_PRIVATE, f.ram_fd);

	if (err)
		return err;
	madvise((void *)ram.addr, ram.size, MADV_DONTFORK);
	set_guards(&f.guards);
	show_aliases(AREA_ALIASES, LKL_AREA_PAGES);
	f.first = f.count;
	return 0;
}

int linux_freeze(const struct lkl_host_range *ranges, unsigned int count)
{
	int old_fd = linux_ram.fd, err = linux_borrowed_settle();
	unsigned int i;

	if (!err)
		err = prepare(ranges, count);
	if (!err)
		err = begin_anew();
	if (err) {
		if (linux_ram.fd != old_fd) {
			close(linux_ram.fd);
			linux_ram.fd = old_fd;
			f.ram_fd = -1;
		}
		discard();
		return err;
	}
	for (i = 0; i < f.areas.count; i++)
		if (show(&f.areas.run[i], MAP_PRIVATE, f.rest_fd))
			abort();
	linux_frozen = true;
	return 0;
}

static void forget_shared(void)
{
	while (f.count) {
		unsigned long page = f.list[--f.count];

		f.is_shared[page / 64] &= ~(1UL << page % 64);
	}
	raw_syscall(__NR_fallocate, linux_ram.fd,
		    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		    linux_ram.size, 0, 0);
}

static void reset_ram(void)
{
	struct notes *guarded = &f.guarded;
	unsigned int i;

	if (guarded->all || f.mapped.all || f.count - f.first > SHARED_MAX) {
		hide_aliases();
		forget_shared();
		if (begin_anew())
			abort();
		return;
	}
	for (i = 0; i < f.count; i++) {
		unsigned long offset = f.list[i] * PAGE;

		memcpy(f.shared + offset, f.ram + offset, PAGE);
	}
	madvise((void *)linux_ram.addr, linux_ram.size, MADV_DONTNEED);
	/* Each was the other way round before. */
	for (i = guarded->count; i--;)
		raw_syscall(__NR_mprotect, guarded->run[i].addr,
			    guarded->run[i].size,
			    guarded->run[i].prot ? PROT_NONE
						 : PROT_READ | PROT_WRITE,
			    0, 0, 0);
	for (i = 0; i < f.mapped.count; i++) {
		struct run *run = &f.mapped.run[i];

		hide(run->addr, run->size);
		show_aliases(run->addr, run->addr + run->size);
	}
}

static void reset_rest(void)
{
	unsigned int i;

	/* Another number of struct pages is there only if it was made since. */
	for (i = 0; i < f.made.count && !f.made.all; i++)
		munmap((void *)f.made.run[i].addr, f.made.run[i].size);
	if (f.made.all)
		munmap((void *)LKL_AREA_PAGES, LKL_AREA_END - LKL_AREA_PAGES);
	for (i = 0; i < f.areas.count; i++) {
		struct run *area = &f.areas.run[i];

		if (!f.made.all || area->addr < LKL_AREA_PAGES ||
		    area->addr >= LKL_AREA_END)
			madvise((void *)area->addr, area->size, MADV_DONTNEED);
		else if (show(area, MAP_PRIVATE, f.rest_fd))
			abort();
	}
}

static void forget(struct notes *notes)
{
	notes->count = 0;
	notes->all = false;
}

void linux_reset(void)
{
	reset_ram();
	reset_rest();
	forget(&f.mapped);
	forget(&f.guarded);
	forget(&f.made);
}

/* Which pages there are of RAM, the file of the state knows. */
static void share_all(void)
{
	off_t end, start = 0;
	unsigned long page;

	while ((start = lseek(f.ram_fd, start, SEEK_DATA)) >= 0) {
		end = lseek(f.ram_fd, start, SEEK_HOLE);
		for (page = start / PAGE; page < end / PAGE; page++)
			if (!page_is_shared(page))
				memcpy(f.shared + page * PAGE,
				       (void *)(linux_ram.addr + page * PAGE),
				       PAGE);
		start = end;
	}
}

int linux_thaw(void)
{
	struct run ram = { linux_ram.addr, linux_ram.size, 0,
			   PROT_READ | PROT_WRITE };
	struct runs guards = { 0 };
	long err = linux_each_mapping(add_mapping, &guards);

	if (!err) {
		mprotect((void *)ram.addr, ram.size, ram.prot);
		share_all();
		err = show(&ram, MAP_SHARED, linux_ram.fd);
		if (!err)
			madvise((void *)ram.addr, ram.size, MADV_DONTFORK);
		set_guards(&guards);
	}
	free(guards.run);
	if (!err)
		discard();
	return err;
}

void linux_frozen_end(void)
{
	if (linux_frozen)
		discard();
}

void linux_frozen_forget(void)
{
	/* A child does not inherit it, and may have something else there. */
	f.shared = NULL;
	linux_frozen_end();
}
