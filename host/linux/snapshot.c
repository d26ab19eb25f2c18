// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel's state in a file, from which other processes map it.
 *
 * The file begins with a head: what the state is of use to, and a list of runs.
 * Each is a part of the address space and what it shows: pages of RAM that are
 * not zero, struct pages, .data and .bss, .data as it was before the first
 * boot, where RAM is shown under a second address, and which parts of it are
 * inaccessible. All but the last two have their bytes in the file, which are
 * mapped privately: so all processes have a page in common until they write to
 * it (borrow.c).
 *
 * A file that is written to changes in all that have it mapped.  So it never is
 * after it has got its name.  That it was not, its time of modification tells:
 * the head says which it must be.  To read all of it at each start would take
 * longer than to boot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lkl/asm/areas.h>

#include "borrow.h"
#include "linux.h"
#include "maps.h"
#include "snapshot.h"

#define PAGE 4096UL

/* No snapshot is larger, and no head. */
#define SIZE_MAX_FILE (32UL << 20)
#define SIZE_MAX_HEAD (1UL << 20)
/* Zero pages between two runs of RAM; if there are fewer, one mapping has both.
 */
#define GAP (32 * PAGE)

#define AREA_ALIASES (LKL_AREA_START + 0x010000000000UL)

enum kind { RAM, PAGES, OWN, PRISTINE, ALIAS, GUARD };

/**
 * struct run - a part of the address space
 * @addr: where it is; of RAM, from the beginning of that
 * @size: its size
 * @offset: where its bytes are in the file; of an alias, in RAM
 * @kind: what it is
 * @prot: PROT_*
 */
struct run {
	uint64_t addr;
	uint64_t size;
	uint64_t offset;
	uint32_t kind;
	uint32_t prot;
};

/**
 * struct snapshot_head - the beginning of the file
 * @magic: see there
 * @size: of the head, with the key and the runs
 * @runs: how many
 * @key_size: bytes of the key, which follows the runs
 * @sum: over all of the head, with 0 here
 * @file_size: of the file
 * @seconds: its time of modification
 * @nanoseconds: and the rest of that
 * @state: of the kernel
 * @run: the runs
 */
struct snapshot_head {
	char magic[8];
	uint64_t size;
	uint32_t runs;
	uint32_t key_size;
	uint64_t sum;
	uint64_t file_size;
	int64_t seconds;
	int64_t nanoseconds;
	struct lkl_state state;
	struct run run[];
};

static const char magic[8] = "LKLSNAP";

static uint64_t up(uint64_t size)
{
	return (size + PAGE - 1) & -PAGE;
}

static uint64_t sum(const struct snapshot_head *head)
{
	const unsigned char *p = (const void *)head;
	uint64_t sum = 14695981039346656037UL, i;

	for (i = 0; i < head->size; i++) {
		bool zero = i - offsetof(struct snapshot_head, sum) <
			    sizeof(head->sum);

		sum = (sum ^ (zero ? 0 : p[i])) * 1099511628211UL;
	}
	return sum;
}

/*
 * Writing.
 */

/* @ram is RAM under an address where all of it can be read. */
struct writer {
	struct snapshot_head *head;
	unsigned int room;
	const char *ram;
	uint64_t bytes;
};

static bool add(struct writer *w, struct run run)
{
	struct snapshot_head *more;
	struct run *last = w->head->run + w->head->runs - 1;

	/* Struct pages beyond the first are many mappings of a pattern. */
	if (w->head->runs && run.kind == PAGES && last->kind == PAGES &&
	    last->addr + last->size == run.addr && last->prot == run.prot) {
		last->size += run.size;
		w->bytes += run.size;
		return true;
	}
	if (w->head->runs == w->room) {
		w->room *= 2;
		more = realloc(w->head, sizeof(*more) + w->room * sizeof(run));
		if (!more)
			return false;
		w->head = more;
	}
	/* As yet from the first byte that is no longer the head. */
	if (run.kind < ALIAS) {
		run.offset = w->bytes;
		w->bytes += run.size;
	}
	w->head->run[w->head->runs++] = run;
	return true;
}

static bool add_mapping(const struct posix_mapping *m, void *arg)
{
	struct run run = { m->addr, m->size, m->offset, PAGES, m->prot };
	struct writer *w = arg;

	if (m->addr < AREA_ALIASES) {
		run.kind = GUARD;
		run.addr -= posix_ram.addr;
		return m->prot || add(w, run);
	}
	if (m->addr < LKL_AREA_PAGES) {
		run.kind = ALIAS;
		return !m->shared || add(w, run);
	}
	return add(w, run);
}

static bool is_zero(const char *page)
{
	const unsigned long *p = (const void *)page;
	unsigned long i;

	for (i = 0; i < PAGE / sizeof(*p); i++)
		if (p[i])
			return false;
	return true;
}

/* Pages of RAM that are not zero, between two offsets; @run is not added yet.
 */
static bool add_ram(struct writer *w, struct run *run, uint64_t start,
		    uint64_t end)
{
	uint64_t at;

	for (at = start; at < end; at += PAGE) {
		if (is_zero(w->ram + at))
			continue;
		if (run->size && at - run->addr - run->size > GAP) {
			if (!add(w, *run))
				return false;
			run->size = 0;
		}
		if (!run->size)
			run->addr = at;
		run->size = at + PAGE - run->addr;
	}
	return true;
}

static bool add_all_ram(struct writer *w)
{
	struct run run = { .kind = RAM, .prot = PROT_READ | PROT_WRITE };
	off_t end, start = 0;
	bool ok = true;

	while (ok && (start = lseek(posix_ram.fd, start, SEEK_DATA)) >= 0) {
		end = lseek(posix_ram.fd, start, SEEK_HOLE);
		ok = add_ram(w, &run, start, end);
		start = end;
	}
	return ok && (!run.size || add(w, run));
}

static int write_at(int fd, const void *buf, uint64_t size, uint64_t at)
{
	const char *p = buf;

	while (size) {
		ssize_t n = pwrite(fd, p, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		at += n;
		size -= n;
	}
	return 0;
}

/* What RAM does not have is not in the file either, and reads as zeros. */
static int write_ram(const struct writer *w, int fd, const struct run *run)
{
	uint64_t end = run->addr + run->size, stop;
	off_t at = run->addr;
	int err = 0;

	while (!err && (at = lseek(posix_ram.fd, at, SEEK_DATA)) >= 0 &&
	       (uint64_t)at < end) {
		stop = lseek(posix_ram.fd, at, SEEK_HOLE);
		if (stop > end)
			stop = end;
		err = write_at(fd, w->ram + at, stop - at,
			       run->offset + at - run->addr);
		at = stop;
	}
	return err;
}

static int write_runs(const struct writer *w, int fd, uint64_t head_size)
{
	const struct lkl_state *state = &w->head->state;
	unsigned int i;
	int err = 0;

	for (i = 0; i < w->head->runs && !err; i++) {
		struct run *run = &w->head->run[i];

		if (run->kind >= ALIAS)
			continue;
		run->offset += head_size;
		if (run->kind == RAM)
			err = write_ram(w, fd, run);
		else
			err = write_at(fd,
				       run->kind == PRISTINE
					       ? state->pristine
					       : (void *)run->addr,
				       run->size, run->offset);
	}
	return err;
}

/* The limit of sizes of files is a signal, not an error. */
static bool may_write(uint64_t size)
{
	struct rlimit limit;

	return size <= SIZE_MAX_FILE && !getrlimit(RLIMIT_FSIZE, &limit) &&
	       limit.rlim_cur > size;
}

static int write_file(struct writer *w, int fd, const char *key)
{
	struct snapshot_head *head = w->head;
	uint64_t runs = head->runs * sizeof(*head->run);
	struct timespec now, times[2];
	struct stat st;
	char *all;
	int err;

	head->key_size = strlen(key) + 1;
	head->size = sizeof(*head) + runs + head->key_size;
	head->file_size = up(head->size) + w->bytes;
	if (head->size > SIZE_MAX_HEAD || !may_write(head->file_size))
		return -EFBIG;
	err = write_runs(w, fd, up(head->size));
	if (err)
		return err;
	clock_gettime(CLOCK_REALTIME, &now);
	head->seconds = now.tv_sec;
	head->nanoseconds = now.tv_nsec;
	all = malloc(head->size);
	if (!all)
		return -ENOMEM;
	memcpy(all, head, sizeof(*head) + runs);
	memcpy(all + sizeof(*head) + runs, key, head->key_size);
	((struct snapshot_head *)all)->sum = sum((void *)all);
	err = write_at(fd, all, head->size, 0);
	free(all);
	/* What is not written back yet counts as each process's own. */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	times[0] = now;
	times[1] = now;
	if (!err && (futimens(fd, times) || fstat(fd, &st)))
		err = -errno;
	/* A file system may know less of time. */
	if (!err && (st.st_mtim.tv_sec != now.tv_sec ||
		     st.st_mtim.tv_nsec != now.tv_nsec))
		err = -EOPNOTSUPP;
	return err;
}

int posix_snapshot_write(int fd, const char *key, const struct lkl_state *state)
{
	const struct lkl_host_range *range = state->ranges;
	struct writer w = { .room = 256 };
	void *ram = mmap(NULL, posix_ram.size, PROT_READ,
			 MAP_SHARED | MAP_NORESERVE, posix_ram.fd, 0);
	int prot = PROT_READ | PROT_WRITE, err = -ENOMEM;

	if (ram == MAP_FAILED)
		return -ENOMEM;
	w.ram = ram;
	w.head = calloc(1, sizeof(*w.head) + w.room * sizeof(*w.head->run));
	if (w.head) {
		memcpy(w.head->magic, magic, sizeof(magic));
		w.head->state = *state;
		if (add(&w, (struct run){ range[0].addr, range[0].size, 0, OWN,
					  prot }) &&
		    add(&w, (struct run){ range[1].addr, range[1].size, 0, OWN,
					  prot }) &&
		    add(&w, (struct run){ range[0].addr, range[0].size, 0,
					  PRISTINE, prot }) &&
		    add_all_ram(&w) && !posix_each_mapping(add_mapping, &w))
			err = write_file(&w, fd, key);
	}
	free(w.head);
	munmap(ram, posix_ram.size);
	return err;
}

/*
 * Reading.
 */

static bool within(uint64_t addr, uint64_t size, uint64_t start, uint64_t end)
{
	return !((addr | size) % PAGE) && size && addr >= start && addr < end &&
	       size <= end - addr;
}

static bool is_range(const struct run *run, const struct lkl_host_range *range)
{
	return run->addr == range->addr && run->size == range->size;
}

static bool run_is_valid(const struct snapshot_head *head,
			 const struct run *run)
{
	const struct lkl_state *state = &head->state;
	uint64_t base = state->ram_base, ram = state->ram_size;
	uint64_t aliases = base + (AREA_ALIASES - LKL_AREA_START);
	uint64_t pages = base + (LKL_AREA_PAGES - LKL_AREA_START);
	uint64_t end = base + (LKL_AREA_END - LKL_AREA_START);

	if (run->kind < ALIAS &&
	    !within(run->offset, run->size, PAGE, head->file_size))
		return false;
	switch (run->kind) {
	case RAM:
	case GUARD:
		return within(run->addr, run->size, 0, ram);
	case PAGES:
		return within(run->addr, run->size, pages, end);
	case OWN:
		return is_range(run, &state->ranges[0]) ||
		       is_range(run, &state->ranges[1]);
	case PRISTINE:
		return is_range(run, &state->ranges[0]);
	case ALIAS:
		return within(run->addr, run->size, aliases, pages) &&
		       within(run->offset, run->size, 0, ram);
	}
	return false;
}

static int check(const struct snapshot_head *head, const struct stat *st,
		 const char *key)
{
	uint64_t rest = head->size - sizeof(*head);
	const char *text;
	unsigned int i;

	if (head->runs > rest / sizeof(*head->run) ||
	    head->runs * sizeof(*head->run) + head->key_size != rest ||
	    !head->key_size || head->file_size != (uint64_t)st->st_size ||
	    head->seconds != st->st_mtim.tv_sec ||
	    head->nanoseconds != st->st_mtim.tv_nsec || head->sum != sum(head))
		return -EINVAL;
	text = (const char *)&head->run[head->runs];
	if (head->key_size != strlen(key) + 1 ||
	    memcmp(text, key, head->key_size))
		return -ESTALE;
	for (i = 0; i < head->runs; i++)
		if (!run_is_valid(head, &head->run[i]))
			return -EINVAL;
	return 0;
}

int posix_snapshot_open(int fd, const char *key, struct posix_snapshot *s)
{
	struct snapshot_head first;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (pread(fd, &first, sizeof(first), 0) != sizeof(first) ||
	    memcmp(first.magic, magic, sizeof(magic)) ||
	    first.size < sizeof(first) || first.size > SIZE_MAX_HEAD ||
	    first.size > (uint64_t)st.st_size)
		return -EINVAL;
	/* A copy of it: to be checked once, and state->pristine is ours. */
	s->head = mmap(NULL, first.size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->head == MAP_FAILED)
		return -ENOMEM;
	s->fd = fd;
	s->size = first.size;
	err = pread(fd, s->head, s->size, 0) == (ssize_t)s->size &&
			      s->head->size == s->size
		      ? check(s->head, &st, key)
		      : -EINVAL;
	if (err)
		posix_snapshot_close(s);
	return err;
}

struct lkl_state *posix_snapshot_state(const struct posix_snapshot *s)
{
	/* The first one serves for the process's life. */
	static void *pristine;
	struct lkl_state *state = &s->head->state;
	unsigned int i;

	for (i = 0; i < s->head->runs && !pristine; i++) {
		struct run *run = &s->head->run[i];
		void *p;

		if (run->kind != PRISTINE)
			continue;
		p = mmap(NULL, run->size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			 s->fd, run->offset);
		pristine = p == MAP_FAILED ? NULL : p;
	}
	state->pristine = pristine;
	return pristine ? state : NULL;
}

static long map(unsigned long addr, const struct run *run, int flags, int fd)
{
	long ret = raw_syscall(__NR_mmap, addr, run->size, run->prot,
			       flags | MAP_NORESERVE, fd, run->offset);

	return ret < 0 && ret > -4096 ? ret : 0;
}

static long load(const struct run *run, int fd)
{
	long err;

	switch (run->kind) {
	case RAM:
		return posix_borrow(run->addr, run->size, fd, run->offset);
	case PAGES:
		return map(run->addr, run, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			   fd);
	case OWN:
		return map(run->addr, run, MAP_PRIVATE | MAP_FIXED, fd);
	case ALIAS:
		err = posix_borrowed_own(run->offset, run->size);
		return err
			       ?: map(run->addr, run, MAP_SHARED | MAP_FIXED,
				      posix_ram.fd);
	case GUARD:
		return raw_syscall(__NR_mprotect, posix_ram.addr + run->addr,
				   run->size, PROT_NONE, 0, 0, 0);
	}
	return 0;
}

/* One kind after the other: RAM must be there for aliases, and then for guards.
 */
int posix_snapshot_load(void *arg)
{
	struct posix_snapshot *s = arg;
	struct snapshot_head *head = s->head;
	unsigned int i, kind;
	long err = 0;

	for (kind = RAM; kind <= GUARD && !err; kind++) {
		for (i = 0; i < head->runs && !err; i++)
			if (head->run[i].kind == kind)
				err = load(&head->run[i], s->fd);
		if (kind == RAM)
			posix_borrowed();
	}
	return err;
}

void posix_snapshot_close(struct posix_snapshot *s)
{
	munmap(s->head, s->size);
	s->head = NULL;
}
