// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's code: that of the objects that are there at the start, and what
 * it maps later.
 *
 * What is a file's and stays as it is, as a library that dlopen() loads, is
 * rewritten before any of it is executed.  Anything else that is executable has
 * the host trap calls (dispatch.c).
 */
#include <emmintrin.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "preload.h"

#define PAGES(len) (((len) + 4095) & -4096UL)

/* What __restore_rt() looks like; unwinders know signal frames by it. */
static bool is_restorer(const uint8_t *site)
{
	return !memcmp(site - 7, "\x48\xc7\xc0\x0f\0\0\0", 7);
}

static bool rewrite_one(const uint8_t *site, unsigned long start)
{
	unsigned long at = (unsigned long)site;

	return at >= start + 16 && (is_restorer(site) || rewrite_found(at));
}

/* Find the two bytes 0f 05; returns whether all have been dealt with. */
static bool rewrite_range(unsigned long start, unsigned long end)
{
	const __m128i first = _mm_set1_epi8(0x0f), second = _mm_set1_epi8(5);
	const uint8_t *p;
	bool all = true;

	for (p = (void *)start; p + 17 <= (uint8_t *)end; p += 16) {
		__m128i a = _mm_loadu_si128((const void *)p);
		__m128i b = _mm_loadu_si128((const void *)(p + 1));
		unsigned int hits = _mm_movemask_epi8(_mm_and_si128(
			_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, second)));

		for (; hits; hits &= hits - 1)
			all &= rewrite_one(p + __builtin_ctz(hits), start);
	}
	for (; p + 2 <= (uint8_t *)end; p++)
		if (p[0] == 0x0f && p[1] == 5)
			all &= rewrite_one(p, start);
	return all;
}

/* Returns 0, 1 if something is left, or a negative error number. */
static int rewrite_code(unsigned long start, unsigned long end)
{
	bool all;

	rewrite_lock();
	all = rewrite_begin(start, end);
	if (!all) {
		rewrite_unlock();
		return -ENOMEM;
	}
	all = rewrite_range(start, end);
	if (!rewrite_end())
		all = false;
	rewrite_unlock();
	rewrite_text(start, end);
	return !all;
}

/* What is left of the objects of the start. */
static bool left;

static int rewrite_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	bool ours = false;
	int i, ret;

	(void)size, (void)arg;
	for (i = 0; i < info->dlpi_phnum; i++)
		ours |= info->dlpi_phdr[i].p_type == PT_LOAD &&
			rewrite_entry() - info->dlpi_addr -
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
			preload_text = start;
			preload_text_size = p->p_memsz;
			continue;
		}
		ret = rewrite_code(start, start + p->p_memsz);
		if (ret < 0)
			return -1;
		left |= ret || p->p_flags & PF_W;
	}
	return 0;
}

/* Is there code beside the objects, as a stack that can be executed? */
static bool is_more(void)
{
	unsigned long start, end;
	char line[512], mode[5];
	bool more = false;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && !more && fgets(line, sizeof(line), maps))
		more = sscanf(line, "%lx-%lx %4s", &start, &end, mode) == 3 &&
		       mode[2] == 'x' &&
		       (mode[1] == 'w' || !strchr(line, '/')) &&
		       !strstr(line, "[vdso]") && !strstr(line, "[vsyscall]");
	if (maps)
		fclose(maps);
	return more;
}

/**
 * preload_code_init - rewrite all that is there at the start
 *
 * Return: 0 or -1: there is no memory for that
 */
int preload_code_init(void)
{
	bool more = is_more();

	if (dl_iterate_phdr(rewrite_object, NULL))
		return -1;
	if (more || personality(-1) & READ_IMPLIES_EXEC)
		preload_dispatch("memory that can be executed");
	if (left)
		preload_dispatch("the program's code");
	return 0;
}

static bool is_file_code(const long *a)
{
	return (a[2] & (PROT_READ | PROT_WRITE | PROT_EXEC)) ==
		       (PROT_READ | PROT_EXEC) &&
	       (a[3] & (MAP_TYPE | MAP_ANONYMOUS)) == MAP_PRIVATE;
}

static long map(const long *a)
{
	unsigned long len = PAGES(a[1]);
	struct stat st;
	long ret;

	if (a[3] & MAP_FIXED)
		rewrite_forget(a[0], a[0] + len);
	if (!(a[2] & PROT_EXEC))
		return hijack_syscall(SYS_mmap, a);
	if (!is_file_code(a))
		preload_dispatch("memory that can be executed");
	ret = hijack_syscall(SYS_mmap, a);
	if ((ret < 0 && ret > -4096) || !is_file_code(a))
		return ret;
	/* There is nothing behind the end of the file. */
	if (way_host2(SYS_fstat, a[4], &st))
		st.st_size = 0;
	if (st.st_size <= a[5])
		return ret;
	if (len > PAGES(st.st_size - a[5]))
		len = PAGES(st.st_size - a[5]);
	if (rewrite_code(ret, ret + len))
		preload_dispatch("a library's code");
	return ret;
}

static long protect(long nr, const long *a)
{
	unsigned long end = a[0] + PAGES(a[1]);
	bool writes = a[2] & PROT_WRITE;

	if (a[2] & PROT_EXEC && (writes || !rewrite_is_text(a[0], end)))
		preload_dispatch("memory that can be executed");
	return hijack_syscall(nr, a);
}

/**
 * preload_code - make a call that concerns code
 * @nr: number
 * @a: arguments
 *
 * Return: as the call
 */
long preload_code(long nr, const long *a)
{
	switch (nr) {
	case SYS_mmap:
		return map(a);
	case SYS_mprotect:
	case SYS_pkey_mprotect:
		return protect(nr, a);
	case SYS_munmap:
		rewrite_forget(a[0], a[0] + PAGES(a[1]));
		break;
	case SYS_mremap:
		if (rewrite_is_text(a[0], a[0] + 1))
			preload_dispatch("code that is moved");
		rewrite_forget(a[0], a[0] + PAGES(a[1]));
		break;
	case SYS_shmat:
		if (a[2] & SHM_EXEC)
			preload_dispatch("memory that can be executed");
		break;
	case SYS_personality:
		if (a[0] != 0xffffffff && a[0] & READ_IMPLIES_EXEC)
			preload_dispatch("memory that can be executed");
		break;
	}
	return hijack_syscall(nr, a);
}
