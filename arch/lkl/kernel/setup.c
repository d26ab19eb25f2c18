// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel asks of an architecture while it boots, and when it stops. */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmstat.h>
#include <asm/archrandom.h>
#include <asm/host_ops.h>
#include <asm/kasan.h>
#include <asm/mirror.h>
#include <asm/setup.h>
#include "grow.h"

void machine_halt(void)
{
}

void machine_power_off(void)
{
	machine_halt();
}

void machine_restart(char *cmd)
{
	machine_halt();
}

static int lkl_panic(struct notifier_block *nb, unsigned long event, void *msg)
{
	lkl_ops->panic();
	return NOTIFY_DONE;
}

static struct notifier_block lkl_panic_block = {
	.notifier_call = lkl_panic,
	.priority = INT_MIN,
};

static void __init lkl_possible_cpus(void)
{
	unsigned int cpu;

	/* To the rest of the kernel, "auto" is 0. */
	if (lkl_grows)
		setup_max_cpus = 1;
	for (cpu = 1; cpu < lkl_cpus_most; cpu++)
		set_cpu_possible(cpu, true);
}

void __init setup_arch(char **cmdline_p)
{
	atomic_notifier_chain_register(&panic_notifier_list, &lkl_panic_block);

	strscpy(boot_command_line, lkl_cmdline, COMMAND_LINE_SIZE);
	*cmdline_p = lkl_cmdline;
	parse_early_param();
	lkl_possible_cpus();
	/*
	 * A work that gathers counters every second would wake an idle program.  What
	 * it gathers late is some pages.
	 */
	sysctl_stat_interval = INT_MAX / 2;
	lkl_console_early();

	lkl_mm_setup(lkl_mem_size);
	paging_init();
	kasan_init();
}

void __init arch_cpu_finalize_init(void)
{
}

/* Nothing is freed: a later boot needs it again. */
void free_initmem(void)
{
}

/* The size was needed before there was a kernel to parse it. */
static int __init lkl_mem_param(char *arg)
{
	return 0;
}
early_param("mem", lkl_mem_param);

size_t lkl_random_longs(unsigned long *v, size_t max_longs)
{
	if (lkl_ops->random(v, max_longs * sizeof(*v)))
		return 0;
	return max_longs;
}

static void *lkl_cpuinfo_start(struct seq_file *m, loff_t *pos)
{
	*pos = cpumask_next(*pos - 1, cpu_online_mask);
	return *pos < nr_cpu_ids ? (void *)(long)(*pos + 1) : NULL;
}

static void *lkl_cpuinfo_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return lkl_cpuinfo_start(m, pos);
}

static void lkl_cpuinfo_stop(struct seq_file *m, void *v)
{
}

static int lkl_cpuinfo_show(struct seq_file *m, void *v)
{
	seq_printf(m, "processor\t: %ld\nmodel name\t: Linux as a library\n\n",
		   (long)v - 1);
	return 0;
}

const struct seq_operations cpuinfo_op = {
	.start = lkl_cpuinfo_start,
	.next = lkl_cpuinfo_next,
	.stop = lkl_cpuinfo_stop,
	.show = lkl_cpuinfo_show,
};
