// SPDX-License-Identifier: GPL-2.0-only
/*
 * The application's own memory as pages.
 *
 * Direct I/O, MSG_ZEROCOPY, vmsplice, registered buffers and shared futexes
 * want the pages behind a user address.  Since every host address has a page
 * frame number, the application's memory has frames and page_address() is right for
 * them; what is missing is the struct page.  The area that holds struct pages
 * is indexed by frame, so for a foreign page it is a matter of mapping zeroed
 * memory at that place, once per 64 of its pages so used.
 *
 * Process 1's address space has areas that cover all of the application's
 * memory, whose fault handler enters the page into the page table.  The page
 * is never freed: it begins with one reference that is never dropped.  It looks
 * anonymous, so that a shared futex in it is keyed by address.
 *
 * The kernel does not hear when the application unmaps memory.  Hence an entry
 * is looked at anew whenever it is read: ptep_get() sees _PAGE_FOREIGN and asks
 * here whether the memory can be used right now.
 *
 * To find out whether memory can be written means to write to it, which makes
 * the host copy a page that is shared, or take one of a file for changed.  So
 * an entry is made for reading, and tried for writing only once the kernel has
 * wanted to write.
 *
 * Pages that the kernel keeps, as those of registered buffers, are not looked at
 * again.  If they are gone when it uses them, it gets a page of zeroes in their
 * place for a moment: what it writes is lost, as it is on Linux, where the pages
 * live on unseen; what it reads is not what was there, which a message tells.  If
 * other memory is there now, that is used.
 */
#include <linux/hugetlb.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/uaccess.h>
#include <asm/host_ops.h>
#include <asm/mirror.h>

/* Struct pages are mapped by the page: what one page of them describes. */
#define LKL_CHUNK_PAGES	(PAGE_SIZE / sizeof(struct page))

static int lkl_foreign_readable(unsigned long addr)
{
	u8 byte;

	return !__get_user(byte, (u8 __user *)addr);
}

/* Write without changing anything, even if others write meanwhile. */
static int lkl_foreign_writable(unsigned long addr)
{
	asm goto("1:\tlock; orb $0, %0\n"
		 LKL_EXTABLE(1b, %l[fault])
		 : : "m" (*(u8 *)addr) : "memory", "cc" : fault);
	return true;
fault:
	return false;
}

/*
 * Whether the application has something of the kernel's page at @addr.  If its own
 * pages are smaller, it may lack others of it.  What it lacks the host refuses,
 * or lkl_foreign_gone() sees to.
 */
static bool lkl_foreign_there(unsigned long addr, bool write)
{
	unsigned long end = addr + PAGE_SIZE;

	for (; addr < end; addr += LKL_HOST_PAGE)
		if (write ? lkl_foreign_writable(addr) : lkl_foreign_readable(addr))
			return true;
	return false;
}

/**
 * lkl_foreign_pte - what an entry for foreign memory is worth now
 * @pte: the entry
 *
 * Return: the entry, without _PAGE_RW if the memory is read-only, or none
 */
pte_t lkl_foreign_pte(pte_t pte)
{
	unsigned long addr = (unsigned long)__va(PFN_PHYS(pte_pfn(pte)));

	if (pte_val(pte) & _PAGE_RW && lkl_foreign_there(addr, true))
		return pte;
	if (lkl_foreign_there(addr, false))
		return pte_unset(pte, _PAGE_RW);
	return __pte(0);
}

/* Stands for "anonymous" in page->mapping; never looked into. */
static struct anon_vma lkl_foreign_anon;

static void lkl_init_chunk(struct page *page)
{
	struct page *end = page + LKL_CHUNK_PAGES;

	for (; page < end; page++) {
		set_page_count(page, 1);
		atomic_set(&page->_mapcount, -1);
		page->mapping = (void *)&lkl_foreign_anon + PAGE_MAPPING_ANON;
		__SetPageUptodate(page);
		SetPageAnonExclusive(page);
	}
}

/* Make sure that the frame at @addr has a struct page. */
static int lkl_foreign_page(unsigned long addr)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long start = (unsigned long)virt_to_page((void *)addr) & PAGE_MASK;
	int err = 0;
	u8 byte;

	/* Of two faults in one chunk, the first makes it. */
	spin_lock(&lock);
	if (__get_user(byte, (u8 __user *)start)) {
		err = lkl_ops->anon(start, PAGE_SIZE);
		if (!err)
			lkl_init_chunk((struct page *)start);
	}
	spin_unlock(&lock);
	return err;
}

/* Places where a page stands in for one that is gone; more than one instruction uses. */
static unsigned long lkl_stand_ins[8];
static unsigned int lkl_next_stand_in;

static void lkl_end_stand_in(unsigned int i)
{
	if (lkl_stand_ins[i])
		lkl_ops->release(lkl_stand_ins[i], LKL_HOST_PAGE);
	lkl_stand_ins[i] = 0;
}

static void lkl_end_stand_ins(struct irq_work *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lkl_stand_ins); i++)
		lkl_end_stand_in(i);
	pr_warn_ratelimited("lkl: the application has unmapped memory that the kernel still uses\n");
}

static DEFINE_IRQ_WORK(lkl_stand_in_work, lkl_end_stand_ins);

/**
 * lkl_foreign_gone - the kernel has touched foreign memory that is not there
 * @addr: where
 *
 * In a signal handler, on top of kernel code.
 *
 * Return: whether there is something now
 */
bool lkl_foreign_gone(unsigned long addr)
{
	struct page *page = virt_to_page((void *)addr);
	unsigned int i;
	int count;

	if (addr < PAGE_SIZE || addr >= TASK_SIZE ||
	    (addr >= LKL_RAM_BASE && addr < LKL_VMEMMAP_END))
		return false;
	/* A page without references is touched by mistake. */
	if (__get_user(count, (int __user *)&page->_refcount.counter) || count < 2)
		return false;
	i = lkl_next_stand_in++ % ARRAY_SIZE(lkl_stand_ins);
	lkl_end_stand_in(i);
	addr &= -LKL_HOST_PAGE;
	if (lkl_ops->anon(addr, LKL_HOST_PAGE))
		return false;
	lkl_stand_ins[i] = addr;
	irq_work_queue(&lkl_stand_in_work);
	return true;
}

static vm_fault_t lkl_foreign_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	spinlock_t *ptl;
	pte_t *ptep;

	if (!lkl_foreign_there(addr, write))
		return VM_FAULT_SIGSEGV;
	if (lkl_foreign_page(addr))
		return VM_FAULT_OOM;
	ptep = get_locked_pte(vma->vm_mm, addr, &ptl);
	if (!ptep)
		return VM_FAULT_OOM;
	set_pte(ptep, pte_set(pfn_pte(virt_to_pfn(addr), write ? PAGE_SHARED :
					      PAGE_READONLY),
			      _PAGE_DIRTY | _PAGE_FOREIGN));
	pte_unmap_unlock(ptep, ptl);
	return VM_FAULT_NOPAGE;
}

/* The entry that is there is for reading. */
static vm_fault_t lkl_foreign_mkwrite(struct vm_fault *vmf)
{
	return lkl_foreign_fault(vmf);
}

static const char *lkl_foreign_name(struct vm_area_struct *vma)
{
	return "[application]";
}

static const struct vm_operations_struct lkl_foreign_ops = {
	.fault = lkl_foreign_fault,
	.page_mkwrite = lkl_foreign_mkwrite,
	.name = lkl_foreign_name,
};

/* Where the library's own memory is, nothing may be mapped. */
static const struct vm_special_mapping lkl_library_mapping = {
	.name = "[lkl]",
};

/*
 * The application's memory lies around what the library uses itself.
 *
 * Sharing, of which VM_MAYSHARE is enough for a page never to be copied, must
 * not look as if a file system kept track of writes: VM_SHARED beside
 * page_mkwrite() would exclude pages from being pinned for long.
 */
static int lkl_foreign_area(struct mm_struct *mm, unsigned long start,
			    unsigned long end)
{
	struct vm_area_struct *vma;

	vma = _install_special_mapping(mm, start, end - start,
				       VM_READ | VM_WRITE | VM_MAYREAD |
				       VM_MAYWRITE | VM_MAYSHARE |
				       VM_MIXEDMAP | VM_SEALED,
				       &lkl_library_mapping);
	if (IS_ERR(vma))
		return PTR_ERR(vma);
	vma->vm_ops = &lkl_foreign_ops;
	return 0;
}

/**
 * lkl_mm_start - make @mm the address space of the application
 * @mm: that of process 1
 */
int lkl_mm_start(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	/* The stack that exec made for a program is not wanted. */
	err = do_munmap(mm, LKL_UMAP_BASE, LKL_UMAP_SIZE, NULL);
	if (!err)
		err = lkl_foreign_area(mm, PAGE_SIZE, LKL_RAM_BASE);
	if (!err)
		err = lkl_foreign_area(mm, LKL_VMEMMAP_END, TASK_SIZE);
	if (!err) {
		vma = _install_special_mapping(mm, LKL_RAM_BASE,
					       LKL_UMAP_BASE - LKL_RAM_BASE,
					       VM_SEALED, &lkl_library_mapping);
		err = PTR_ERR_OR_ZERO(vma);
	}
	mm->context.mirrored = true;
	mmap_write_unlock(mm);
	return err;
}
