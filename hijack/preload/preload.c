// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way in for programs that are linked dynamically: LD_PRELOAD.
 *
 * When the program's libraries have been loaded, and before any of its code
 * runs, each system call instruction in them becomes a jump to the core
 * (../rewrite/rewrite.c).  Overriding the C library's functions would miss the
 * calls it makes itself: getaddrinfo(), fopen(), getifaddrs() and res_init() do
 * not ask by name.
 *
 * A program that is executed gets this library, whatever its environment was to
 * be.
 */
#include <emmintrin.h>
#include <errno.h>
#include <link.h>
#include <linux/sched.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lkl_host.h>

#include "../core.h"
#include "../rewrite/rewrite.h"
#include "preload.h"

#define LIBRARY "liblkl-hijack.so"

/* LD_PRELOAD as this program got it. */
static char *own_preload;

/*
 * Programs that this one executes
 */

static long do_exec(long nr, const long *a)
{
	static const char name[] = "LD_PRELOAD=";
	int at = nr == SYS_execveat ? 3 : 2;
	unsigned long size = hijack_exec_size((char **)a[at]), i, n;
	long b[6] = { a[0], a[1], a[2], a[3], a[4], a[5] }, ret;
	char shared[HIJACK_EXEC_TEXT];
	/* On the stack: this may be the child of a vfork(). */
	char *env[size + 1];

	n = hijack_exec_begin((char **)a[at], env, shared);
	for (i = 0; i < n && strncmp(env[i], name, sizeof(name) - 1); i++)
		;
	if (i == n) {
		env[n++] = own_preload;
		env[n] = NULL;
	}

	char text[strlen(env[i]) + strlen(own_preload) + 2];

	if (!strstr(env[i], LIBRARY)) {
		strcpy(text, own_preload);
		strcat(text, ":");
		strcat(text, env[i] + sizeof(name) - 1);
		env[i] = text;
	}
	b[at] = (long)env;
	ret = hijack_syscall(nr, b);
	hijack_exec_end();
	return ret;
}

/*
 * A new thread or process: the stack may be another one in the child, but is
 * not if it has memory of its own, unless it is told to be.  What uses libc has
 * been done before a fork(): here it holds locks of malloc().
 */
static long do_clone(long nr, const long *a)
{
	/* The first word of clone3()'s structure is flags, too. */
	const struct clone_args *args = (void *)a[0];
	unsigned long flags = nr == SYS_clone3	? args->flags
			      : nr == SYS_clone ? (unsigned long)a[0]
						: 0;
	long stack = 0, ret;

	if (nr == SYS_vfork ||
	    (flags & (CLONE_THREAD | CLONE_VM)) == CLONE_VM) {
		hijack_before_fork();
		preload_signals_end();
	}
	if (nr == SYS_clone3)
		stack = args->stack;
	else if (nr == SYS_clone)
		stack = a[1];
	if (nr == SYS_vfork || flags & CLONE_VFORK)
		hijack_fork_begin(true);
	if (nr == SYS_vfork || flags & CLONE_VM || stack)
		return PRELOAD_IN_PLACE;
	hijack_fork_begin(false);
	ret = host_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	hijack_fork_end(ret);
	preload_signals_end();
	return ret;
}

long preload_syscall(long nr, const long *a)
{
	switch (nr) {
	case SYS_execve:
	case SYS_execveat:
		return do_exec(nr, a);
	case SYS_clone:
	case SYS_clone3:
	case SYS_fork:
	case SYS_vfork:
		return do_clone(nr, a);
	case SYS_rt_sigaction:
		return preload_sigaction(nr, a);
	}
	return preload_signals_call(nr, a);
}

/*
 * Objects
 */

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
	if (ours || !strncmp(info->dlpi_name, "linux-vdso", 10))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		unsigned long start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		if (!rewrite_begin(start, start + p->p_memsz))
			return -1;
		rewrite_range(start, start + p->p_memsz);
		if (!rewrite_end())
			return -1;
	}
	return 0;
}

static void prepare_fork(void)
{
	hijack_before_fork();
}

__attribute__((constructor)) static void preload_start(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if (!preload || asprintf(&own_preload, "LD_PRELOAD=%s", preload) < 0)
		_exit(127);
	lkl_host_ops.wait = hijack_wait;
	if (hijack_start("lkl-hijack"))
		_exit(127);
	pthread_atfork(prepare_fork, NULL, NULL);
	rewrite_init(preload_entry);
	if (dl_iterate_phdr(rewrite_object, NULL)) {
		fputs("lkl-hijack: no memory to rewrite the program\n", stderr);
		_exit(127);
	}
}
