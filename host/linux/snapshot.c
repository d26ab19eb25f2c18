// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel's state in a file, from which other processes map it.
 *
 * The file begins with a head: what the state is of use to, and a list of runs.
 * Each is a part of the address space and what it shows: pages of RAM that are
 * not zero, struct pages, .data and .bss, .data as it was before the first
 * boot, and where RAM is shown under a second address. All but the last have
 * their bytes in the file, which are mapped privately: so all processes have a
 * page in common until they write to it (borrow.c).  One large mapping takes
 * less time than several small ones, so there are pages of zeros in between;
 * the file has no blocks for most of them.
 *
 * A file that is written to changes in all that have it mapped.  So it never is
 * after it has got its name.  That it was not, its time of modification tells:
 * the head says which it must be.  To read all of it at each start would take
 * longer than to boot.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "borrow.h"
#include "linux.h"
#include "snapshot-file.h"
#include "snapshot.h"

uint64_t linux_snapshot_sum(const struct snapshot_head *head)
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

static bool within(uint64_t addr, uint64_t size, uint64_t start, uint64_t end)
{
	return !((addr | size) % PAGE) && size && addr >= start && addr < end &&
	       size <= end - addr;
}

static bool is_range(const struct snapshot_run *run,
		     const struct lkl_host_range *range)
{
	return run->addr == range->addr && run->size == range->size;
}

static bool run_is_valid(const struct snapshot_head *head,
			 const struct snapshot_run *run)
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
	    head->nanoseconds != st->st_mtim.tv_nsec ||
	    head->sum != linux_snapshot_sum(head))
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

int linux_snapshot_open(int fd, const char *key, struct linux_snapshot *s)
{
	struct snapshot_head first;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (pread(fd, &first, sizeof(first), 0) != sizeof(first) ||
	    memcmp(first.magic, SNAPSHOT_MAGIC, sizeof(first.magic)) ||
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
		linux_snapshot_close(s);
	return err;
}

struct lkl_state *linux_snapshot_state(const struct linux_snapshot *s)
{
	/* The first one serves for the process's life. */
	static void *pristine;
	struct lkl_state *state = &s->head->state;
	unsigned int i;

	for (i = 0; i < s->head->runs && !pristine; i++) {
		struct snapshot_run *run = &s->head->run[i];
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

static long map(unsigned long addr, const struct snapshot_run *run, int flags,
		int fd)
{
	long ret = raw_syscall(__NR_mmap, addr, run->size, run->prot,
			       flags | MAP_NORESERVE, fd, run->offset);

	return ret < 0 && ret > -4096 ? ret : 0;
}

static long load(const struct snapshot_run *run, int fd)
{
	long err;

	switch (run->kind) {
	case RAM:
		return linux_borrow(run->addr, run->size, fd, run->offset);
	case PAGES:
		return map(run->addr, run, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			   fd);
	case OWN:
		return map(run->addr, run, MAP_PRIVATE | MAP_FIXED, fd);
	case ALIAS:
		err = linux_borrowed_own_early(run->offset, run->size);
		return err
			       ?: map(run->addr, run, MAP_SHARED | MAP_FIXED,
				      linux_ram.fd);
	}
	return 0;
}

/* One kind after the other: RAM must be there for aliases. */
int linux_snapshot_load(void *arg)
{
	struct linux_snapshot *s = arg;
	struct snapshot_head *head = s->head;
	unsigned int i, kind;
	long err = 0;

	for (kind = RAM; kind <= ALIAS && !err; kind++)
		for (i = 0; i < head->runs && !err; i++)
			if (head->run[i].kind == kind)
				err = load(&head->run[i], s->fd);
	linux_borrowed();
	return err;
}

void linux_snapshot_close(struct linux_snapshot *s)
{
	munmap(s->head, s->size);
	s->head = NULL;
}
