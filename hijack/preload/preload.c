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
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lkl_host.h>

#include "preload.h"

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

/* What was blocked before a fork(). */
static unsigned long fork_mask;

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
	fork_mask = way_signals_block();
	t->selector = 0;
	if (outside && !t->pending)
		hijack_heir_begin();
	t->selector = outside;
}

static void end_fork(void (*end)(void))
{
	struct way_thread *t = &preload_thread;
	bool outside = t->selector;

	t->selector = 0;
	end();
	t->selector = outside;
	way_signals_unblock(fork_mask);
}

static void in_parent(void)
{
	end_fork(hijack_heir_parent);
}

static void in_child(void)
{
	end_fork(hijack_heir_child);
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
	pthread_atfork(prepare_fork, in_parent, in_child);
	rewrite_init(preload_entry);
	if (preload_code_init()) {
		fputs("lkl-hijack: no memory to rewrite the program\n", stderr);
		_exit(127);
	}
	t->selector = 1;
	way_signals_now(t);
}
