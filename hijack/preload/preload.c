// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way in for programs that are linked dynamically: LD_PRELOAD.
 *
 * When the program's libraries have been loaded, and before any of its code
 * runs, each system call instruction in them becomes a jump to the core
 * (../rewrite/rewrite.c).  Overriding the C library's functions would miss the
 * calls it makes itself: getaddrinfo(), fopen(), getifaddrs() and res_init() do
 * not ask by name.
 */
#include <emmintrin.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl_host.h>

#include "preload.h"

/* What __restore_rt() looks like; unwinders know signal frames by it. */
static bool is_restorer(const uint8_t *site)
{
	return !memcmp(site - 7, "\x48\xc7\xc0\x0f\0\0\0", 7);
}

static void rewrite_one(const uint8_t *site, unsigned long start)
{
	unsigned long at = (unsigned long)site;

	if (at >= start + 16 && !is_restorer(site))
		rewrite_found(at);
}

/* Find the two bytes 0f 05. */
static void rewrite_range(unsigned long start, unsigned long end)
{
	const __m128i first = _mm_set1_epi8(0x0f), second = _mm_set1_epi8(5);
	const uint8_t *p;

	for (p = (void *)start; p + 17 <= (uint8_t *)end; p += 16) {
		__m128i a = _mm_loadu_si128((const void *)p);
		__m128i b = _mm_loadu_si128((const void *)(p + 1));
		unsigned int hits = _mm_movemask_epi8(_mm_and_si128(
			_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, second)));

		for (; hits; hits &= hits - 1)
			rewrite_one(p + __builtin_ctz(hits), start);
	}
}

static int rewrite_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	bool ours = false;
	int i;

	(void)size, (void)arg;
	for (i = 0; i < info->dlpi_phnum; i++)
		ours |= info->dlpi_phdr[i].p_type == PT_LOAD &&
			(unsigned long)preload_entry - info->dlpi_addr -
					info->dlpi_phdr[i].p_vaddr <
				info->dlpi_phdr[i].p_memsz;
	if (!strncmp(info->dlpi_name, "linux-vdso", 10))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		unsigned long start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		if (ours) {
			/* That of the C library is the program's as well. */
			way_add_code(start, start + p->p_memsz,
				     HIJACK_CODE_OURS);
			continue;
		}
		if (!rewrite_begin(start, start + p->p_memsz))
			return -1;
		rewrite_range(start, start + p->p_memsz);
		if (!rewrite_end())
			return -1;
	}
	return 0;
}

/* The library's own threads: what they do is never the program's. */
static lkl_thread_t (*library_thread_create)(void (*fn)(void *arg), void *arg);

struct own {
	void (*fn)(void *arg);
	void *arg;
};

static void own_thread(void *arg)
{
	struct own own = *(struct own *)arg;

	/* It has made calls before it came here. */
	preload_thread.selector = 0;
	if (preload_thread.stack)
		way_host2(SYS_munmap, preload_thread.stack + 8 - WAY_STACK_SIZE,
			  WAY_STACK_SIZE);
	free(arg);
	own.fn(own.arg);
}

static lkl_thread_t thread_create(void (*fn)(void *arg), void *arg)
{
	struct own *own = malloc(sizeof(*own));
	lkl_thread_t thread = 0;

	if (own) {
		*own = (struct own){ fn, arg };
		thread = library_thread_create(own_thread, own);
		if (!thread)
			free(own);
	}
	return thread;
}

/* Called by fork(), before it holds the locks of malloc(). */
static void prepare_fork(void)
{
	struct way_thread *t = &preload_thread;
	bool outside = t->selector;

	t->selector = 0;
	hijack_before_fork();
	way_signals_init();
	t->selector = outside;
	if (outside)
		way_signals_now(t);
}

__attribute__((constructor)) static void preload_start(void)
{
	struct way_thread *t = &preload_thread;

	t->selector = 0;
	way_vectors_init();
	way_restorer = preload_restorer;
	way_codes_init();
	if (!preload_exec_init())
		_exit(127);
	way_host2(SYS_sigaltstack, NULL, &t->alt);
	way_signals_adopt();
	way_signals_admit(t);
	library_thread_create = lkl_host_ops.thread_create;
	lkl_host_ops.thread_create = thread_create;
	if (way_signals_early() || hijack_start("lkl-hijack") ||
	    way_signals_init())
		_exit(127);
	pthread_atfork(prepare_fork, NULL, NULL);
	rewrite_init(preload_entry);
	if (dl_iterate_phdr(rewrite_object, NULL)) {
		fputs("lkl-hijack: no memory to rewrite the program\n", stderr);
		_exit(127);
	}
	t->selector = 1;
	way_signals_now(t);
}
