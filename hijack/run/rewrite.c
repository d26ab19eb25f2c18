// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turning system call instructions into jumps.
 *
 * A system call instruction is two bytes long, a jump to anywhere five.  What
 * makes the change safe with other threads running is one rule: only whole
 * instructions are replaced, each by one that takes no more room, so wherever
 * another thread, a return address or a jump table points, an instruction
 * begins.  Three ways keep the rule, tried in this order:
 *
 * BEFORE: the instruction before the system call, mostly `mov $nr, %eax`, has
 * five bytes or more.  It becomes a jump to a trampoline, where it is executed
 * first.  The system call instruction stays for those who come another way.
 *
 * SHORT: the instruction becomes a jump of two bytes to padding behind one of
 * the next functions, and the padding a long jump.
 *
 * BEFORE again, but shorter: the long jump overlaps the system call instruction
 * without changing it.  Its upper bytes are given by those, and there must be
 * room for a trampoline at one certain place.
 *
 * Code is never decoded to find system calls: what is changed has been executed
 * and has trapped.  It is decoded to find out where the instruction before it
 * begins, by starting at many places further up: decoders of x86 fall into step
 * soon, and only if all agree the answer is taken.
 *
 * Pages change all at once: a changed copy is made elsewhere, becomes
 * executable, no longer writable, and is moved over the page.  A thread in it
 * finds the old page, or faults and waits until the new one is there.  Where
 * much is to be changed before it is executed, the copies are kept until the
 * end, and it is them that is read (rewrite_begin()).
 */
#include <linux/mman.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <Zydis/Zydis.h>

#include "../core.h"
#include "rewrite.h"

#define PAGE 4096UL
#define SLOT 96
#define SLOTS (PAGE / SLOT)
#define MAX_PAGES 2048
#define MAX_TEXTS 1024
#define MAX_SITES 16384

/* A page of trampolines; slot 0 is where they find the entry. */
static struct page {
	unsigned long base;
	uint64_t used;
	unsigned char *copy; /* to be moved there in the end */
} pages[MAX_PAGES];
static int n_pages;

static struct text {
	unsigned long start, end;
} texts[MAX_TEXTS];
static int n_texts;

/* Code whose copy is being changed, as far as it was copied. */
static struct batch {
	unsigned long base, size;
	unsigned char *copy;
	enum { ABSENT, COPIED, CHANGED } * states;
} batch;

/* By address of the instruction, a hash table; what has been is &gone. */
static struct rewrite_site *sites[MAX_SITES];
static int n_sites;

static unsigned long entry;
static ZydisDecoder decoder;
static int lock;

static struct rewrite_site gone;

void rewrite_lock(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		host_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void rewrite_unlock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/* Where code is read that is to be at @at. */
static unsigned char *seen(unsigned long at)
{
	return (unsigned char *)at +
	       (batch.copy ? (unsigned long)batch.copy - batch.base : 0);
}

static unsigned int decode(ZydisDecodedInstruction *in, unsigned long at,
			   unsigned long end)
{
	if (at >= end || !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
				 &decoder, NULL, seen(at), end - at, in)))
		return 0;
	return in->length;
}

/* How many bytes further up decoding starts, and at least does. */
#define FAR 96
#define NEAR 32
#define VOTES 8

/* Length of the instruction before @site, 0 if it is not certain. */
static unsigned int length_before(unsigned long site, unsigned long start,
				  unsigned long end)
{
	unsigned char len[FAR + 1];
	ZydisDecodedInstruction in;
	unsigned int back, votes = 0, prev = 0;

	for (back = 1; back <= FAR && site - back >= start; back++)
		len[back] = decode(&in, site - back, end);
	while (--back >= NEAR) {
		unsigned int at = back, last = 0;

		while (at && len[at] && len[at] <= at) {
			last = at;
			at -= len[at];
		}
		if (at)
			continue;
		if (prev && prev != last)
			return 0;
		prev = last;
		votes++;
	}
	return votes >= VOTES ? prev : 0;
}

/* Can the instruction be executed elsewhere, but for its own address in it? */
static bool can_move(const ZydisDecodedInstruction *in)
{
	if (in->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
		return false;
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_SYSRET:
		return false;
	default:
		return !(in->attributes & ZYDIS_ATTRIB_IS_RELATIVE) ||
		       in->raw.disp.size == 32;
	}
}

static bool never_falls_through(const ZydisDecodedInstruction *in)
{
	return in->mnemonic == ZYDIS_MNEMONIC_RET ||
	       in->mnemonic == ZYDIS_MNEMONIC_JMP ||
	       in->mnemonic == ZYDIS_MNEMONIC_UD2 ||
	       in->mnemonic == ZYDIS_MNEMONIC_HLT;
}

/*
 * Five bytes of padding, or more, that a short jump from @site reaches, or 0;
 * *@size tells how many.
 */
static unsigned long find_padding(unsigned long site, unsigned long end,
				  unsigned int *size)
{
	unsigned long at = site + 2, limit = site + 2 + 127;
	ZydisDecodedInstruction in;
	unsigned int len;

	while (at <= limit && (len = decode(&in, at, end))) {
		unsigned long pad = at += len;

		if (!never_falls_through(&in))
			continue;
		while ((len = decode(&in, at, end)) &&
		       (in.mnemonic == ZYDIS_MNEMONIC_NOP ||
			in.mnemonic == ZYDIS_MNEMONIC_INT3))
			at += len;
		*size = at - pad;
		if (*size >= 5 && pad <= limit)
			return pad;
	}
	return 0;
}

/**
 * struct plan - what is to be done about an instruction
 * @kind: how
 * @at: where the long jump goes
 * @padding: bytes that are free there, with REWRITE_SHORT
 * @from: first byte of what moves to the trampoline
 * @len: its length
 */
struct plan {
	enum rewrite_kind kind;
	unsigned long at;
	unsigned int padding;
	unsigned long from;
	unsigned int len;
};

/*
 * Find a safe way for the instruction at @site, in code from @start to @end.
 * That it is one is certain if *@plan says that there is one before it.
 */
static void make_plan(struct plan *plan, unsigned long site,
		      unsigned long start, unsigned long end)
{
	unsigned int len = length_before(site, start, end);
	ZydisDecodedInstruction in;

	if (len && !(decode(&in, site - len, end) && can_move(&in)))
		len = 0;
	plan->kind = REWRITE_BEFORE;
	plan->at = plan->from = site - len;
	plan->len = len;
	if (len >= 5)
		return;
	plan->at = find_padding(site, end, &plan->padding);
	if (plan->at) {
		plan->kind = REWRITE_SHORT;
		plan->len = 0;
	} else if (len >= 2 && site + 5 - len <= end) {
		plan->at = plan->from;
	} else {
		plan->kind = REWRITE_NONE;
		plan->len = 0;
	}
}

/*
 * Pages
 */
static long host_mmap(unsigned long at, unsigned long len, int prot, int flags)
{
	return host_syscall(SYS_mmap, at, len, prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static bool failed(long ret)
{
	return ret < 0 && ret > -4096;
}

/* A copy of pages that can be written, for pages_replace(). */
static unsigned char *pages_copy(unsigned long at, unsigned long len)
{
	long copy = host_mmap(0, len, PROT_READ | PROT_WRITE, 0);

	if (failed(copy))
		return NULL;
	memcpy((void *)copy, (void *)at, len);
	return (void *)copy;
}

static bool pages_replace(unsigned long at, unsigned char *copy,
			  unsigned long len)
{
	if (!host_syscall(SYS_mprotect, (long)copy, len, PROT_READ | PROT_EXEC,
			  0, 0, 0) &&
	    !failed(host_syscall(SYS_mremap, (long)copy, len, len,
				 MREMAP_MAYMOVE | MREMAP_FIXED, at, 0)))
		return true;
	host_syscall(SYS_munmap, (long)copy, len, 0, 0, 0, 0);
	return false;
}

/* How far around a system call instruction code is looked at. */
#define CONTEXT 512

static void batch_copy(unsigned long site)
{
	unsigned long at = (site - CONTEXT) & -PAGE, end = site + CONTEXT;

	if (at < batch.base)
		at = batch.base;
	for (; at < end && at < batch.base + batch.size; at += PAGE) {
		if (batch.states[(at - batch.base) / PAGE] != ABSENT)
			continue;
		memcpy(seen(at), (void *)at, PAGE);
		batch.states[(at - batch.base) / PAGE] = COPIED;
	}
}

static void batch_changed(unsigned long at, unsigned long len)
{
	for (; len; at += PAGE, len -= PAGE)
		batch.states[(at - batch.base) / PAGE] = CHANGED;
}

bool rewrite_begin(unsigned long start, unsigned long end)
{
	unsigned long base = start & -PAGE;
	unsigned long size = ((end + PAGE - 1) & -PAGE) - base;
	unsigned long states = size / PAGE * sizeof(*batch.states);
	long copy = host_mmap(0, size + states, PROT_READ | PROT_WRITE,
			      MAP_NORESERVE);

	if (failed(copy))
		return false;
	batch = (struct batch){ base, size, (void *)copy,
				(void *)(copy + size) };
	return true;
}

bool rewrite_end(void)
{
	unsigned long at, len, n = batch.size / PAGE;
	struct batch b = batch;
	bool ok = true;

	batch.copy = NULL;
	for (int i = 0; i < n_pages; i++) {
		if (pages[i].copy)
			ok &= pages_replace(pages[i].base, pages[i].copy, PAGE);
		pages[i].copy = NULL;
	}
	for (at = 0; ok && at < n; at += len) {
		for (len = 1; at + len < n; len++)
			if (b.states[at + len] != b.states[at])
				break;
		if (b.states[at] == CHANGED)
			ok = pages_replace(b.base + at * PAGE,
					   b.copy + at * PAGE, len * PAGE);
	}
	host_syscall(SYS_munmap, (long)b.copy, b.size + n * sizeof(*b.states),
		     0, 0, 0, 0);
	return ok;
}

/* Where the code of a slot begins. */
#define CODE(slot) ((slot) + sizeof(struct rewrite_site))

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
	if (n_pages == MAX_PAGES ||
	    host_mmap(base, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) != (long)base)
		return NULL;
	pages[n_pages] = (struct page){ .base = base };
	return &pages[n_pages++];
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
static unsigned long slot_get(struct page **page, unsigned long lo,
			      unsigned long hi)
{
	unsigned long slot;

	for (int i = 0; i < n_pages; i++) {
		slot = slot_in(&pages[i], lo, hi);
		if (slot) {
			*page = &pages[i];
			return slot;
		}
	}
	*page = page_near(lo, hi);
	return *page ? slot_in(*page, lo, hi) : 0;
}

/*
 * Sites
 */
/* Where the site is, or where it would be. */
static struct rewrite_site **site_slot(unsigned long address)
{
	unsigned int i = address * 0x9e3779b97f4a7c15UL >> 50, n;
	struct rewrite_site **free = NULL;

	for (n = 0; n < MAX_SITES && sites[i]; n++) {
		if (sites[i]->address == address)
			return &sites[i];
		if (sites[i] == &gone && !free)
			free = &sites[i];
		i = (i + 1) % MAX_SITES;
	}
	return free ? free : &sites[i];
}

static struct text *text_of(unsigned long address)
{
	for (int i = 0; i < n_texts; i++)
		if (address >= texts[i].start && address < texts[i].end)
			return &texts[i];
	return NULL;
}

static void put32(unsigned char *at, long value)
{
	int32_t v = value;

	memcpy(at, &v, sizeof(v));
}

static void put_jump(unsigned char *at, unsigned long from, unsigned long to)
{
	at[0] = 0xe9;
	put32(at + 1, to - (from + 5));
}

/* Write the trampoline for @plan to @slot. */
static bool make_trampoline(struct page *page, unsigned long slot,
			    const struct plan *plan, unsigned long site)
{
	unsigned char *copy = page->copy ?: pages_copy(page->base, PAGE), *code;
	struct rewrite_site *s;
	ZydisDecodedInstruction in;
	unsigned long ip = CODE(slot);

	if (!copy)
		return false;
	memcpy(copy, &entry, sizeof(entry));
	s = (void *)(copy + (slot - page->base));
	code = (unsigned char *)(s + 1);
	if (plan->len) {
		memcpy(code, seen(plan->from), plan->len);
		decode(&in, plan->from, plan->from + plan->len);
		if (in.attributes & ZYDIS_ATTRIB_IS_RELATIVE) {
			long disp = in.raw.disp.value + plan->from - ip;

			if (disp != (int32_t)disp)
				goto fail;
			put32(code + in.raw.disp.offset, disp);
		}
		code += plan->len;
		ip += plan->len;
	}
	*s = (struct rewrite_site){
		.address = site,
		.resume = site + 2,
		.code = ip,
		.end = ip + 13,
		.kind = plan->kind,
	};
	/* lea slot(%rip), %r11; jmp *page(%rip) */
	memcpy(code, "\x4c\x8d\x1d", 3);
	put32(code + 3, slot - (ip + 7));
	memcpy(code + 7, "\xff\x25", 2);
	put32(code + 9, page->base - (ip + 13));
	if (batch.copy)
		page->copy = copy;
	if (page->copy || pages_replace(page->base, copy, PAGE)) {
		page->used |= 1ULL << (slot - page->base) / SLOT;
		return true;
	}
	return false;
fail:
	if (!page->copy)
		host_syscall(SYS_munmap, (long)copy, PAGE, 0, 0, 0, 0);
	return false;
}

/* Have the program jump to the trampoline at @slot. */
static bool make_jump(unsigned long slot, const struct plan *plan,
		      unsigned long site)
{
	unsigned long lo = plan->at < site ? plan->at : site;
	unsigned long hi = plan->at < site ? site + 5
					   : plan->at + plan->padding;
	unsigned long base = lo & -PAGE, len = ((hi + PAGE - 1) & -PAGE) - base;
	unsigned char *copy = batch.copy ? seen(base) : pages_copy(base, len);

	if (!copy)
		return false;
	if (plan->kind == REWRITE_SHORT) {
		copy[site - base] = 0xeb;
		copy[site - base + 1] = plan->at - (site + 2);
		/* What is left of a longer nop is some other instruction. */
		memset(copy + (plan->at - base), 0x90, plan->padding);
	}
	/* One that overlaps the system call writes there what is there. */
	put_jump(copy + (plan->at - base), plan->at, CODE(slot));
	if (!batch.copy)
		return pages_replace(base, copy, len);
	batch_changed(base, len);
	return true;
}

/* Where the trampoline may be. */
static void reach(const struct plan *plan, unsigned long *lo, unsigned long *hi)
{
	unsigned long next = plan->at + 5;
	uint32_t fixed;

	if (plan->kind == REWRITE_BEFORE && plan->len < 5) {
		unsigned int free = 8 * (plan->len - 1);

		memcpy(&fixed, seen(plan->at + 1), sizeof(fixed));
		fixed = fixed >> free << free;
		*lo = next + (int32_t)fixed;
		*hi = *lo + (1UL << free) - 1;
		return;
	}
	*lo = next > 0x7f000000 ? next - 0x7f000000 : PAGE;
	*hi = next + 0x7f000000;
}

static struct rewrite_site *carry_out(const struct plan *plan,
				      unsigned long site)
{
	unsigned long slot, lo, hi;
	struct page *page;

	if (plan->kind == REWRITE_NONE)
		return NULL;
	reach(plan, &lo, &hi);
	slot = slot_get(&page, lo, hi);
	if (slot && make_trampoline(page, slot, plan, site) &&
	    make_jump(slot, plan, site))
		return (void *)slot;
	return NULL;
}

static struct rewrite_site *patch_site(unsigned long site,
				       const struct text *text)
{
	struct rewrite_site *done;
	unsigned long slot;
	struct page *page;
	struct plan plan;

	make_plan(&plan, site, text->start, text->end);
	done = carry_out(&plan, site);
	if (done)
		return done;
	/* It goes on by signals, but needs not be looked at again. */
	plan = (struct plan){ .kind = REWRITE_NONE };
	slot = slot_get(&page, site > 1UL << 31 ? site - (1UL << 31) : PAGE,
			site + (1UL << 31));
	if (slot && make_trampoline(page, slot, &plan, site))
		return (void *)slot;
	return NULL;
}

const struct rewrite_site *rewrite_trap(unsigned long address, bool patch)
{
	struct rewrite_site *site = NULL, **where;
	const struct text *text;

	rewrite_lock();
	where = site_slot(address);
	if (*where && *where != &gone) {
		site = *where;
	} else if (patch && n_sites < MAX_SITES * 3 / 4 &&
		   (text = text_of(address))) {
		site = *where = patch_site(address, text);
		n_sites += !!site;
	}
	rewrite_unlock();
	return site;
}

void rewrite_found(unsigned long address)
{
	unsigned long start = batch.base, end = start + batch.size;
	struct rewrite_site **where = site_slot(address);
	struct plan plan;

	if (n_sites >= MAX_SITES * 3 / 4)
		return;
	batch_copy(address);
	if (start + CONTEXT < address)
		start = address - CONTEXT;
	if (end > address + CONTEXT)
		end = address + CONTEXT;
	make_plan(&plan, address, start, end);
	if (plan.from == address)
		return;
	*where = carry_out(&plan, address);
	n_sites += !!*where;
}

const struct rewrite_site *rewrite_find(unsigned long ip)
{
	for (int i = 0; i < n_pages; i++) {
		struct page *p = &pages[i];
		unsigned int n = (ip - p->base) / SLOT;

		if (ip - p->base < PAGE)
			return p->used & 1ULL << n
				       ? (void *)(p->base + n * SLOT)
				       : NULL;
	}
	return NULL;
}

void rewrite_each(void (*fn)(const struct rewrite_site *site))
{
	for (int i = 0; i < MAX_SITES; i++)
		if (sites[i] && sites[i] != &gone)
			fn(sites[i]);
}

static void site_drop(struct rewrite_site **site)
{
	unsigned long slot = (unsigned long)*site;

	for (int i = 0; i < n_pages; i++)
		if (slot - pages[i].base < PAGE)
			pages[i].used &=
				~(1ULL << (slot - pages[i].base) / SLOT);
	*site = &gone;
	n_sites--;
}

void rewrite_text(unsigned long start, unsigned long end)
{
	rewrite_lock();
	if (n_texts < MAX_TEXTS) {
		texts[n_texts].start = start;
		texts[n_texts++].end = end;
	}
	rewrite_unlock();
}

void rewrite_forget(unsigned long start, unsigned long end)
{
	rewrite_lock();
	for (int i = 0; i < n_texts; i++) {
		struct text *t = &texts[i], upper = { end, t->end };

		if (t->end <= start || t->start >= end)
			continue;
		for (int s = 0; s < MAX_SITES; s++)
			if (sites[s] && sites[s]->address >= start &&
			    sites[s]->address < end)
				site_drop(&sites[s]);
		if (t->start < start) {
			t->end = start;
			if (upper.end > end && n_texts < MAX_TEXTS)
				texts[n_texts++] = upper;
		} else if (t->end > end) {
			t->start = end;
		} else {
			*t = texts[--n_texts];
			i--;
		}
	}
	rewrite_unlock();
}

void rewrite_init(void (*to)(void))
{
	entry = (unsigned long)to;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
}
