// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel as an image of its own.
 *
 * Where the kernel cannot be linked with the library, as on a host with other
 * objects or other conventions of calls, it is an ELF image in a section of the
 * library.  The image is laid out as it is to be in memory (kernel/image.py),
 * so it stays where it is: the host reads it in as it is used.  What is left to
 * do is
 *  - to relocate it, for which it has a list of words that hold addresses;
 *  - to protect it, segment by segment;
 *  - to find the functions by which the kernel is entered: the header's entry
 * is a table of them, which x86/entries.S makes use of.
 *
 * This is done before main(), since a program may call some of them before
 * lkl_init().  The image is the library's own: if it is broken, so is the
 * program.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lkl/asm/areas.h>
#include <lkl/linux/elf.h>

#include "door.h"

/* The kernel has its own. */
lkl_ulong_t lkl_ram_base;

/* Newer than the kernel's header. */
#define DT_RELRSZ 35
#define DT_RELR 36

/* A word of the list is the place of an address, or of more behind the last
 * one. */
static void relocate(unsigned char *base, const uint64_t *list, size_t count)
{
	uint64_t *next = NULL, delta = (uintptr_t)base;

	for (size_t i = 0; i < count; i++) {
		if (!(list[i] & 1)) {
			next = (uint64_t *)(base + list[i]);
			*next++ += delta;
			continue;
		}
		for (unsigned int bit = 1; bit < 64; bit++)
			if (list[i] >> bit & 1)
				next[bit - 1] += delta;
		next += 63;
	}
}

static void relocate_all(unsigned char *base, const lkl_Elf64_Dyn *dyn)
{
	const uint64_t *list = NULL;
	size_t size = 0;

	for (; dyn->d_tag != LKL_DT_NULL; dyn++) {
		if (dyn->d_tag == DT_RELR)
			list = (const uint64_t *)(base + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_RELRSZ)
			size = dyn->d_un.d_val;
		/* The linker was told to use nothing else. */
		else if (dyn->d_tag == LKL_DT_RELASZ && dyn->d_un.d_val)
			abort();
	}
	relocate(base, list, size / sizeof(*list));
}

static bool protect(unsigned char *base, const lkl_Elf64_Phdr *ph)
{
	const uint64_t page = 4096;
	uint64_t start = ph->p_vaddr & -page;
	uint64_t end = (ph->p_vaddr + ph->p_memsz + page - 1) & -page;

	return door_protect(base + start, end - start, ph->p_flags & LKL_PF_W,
			    ph->p_flags & LKL_PF_X);
}

static void __attribute__((constructor)) door_open(void)
{
	unsigned char *base = door_image;
	const lkl_Elf64_Ehdr *eh = (const void *)base;
	const lkl_Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	size_t size = door_entries_end - (const unsigned char *)door_entries;

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == LKL_PT_DYNAMIC)
			relocate_all(base, (void *)(base + ph[i].p_vaddr));
	memcpy(door_entries, base + eh->e_entry, size);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == LKL_PT_LOAD && !protect(base, &ph[i]))
			abort();
}
