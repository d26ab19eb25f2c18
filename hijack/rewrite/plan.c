// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is to be done about a system call instruction.
 *
 * Code is never decoded to find system calls: what is changed has been executed
 * and has trapped, or was found by its bytes.  It is decoded to find out where
 * the instruction before it begins, by starting at many places further up:
 * decoders of x86 fall into step soon, and only if all agree the answer is
 * taken.
 */
#include "parts.h"

static ZydisDecoder decoder;

unsigned int rewrite_decode(ZydisDecodedInstruction *in, unsigned long at,
			    unsigned long end)
{
	if (at >= end ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
		    &decoder, NULL, rewrite_seen(at), end - at, in)))
		return 0;
	return in->length;
}

/* How many bytes further up decoding starts, and at least does. */
#define FAR 96
#define NEAR 32
#define VOTES 8

/*
 * Length of the instruction before @site, 0 if it is not certain; *@inside
 * tells whether @site is certainly in the middle of one.
 */
static unsigned int length_before(unsigned long site, unsigned long start,
				  unsigned long end, bool *inside)
{
	unsigned char len[FAR + 1];
	ZydisDecodedInstruction in;
	unsigned int back, votes = 0, over = 0, prev = 0;

	*inside = false;

	for (back = 1; back <= FAR && site - back >= start; back++)
		len[back] = rewrite_decode(&in, site - back, end);
	while (--back >= NEAR) {
		unsigned int at = back, last = 0;

		while (at && len[at] && len[at] <= at) {
			last = at;
			at -= len[at];
		}
		if (at) {
			over += len[at] > at;
			continue;
		}
		if (prev && prev != last)
			return 0;
		prev = last;
		votes++;
	}
	*inside = over >= VOTES && over > VOTES * votes;
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
 * What comes behind @site cannot be executed: it is data, as the tables of
 * ciphers that are between their functions.
 */
static bool is_data(unsigned long site, unsigned long end)
{
	unsigned long at = site + 2;
	ZydisDecodedInstruction in;

	for (int i = 0; i < 16 && at + ZYDIS_MAX_INSTRUCTION_LENGTH < end;
	     i++) {
		unsigned int len = rewrite_decode(&in, at, end);

		if (!len || in.meta.category == ZYDIS_CATEGORY_IO ||
		    in.meta.category == ZYDIS_CATEGORY_IOSTRINGOP)
			return true;
		if (never_falls_through(&in))
			return false;
		at += len;
	}
	return false;
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

	while (at <= limit && (len = rewrite_decode(&in, at, end))) {
		unsigned long pad = at += len;

		if (!never_falls_through(&in))
			continue;
		while ((len = rewrite_decode(&in, at, end)) &&
		       (in.mnemonic == ZYDIS_MNEMONIC_NOP ||
			in.mnemonic == ZYDIS_MNEMONIC_INT3))
			at += len;
		*size = at - pad;
		if (*size >= 5 && pad <= limit)
			return pad;
	}
	return 0;
}

/*
 * Find a safe way for the instruction at @site, in code from @start to @end.
 * That it is one is certain if *@plan says that there is one before it.
 */
void rewrite_plan(struct plan *plan, unsigned long site, unsigned long start,
		  unsigned long end)
{
	unsigned int len = length_before(site, start, end, &plan->inside);
	ZydisDecodedInstruction in;

	plan->inside = plan->inside || (!len && is_data(site, end));
	if (len && !(rewrite_decode(&in, site - len, end) && can_move(&in)))
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

void rewrite_decoder_init(void)
{
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
}
