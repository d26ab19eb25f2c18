// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmap() of the application's pages, as those of rings that an application
 * provides for io_uring.
 *
 * The host has no way to show private memory at a second address.  But such pages
 * are neighbours where the application has them, and there the kernel can use
 * them.  The linker's --wrap has these functions go before the kernel's.
 */
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

void *__real_vmap(struct page **pages, unsigned int count, unsigned long flags,
		  pgprot_t prot);
void *__wrap_vmap(struct page **pages, unsigned int count, unsigned long flags,
		  pgprot_t prot);
void __real_vunmap(const void *addr);
void __wrap_vunmap(const void *addr);

void *__wrap_vmap(struct page **pages, unsigned int count, unsigned long flags,
		  pgprot_t prot)
{
	bool foreign = false, apart = false;
	unsigned int i;

	for (i = 0; i < count; i++) {
		foreign |= page_to_pfn(pages[i]) >= max_pfn;
		apart |= page_to_pfn(pages[i]) != page_to_pfn(pages[0]) + i;
	}
	if (!foreign)
		return __real_vmap(pages, count, flags, prot);
	/* No user has pages apart, or wants them to be freed. */
	if (apart || flags & VM_MAP_PUT_PAGES)
		return NULL;
	return page_address(pages[0]);
}

void __wrap_vunmap(const void *addr)
{
	if (!addr || is_vmalloc_addr(addr))
		__real_vunmap(addr);
}
