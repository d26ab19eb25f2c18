// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write a kernel's state to a file (snapshot.c tells what is in it).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"
#include "maps.h"
#include "snapshot-file.h"
#include "snapshot.h"

/* Zero pages between two runs of RAM; if there are fewer, one mapping has both,
 * as the host takes longer for a second one.  The file has no blocks for most.
 */
#define GAP (2048 * PAGE)

static uint64_t up(uint64_t size)
{
	return (size + PAGE - 1) & -PAGE;
}

/* @ram is RAM under an address where all of it can be read. */
struct writer {
	struct snapshot_head *head;
	unsigned int room;
	const char *ram;
	uint64_t bytes;
};

static bool add(struct writer *w, struct snapshot_run run)
{
	struct snapshot_head *more;
	struct snapshot_run *last = w->head->run + w->head->runs - 1;

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

static bool add_mapping(const struct linux_mapping *m, void *arg)
{
	struct snapshot_run run = { m->addr, m->size, m->offset, PAGES,
				    m->prot };
	struct writer *w = arg;

	if (m->addr < AREA_ALIASES)
		return true;
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

/* Is RAM shown under a second address, somewhere between two offsets? */
static bool is_aliased(const struct writer *w, uint64_t start, uint64_t end)
{
	const struct snapshot_run *run = w->head->run;
	unsigned int i;

	for (i = 0; i < w->head->runs; i++, run++)
		if (run->kind == ALIAS && run->offset < end &&
		    run->offset + run->size > start)
			return true;
	return false;
}

/*
 * Is there too much between two offsets to be mapped with what is around it?
 * What is shown under a second address would have to be copied.
 */
static bool is_gap(const struct writer *w, uint64_t start, uint64_t end)
{
	return end - start > GAP || is_aliased(w, start, end);
}

/* Pages of RAM that are not zero, between two offsets; @run is not added yet.
 */
static bool add_ram(struct writer *w, struct snapshot_run *run, uint64_t start,
		    uint64_t end)
{
	uint64_t at;

	for (at = start; at < end; at += PAGE) {
		if (is_zero(w->ram + at))
			continue;
		if (run->size && is_gap(w, run->addr + run->size, at)) {
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
	struct snapshot_run run = { .kind = RAM,
				    .prot = PROT_READ | PROT_WRITE };
	off_t end, start = 0;
	bool ok = true;

	while (ok && (start = lseek(linux_ram.fd, start, SEEK_DATA)) >= 0) {
		end = lseek(linux_ram.fd, start, SEEK_HOLE);
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
static int write_ram(const struct writer *w, int fd,
		     const struct snapshot_run *run)
{
	uint64_t end = run->addr + run->size, stop;
	off_t at = run->addr;
	int err = 0;

	while (!err && (at = lseek(linux_ram.fd, at, SEEK_DATA)) >= 0 &&
	       (uint64_t)at < end) {
		stop = lseek(linux_ram.fd, at, SEEK_HOLE);
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
		struct snapshot_run *run = &w->head->run[i];

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
	((struct snapshot_head *)all)->sum = linux_snapshot_sum((void *)all);
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

/* .data, .bss, and .data as it was. */
static bool add_data(struct writer *w)
{
	const struct lkl_host_range *data = &w->head->state.ranges[0];
	const struct lkl_host_range *bss = &w->head->state.ranges[1];
	int prot = PROT_READ | PROT_WRITE;

	return add(w, (struct snapshot_run){ data->addr, data->size, 0, OWN,
					     prot }) &&
	       add(w, (struct snapshot_run){ bss->addr, bss->size, 0, OWN,
					     prot }) &&
	       add(w, (struct snapshot_run){ data->addr, data->size, 0,
					     PRISTINE, prot });
}

int linux_snapshot_write(int fd, const char *key, const struct lkl_state *state)
{
	struct writer w = { .room = 256 };
	void *ram = mmap(NULL, linux_ram.size, PROT_READ,
			 MAP_SHARED | MAP_NORESERVE, linux_ram.fd, 0);
	int err = -ENOMEM;

	if (ram == MAP_FAILED)
		return -ENOMEM;
	w.ram = ram;
	w.head = calloc(1, sizeof(*w.head) + w.room * sizeof(*w.head->run));
	if (w.head) {
		memcpy(w.head->magic, SNAPSHOT_MAGIC, sizeof(w.head->magic));
		w.head->state = *state;
		if (add_data(&w) && !linux_each_mapping(add_mapping, &w) &&
		    add_all_ram(&w))
			err = write_file(&w, fd, key);
	}
	free(w.head);
	munmap(ram, linux_ram.size);
	return err;
}
