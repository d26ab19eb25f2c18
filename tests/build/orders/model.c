// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's own files run on here: the host, a few lines instead of
 * Linux, and instead of what decides about speed only each decision.
 */
#include "kernel.h"

#include <ucontext.h>

#include "../../../arch/lkl/kernel/vlock.c"
#include "../../../arch/lkl/kernel/request.c"
#include "../../../arch/lkl/kernel/vcpu.c"
#include "../../../arch/lkl/kernel/call.c"

#include "model.h"

/* One for each thread, and one for a second task of the first thread. */
struct task_struct tasks[EXPLORE_THREADS + 1];
struct task_struct init_task;
static struct lkl_host_operations ops;
struct lkl_host_operations *lkl_ops = &ops;
struct lkl_call *lkl_halt_call;

bool inside[NR_CPUS];
int lines, lines_seen, halted;
static int posted;
bool signalled[EXPLORE_THREADS];

/*
 * Instead of contend.c, which decides about speed only: each decision is tried
 */

struct lkl_combiner lkl_combiner;
struct lkl_lost_quantum lkl_lost_quanta[LKL_QUANTUM_SLOTS];
int lkl_combiner_max = 2;
u32 lkl_combiner_calls;
u8 lkl_homes[1 << LKL_HOME_BITS];

void lkl_leave_combiner(void)
{
	if (READ_ONCE(lkl_combiner.task) != LKL_SEVERAL)
		WRITE_ONCE(lkl_combiner.task, NULL);
}

void lkl_begin_quantum(struct lkl_vcpu *cpu, struct task_struct *task)
{
	(void)task;
	lkl_bias_reset(cpu);
}

bool lkl_spin_for(u32 boot, struct lkl_call *call, bool listens)
{
	(void)boot;
	(void)listens;
	return lkl_done(call);
}

struct lkl_vcpu *lkl_lock_soon(struct lkl_vcpu *cpu, u32 boot,
			       struct lkl_call *call)
{
	if (!explore_choose(2))
		return NULL;
	if (lkl_vcpus_up > 1 && explore_choose(2)) {
		cpu = &lkl_vcpus[1 - (cpu - lkl_vcpus)];
		WRITE_ONCE(*lkl_home_of(call->task), cpu - lkl_vcpus);
	}
	lkl_bias_revoke(cpu, boot);
	return lkl_trylock(cpu, boot, NULL) ? cpu : NULL;
}

void lkl_measure_pause(void)
{
}

struct lkl_vcpu *lkl_find_wanting(u32 boot)
{
	for (u32 i = 0; i < lkl_vcpus_up; i++)
		if (lkl_wants_driver(&lkl_vcpus[i], boot))
			return &lkl_vcpus[i];
	return NULL;
}

/*
 * Instead of clock.c and wakeup.c: no timer is ever set
 */

u64 lkl_timer_cover(struct lkl_vcpu *cpu)
{
	(void)cpu;
	return 0;
}

void lkl_timer_uncover(struct lkl_vcpu *cpu, u64 cover)
{
	(void)cpu;
	(void)cover;
}

void lkl_timer_leave(struct lkl_vcpu *cpu)
{
	cpu->timer_check = 0;
}

void lkl_timer_wake(struct lkl_vcpu *cpu)
{
	__atomic_fetch_add(&cpu->keeper, 1, __ATOMIC_SEQ_CST);
	lkl_ops->wake(&cpu->keeper, 1);
}

void lkl_watch(void)
{
}

/*
 * The host
 */

static unsigned long long host_time(void)
{
	return 1;
}

static int host_wait(int *word, int val, unsigned long long deadline)
{
	int self = explore_self();

	if (deadline) {
		explore_relax();
		return 0;
	}
	if (!signalled[self])
		explore_wait(word, val);
	if (!signalled[self])
		return 0;
	signalled[self] = false;
	return -EINTR;
}

static void host_wake(int *word, int count)
{
	(void)count;
	explore_wake(word);
}

static int host_fence(void)
{
	explore_fence_all();
	return 0;
}

static int host_cpus(void)
{
	return 2;
}

static int host_listen_begin(void)
{
	return 0;
}

static struct lkl_host_operations ops = {
	.time = host_time,
	.wait = host_wait,
	.wake = host_wake,
	.listen_begin = host_listen_begin,
	.relax = explore_relax,
	.cpus = host_cpus,
	.fence = host_fence,
};

/*
 * Linux
 */

bool model_wake(struct task_struct *task)
{
	bool slept = task->blocked || task->state;

	task->state = TASK_RUNNING;
	task->asleep = false;
	if (task->interrupted || posted)
		task->blocked = false;
	return slept && !task->blocked;
}

void lkl_want_task(struct lkl_call *call)
{
	explore_fail("call %p has no task", (void *)call);
}

bool lkl_user_work(void)
{
	return false;
}

unsigned int lkl_user_state(void)
{
	return TASK_INTERRUPTIBLE;
}

void do_exit(long code)
{
	explore_fail("exit %ld", code);
}

#include "extracted.h"

struct task_struct *runnable(struct lkl_vcpu *cpu)
{
	for (int i = 0; i <= EXPLORE_THREADS; i++) {
		struct task_struct *task = &tasks[i];

		if (task->on_cpu != (int)cpu->cpu && task->thread.active)
			continue;
		if (task->asleep)
			continue;
		if (task->thread.call ||
		    (task->thread.active && !task->blocked))
			return task;
	}
	return NULL;
}

static void run_pending(void)
{
	while (lkl_this_pending()) {
		lkl_clear_pending(lkl_this);
		lkl_take_calls();
		lines_seen = __atomic_load_n(&lines, __ATOMIC_SEQ_CST);
	}
}

/*
 * Tasks that are parked, on stacks of their own.  Each of them runs lkl_park() until
 * it has a call.
 */

#define STACK 16384

static bool parks;
static bool irqs_on;
static ucontext_t fibers[EXPLORE_THREADS + 1], driver;
static char stacks[EXPLORE_THREADS + 1][STACK] __aligned(64);
/* In the middle of lkl_park(). */
static bool parking[EXPLORE_THREADS + 1];
static long left;

/* More reasons to leave: the task has a call, or sleeps. */
enum { LEFT_CALLED = LKL_LEFT_STOP + 1, LEFT_ASLEEP };

void model_leave(long why)
{
	left = why;
	swapcontext(&fibers[current - tasks], &driver);
	lkl_this = &lkl_cpu;
}

/* No other task has something to do. */
bool model_single(void)
{
	struct task_struct *next = runnable(lkl_this);

	return !next || next == current;
}

/* Interrupts, one of which may be the timer's. */
void lkl_run_pending(void)
{
	run_pending();
	if (lkl_want_handover() && explore_choose(2)) {
		explore_note("leaves task %d in the middle",
			     (int)(current - tasks));
		model_leave(LKL_LEFT_HANDOVER);
	}
}

void model_irqs(bool on)
{
	irqs_on = on;
	if (on)
		lkl_run_pending();
}

static void poll_if_on(void)
{
	if (irqs_on)
		lkl_run_pending();
}

/* Debugging code of Linux may enable interrupts in both. */
void model_state(unsigned int how)
{
	poll_if_on();
	current->state = how;
	poll_if_on();
}

void model_schedule(void)
{
	poll_if_on();
	if (current->state != TASK_RUNNING) {
		explore_note("task %d sleeps", (int)(current - tasks));
		current->asleep = true;
		model_leave(LEFT_ASLEEP);
	}
	irqs_on = true;
}

static void park(void)
{
	lkl_this = &lkl_cpu;
	for (;;) {
		parking[current - tasks] = true;
		lkl_park();
		parking[current - tasks] = false;
		model_leave(LEFT_CALLED);
	}
}

/* Let the last task go on with lkl_park(). */
static long go_on(struct lkl_vcpu *cpu)
{
	struct task_struct *task = cpu->task;

	irqs_on = true;
	swapcontext(&driver, &fibers[task - tasks]);
	if (left == LEFT_ASLEEP)
		cpu->task = &init_task;
	return left;
}

/*
 * The task that is next has a call, but has to come out of lkl_park() first; or no task
 * has something to do, and the last one parks.
 */
static bool is_parking(struct lkl_vcpu *cpu, struct task_struct *next)
{
	struct task_struct *task = next ? next : cpu->task;

	if (!parks || task == &init_task || task->thread.active ||
	    task->asleep || (next && !parking[task - tasks]))
		return false;
	cpu->task = task;
	return true;
}

/* Go on with the call of a task, as far as it gets. */
static void serve(struct lkl_vcpu *cpu, struct task_struct *task)
{
	struct lkl_call *call = task->thread.active;
	long ret;

	if (!call) {
		call = task->thread.call;
		task->thread.call = NULL;
		task->thread.active = call;
		task->interrupted |= call->interrupted;
	}
	ret = call->nr;
	cpu->task = task;
	task->on_cpu = cpu->cpu;
	if (call->fn) {
		lkl_bias_exit(BOOT, task);
		ret = 0;
	} else if (call->nr == POST) {
		posted++;
		for (int i = 0; i < EXPLORE_THREADS; i++) {
			if (model_wake(&tasks[i]) &&
			    tasks[i].on_cpu != (int)cpu->cpu)
				lkl_kick_from_kernel(
					&lkl_vcpus[tasks[i].on_cpu]);
		}
	} else if (call->nr == WAIT && posted) {
		posted--;
	} else if (call->nr == WAIT && !task->interrupted) {
		task->blocked = true;
		call->waited = true;
		cpu->blocked = task;
		return;
	} else if (call->nr == WAIT) {
		ret = -EINTR;
	}
	task->interrupted = false;
	task->thread.active = NULL;
	if (cpu->blocked == task)
		cpu->blocked = NULL;
	explore_note("call of task %d ends", (int)(task - tasks));
	lkl_stay_home(call);
	lkl_complete(call, ret);
}

void *model_kernel(struct lkl_vcpu *cpu)
{
	struct lkl_vcpu *before = lkl_this;
	enum lkl_left why = LKL_LEFT_USER;
	struct task_struct *task;

	if (inside[cpu->cpu])
		explore_fail("two threads drive CPU %d", cpu->cpu);
	inside[cpu->cpu] = true;
	explore_note("drives CPU %d", cpu->cpu);
	lkl_this = cpu;
	for (;;) {
		run_pending();
		task = runnable(cpu);
		if (is_parking(cpu, task)) {
			why = go_on(cpu);
			if (why == LEFT_CALLED || why == LEFT_ASLEEP)
				continue;
			break;
		}
		why = LKL_LEFT_USER;
		if (!task)
			break;
		if (task->thread.call && task->thread.call->nr == HALT &&
		    !task->thread.call->fn) {
			lkl_halt_call = task->thread.call;
			task->thread.call = NULL;
			why = LKL_LEFT_HALT;
			halted++;
			for (int i = 0; i <= EXPLORE_THREADS; i++) {
				struct lkl_call *call =
					tasks[i].thread.active
						?: tasks[i].thread.call;

				if (call)
					lkl_refuse(call, -ESHUTDOWN);
				tasks[i].thread.active = NULL;
				tasks[i].thread.call = NULL;
			}
			break;
		}
		serve(cpu, task);
		/* A timer interrupt, and there is a reason to be relieved. */
		if (lkl_want_handover() && explore_choose(2)) {
			why = LKL_LEFT_HANDOVER;
			break;
		}
		/* The next call makes the lock biased. */
		if (explore_choose(2))
			lkl_bias_of(cpu)->at = cpu->calls + 1;
	}
	explore_note("leaves CPU %d", cpu->cpu);
	inside[cpu->cpu] = false;
	lkl_this = before;
	return (void *)why;
}

void begin(void)
{
	memset(lkl_vcpus, 0, sizeof(lkl_vcpus));
	memset(tasks, 0, sizeof(tasks));
	memset(lkl_biases, 0, sizeof(lkl_biases));
	memset(lkl_homes, 0, sizeof(lkl_homes));
	lkl_spinners = 0;
	memset(&lkl_combiner, 0, sizeof(lkl_combiner));
	memset(inside, 0, sizeof(inside));
	memset(signalled, 0, sizeof(signalled));
	lkl_bias_enders = 0;
	lkl_bias_off = false;
	for (int i = 0; i < NR_CPUS; i++)
		lkl_biases[i].at = 1;
	lkl_halt_call = NULL;
	lkl_combiner_calls = 0;
	posted = lines = lines_seen = halted = 0;
	lkl_vcpus_up = 1;
	lkl_cpu.task = &tasks[0];
	lkl_cpu.word = lkl_cpu_free(BOOT);
	parks = false;
}

void begin_two(void)
{
	begin();
	lkl_vcpus_up = 2;
	lkl_vcpus[1].cpu = 1;
	lkl_vcpus[1].task = &tasks[1];
	lkl_vcpus[1].word = lkl_cpu_free(BOOT);
	lkl_combiner.task = LKL_SEVERAL;
}

void begin_park(void)
{
	begin();
	parks = true;
	for (int i = 0; i <= EXPLORE_THREADS; i++) {
		/* All but the last one of the CPU. */
		tasks[i].asleep = i > 0;
		tasks[i].state = i > 0 ? TASK_INTERRUPTIBLE : TASK_RUNNING;
		parking[i] = false;
		getcontext(&fibers[i]);
		fibers[i].uc_stack.ss_sp = stacks[i];
		fibers[i].uc_stack.ss_size = STACK;
		fibers[i].uc_link = NULL;
		makecontext(&fibers[i], park, 0);
	}
}
