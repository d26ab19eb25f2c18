// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the host's request to boot to start_kernel(), and from halt back.
 *
 * A process can boot any number of kernels one after the other.  The first boot
 * keeps a copy of the kernel's initialised data; each later one starts from
 * that copy and a zeroed .bss, so that it cannot tell it is not the first.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/start_kernel.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/host_ops.h>
#include <asm/kasan.h>
#include <asm/mirror.h>
#include <asm/sections.h>
#include <asm/setup.h>
#include <asm/valgrind.h>
#include "grow.h"
#include "vlock.h"
#include "wakeup.h"

/*
 * Devices that the application did not ask for: they take time, memory and the low
 * interface numbers.  One virtual CPU.  RCU that waits for its grace periods and not
 * for a tick, and takes no offence at a process that was stopped for long.  And hash
 * tables, which the kernel would size for the RAM it is told
 * of at first (mm/init.c): like its own rule, but with a limit, for boot has to
 * zero them.  What the application says comes later and wins.
 */
#define LKL_CMDLINE_DEFAULTS						\
	"dummy.numdummies=0 ifb.numifbs=0 bonding.max_bonds=0 "		\
	"nbd.nbds_max=0 fb_tunnels=none sch_teql.max_equalizers=0 "	\
	"maxcpus=1 rcupdate.rcu_expedited=1 rcupdate.rcu_cpu_stall_suppress=1 "	\
	"dhash_entries=%lu ihash_entries=%lu thash_entries=%lu "

#define __keep __section(".data..lkl_keep")

/*
 * The least memory that boots; a kernel with less would die while it starts.  It
 * keeps hundreds of pages for when there are no more, however large they are.  With
 * KASAN, all that is allocated at boot is larger.
 */
#define LKL_MEM_MIN	((16UL << 20) + (PAGE_SIZE / 4096 - 1) * (3UL << 20) +	\
			 IS_ENABLED(CONFIG_KASAN) * (24UL << 20))
#define LKL_MEM_DEFAULT	max(64UL << 20, 2 * LKL_MEM_MIN)

extern char lkl_data_start[], lkl_data_end[];

/* What outlives a halt. */
struct lkl_host_operations *lkl_ops __keep;
struct lkl_call *lkl_halt_call __keep;
static void *lkl_pristine __keep;
static u32 lkl_boot_number __keep;
char lkl_cmdline[COMMAND_LINE_SIZE] __keep;
unsigned long lkl_mem_size __keep;

static void lkl_say(const char *fmt, ...)
{
	char buf[160];
	va_list args;
	int n;

	if (!lkl_ops->print)
		return;
	va_start(args, fmt);
	n = vscnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	lkl_ops->print(buf, n);
}

/* Find the last mem= of the command line; false if it is not a size. */
static bool lkl_mem_option(const char *cmdline)
{
	const char *p = cmdline;

	lkl_mem_size = LKL_MEM_DEFAULT;
	while ((p = strstr(p, "mem="))) {
		if (p == cmdline || p[-1] == ' ') {
			char *end;

			lkl_mem_size = memparse(p + 4, &end);
			if (end == p + 4 || (*end && *end != ' '))
				return false;
		}
		p += 4;
	}
	lkl_mem_size = PAGE_ALIGN(lkl_mem_size);
	return true;
}

/* How many virtual CPUs there may be: the last maxcpus= of the command line. */
static unsigned int lkl_cpus_option(const char *cmdline)
{
	const char *p = cmdline;
	unsigned long cpus = 1;

	lkl_grows = false;
	while ((p = strstr(p, "maxcpus="))) {
		p += strlen("maxcpus=");
		lkl_grows = !strncmp(p, "auto", 4) && (!p[4] || p[4] == ' ');
		cpus = simple_strtoul(p, NULL, 10);
	}
	if (lkl_grows)
		cpus = lkl_ops->processors();
	return clamp(cpus, 1UL, (unsigned long)NR_CPUS);
}

static int lkl_set_cmdline(const char *cmdline)
{
	size_t room = sizeof(lkl_cmdline);
	size_t defaults = scnprintf(lkl_cmdline, room, LKL_CMDLINE_DEFAULTS,
				    min(lkl_mem_size >> 13, 65536UL),
				    min(lkl_mem_size >> 14, 32768UL),
				    min(lkl_mem_size >> 17, 8192UL));

	if (strscpy(lkl_cmdline + defaults, cmdline, room - defaults) >= 0)
		return 0;
	lkl_say("lkl: command line is longer than %zu bytes\n",
		room - defaults - 1);
	return -EINVAL;
}

/* For state.c: what .data was before the first boot. */
void *lkl_pristine_data(void)
{
	return lkl_pristine;
}

/* A process's first kernel: that is at @pristine, or what .data is now. */
int lkl_take_pristine(void *pristine)
{
	unsigned long size = lkl_data_end - lkl_data_start;
	int err;

	if (lkl_pristine)
		return 0;
	err = lkl_ops->wipe_on_fork(lkl_vcpus, PAGE_ALIGN(sizeof(lkl_vcpus)));
	if (err)
		return err;
	if (!pristine) {
		pristine = lkl_ops->keep(size);
		if (!pristine)
			return -ENOMEM;
		memcpy(pristine, lkl_data_start, size);
	}
	/* A child that is forked meanwhile must not find half of it. */
	smp_store_release(&lkl_pristine, pristine);
	return 0;
}

static int lkl_fresh_data(void)
{
	if (!lkl_pristine)
		return lkl_take_pristine(NULL);
	memcpy(lkl_data_start, lkl_pristine, lkl_data_end - lkl_data_start);
	memset(__bss_start, 0, __bss_stop - __bss_start);
	return 0;
}

/* Of an earlier boot, requests may still be on their way to a list. */
void lkl_fresh_cpus(void)
{
	struct lkl_vcpu *cpu;

	for (cpu = lkl_vcpus; cpu < lkl_vcpus + NR_CPUS; cpu++) {
		cpu->interrupts = 0;
		memset(&cpu->percpu, 0,
		       sizeof(*cpu) - offsetof(struct lkl_vcpu, percpu));
	}
	lkl_cpu.task = &init_task;
}

static void __ref lkl_boot_fiber(void)
{
	start_kernel();
}

/* A number that no boot has had for long. */
u32 lkl_new_boot(void)
{
	lkl_boot_number = (lkl_boot_number + 1) &
			  (~0U >> LKL_CPU_BOOT_SHIFT);
	lkl_boot_number += !lkl_boot_number;
	return lkl_boot_number;
}

int lkl_take_cmdline(struct lkl_host_operations *ops, const char *cmdline)
{
	static const char no_shadow[] = "lkl: no 16 TiB of addresses for KASAN (see ulimit -v)\n";
	int err;

	lkl_ops = ops;
	err = lkl_kasan_start();
	if (err) {
		/* Not with lkl_say(), which runs code that is checked. */
		if (ops->print)
			ops->print(no_shadow, sizeof(no_shadow) - 1);
		return err;
	}
	if (!lkl_mem_option(cmdline)) {
		lkl_say("lkl: mem= in '%s' is not a size\n", cmdline);
		return -EINVAL;
	}
	if (lkl_mem_size < LKL_MEM_MIN) {
		lkl_say("lkl: mem=%luK is too little to boot, %luM is needed\n",
			lkl_mem_size >> 10, LKL_MEM_MIN >> 20);
		return -ENOMEM;
	}
	return lkl_set_cmdline(cmdline);
}

int lkl_kernel_boot(struct lkl_host_operations *ops, const char *cmdline)
{
	struct lkl_call call = { .task = &init_task };
	struct lkl_fiber_start_frame *frame;
	int err;

	if (lkl_cpu.word)
		return -EBUSY;
	err = lkl_take_cmdline(ops, cmdline);
	if (err)
		return err;
	lkl_valgrind_init_stack(LKL_VALGRIND_IGNORE_RANGE);
	lkl_valgrind_stack(init_stack);
	err = lkl_fresh_data();
	if (err)
		return err;
	err = lkl_mm_host_start(lkl_mem_size);
	if (err) {
		lkl_say("lkl: cannot get %lu MiB of memory: error %d\n",
			lkl_mem_size >> 20, -err);
		return err;
	}
	err = lkl_kasan_fresh();
	if (err) {
		lkl_mm_host_stop();
		return err;
	}
	lkl_valgrind_memory(LKL_VALGRIND_IGNORE_RANGE);
	lkl_boot_call = &call;
	lkl_new_boot();
	lkl_freeze_none();

	frame = (void *)init_stack + THREAD_SIZE;
	frame--;
	memset(frame, 0, sizeof(*frame));
	frame->ip = lkl_fiber_boot;
	frame->fn = lkl_boot_fiber;
	init_task.thread.sp = frame;
	lkl_fresh_cpus();

	/* Before there are threads: to register for it is slow with some. */
	lkl_bias_start();
	lkl_cpus_most = lkl_cpus_option(cmdline);
	lkl_grow_none();
	err = lkl_timer_start(lkl_boot_number, lkl_cpus_most);
	if (!err) {
		lkl_cpu_start(lkl_boot_number, &call);
		/* Most of what boot has run and read is of no more use. */
		lkl_ops->forget((unsigned long)_stext, _etext - _stext);
		lkl_ops->forget((unsigned long)__start_rodata,
				__end_rodata - __start_rodata);
		return 0;
	}
	lkl_mm_host_stop();
	return err;
}

/* In kernel context: stop the kernel for good. */
static long lkl_halt(void *unused)
{
	struct task_struct *t;

	ksys_sync();
	/* That the system is halted is news on a machine, not in a program. */
	console_loglevel = CONSOLE_LOGLEVEL_SILENT;
	kernel_halt();

	lkl_stop_others();
	lkl_halt_call = current->thread.active;
	for_each_thread(current, t) {
		struct lkl_call *call = t->thread.active ?: t->thread.call;

		if (t != current && call) {
			lkl_made_task(call);
			lkl_complete(call, -ESHUTDOWN);
		}
	}
	lkl_refuse_tasks();
	for (;;)
		lkl_leave(LKL_LEFT_HALT);
}

long lkl_kernel_halt(void *task)
{
	u32 boot = lkl_kernel_boots();

	if (!boot)
		return -ENOSYS;
	lkl_task_run(task, boot, lkl_halt, NULL);
	return 0;
}

void lkl_kernel_release(void)
{
	lkl_timer_stop();
	lkl_mm_host_stop();
	lkl_valgrind_memory(LKL_VALGRIND_WATCH_RANGE);
	lkl_valgrind_init_stack(LKL_VALGRIND_WATCH_RANGE);
}
