/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_PAGE_H
#define _ASM_LKL_PAGE_H

#include <asm/layout.h>

#define PAGE_SHIFT	CONFIG_PAGE_SHIFT
#define PAGE_SIZE	(_AC(1, UL) << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#define PAGE_OFFSET	LKL_RAM_BASE

#ifndef __ASSEMBLY__

#include <linux/pfn.h>

typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
typedef struct { unsigned long pud; } pud_t;
typedef struct { unsigned long pgd; } pgd_t;
typedef struct { unsigned long pgprot; } pgprot_t;

#define pte_val(x)	((x).pte)
#define pmd_val(x)	((x).pmd)
#define pud_val(x)	((x).pud)
#define pgd_val(x)	((x).pgd)
#define pgprot_val(x)	((x).pgprot)
#define __pte(x)	((pte_t) { (x) })
#define __pmd(x)	((pmd_t) { (x) })
#define __pud(x)	((pud_t) { (x) })
#define __pgd(x)	((pgd_t) { (x) })
#define __pgprot(x)	((pgprot_t) { (x) })

typedef struct page *pgtable_t;

struct page;

#define clear_page(page)	memset((page), 0, PAGE_SIZE)
#define copy_page(to, from)	memcpy((to), (from), PAGE_SIZE)
#define clear_user_page(page, vaddr, pg)	clear_page(page)
#define copy_user_page(to, from, vaddr, pg)	copy_page(to, from)

#define __pa(x)		((unsigned long)(x) ^ LKL_PHYS_XOR)
#define __va(x)		((void *)((unsigned long)(x) ^ LKL_PHYS_XOR))

#define pfn_to_kaddr(pfn)	__va((pfn) << PAGE_SHIFT)
#define virt_to_pfn(kaddr)	(__pa(kaddr) >> PAGE_SHIFT)
#define virt_to_page(kaddr)	pfn_to_page(virt_to_pfn(kaddr))
#define page_to_phys(page)	PFN_PHYS(page_to_pfn(page))
#define phys_to_page(phys)	pfn_to_page(PHYS_PFN(phys))
#define page_to_virt(page)	__va(page_to_phys(page))

#define virt_addr_valid(kaddr)	pfn_valid(virt_to_pfn(kaddr))

#define VM_DATA_DEFAULT_FLAGS	VM_DATA_FLAGS_NON_EXEC

#include <asm-generic/memory_model.h>
#include <asm-generic/getorder.h>

#endif /* __ASSEMBLY__ */

/*
 * A page table fills a page: how many entries it has, and which bits of an
 * address they are indexed by on each level.  A kernel stack has at least 32 KiB;
 * KASAN leaves room between variables.
 * Of the application's addresses, the last 4 KiB below 2^47 are never there.
 */
#if CONFIG_PAGE_SHIFT == 12
#define LKL_TABLE_ENTRIES	512
#define LKL_PMD_SHIFT		21
#define LKL_PUD_SHIFT		30
#define LKL_PGDIR_SHIFT		39
#ifdef CONFIG_KASAN
#define LKL_STACK_ORDER		4
#else
#define LKL_STACK_ORDER		3
#endif
#define LKL_STACK_PAGE		4096
#define LKL_LAST_PAGE		4096
#elif CONFIG_PAGE_SHIFT == 14
#define LKL_TABLE_ENTRIES	2048
#define LKL_PMD_SHIFT		25
#define LKL_PUD_SHIFT		36
#define LKL_PGDIR_SHIFT		47
#define LKL_STACK_ORDER		1
#define LKL_STACK_PAGE		16384
#define LKL_LAST_PAGE		0
#else
#define LKL_TABLE_ENTRIES	8192
#define LKL_PMD_SHIFT		29
#define LKL_PUD_SHIFT		42
#define LKL_PGDIR_SHIFT		55
#define LKL_STACK_ORDER		0
#define LKL_STACK_PAGE		65536
#define LKL_LAST_PAGE		0
#endif

#endif /* _ASM_LKL_PAGE_H */
