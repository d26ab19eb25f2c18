/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables that only the kernel reads.  The host's own page table is kept
 * in step by mm/mirror.c.
 */
#ifndef _ASM_LKL_PGTABLE_H
#define _ASM_LKL_PGTABLE_H

#include <asm-generic/pgtable-nop4d.h>
#include <asm/page.h>

#define _PAGE_PRESENT		0x001
#define _PAGE_PROTNONE		0x002
#define _PAGE_RW		0x004
#define _PAGE_EXEC		0x008
#define _PAGE_ACCESSED		0x010
#define _PAGE_DIRTY		0x020
#define _PAGE_SPECIAL		0x040
#define _PAGE_SWP_EXCLUSIVE	0x080
#define _PAGE_FOREIGN		0x100

#define PTRS_PER_PTE		LKL_TABLE_ENTRIES
#define PTRS_PER_PMD		LKL_TABLE_ENTRIES
#define PTRS_PER_PUD		LKL_TABLE_ENTRIES
#define PTRS_PER_PGD		LKL_TABLE_ENTRIES

#define PMD_SHIFT		LKL_PMD_SHIFT
#define PMD_SIZE		(1UL << PMD_SHIFT)
#define PMD_MASK		(~(PMD_SIZE - 1))
#define PUD_SHIFT		LKL_PUD_SHIFT
#define PUD_SIZE		(1UL << PUD_SHIFT)
#define PUD_MASK		(~(PUD_SIZE - 1))
#define PGDIR_SHIFT		LKL_PGDIR_SHIFT
#define PGDIR_SIZE		(1UL << PGDIR_SHIFT)
#define PGDIR_MASK		(~(PGDIR_SIZE - 1))

#define USER_PTRS_PER_PGD	(((1UL << 47) - 1) / PGDIR_SIZE + 1)

#define VMALLOC_START		LKL_VMALLOC_BASE
#define VMALLOC_END		(LKL_VMALLOC_BASE + LKL_VMALLOC_SIZE)

/* Have arch_sync_kernel_mappings() told of every range (mm/mirror.c). */
#define ARCH_PAGE_TABLE_SYNC_MASK	PGTBL_PTE_MODIFIED

#define vmemmap			((struct page *)LKL_VMEMMAP_BASE)

#define _PAGE_TABLE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _PAGE_CHG_MASK	(PAGE_MASK | _PAGE_ACCESSED | _PAGE_DIRTY | \
			 _PAGE_SPECIAL | _PAGE_FOREIGN)

#define PAGE_NONE	__pgprot(_PAGE_PROTNONE | _PAGE_ACCESSED)
#define PAGE_READONLY	__pgprot(_PAGE_PRESENT | _PAGE_ACCESSED)
#define PAGE_READONLY_EXEC	__pgprot(_PAGE_PRESENT | _PAGE_EXEC | _PAGE_ACCESSED)
#define PAGE_SHARED	__pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED)
#define PAGE_SHARED_EXEC	__pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_EXEC | \
					 _PAGE_ACCESSED)
#define PAGE_KERNEL	__pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_DIRTY | \
				 _PAGE_ACCESSED)
#define PAGE_KERNEL_EXEC	__pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_EXEC | \
					 _PAGE_DIRTY | _PAGE_ACCESSED)

#define pgprot_nx(prot)	__pgprot(pgprot_val(prot) & ~_PAGE_EXEC)

#ifndef __ASSEMBLY__

#include <linux/mm_types.h>

struct vm_fault;

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];
extern void *empty_zero_page;

#define ZERO_PAGE(vaddr)	virt_to_page(empty_zero_page)

pte_t lkl_foreign_pte(pte_t pte);
void lkl_mirror(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
		unsigned int nr);

#define PFN_PTE_SHIFT		PAGE_SHIFT

#define pte_ERROR(e)	pr_err("%s:%d: bad pte %016lx\n", __FILE__, __LINE__, pte_val(e))
#define pmd_ERROR(e)	pr_err("%s:%d: bad pmd %016lx\n", __FILE__, __LINE__, pmd_val(e))
#define pud_ERROR(e)	pr_err("%s:%d: bad pud %016lx\n", __FILE__, __LINE__, pud_val(e))
#define pgd_ERROR(e)	pr_err("%s:%d: bad pgd %016lx\n", __FILE__, __LINE__, pgd_val(e))

/* Directories */

#define pmd_none(x)	(!pmd_val(x))
#define pmd_present(x)	(pmd_val(x) & _PAGE_PRESENT)
#define pmd_bad(x)	((pmd_val(x) & ~PAGE_MASK) != _PAGE_TABLE)
#define pmd_leaf(x)	(0)
#define pmd_clear(p)	set_pmd(p, __pmd(0))
#define pmd_pfn(x)	(pmd_val(x) >> PAGE_SHIFT)
#define pmd_page(x)	pfn_to_page(pmd_pfn(x))

#define pud_none(x)	(!pud_val(x))
#define pud_present(x)	(pud_val(x) & _PAGE_PRESENT)
#define pud_bad(x)	((pud_val(x) & ~PAGE_MASK) != _PAGE_TABLE)
#define pud_leaf(x)	(0)
#define pud_clear(p)	set_pud(p, __pud(0))
#define pud_pfn(x)	(pud_val(x) >> PAGE_SHIFT)
#define pud_page(x)	pfn_to_page(pud_pfn(x))

#define p4d_none(x)	(!pgd_val((x).pgd))
#define p4d_present(x)	(pgd_val((x).pgd) & _PAGE_PRESENT)
#define p4d_bad(x)	((pgd_val((x).pgd) & ~PAGE_MASK) != _PAGE_TABLE)
#define p4d_leaf(x)	(0)
#define p4d_clear(p)	set_p4d(p, __p4d(0))
#define p4d_pfn(x)	(pgd_val((x).pgd) >> PAGE_SHIFT)
#define p4d_page(x)	pfn_to_page(p4d_pfn(x))

static inline void set_pmd(pmd_t *p, pmd_t v)
{
	WRITE_ONCE(*p, v);
}

static inline void set_pud(pud_t *p, pud_t v)
{
	WRITE_ONCE(*p, v);
}

static inline void set_p4d(p4d_t *p, p4d_t v)
{
	WRITE_ONCE(*p, v);
}

static inline unsigned long pmd_page_vaddr(pmd_t pmd)
{
	return (unsigned long)__va(pmd_val(pmd) & PAGE_MASK);
}

static inline pmd_t *pud_pgtable(pud_t pud)
{
	return __va(pud_val(pud) & PAGE_MASK);
}

static inline pud_t *p4d_pgtable(p4d_t p4d)
{
	return __va(pgd_val(p4d.pgd) & PAGE_MASK);
}

/* Entries */

#define pfn_pte(pfn, prot)	__pte(((unsigned long)(pfn) << PAGE_SHIFT) | pgprot_val(prot))
#define pfn_pmd(pfn, prot)	__pmd(((unsigned long)(pfn) << PAGE_SHIFT) | pgprot_val(prot))
#define mk_pte(page, prot)	pfn_pte(page_to_pfn(page), prot)
#define pte_pfn(x)		(pte_val(x) >> PAGE_SHIFT)
#define pte_page(x)		pfn_to_page(pte_pfn(x))
#define pte_none(x)		(!pte_val(x))
#define pte_present(x)		(pte_val(x) & (_PAGE_PRESENT | _PAGE_PROTNONE))
#define pte_accessible(mm, x)	(pte_val(x) & _PAGE_PRESENT)

static inline pte_t pte_set(pte_t pte, unsigned long bits)
{
	return __pte(pte_val(pte) | bits);
}

static inline pte_t pte_unset(pte_t pte, unsigned long bits)
{
	return __pte(pte_val(pte) & ~bits);
}

static inline int pte_write(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_RW);
}

static inline int pte_dirty(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_DIRTY);
}

static inline int pte_young(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_ACCESSED);
}

static inline int pte_special(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_SPECIAL);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return pte_unset(pte, _PAGE_RW);
}

static inline pte_t pte_mkwrite_novma(pte_t pte)
{
	return pte_set(pte, _PAGE_RW);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return pte_unset(pte, _PAGE_DIRTY);
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return pte_set(pte, _PAGE_DIRTY);
}

static inline pte_t pte_mkold(pte_t pte)
{
	return pte_unset(pte, _PAGE_ACCESSED);
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return pte_set(pte, _PAGE_ACCESSED);
}

static inline pte_t pte_mkspecial(pte_t pte)
{
	return pte_set(pte, _PAGE_SPECIAL);
}

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & _PAGE_CHG_MASK) | pgprot_val(prot));
}

/*
 * An entry for the application's own memory is as good as the memory is now,
 * so it is looked at each time it is read (mm/foreign.c).
 */
static inline pte_t ptep_get(pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);

	if (unlikely(pte_val(pte) & _PAGE_FOREIGN))
		return lkl_foreign_pte(pte);
	return pte;
}

#define ptep_get ptep_get

/*
 * New entries appear in the host's table at once; removed and tightened ones
 * when the TLB would be flushed.
 */
static inline void set_ptes(struct mm_struct *mm, unsigned long addr,
			    pte_t *ptep, pte_t pte, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(ptep[i], __pte(pte_val(pte) + i * PAGE_SIZE));
	if (unlikely(mm->context.mirrored))
		lkl_mirror(mm, addr, ptep, nr);
}

#define set_ptes set_ptes
#define set_pte(ptep, pte)	WRITE_ONCE(*(ptep), pte)

static inline void pte_clear(struct mm_struct *mm, unsigned long addr,
			     pte_t *ptep)
{
	WRITE_ONCE(*ptep, __pte(0));
}

#define update_mmu_cache(vma, addr, ptep)	do { } while (0)
#define update_mmu_cache_range(vmf, vma, addr, ptep, nr)	do { } while (0)

/* Swap entries: bits 1 and 0 clear, type in 9..13, offset from 14 up. */
#define __swp_type(x)		(((x).val >> 9) & 0x1f)
#define __swp_offset(x)		((x).val >> 14)
#define __swp_entry(type, offset) \
	((swp_entry_t) { (((unsigned long)(type) & 0x1f) << 9) | \
			 ((unsigned long)(offset) << 14) })
#define __pte_to_swp_entry(pte)	((swp_entry_t) { pte_val(pte) & ~_PAGE_SWP_EXCLUSIVE })
#define __swp_entry_to_pte(x)	((pte_t) { (x).val })

static inline int pte_swp_exclusive(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_SWP_EXCLUSIVE);
}

static inline pte_t pte_swp_mkexclusive(pte_t pte)
{
	return pte_set(pte, _PAGE_SWP_EXCLUSIVE);
}

static inline pte_t pte_swp_clear_exclusive(pte_t pte)
{
	return pte_unset(pte, _PAGE_SWP_EXCLUSIVE);
}


#endif /* __ASSEMBLY__ */

#endif /* _ASM_LKL_PGTABLE_H */
