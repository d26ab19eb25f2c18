// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages that change: copies of code, and trampolines.
 *
 * Pages change all at once: a changed copy is made elsewhere, becomes
 * executable, no longer writable, and is moved over the page.  A thread in it
 * finds the old page, or faults and waits until the new one is there.  Where
 * much is to be changed before it is executed, the copies are kept until the
 * end, and it is them that is read (rewrite_begin()).
 */
#include <linux/mman.h>
#include <string.h>
#include <sys/syscall.h>

#include "parts.h"

#define MAX_PAGES 2048

struct page rewrite_pages[MAX_PAGES];
int rewrite_n_pages;

struct batch rewrite_batch;

/* Where code is read that is to be at @at. */
unsigned char *rewrite_seen(unsigned long at)
{
	return (unsigned char *)at +
	       (rewrite_batch.copy
			? (unsigned long)rewrite_batch.copy - rewrite_batch.base
			: 0);
}

static long host_mmap(unsigned long at, unsigned long len, int prot, int flags)
{
	return host_syscall(SYS_mmap, at, len, prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static bool failed(long ret)
{
	return ret < 0 && ret > -4096;
}

/* A copy of pages that can be written, for rewrite_replace(). */
unsigned char *rewrite_copy(unsigned long at, unsigned long len)
{
	long copy = host_mmap(0, len, PROT_READ | PROT_WRITE, 0);

	if (failed(copy))
		return NULL;
	memcpy((void *)copy, (void *)at, len);
	return (void *)copy;
}

bool rewrite_replace(unsigned long at, unsigned char *copy, unsigned long len)
{
	if (!host_syscall(SYS_mprotect, (long)copy, len, PROT_READ | PROT_EXEC,
			  0, 0, 0) &&
	    !failed(host_syscall(SYS_mremap, (long)copy, len, len,
				 MREMAP_MAYMOVE | MREMAP_FIXED, at, 0)))
		return true;
	host_syscall(SYS_munmap, (long)copy, len, 0, 0, 0, 0);
	return false;
}

void rewrite_need(unsigned long site)
{
	unsigned long at = (site - CONTEXT) & -PAGE, end = site + CONTEXT;

	if (at < rewrite_batch.base)
		at = rewrite_batch.base;
	for (; at < end && at < rewrite_batch.base + rewrite_batch.size;
	     at += PAGE) {
		if (rewrite_batch.states[(at - rewrite_batch.base) / PAGE] !=
		    ABSENT)
			continue;
		memcpy(rewrite_seen(at), (void *)at, PAGE);
		rewrite_batch.states[(at - rewrite_batch.base) / PAGE] = COPIED;
	}
}

void rewrite_changed(unsigned long at, unsigned long len)
{
	for (; len; at += PAGE, len -= PAGE)
		rewrite_batch.states[(at - rewrite_batch.base) / PAGE] =
			CHANGED;
}

bool rewrite_begin(unsigned long start, unsigned long end)
{
	unsigned long base = start & -PAGE;
	unsigned long size = ((end + PAGE - 1) & -PAGE) - base;
	unsigned long states = size / PAGE * sizeof(*rewrite_batch.states);
	long copy = host_mmap(0, size + states, PROT_READ | PROT_WRITE,
			      MAP_NORESERVE);

	if (failed(copy))
		return false;
	rewrite_batch = (struct batch){ base, size, (void *)copy,
					(void *)(copy + size) };
	return true;
}

bool rewrite_end(void)
{
	unsigned long at, len, n = rewrite_batch.size / PAGE;
	struct batch b = rewrite_batch;
	bool ok = true;

	rewrite_batch.copy = NULL;
	for (int i = 0; i < rewrite_n_pages; i++) {
		if (rewrite_pages[i].copy)
			ok &= rewrite_replace(rewrite_pages[i].base,
					      rewrite_pages[i].copy, PAGE);
		rewrite_pages[i].copy = NULL;
	}
	for (at = 0; ok && at < n; at += len) {
		for (len = 1; at + len < n; len++)
			if (b.states[at + len] != b.states[at])
				break;
		if (b.states[at] == CHANGED)
			ok = rewrite_replace(b.base + at * PAGE,
					     b.copy + at * PAGE, len * PAGE);
	}
	host_syscall(SYS_munmap, (long)b.copy, b.size + n * sizeof(*b.states),
		     0, 0, 0, 0);
	return ok;
}

static unsigned long slot_in(struct page *p, unsigned long lo, unsigned long hi)
{
	for (unsigned int i = 1; i < SLOTS; i++) {
		unsigned long slot = p->base + i * SLOT;

		if (!(p->used & 1ULL << i) && CODE(slot) >= lo &&
		    CODE(slot) <= hi)
			return slot;
	}
	return 0;
}

static struct page *page_at(unsigned long base)
{
	if (rewrite_n_pages == MAX_PAGES ||
	    host_mmap(base, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) != (long)base)
		return NULL;
	rewrite_pages[rewrite_n_pages] = (struct page){ .base = base };
	return &rewrite_pages[rewrite_n_pages++];
}

/* A new page, away from where the program's heap or libraries will grow. */
static struct page *page_near(unsigned long lo, unsigned long hi)
{
	unsigned long middle = lo / 2 + hi / 2, step = 16UL << 20, off;
	struct page *p;

	if (hi - lo <= step) {
		for (off = lo & -PAGE; off <= hi; off += PAGE)
			if ((p = page_at(off)) && slot_in(p, lo, hi))
				return p;
		return NULL;
	}
	for (off = 1UL << 30; off >= step; off -= step) {
		unsigned long down = (middle - off) & -PAGE;
		unsigned long up = (middle + off) & -PAGE;

		if (down >= lo && down < middle && (p = page_at(down)))
			return p;
		if (up <= hi && up > middle && (p = page_at(up)))
			return p;
	}
	return NULL;
}

/* A free slot whose code begins between @lo and @hi. */
unsigned long rewrite_slot(struct page **page, unsigned long lo,
			   unsigned long hi)
{
	unsigned long slot;

	for (int i = 0; i < rewrite_n_pages; i++) {
		slot = slot_in(&rewrite_pages[i], lo, hi);
		if (slot) {
			*page = &rewrite_pages[i];
			return slot;
		}
	}
	*page = page_near(lo, hi);
	return *page ? slot_in(*page, lo, hi) : 0;
}
