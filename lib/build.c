// SPDX-License-Identifier: GPL-2.0-only
/* Which build of the library this is, and whether it is where it was linked to
 * be. */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "build.h"

struct build {
	char *id;
	bool fixed;
};

static bool note_id(char *id, const char *note, size_t size)
{
	const ElfW(Nhdr) *head = (const void *)note;
	size_t i, name;

	while (size >= sizeof(*head)) {
		name = (head->n_namesz + 3UL) & ~3UL;
		if (name > size - sizeof(*head) ||
		    head->n_descsz > size - sizeof(*head) - name)
			return false;
		note += sizeof(*head) + name;
		if (head->n_type == NT_GNU_BUILD_ID && name == 4 &&
		    !memcmp(head + 1, "GNU", 4) &&
		    head->n_descsz <= LKL_BUILD_ID_BYTES) {
			for (i = 0; i < head->n_descsz; i++)
				sprintf(id + 2 * i, "%02x",
					(unsigned char)note[i]);
			return true;
		}
		name += sizeof(*head) + ((head->n_descsz + 3UL) & ~3UL);
		note += (head->n_descsz + 3UL) & ~3UL;
		size = size > name ? size - name : 0;
		head = (const void *)note;
	}
	return false;
}

/* Is it the library that the host's linker tells of? */
static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t here = (uintptr_t)look_at - info->dlpi_addr;
	struct build *build = arg;
	bool ours = false;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		ours |= p->p_type == PT_LOAD && here - p->p_vaddr < p->p_memsz;
	}
	if (!ours)
		return 0;
	build->fixed = !info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_NOTE &&
		    note_id(build->id, (void *)(info->dlpi_addr + p->p_vaddr),
			    p->p_memsz))
			break;
	}
	return 1;
}

bool lkl_build_is_fixed(char id[LKL_BUILD_ID])
{
	struct build build = { .id = id };

	*id = 0;
	dl_iterate_phdr(look_at, &build);
	return build.fixed;
}
