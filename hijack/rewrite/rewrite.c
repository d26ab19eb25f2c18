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
 * first.  The system call instruction stays for code that reaches it another
 * way.
 *
 * SHORT: the instruction becomes a jump of two bytes to padding behind one of
 * the next functions, and the padding a long jump.
 *
 * BEFORE again, but shorter: the long jump overlaps the system call instruction
 * without changing it.  Its upper bytes are given by those, and there must be
 * room for a trampoline at one certain place.
 *
 * plan.c finds out which way it is for an instruction, pages.c changes code.
 */
#include <string.h>
#include <sys/syscall.h>

#include "parts.h"

#define MAX_TEXTS 1024
#define MAX_SITES 16384

static struct text {
	unsigned long start, end;
} texts[MAX_TEXTS];
static int n_texts;

/* By address of the instruction, a hash table; what has been is &gone. */
static struct rewrite_site *sites[MAX_SITES];
static int n_sites;

static unsigned long entry;
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
	unsigned char *copy = page->copy ?: rewrite_copy(page->base, PAGE),
		      *code;
	struct rewrite_site *s;
	ZydisDecodedInstruction in;
	unsigned long ip = CODE(slot);

	if (!copy)
		return false;
	memcpy(copy, &entry, sizeof(entry));
	s = (void *)(copy + (slot - page->base));
	code = (unsigned char *)(s + 1);
	if (plan->len) {
		memcpy(code, rewrite_seen(plan->from), plan->len);
		rewrite_decode(&in, plan->from, plan->from + plan->len);
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
	/* syscall; jmp *resume(%rip) */
	memcpy(code + 13, "\x0f\x05\xff\x25", 4);
	put32(code + 17,
	      slot + offsetof(struct rewrite_site, resume) - (ip + 21));
	if (rewrite_batch.copy)
		page->copy = copy;
	if (page->copy || rewrite_replace(page->base, copy, PAGE)) {
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
	unsigned char *copy = rewrite_batch.copy ? rewrite_seen(base)
						 : rewrite_copy(base, len);

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
	if (!rewrite_batch.copy)
		return rewrite_replace(base, copy, len);
	rewrite_changed(base, len);
	return true;
}

/* Where the trampoline may be. */
static void reach(const struct plan *plan, unsigned long *lo, unsigned long *hi)
{
	unsigned long next = plan->at + 5;
	uint32_t fixed;

	if (plan->kind == REWRITE_BEFORE && plan->len < 5) {
		unsigned int free = 8 * (plan->len - 1);

		memcpy(&fixed, rewrite_seen(plan->at + 1), sizeof(fixed));
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
	slot = rewrite_slot(&page, lo, hi);
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

	rewrite_plan(&plan, site, text->start, text->end);
	done = carry_out(&plan, site);
	if (done)
		return done;
	/* It goes on by signals, but needs not be looked at again. */
	plan = (struct plan){ .kind = REWRITE_NONE };
	slot = rewrite_slot(&page, site > 1UL << 31 ? site - (1UL << 31) : PAGE,
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

bool rewrite_found(unsigned long address)
{
	unsigned long start = rewrite_batch.base,
		      end = start + rewrite_batch.size;
	struct rewrite_site **where = site_slot(address);
	struct plan plan;

	if (n_sites >= MAX_SITES * 3 / 4)
		return false;
	rewrite_need(address);
	if (start + CONTEXT < address)
		start = address - CONTEXT;
	if (end > address + CONTEXT)
		end = address + CONTEXT;
	rewrite_plan(&plan, address, start, end);
	if (plan.from == address)
		return plan.inside;
	*where = carry_out(&plan, address);
	n_sites += !!*where;
	return *where;
}

const struct rewrite_site *rewrite_find(unsigned long ip)
{
	for (int i = 0; i < rewrite_n_pages; i++) {
		struct page *p = &rewrite_pages[i];
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

	for (int i = 0; i < rewrite_n_pages; i++)
		if (slot - rewrite_pages[i].base < PAGE)
			rewrite_pages[i].used &= ~(
				1ULL << (slot - rewrite_pages[i].base) / SLOT);
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

bool rewrite_is_text(unsigned long start, unsigned long end)
{
	const struct text *text;
	bool is;

	rewrite_lock();
	text = text_of(start);
	is = text && end <= text->end;
	rewrite_unlock();
	return is;
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

unsigned long rewrite_entry(void)
{
	return entry;
}

void rewrite_init(void (*to)(void))
{
	entry = (unsigned long)to;
	rewrite_decoder_init();
}
