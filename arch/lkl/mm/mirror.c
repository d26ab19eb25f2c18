// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's page table as our TLB.
 *
 * Two areas of the process show RAM pages under other addresses: vmalloc and
 * what mmap() of the library's kernel returns.  Entries in the kernel's page
 * tables become host mappings of the RAM file here: new ones at once, others
 * when the kernel flushes the TLB.  Neighbouring pages go in one host call.
 *
 * A page that may be written but is clean is mapped read-only, so that the
 * first write faults and the kernel learns that it is dirty.
 *
 * A process may have so many mappings only (vm.max_map_count).  When the host has
 * no more, all of the mmap() area is dropped, as a TLB may be at any time: what is
 * touched again comes back one by one (lkl_mirror_touch()).
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/host_ops.h>
#include <asm/layout.h>
#include <asm/mirror.h>
#include <asm/tlbflush.h>

/* A run of pages that can be mapped or unmapped together. */
struct lkl_run {
	unsigned long addr;
	unsigned long size;
	unsigned long phys;
	int prot;
};

/* Reading an entry and showing it to the host are one step. */
static DEFINE_SPINLOCK(lkl_mirror_lock);

/* The mmap() area may lack pages that its page tables have. */
static bool lkl_mirror_lacks;

static int lkl_run_show(struct lkl_run *run)
{
	if (run->prot)
		return lkl_ops->map(run->addr, run->size, run->phys, run->prot);
	return lkl_ops->unmap(run->addr, run->size);
}

static int lkl_run_flush(struct lkl_run *run)
{
	int err;

	if (!run->size)
		return 0;
	err = lkl_run_show(run);
	if (unlikely(err == -ENOMEM)) {
		WRITE_ONCE(lkl_mirror_lacks, true);
		lkl_ops->release(LKL_UMAP_BASE, LKL_UMAP_SIZE);
		/* If this fails, too, no other code maps anything there. */
		lkl_ops->reserve(LKL_UMAP_BASE, LKL_UMAP_SIZE);
		err = lkl_run_show(run);
	}
	/* What is gone from vmalloc is not used, and what the application lacks faults. */
	if (unlikely(err && run->prot && !lkl_in_umap(run->addr)))
		panic("host cannot map %#lx at %#lx: error %d%s", run->size,
		      run->addr, -err,
		      err == -ENOMEM ? ", see vm.max_map_count" : "");
	run->size = 0;
	return err;
}

static void lkl_run_add(struct lkl_run *run, unsigned long addr, pte_t pte,
			bool user)
{
	unsigned long phys = 0;
	int prot = LKL_HOST_NONE;

	if (pte_val(pte) & _PAGE_PRESENT) {
		prot = LKL_HOST_READ;
		if (pte_write(pte) && (!user || pte_dirty(pte)))
			prot |= LKL_HOST_WRITE;
		if (pte_val(pte) & _PAGE_EXEC)
			prot |= LKL_HOST_EXEC;
		phys = PFN_PHYS(pte_pfn(pte));
	}
	if (run->size && run->addr + run->size == addr && run->prot == prot &&
	    (!prot || run->phys + run->size == phys)) {
		run->size += PAGE_SIZE;
		return;
	}
	lkl_run_flush(run);
	*run = (struct lkl_run) {
		.addr = addr, .size = PAGE_SIZE, .phys = phys, .prot = prot,
	};
}

/*
 * Show the host what the tables of @mm say about [start, end).  With @gone only
 * the pages that are gone are of interest, otherwise, with @fresh, only those
 * that are there.
 */
static void lkl_mirror_walk(struct mm_struct *mm, unsigned long start,
			    unsigned long end, bool gone, bool fresh)
{
	bool user = mm != &init_mm;
	struct lkl_run run = {};
	unsigned long addr, next, flags;

	spin_lock_irqsave(&lkl_mirror_lock, flags);
	for (addr = start; addr < end; addr = next) {
		pgd_t *pgd = pgd_offset_pgd(mm->pgd, addr);
		p4d_t *p4d = p4d_offset(pgd, addr);
		pud_t *pud;
		pmd_t *pmd;
		pte_t pte;

		next = p4d_addr_end(addr, end);
		if (p4d_none(*p4d))
			goto hole;
		pud = pud_offset(p4d, addr);
		next = pud_addr_end(addr, end);
		if (pud_none(*pud))
			goto hole;
		pmd = pmd_offset(pud, addr);
		next = pmd_addr_end(addr, end);
		if (pmd_none(*pmd))
			goto hole;
		next = addr + PAGE_SIZE;
		pte = READ_ONCE(*pte_offset_kernel(pmd, addr));
		if (pte_val(pte) & _PAGE_PRESENT) {
			if (!gone)
				lkl_run_add(&run, addr, pte, user);
			continue;
		}
hole:
		if (fresh)
			continue;
		if (run.size && !run.prot && run.addr + run.size == addr) {
			run.size += next - addr;
			continue;
		}
		lkl_run_flush(&run);
		run = (struct lkl_run) {
			.addr = addr, .size = next - addr,
			.prot = LKL_HOST_NONE,
		};
	}
	lkl_run_flush(&run);
	spin_unlock_irqrestore(&lkl_mirror_lock, flags);
}

/**
 * lkl_mirror - entries were set
 * @mm: address space they belong to
 * @addr: first page
 * @ptep: first entry
 * @nr: how many, all in one table
 */
void lkl_mirror(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
		unsigned int nr)
{
	struct lkl_run run = {};
	unsigned long flags;

	if (!lkl_in_umap(addr))
		return;
	spin_lock_irqsave(&lkl_mirror_lock, flags);
	for (; nr; nr--, ptep++, addr += PAGE_SIZE)
		lkl_run_add(&run, addr, READ_ONCE(*ptep), true);
	lkl_run_flush(&run);
	spin_unlock_irqrestore(&lkl_mirror_lock, flags);
}

/**
 * lkl_mirror_range - entries were taken away or changed
 * @mm: address space
 * @start: first address
 * @end: first address after
 */
void lkl_mirror_range(struct mm_struct *mm, unsigned long start,
		      unsigned long end)
{
	if (!mm->context.mirrored)
		return;
	start = max(start & PAGE_MASK, LKL_UMAP_BASE);
	end = min(PAGE_ALIGN(end), LKL_UMAP_BASE + LKL_UMAP_SIZE);
	if (start < end)
		lkl_mirror_walk(mm, start, end, false, false);
}

/**
 * lkl_mirror_touch - see that the host has a page that is touched
 * @mm: address space
 * @addr: an address in the page, whose entry is there
 *
 * Return: 0, or -ENOMEM
 */
int lkl_mirror_touch(struct mm_struct *mm, unsigned long addr)
{
	struct lkl_run run = {};
	unsigned long flags;
	spinlock_t *ptl;
	pte_t *ptep;
	int err;

	if (likely(!READ_ONCE(lkl_mirror_lacks)))
		return 0;
	addr &= PAGE_MASK;
	ptep = get_locked_pte(mm, addr, &ptl);
	if (!ptep)
		return -ENOMEM;
	spin_lock_irqsave(&lkl_mirror_lock, flags);
	lkl_run_add(&run, addr, READ_ONCE(*ptep), true);
	err = lkl_run_flush(&run);
	spin_unlock_irqrestore(&lkl_mirror_lock, flags);
	pte_unmap_unlock(ptep, ptl);
	return err;
}

/* A vmalloc range was mapped, or taken away: the latter can wait. */
void arch_sync_kernel_mappings(unsigned long start, unsigned long end)
{
	lkl_mirror_walk(&init_mm, start, end, false, true);
}

/* The lazily freed vmalloc ranges between these are to be gone now. */
void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	start = max(start & PAGE_MASK, VMALLOC_START);
	end = min(PAGE_ALIGN(end), VMALLOC_END);
	if (start < end)
		lkl_mirror_walk(&init_mm, start, end, true, false);
}
