/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as one relocatable object.
 *
 * Each output section starts at 0 and holds all symbols that mark its parts, so
 * that a later link moves them together.  Constants with pointers in them need
 * relocation at load time and are kept apart from those that can stay in the
 * file's read-only pages.  Everything the kernel writes to lies between
 * lkl_data_start and lkl_data_end, or in .bss, so that another boot can find it
 * as it was.
 */
#include <linux/linkage.h>
#include <asm/cache.h>
#include <asm/page.h>
#include <asm/thread_info.h>

#define LOAD_OFFSET 0
#include <asm-generic/vmlinux.lds.h>

/* Lockdep takes keys in .data and .rodata only, and some are in constants with pointers. */
#define LKL_RELRO		*(.data.rel.ro*)			\
				BOUNDED_SECTION_BY(__modver, ___modver)
#ifdef CONFIG_PROVE_LOCKING
#define LKL_CONST_RELRO
#define LKL_DATA_RELRO		LKL_RELRO
#else
#define LKL_CONST_RELRO		LKL_RELRO
#define LKL_DATA_RELRO
#endif

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)

SECTIONS
{
	/*
	 * Measures at each boot for milliseconds whether the jitter of the
	 * clock is random.  Randomness comes from the host here.
	 */
	/DISCARD/ : { *jitterentropy-kcapi.o(.initcall6.init) }

	.text 0 : {
		_text = .;
		_stext = .;
		TEXT_TEXT
		SCHED_TEXT
		LOCK_TEXT
		KPROBES_TEXT
		ENTRY_TEXT
		IRQENTRY_TEXT
		SOFTIRQENTRY_TEXT
		_etext = .;
		. = ALIGN(16);
		_sinittext = .;
		INIT_TEXT
		EXIT_TEXT
		_einittext = .;
		BYTE(0x90)
	}

	.data.rel.ro 0 : {
		*kallsyms*.o(.rodata)
		LKL_CONST_RELRO
		SCHED_DATA
		. = ALIGN(8);
		BOUNDED_SECTION_BY(__tracepoints_ptrs, ___tracepoints_ptrs)
		TRACEDATA
		PRINTK_INDEX
		BOUNDED_SECTION_BY(__param, ___param)
		*(.ref.rodata)
	}

	.rodata 0 : {
		__start_rodata = .;
		*(.rodata) *(.rodata.*)
		*(__tracepoints_strings)
		*(.note.*)
		__start_notes = .;
		__stop_notes = .;
		BTF
		BOUNDED_SECTION_BY(.smp_locks, _smp_locks)
		__end_rodata = .;
	}

	.data 0 : {
		. = ALIGN(PAGE_SIZE);
		lkl_data_start = .;
		_sdata = .;
		INIT_TASK_DATA(PAGE_SIZE)
		NOSAVE_DATA
		PAGE_ALIGNED_DATA(PAGE_SIZE)
		CACHELINE_ALIGNED_DATA(L1_CACHE_BYTES)
		READ_MOSTLY_DATA(L1_CACHE_BYTES)
		DATA_DATA
		LKL_DATA_RELRO
		*(.data.rel .data.rel.local .data.rel.local.*)
		RO_AFTER_INIT_DATA
		jiffies = jiffies_64;
		CONSTRUCTORS
		. = ALIGN(8);
		BOUNDED_SECTION_BY(__bug_table, ___bug_table)
		. = ALIGN(4);
		BOUNDED_SECTION_BY(__ex_table, ___ex_table)
		_edata = .;
		. = ALIGN(PAGE_SIZE);
		__init_begin = .;
		INIT_DATA
		INIT_SETUP(16)
		INIT_CALLS
		CON_INITCALL
		INIT_RAM_FS
		EXIT_DATA
		. = ALIGN(PAGE_SIZE);
		__per_cpu_load = .;
		PERCPU_INPUT(L1_CACHE_BYTES)
		. = ALIGN(PAGE_SIZE);
		__init_end = .;
		lkl_data_end = .;
		*(.data..lkl_keep)
		. = ALIGN(PAGE_SIZE);
		*(.data..lkl_cpu)
		. = ALIGN(PAGE_SIZE);
	}

	.bss 0 : {
		. = ALIGN(PAGE_SIZE);
		__bss_start = .;
		*(.bss..page_aligned)
		. = ALIGN(PAGE_SIZE);
		*(.dynbss)
		*(BSS_MAIN)
		*(COMMON)
		*(.sbss)
		. = ALIGN(PAGE_SIZE);
		__bss_stop = .;
		_end = .;
	}

	STABS_DEBUG
	DWARF_DEBUG
	ELF_DETAILS

	DISCARDS
}
