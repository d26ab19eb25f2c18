// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's memory on Windows.
 *
 * RAM is a section of the page file.  A view of a section is mapped and
 * unmapped as a whole, at steps of 64 KiB, which is also the size of the
 * kernel's pages here: so each page of the areas that mirror RAM is a view of
 * its own.
 *
 * No addresses are reserved.  Nothing else takes those that the kernel uses, as
 * the host gives out low addresses, or ones near the top.  What is not mapped
 * is free, and is inaccessible as it should be.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include <lkl/asm/areas.h>
#include <lkl/asm/errno.h>

#include "../host.h"
#include "nt.h"

#define STEP 0x10000

static struct {
	HANDLE section;
	lkl_ulong_t addr;
} ram;

static HANDLE new_section(uint64_t size)
{
	return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL,
				  PAGE_EXECUTE_READWRITE, size >> 32,
				  (DWORD)size, NULL);
}

/* Why something could not be put at an address. */
static int why(void)
{
	switch (GetLastError()) {
	case ERROR_INVALID_ADDRESS:
	case ERROR_MAPPED_ALIGNMENT:
		return -LKL_EEXIST;
	default:
		return -LKL_ENOMEM;
	}
}

static int view(HANDLE section, DWORD access, lkl_ulong_t addr,
		lkl_ulong_t size, uint64_t offset)
{
	return MapViewOfFileEx(section, access, offset >> 32, (DWORD)offset,
			       size, (void *)addr)
		       ? 0
		       : why();
}

/* Nobody forks. */
int LKL_DOOR nt_wipe_on_fork(void *addr, lkl_ulong_t size)
{
	(void)addr;
	(void)size;
	return 0;
}

bool host_after_fork(void (*child)(void))
{
	(void)child;
	return true;
}

void *host_map_zeroed(size_t size)
{
	return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
}

void host_unmap_zeroed(void *p, size_t size)
{
	(void)size;
	if (p)
		VirtualFree(p, 0, MEM_RELEASE);
}

/* What is committed anew is zeroed. */
void host_zero_again(void *p, size_t size)
{
	if (VirtualFree(p, size, MEM_DECOMMIT))
		VirtualAlloc(p, size, MEM_COMMIT, PAGE_READWRITE);
}

void *LKL_DOOR nt_keep(lkl_ulong_t size)
{
	return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
}

int LKL_DOOR nt_ram_open(lkl_ulong_t addr, lkl_ulong_t size)
{
	HANDLE section = new_section(size);
	int err;

	if (!section)
		return -LKL_ENOMEM;
	err = view(section, FILE_MAP_WRITE, addr, size, 0);
	if (err) {
		CloseHandle(section);
		return err;
	}
	ram.section = section;
	ram.addr = addr;
	lkl_ram_base = addr;
	return 0;
}

void LKL_DOOR nt_ram_close(void)
{
	UnmapViewOfFile((void *)ram.addr);
	CloseHandle(ram.section);
	ram.section = NULL;
}

/* Unmap and free all that begins between two addresses. */
static void clear(lkl_ulong_t addr, lkl_ulong_t size)
{
	lkl_ulong_t end = addr + size;
	MEMORY_BASIC_INFORMATION info;

	while (addr < end && VirtualQuery((void *)addr, &info, sizeof(info)) ==
				     sizeof(info)) {
		lkl_ulong_t next =
			(lkl_ulong_t)info.BaseAddress + info.RegionSize;

		if (info.State == MEM_FREE)
			;
		else if (info.Type == MEM_MAPPED)
			UnmapViewOfFile(info.AllocationBase);
		else
			VirtualFree(info.AllocationBase, 0, MEM_RELEASE);
		addr = next;
	}
}

int LKL_DOOR nt_reserve(lkl_ulong_t addr, lkl_ulong_t size)
{
	MEMORY_BASIC_INFORMATION info;

	if (VirtualQuery((void *)addr, &info, sizeof(info)) != sizeof(info))
		return -LKL_ENOMEM;
	return info.State == MEM_FREE && (lkl_ulong_t)info.BaseAddress +
							 info.RegionSize >=
						 addr + size
		       ? 0
		       : -LKL_EEXIST;
}

void LKL_DOOR nt_release(lkl_ulong_t addr, lkl_ulong_t size)
{
	clear(addr, size);
}

int LKL_DOOR nt_unmap(lkl_ulong_t addr, lkl_ulong_t size)
{
	clear(addr, size);
	return 0;
}

/* A thread that touches the page between the two faults, and finds it then. */
int LKL_DOOR nt_map(lkl_ulong_t addr, lkl_ulong_t size, lkl_ulong_t offset,
		    int prot)
{
	DWORD access = prot & LKL_HOST_WRITE ? FILE_MAP_WRITE : FILE_MAP_READ;
	lkl_ulong_t pos;
	int err = 0;

	if (prot & LKL_HOST_EXEC)
		access |= FILE_MAP_EXECUTE;
	for (pos = 0; pos < size && !err; pos += STEP) {
		UnmapViewOfFile((void *)(addr + pos));
		err = view(ram.section, access, addr + pos, STEP, offset + pos);
	}
	return err;
}

int LKL_DOOR nt_protect(lkl_ulong_t addr, lkl_ulong_t size, int on)
{
	DWORD old;

	return VirtualProtect((void *)addr, size,
			      on ? PAGE_NOACCESS : PAGE_READWRITE, &old)
		       ? 0
		       : -LKL_ENOMEM;
}

/* Other threads run code beside what is written. */
int LKL_DOOR nt_patch(lkl_ulong_t addr, lkl_ulong_t size, int writable)
{
	DWORD old;

	return VirtualProtect((void *)addr, size,
			      writable ? PAGE_EXECUTE_READWRITE
				       : PAGE_EXECUTE_READ,
			      &old)
		       ? 0
		       : -LKL_ENOMEM;
}

int LKL_DOOR nt_anon(lkl_ulong_t addr, lkl_ulong_t size)
{
	return VirtualAlloc((void *)addr, size, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE)
		       ? 0
		       : why();
}

/* A section of many copies, mapped over and over. */
int LKL_DOOR nt_pattern(lkl_ulong_t addr, lkl_ulong_t size, const void *with,
			lkl_ulong_t len)
{
	const lkl_ulong_t piece = 512 << 10;
	HANDLE section = new_section(piece);
	lkl_ulong_t pos;
	char *copies;
	int err = 0;

	if (!section)
		return -LKL_ENOMEM;
	copies = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, piece);
	if (copies) {
		for (pos = 0; pos < piece; pos += len)
			memcpy(copies + pos, with, len);
		UnmapViewOfFile(copies);
	} else {
		err = -LKL_ENOMEM;
	}
	for (pos = 0; pos < size && !err; pos += piece)
		err = view(section, FILE_MAP_COPY, addr + pos,
			   size - pos < piece ? size - pos : piece, 0);
	CloseHandle(section);
	return err;
}

/* What is not locked leaves the working set, from which it comes back fast. */
void LKL_DOOR nt_forget(lkl_ulong_t addr, lkl_ulong_t size)
{
	VirtualUnlock((void *)addr, size);
}
