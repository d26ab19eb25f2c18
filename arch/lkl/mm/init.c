// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: RAM, zones, struct pages.  asm/layout.h has the map.
 */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
/* After what it needs. */
#include <linux/compaction.h>
#include <linux/pagemap.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include <asm/mirror.h>
#include <asm/pgalloc.h>
#include <asm/sections.h>

pgd_t swapper_pg_dir[PTRS_PER_PGD] __page_aligned_bss;
void *empty_zero_page;
EXPORT_SYMBOL(empty_zero_page);

static unsigned long lkl_ram_size __section(".data..lkl_keep");

/* What is mapped of the struct page area for RAM. */
static unsigned long lkl_vmemmap_size(void)
{
	unsigned long sections = ALIGN(lkl_ram_size, 1UL << SECTION_SIZE_BITS);

	return (sections >> PAGE_SHIFT) * sizeof(struct page);
}

static unsigned long lkl_vmemmap_start(void)
{
	return (unsigned long)virt_to_page((void *)LKL_RAM_BASE);
}

/* Host thread, before boot: get the address space the kernel lives in. */
int lkl_mm_host_start(unsigned long size)
{
	int err;

	lkl_ram_size = size;
	err = lkl_ops->ram_open(LKL_RAM_BASE, size);
	if (err)
		return err;
	err = lkl_ops->anon(lkl_vmemmap_start(), lkl_vmemmap_size());
	if (err)
		goto ram;
	err = lkl_ops->reserve(LKL_VMALLOC_BASE, LKL_VMALLOC_SIZE);
	if (err)
		goto pages;
	err = lkl_ops->reserve(LKL_UMAP_BASE, LKL_UMAP_SIZE);
	if (!err)
		return 0;
	lkl_ops->release(LKL_VMALLOC_BASE, LKL_VMALLOC_SIZE);
pages:
	lkl_ops->release(lkl_vmemmap_start(), lkl_vmemmap_size());
ram:
	lkl_ops->ram_close();
	return err;
}

/* Host thread, after halt. */
void lkl_mm_host_stop(void)
{
	lkl_foreign_stop();
	lkl_ops->release(LKL_UMAP_BASE, LKL_UMAP_SIZE);
	lkl_ops->release(LKL_VMALLOC_BASE, LKL_VMALLOC_SIZE);
	lkl_ops->release(lkl_vmemmap_start(), lkl_vmemmap_size());
	lkl_ops->ram_close();
}

void __init lkl_mm_setup(unsigned long size)
{
	memblock_add(0, size);
	max_low_pfn = PFN_DOWN(size);
	max_pfn = max_low_pfn;
	high_memory = __va(size);
}

void __init paging_init(void)
{
	unsigned long max_zone_pfn[MAX_NR_ZONES] = {};

	/* In RAM, because the host can map nothing else. */
	empty_zero_page = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	sparse_init();
	max_zone_pfn[ZONE_NORMAL] = max_low_pfn;
	free_area_init(max_zone_pfn);
}

void __init mem_init(void)
{
	/* Frames of the application's memory lie above those of RAM. */
	highest_memmap_pfn = ULONG_MAX;
	memblock_free_all();
}

int __meminit vmemmap_populate(unsigned long start, unsigned long end, int node,
			       struct vmem_altmap *altmap)
{
	/* lkl_mm_host_start() has mapped it. */
	return 0;
}

pgd_t *pgd_alloc(struct mm_struct *mm)
{
	return (pgd_t *)get_zeroed_page(GFP_KERNEL);
}

static const pgprot_t protection_map[16] = {
	[VM_NONE]					= PAGE_NONE,
	[VM_READ]					= PAGE_READONLY,
	[VM_WRITE]					= PAGE_READONLY,
	[VM_WRITE | VM_READ]				= PAGE_READONLY,
	[VM_EXEC]					= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_READ]				= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_WRITE]				= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_WRITE | VM_READ]			= PAGE_READONLY_EXEC,
	[VM_SHARED]					= PAGE_NONE,
	[VM_SHARED | VM_READ]				= PAGE_READONLY,
	[VM_SHARED | VM_WRITE]				= PAGE_SHARED,
	[VM_SHARED | VM_WRITE | VM_READ]		= PAGE_SHARED,
	[VM_SHARED | VM_EXEC]				= PAGE_READONLY_EXEC,
	[VM_SHARED | VM_EXEC | VM_READ]			= PAGE_READONLY_EXEC,
	[VM_SHARED | VM_EXEC | VM_WRITE]		= PAGE_SHARED_EXEC,
	[VM_SHARED | VM_EXEC | VM_WRITE | VM_READ]	= PAGE_SHARED_EXEC
};
DECLARE_VM_GET_PAGE_PROT

/*
 * Who wants memory in large pieces compacts it.  A thread that asks twice a
 * second whether it should would keep an idle kernel awake.
 */
static int __init lkl_stop_kcompactd(void)
{
	kcompactd_stop(0);
	return 0;
}
late_initcall(lkl_stop_kcompactd);
