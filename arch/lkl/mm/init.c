// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: RAM, zones, struct pages.  asm/layout.h has the map.
 *
 * Boot takes as long with a lot of RAM as with little: the kernel is told of the
 * first LKL_MEM_BOOT bytes only.  The rest goes to the page allocator as a whole
 * afterwards, block by block.  A struct page of it is never initialised: the
 * area it lies in is mapped from a pattern of pages that look free, which the
 * host copies when one is written to.
 */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
/* After what it needs. */
#include <linux/compaction.h>
#include <linux/page-isolation.h>
#include <linux/pagemap.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include <asm/mirror.h>
#include <asm/pgalloc.h>
#include <asm/sections.h>
#include "../../../mm/internal.h"

/* Known from the start; a multiple of what the page allocator's blocks hold. */
#define LKL_MEM_BOOT	(64UL << 20)

pgd_t swapper_pg_dir[PTRS_PER_PGD] __page_aligned_bss;
void *empty_zero_page;
EXPORT_SYMBOL(empty_zero_page);

static unsigned long lkl_ram_size __section(".data..lkl_keep");

/* Where RAM is, and all else of the kernel's around it: asm/layout.h. */
unsigned long lkl_ram_base __section(".data..lkl_keep") = LKL_RAM_FIRST;
EXPORT_SYMBOL(lkl_ram_base);

/* A kernel of this process, or of the one it was forked from, has its memory. */
static bool lkl_mapped __section(".data..lkl_keep");

static unsigned long lkl_ram_boot(void)
{
	return min(lkl_ram_size, LKL_MEM_BOOT);
}

/* What is mapped of the struct page area for the first @ram bytes. */
static unsigned long lkl_vmemmap_size(unsigned long ram)
{
	unsigned long sections = ALIGN(ram, 1UL << SECTION_SIZE_BITS);

	return (sections >> PAGE_SHIFT) * sizeof(struct page);
}

static unsigned long lkl_vmemmap_start(void)
{
	return (unsigned long)virt_to_page((void *)LKL_RAM_BASE);
}

/* Map struct pages for all of RAM: some to be initialised, others as if free. */
static int lkl_vmemmap_map(void)
{
	unsigned long start = lkl_vmemmap_start();
	unsigned long boot = lkl_vmemmap_size(lkl_ram_boot());
	unsigned long rest = lkl_vmemmap_size(lkl_ram_size) - boot;
	static struct page free[64];
	unsigned int i;
	int err;

	BUILD_BUG_ON_NOT_POWER_OF_2(sizeof(free));
	err = lkl_ops->anon(start, boot);
	if (err || !rest)
		return err;
	for (i = 0; i < ARRAY_SIZE(free); i++)
		atomic_set(&free[i]._mapcount, -1);
	err = lkl_ops->pattern(start + boot, rest, free, sizeof(free));
	if (err)
		lkl_ops->release(start, boot + rest);
	return err;
}

static void lkl_release_areas(void)
{
	lkl_ops->release(LKL_UMAP_BASE, LKL_UMAP_SIZE);
	lkl_ops->release(LKL_VMALLOC_BASE, LKL_VMALLOC_SIZE);
	/* Also what it has of the application's memory. */
	lkl_ops->release(LKL_VMEMMAP_BASE, LKL_VMEMMAP_END - LKL_VMEMMAP_BASE);
	lkl_mapped = false;
}

/* All of it at lkl_ram_base; struct pages only if @pages. */
static int lkl_take_areas(unsigned long size, bool pages)
{
	int err;

	err = lkl_ops->ram_open(LKL_RAM_BASE, size);
	if (err)
		return err;
	if (pages)
		err = lkl_vmemmap_map();
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
	if (pages)
		lkl_ops->release(lkl_vmemmap_start(), lkl_vmemmap_size(lkl_ram_size));
ram:
	lkl_ops->ram_close();
	return err;
}

/* Host thread, before boot: get the address space the kernel lives in. */
int lkl_mm_host_start(unsigned long size)
{
	unsigned int slot;
	int err;

	/* What a forked child has inherited; the RAM it has not. */
	if (lkl_mapped)
		lkl_release_areas();
	lkl_ram_size = size;
	for (slot = 0; slot < LKL_SLOTS; slot++) {
		lkl_ram_base = LKL_RAM_FIRST + slot * LKL_SLOT_SIZE;
		err = lkl_take_areas(size, true);
		/* If something is there, it may be another copy's kernel. */
		if (err != -EEXIST)
			break;
	}
	lkl_mapped = !err;
	return err;
}

/* Host thread, before a state is restored: the same, without struct pages. */
int lkl_mm_host_restore(unsigned long size, unsigned long base)
{
	int err;

	if (lkl_mapped)
		lkl_release_areas();
	lkl_ram_size = size;
	lkl_ram_base = base;
	err = lkl_take_areas(size, false);
	lkl_mapped = !err;
	return err;
}

/* Host thread, after halt. */
void lkl_mm_host_stop(void)
{
	lkl_release_areas();
	lkl_ops->ram_close();
}

void __init lkl_mm_setup(unsigned long size)
{
	memblock_add(0, size);
	memblock_set_current_limit(lkl_ram_boot());
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
	memblock_remove(lkl_ram_boot(), PHYS_ADDR_MAX);
	max_zone_pfn[ZONE_NORMAL] = max_low_pfn;
	free_area_init(max_zone_pfn);
}

static void __init lkl_span_rest(void)
{
	unsigned long count = max_pfn - PFN_DOWN(lkl_ram_boot());

	NODE_DATA(0)->node_zones[ZONE_NORMAL].spanned_pages += count;
	NODE_DATA(0)->node_spanned_pages += count;
}

/*
 * Late, for the kernel reads every block of a zone to see if it has holes.  But
 * with CONFIG_DEBUG_VM no page is used that lies outside of its zone.
 */
static int __init lkl_span_late(void)
{
	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		lkl_span_rest();
	return 0;
}
pure_initcall(lkl_span_late);

/* Give the page allocator the RAM that boot did not know of. */
static void __init lkl_add_rest(void)
{
	struct zone *zone = NODE_DATA(0)->node_zones + ZONE_NORMAL;
	unsigned long pfn = PFN_DOWN(lkl_ram_boot()), count = max_pfn - pfn;
	unsigned long flags;

	if (!count)
		return;
	zone->present_pages += count;
	NODE_DATA(0)->node_present_pages += count;
	adjust_managed_page_count(pfn_to_page(pfn), count);
	if (IS_ENABLED(CONFIG_DEBUG_VM))
		lkl_span_rest();

	spin_lock_irqsave(&zone->lock, flags);
	while (pfn < max_pfn) {
		unsigned int order = min_t(unsigned int, MAX_PAGE_ORDER,
					   ilog2(max_pfn - pfn));
		struct page *page = pfn_to_page(pfn);

		/* A read would make the host map the pages around it, too. */
		set_page_count(page, 0);
		set_pageblock_migratetype(page, MIGRATE_MOVABLE);
		__putback_isolated_page(page, order, MIGRATE_MOVABLE);
		pfn += 1UL << order;
	}
	spin_unlock_irqrestore(&zone->lock, flags);
}

void __init mem_init(void)
{
	/* Frames of the application's memory lie above those of RAM. */
	highest_memmap_pfn = ULONG_MAX;
	memblock_free_all();
	lkl_add_rest();
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
 * A task that wants memory in large pieces compacts it.  A thread that checks twice
 * a second whether to do so would keep an idle kernel awake.
 */
static int __init lkl_stop_kcompactd(void)
{
	kcompactd_stop(0);
	return 0;
}
late_initcall(lkl_stop_kcompactd);
