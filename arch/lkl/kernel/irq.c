// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts.
 *
 * A host thread raises one by setting the line's bit and kicking the virtual
 * CPU; the CPU's holder sees that something is pending (vcpu.c) and comes here.
 * "Something" is one of three: requests of host threads, the timer, a line.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/host_ops.h>
#include <asm/irq_regs.h>
#include "contend.h"
#include "request.h"
#include "vlock.h"

#define __keep __section(".data..lkl_keep")

/*
 * Raised lines, and which words of that have any.  A line may be raised while the
 * state is copied, or put back, and must not be lost then.
 */
static unsigned long lkl_raised[BITS_TO_LONGS(NR_IRQS)] __keep;
static unsigned long lkl_raised_words __keep;

/* Lines that are in use; the application may own one from before boot on. */
static unsigned long lkl_lines[BITS_TO_LONGS(NR_IRQS)] __keep = { 1 };
static const char *lkl_line_user[NR_IRQS] __keep;

/* For the application, too: visible outside the shared library. */
#define LKL_PUBLIC	__attribute__((visibility("default")))

/* The application may raise a line that no driver uses. */
static void lkl_handle_line(unsigned int irq)
{
	if (irq_has_action(irq))
		generic_handle_irq(irq);
}

static void lkl_handle_lines(void)
{
	unsigned long words, lines;
	unsigned int w, bit;

	words = __atomic_exchange_n(&lkl_raised_words, 0, __ATOMIC_SEQ_CST);
	for_each_set_bit(w, &words, BITS_PER_LONG) {
		lines = __atomic_exchange_n(&lkl_raised[w], 0,
					    __ATOMIC_SEQ_CST);
		for_each_set_bit(bit, &lines, BITS_PER_LONG)
			lkl_handle_line(w * BITS_PER_LONG + bit);
	}
}

/*
 * A signal has come for a request that was given to its task before.  Whether the
 * task has begun to serve it only its CPU can tell.  Returns whether that is another.
 */
static bool lkl_pass_interrupt(struct lkl_call *call, u32 boot)
{
	struct lkl_vcpu *cpu;

	/* Its task may be gone. */
	if (lkl_done(call))
		return false;
	if (!call->task || task_cpu(call->task) == smp_processor_id()) {
		lkl_interrupt_call(call);
		return false;
	}
	cpu = &lkl_vcpus[task_cpu(call->task)];
	lkl_push(cpu, boot, call);
	lkl_kick_from_kernel(cpu);
	return true;
}

/* Give the requests made since the last time to their tasks, oldest first. */
static void lkl_take_calls(void)
{
	struct lkl_call *list, *call, *fifo = NULL;
	u32 boot = lkl_kernel_boots();

	if (!READ_ONCE(lkl_this->requests))
		return;
	lkl_count_calls();
	list = __atomic_exchange_n(&lkl_this->requests, NULL, __ATOMIC_SEQ_CST);
	while (list) {
		call = list;
		list = call->next;
		call->next = fifo;
		fifo = call;
	}
	while (fifo) {
		struct task_struct *task;
		bool interrupted;

		call = fifo;
		fifo = call->next;
		task = call->task;
		/* From here on the owner may queue it again, or have returned. */
		interrupted = READ_ONCE(call->started);
		call->started = 1;
		if (unlikely(call->boot != boot)) {
			if (!interrupted)
				lkl_complete(call, -ESHUTDOWN);
			__atomic_store_n(&call->queued, 0, __ATOMIC_RELEASE);
			continue;
		}
		if (interrupted) {
			if (!lkl_pass_interrupt(call, boot))
				__atomic_store_n(&call->queued, 0,
						 __ATOMIC_RELEASE);
			continue;
		}
		if (task)
			task->thread.call = call;
		else
			lkl_want_task(call);
		__atomic_store_n(&call->queued, 0, __ATOMIC_RELEASE);
		if (!task)
			continue;
		task->wake_cpu = smp_processor_id();
		/* It may rest as the last one of a CPU that no thread drives. */
		if (!wake_up_process(task) && task_cpu(task) != smp_processor_id())
			lkl_kick_from_kernel(&lkl_vcpus[task_cpu(task)]);
	}
}

/* The timer and the lines, as interrupts of the code at @ip. */
static bool lkl_interrupt(unsigned long ip)
{
	struct pt_regs regs = {
		.ip = ip,
		.user = current->thread.in_user,
	};
	struct pt_regs *old = set_irq_regs(&regs);
	bool tick;

	irq_enter();
	tick = lkl_timer_due();
	if (tick)
		lkl_timer_irq();
	lkl_handle_lines();
	irq_exit();
	set_irq_regs(old);
	return tick;
}

/**
 * lkl_run_pending - deal with what is pending
 *
 * Called with interrupts enabled, wherever that is looked at.
 */
void lkl_run_pending(void)
{
	bool handover = false;

	lkl_this->irqs_on = ARCH_IRQ_DISABLED;
	trace_hardirqs_off();
	do {
		lkl_clear_pending(lkl_this);
		if (unlikely(READ_ONCE(lkl_this->interrupts)))
			lkl_handle_ipis();
		lkl_take_calls();
		if ((lkl_timer_is_due() || READ_ONCE(lkl_raised_words)) &&
		    lkl_interrupt(_RET_IP_))
			handover |= lkl_want_handover();
	} while (lkl_this_pending());
	if (unlikely(handover) && !in_interrupt() && !is_idle_task(current))
		lkl_leave(LKL_LEFT_HANDOVER);
	trace_hardirqs_on();
	lkl_this->irqs_on = ARCH_IRQ_ENABLED;
}

static void lkl_raise_line(int irq)
{
	unsigned int w = irq / BITS_PER_LONG;

	__atomic_fetch_or(&lkl_raised[w], BIT(irq % BITS_PER_LONG),
			  __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&lkl_raised_words, BIT(w), __ATOMIC_SEQ_CST);
}

int lkl_trigger_irq(int irq)
{
	if (irq <= 0 || irq >= NR_IRQS)
		return -EINVAL;
	if (!lkl_kernel_boots())
		return -ENOSYS;
	lkl_raise_line(irq);
	lkl_kick_any();
	return 0;
}

int lkl_kernel_pass_irq(int irq)
{
	lkl_raise_line(irq);
	return !lkl_kick_other();
}

LKL_PUBLIC int lkl_get_free_irq(const char *user)
{
	unsigned int w, bit;

	for (w = 0; w < BITS_TO_LONGS(NR_IRQS); w++) {
		unsigned long old = READ_ONCE(lkl_lines[w]);

		do {
			if (!~old)
				break;
			bit = ffz(old);
		} while (!__atomic_compare_exchange_n(&lkl_lines[w], &old,
						      old | BIT(bit), true,
						      __ATOMIC_SEQ_CST,
						      __ATOMIC_RELAXED));
		if (~old) {
			lkl_line_user[w * BITS_PER_LONG + bit] = user;
			return w * BITS_PER_LONG + bit;
		}
	}
	return -EBUSY;
}

/* As strcmp(), which KASAN would check, perhaps before there is a shadow. */
static bool lkl_same_user(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

LKL_PUBLIC void lkl_put_irq(int irq, const char *user)
{
	if (irq <= 0 || irq >= NR_IRQS || !lkl_line_user[irq] ||
	    !lkl_same_user(lkl_line_user[irq], user))
		return;
	lkl_line_user[irq] = NULL;
	__atomic_fetch_and(&lkl_lines[irq / BITS_PER_LONG],
			   ~BIT(irq % BITS_PER_LONG), __ATOMIC_SEQ_CST);
}

static void lkl_irq_noop(struct irq_data *data)
{
}

static struct irq_chip lkl_irq_chip = {
	.name = "lkl",
	.irq_mask = lkl_irq_noop,
	.irq_unmask = lkl_irq_noop,
	.irq_ack = lkl_irq_noop,
};

/**
 * lkl_line_start - make a line ready for a driver's request_irq()
 * @irq: the line
 *
 * Each line that is ready has files in /proc, so that only those in use are.
 */
void lkl_line_start(int irq)
{
	irq_set_chip_and_handler(irq, &lkl_irq_chip, handle_edge_irq);
}

void __init init_IRQ(void)
{
	/* Whatever was raised was for the boot before. */
	lkl_raised_words = 0;
	bitmap_zero(lkl_raised, NR_IRQS);
}

int arch_show_interrupts(struct seq_file *p, int prec)
{
	return 0;
}
