/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that rewrite instructions share. */
#ifndef REWRITE_PARTS_H
#define REWRITE_PARTS_H

#include <stdint.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>

#include "../core.h"
#include "rewrite.h"

#define PAGE 4096UL

/* How far around a system call instruction code is looked at. */
#define CONTEXT 512

/**
 * struct plan - what is to be done about an instruction
 * @kind: how
 * @at: where the long jump goes
 * @padding: bytes that are free there, with REWRITE_SHORT
 * @from: first byte of what moves to the trampoline
 * @len: its length
 * @inside: it is certainly none, but in the middle of another one, or data
 */
struct plan {
	enum rewrite_kind kind;
	unsigned long at;
	unsigned int padding;
	unsigned long from;
	unsigned int len;
	bool inside;
};

/* plan.c */
void rewrite_decoder_init(void);
unsigned int rewrite_decode(ZydisDecodedInstruction *in, unsigned long at,
			    unsigned long end);
void rewrite_plan(struct plan *plan, unsigned long site, unsigned long start,
		  unsigned long end);

/* Trampolines are in slots of pages, each of which begins with the entry. */
#define SLOT 96
#define SLOTS (PAGE / SLOT)

/* Where the code of a slot begins. */
#define CODE(slot) ((slot) + sizeof(struct rewrite_site))

/**
 * struct page - a page of trampolines; slot 0 is where they find the entry
 * @base: where it is
 * @used: a bit for each slot
 * @copy: to be moved there in the end
 */
struct page {
	unsigned long base;
	uint64_t used;
	unsigned char *copy;
};

/**
 * struct batch - code whose copy is being changed, as far as it was copied
 * @base: where the code is
 * @size: of it
 * @copy: of it, or NULL
 * @states: of each page
 */
struct batch {
	unsigned long base, size;
	unsigned char *copy;
	enum { ABSENT, COPIED, CHANGED } * states;
};

/* pages.c */
extern struct page rewrite_pages[];
extern int rewrite_n_pages;
extern struct batch rewrite_batch;

unsigned char *rewrite_seen(unsigned long at);
unsigned char *rewrite_copy(unsigned long at, unsigned long len);
bool rewrite_replace(unsigned long at, unsigned char *copy, unsigned long len);
void rewrite_need(unsigned long site);
void rewrite_changed(unsigned long at, unsigned long len);
unsigned long rewrite_slot(struct page **page, unsigned long lo,
			   unsigned long hi);

#endif /* REWRITE_PARTS_H */
