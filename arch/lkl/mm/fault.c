// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults in what mmap() of the library's kernel returned.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <asm/mirror.h>

/**
 * lkl_user_fault - bring a page in
 * @addr: address that was touched
 * @write: it was to be written
 *
 * Return: 0 when the instruction can be repeated, -EFAULT when it is not
 * allowed, or what else is in the way: the end of the file or of memory
 */
int lkl_user_fault(unsigned long addr, bool write)
{
	unsigned int flags = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_USER;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t fault;
	int err;

	if (!mm)
		return -EFAULT;
	if (write)
		flags |= FAULT_FLAG_WRITE;
retry:
	vma = lock_mm_and_find_vma(mm, addr, NULL);
	if (!vma)
		return -EFAULT;
	if (!(vma->vm_flags & (write ? VM_WRITE : VM_ACCESS_FLAGS))) {
		mmap_read_unlock(mm);
		return -EFAULT;
	}
	fault = handle_mm_fault(vma, addr, flags, NULL);
	if (fault & VM_FAULT_COMPLETED)
		return 0;
	if (fault & VM_FAULT_RETRY) {
		flags |= FAULT_FLAG_TRIED;
		goto retry;
	}
	if (!(fault & VM_FAULT_ERROR)) {
		err = lkl_mirror_touch(mm, addr);
		mmap_read_unlock(mm);
		return err;
	}
	mmap_read_unlock(mm);
	if (fault & VM_FAULT_OOM)
		return -ENOMEM;
	return fault & VM_FAULT_SIGSEGV ? -EFAULT : -EIO;
}
