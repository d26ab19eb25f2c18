// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual CPU and the host threads that drive it.
 *
 * Kernel tasks are fibers: a kernel stack and a saved stack pointer.  One lock
 * word says whether some host thread runs the kernel; the holder *drives*: it
 * switches from its own stack to the fiber of `current`, from where the
 * scheduler switches between fibers as it likes, until one of them gives the
 * stack back (lkl_leave) because its task is in "user mode" or nothing is
 * runnable.  Any driver runs any task.
 *
 * A host thread's request is a struct lkl_call on its stack, served by the
 * kernel task that belongs to the thread.  In the common case the CPU is free
 * and `current` is that very task, left in user mode by the call before: the
 * request then costs one atomic to take the CPU, two stack switches and one
 * atomic to give it back, or none after many such requests (cpulock.h); the
 * scheduler does not notice.  Otherwise the request goes onto a list that is read
 * as if it were an interrupt, which makes the task runnable.
 *
 * The task ends the request by writing the result and the state DONE.  If its
 * host thread was driving, it sees that when it has its stack back; if it was
 * spinning it sees it at once; if it sleeps it is woken.
 * A thread that spins for others again and again makes their calls as well: then
 * they go onto the list even while the CPU is free (lkl_home).
 *
 * Interrupts never wait for the CPU: whoever raises one sets a pending bit in
 * the lock word itself.  If the CPU was free it takes it and drives; if not,
 * the holder finds the bit wherever it enables interrupts, and at the latest
 * when it wants to release the word, because releasing is a compare-and-swap
 * that only succeeds with no bit pending.
 *
 * A driver whose own request is done leaves as soon as nothing is runnable, or
 * at the next timer interrupt: then the timer thread, which has no request of
 * its own, takes over.  The fiber may be in the middle of kernel code at that
 * moment; it goes on when somebody switches to it again.
 *
 * A forked child has a copy of everything but no right to use it: the lock word
 * is in a page that the host empties on fork, so the child finds no kernel.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/call.h>
#include <asm/cpu.h>
#include <asm/fpu/api.h>
#include <asm/host_ops.h>
#include "cpulock.h"

/* Rounds through the kernel a thread makes for others once it is done. */
#define LKL_EXTRA_ROUNDS	8
/*
 * How long host threads spin for a result before they sleep: about as long as
 * it takes to be woken, and to answer something short over TCP.
 */
#define LKL_SPIN_NS		20000
/* How long they wait for the thread that is home, which is in user code. */
#define LKL_HOME_NS		3000
/*
 * How many spins with success, in calls that were blocked, it takes until one is home,
 * and calls that are not blocked until none is.
 */
#define LKL_HOME_HITS		8
#define LKL_HOME_CALLS		16
/*
 * How long they spin, in pause instructions of 10 to 50 ns, for a CPU that makes
 * one long call; and at all, before they leave their call to its holder.
 */
#define LKL_SPIN_LOCK		250
#define LKL_SPIN_TURN		3000
/* What it takes to have the CPU make another thread's calls. */
#define LKL_CHANGE_NS		3000
/* The longest wait for a turn, if one waits. */
#define LKL_TURN_NS		200000
/* Who does not come back for so long has not missed its turn. */
#define LKL_GONE_NS		50000
#define LKL_TURN_SLOTS		64
/* Waits that do not spin, at most, before one tries whether it pays again. */
#define LKL_SPIN_SKIP		256

struct lkl_cpu lkl_cpu __aligned(PAGE_SIZE) __section(".data..lkl_cpu");

struct task_struct *lkl_current = &init_task;

/* The request of the thread that drives, if it has one. */
static struct lkl_call *lkl_driving;

/* A request whose thread is to be woken; belongs to the driver. */
static struct lkl_call *lkl_sleeper;

/* The driver is the timer thread and may stay as long as there is work. */
static bool lkl_driver_stays;

/* The last task that was blocked in the middle of a call, unless it has ended. */
struct task_struct *lkl_blocked;

/* Each spin in vain doubles the number of waits that sleep at once. */
static unsigned int lkl_spin_backoff, lkl_spin_skip;

/* LKL_SPIN_NS, LKL_HOME_NS and LKL_CHANGE_NS in pause instructions. */
static int lkl_spin_max, lkl_home_max, lkl_change_max;

/*
 * Two threads that answer each other would carry the kernel's data to and fro
 * between two processors, dozens of cache lines for each call.  So one of them,
 * which spins until the other one answers, is made *home*: meanwhile it makes the
 * calls of all, and for a moment they wait for it even while it is not in the
 * kernel.  The fields are its task, and spins with success since the last one.
 */
static struct {
	struct task_struct *task;
	unsigned int hits;
} __aligned(64) lkl_home;

/* Calls made since one had to wait: who never waits need not be together. */
u32 lkl_home_calls;

unsigned int lkl_kernel_boots(void)
{
	return READ_ONCE(lkl_cpu.word) >> LKL_CPU_BOOT_SHIFT;
}

/* Returns whether the CPU was free when the bit was set. */
static bool lkl_set_pending(u32 boot)
{
	u32 old = READ_ONCE(lkl_cpu.word);

	for (;;) {
		if (old >> LKL_CPU_BOOT_SHIFT != boot)
			return false;
		if (old == (lkl_cpu_free(boot) | LKL_CPU_BIASED)) {
			lkl_bias_revoke(boot);
			old = READ_ONCE(lkl_cpu.word);
		} else if (__atomic_compare_exchange_n(&lkl_cpu.word, &old,
						       old | LKL_CPU_PENDING,
						       true, __ATOMIC_SEQ_CST,
						       __ATOMIC_RELAXED)) {
			return !(old & LKL_CPU_LOCKED);
		}
	}
}

static __always_inline enum lkl_left lkl_enter(void)
{
	return (long)lkl_fiber_switch(&lkl_cpu.host_sp, current->thread.sp,
				      NULL);
}

/* End a request; returns whether its thread sleeps. */
static inline bool lkl_end(struct lkl_call *call, long ret)
{
	call->ret = ret;
	call->by_call = lkl_driving;
	return __atomic_exchange_n(&call->state, LKL_CALL_DONE,
				   __ATOMIC_ACQ_REL) == LKL_CALL_SLEEPING;
}

/**
 * lkl_complete - end a request; in kernel context
 * @call: the request; may be gone when this returns
 * @ret: its result
 */
void lkl_complete(struct lkl_call *call, long ret)
{
	if (call == lkl_driving) {
		call->ret = ret;
		call->state = LKL_CALL_DONE;
	} else if (lkl_end(call, ret)) {
		lkl_wake_sleeper();
		lkl_sleeper = call;
	}
}

/* The same, with the CPU not held. */
static void lkl_refuse(struct lkl_call *call, long ret)
{
	if (lkl_end(call, ret))
		lkl_ops->wake(&call->state, 1);
}

/**
 * lkl_wake_sleeper - wake the thread whose request has ended
 *
 * Most often that was all there was to do.  Then the driver wakes the thread
 * when it has given the CPU back: the host likes to run a thread that is woken
 * instead of the one that wakes it, and it would find the CPU locked.
 */
void lkl_wake_sleeper(void)
{
	struct lkl_call *call = lkl_sleeper;

	if (likely(!call))
		return;
	lkl_sleeper = NULL;
	lkl_ops->wake(&call->state, 1);
}

static inline bool lkl_done(struct lkl_call *call)
{
	return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE) == LKL_CALL_DONE;
}

/**
 * lkl_want_handover - should the driver be relieved?
 *
 * Asked at timer interrupts, so that a thread works for others no longer than
 * a tick.
 */
bool lkl_want_handover(void)
{
	struct lkl_call *call = lkl_driving;

	if (lkl_driver_stays || READ_ONCE(lkl_fpu_busy))
		return false;
	/* A signal ends a call that is blocked only if its thread sleeps. */
	return !call || lkl_done(call) ||
	       (call->task && !task_is_running(call->task));
}

static void lkl_push_list(struct lkl_call *first, struct lkl_call *last)
{
	last->next = __atomic_load_n(&lkl_cpu.requests, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&lkl_cpu.requests, &last->next, first,
					    true, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED))
		;
}

static void lkl_push(u32 boot, struct lkl_call *call)
{
	call->boot = boot;
	call->queued = 1;
	lkl_push_list(call, call);
}

static noinline void lkl_drive(u32 boot, struct lkl_call *call, bool stays);

/* Drive if the CPU is free, else leave the pending bit to its holder. */
static void lkl_kick_boot(u32 boot)
{
	if (lkl_set_pending(boot) && lkl_trylock(boot, NULL))
		lkl_drive(boot, NULL, false);
}

/**
 * lkl_kick_other - something is pending; have another thread notice it
 *
 * For a caller that has better things to do than to drive.  A thread that sleeps
 * in a call is woken instead; mostly it is its call that waits for this.
 *
 * Return: whether the CPU is free and there is no such thread
 */
bool lkl_kick_other(void)
{
	u32 boot = lkl_kernel_boots();
	int old = LKL_CALL_SLEEPING;
	struct lkl_call *call;

	if (!boot || !lkl_set_pending(boot) || !lkl_trylock(boot, NULL))
		return false;
	/* No call ends while the CPU is locked. */
	call = lkl_blocked ? lkl_blocked->thread.active : NULL;
	if (call && !__atomic_compare_exchange_n(&call->state, &old,
						 LKL_CALL_RUNNING, false,
						 __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
		call = NULL;
	__atomic_and_fetch(&lkl_cpu.word, ~LKL_CPU_LOCKED, __ATOMIC_SEQ_CST);
	if (call)
		lkl_ops->wake(&call->state, 1);
	return !call;
}

/* End what is still on the list of a boot that is over. */
static void lkl_refuse_calls(u32 boot)
{
	struct lkl_call *call, *next;

	call = __atomic_exchange_n(&lkl_cpu.requests, NULL, __ATOMIC_SEQ_CST);
	for (; call; call = next) {
		next = call->next;
		if (call->boot != boot) {
			lkl_push_list(call, call);
			lkl_kick_boot(call->boot);
			continue;
		}
		if (!call->started)
			lkl_refuse(call, -ESHUTDOWN);
		__atomic_store_n(&call->queued, 0, __ATOMIC_SEQ_CST);
	}
}

/*
 * Drive until nothing is runnable or, once @call is done, others have had
 * enough of this thread's time.  The CPU is locked by the caller; it is not
 * on return.
 */
static __always_inline void __lkl_drive(u32 boot, struct lkl_call *call, bool stays)
{
	struct lkl_call *sleeper;
	int rounds = 0;

	for (;;) {
		enum lkl_left why;

		lkl_driving = call;
		lkl_driver_stays = stays;
		why = lkl_enter();
		if (unlikely(why == LKL_LEFT_HALT)) {
			/* No fiber is in use any more; the rest is the host's. */
			lkl_driving = NULL;
			lkl_wake_sleeper();
			__atomic_store_n(&lkl_cpu.word, 0, __ATOMIC_SEQ_CST);
			lkl_refuse_calls(boot);
			lkl_refuse(lkl_halt_call, 0);
			return;
		}
		/* A thread that is going to sleep minds the timer itself. */
		if (unlikely(lkl_cpu.timer_check) && (!call || lkl_done(call)))
			lkl_timer_leave();
		if (unlikely(why == LKL_LEFT_HANDOVER)) {
			/* The fiber is not at rest: leave a reason to come. */
			lkl_driving = NULL;
			lkl_bias_drop(boot);
			lkl_wake_sleeper();
			lkl_set_pending(boot);
			rounds = LKL_EXTRA_ROUNDS;
		} else {
			lkl_driving = NULL;
			sleeper = lkl_sleeper;
			lkl_sleeper = NULL;
			if (lkl_release(boot)) {
				if (unlikely(sleeper))
					lkl_ops->wake(&sleeper->state, 1);
				return;
			}
			lkl_sleeper = sleeper;
			if (!call || !lkl_done(call))
				continue;
			lkl_wake_sleeper();
		}
		if (++rounds > LKL_EXTRA_ROUNDS) {
			__atomic_and_fetch(&lkl_cpu.word, ~LKL_CPU_LOCKED,
					   __ATOMIC_SEQ_CST);
			lkl_timer_wake();
			return;
		}
	}
}

static noinline void lkl_drive(u32 boot, struct lkl_call *call, bool stays)
{
	__lkl_drive(boot, call, stays);
}

/* Have a request end with -EINTR if it is blocked. */
void lkl_interrupt_call(struct lkl_call *call)
{
	struct task_struct *task = call->task;

	if (!task || task->thread.active != call)
		return;
	set_tsk_thread_flag(task, TIF_NOTIFY_SIGNAL);
	wake_up_state(task, TASK_INTERRUPTIBLE);
}

/**
 * lkl_interrupt_driver - a signal was raised in the host
 *
 * If it was handled on the thread that drives, that did not end its wait,
 * because it does not wait.
 */
void lkl_interrupt_driver(void)
{
	struct lkl_call *call = lkl_driving;

	if (!call || lkl_done(call))
		return;
	call->interrupted = 1;
	lkl_interrupt_call(call);
}

static void lkl_leave_home(void)
{
	WRITE_ONCE(lkl_home.hits, 0);
	WRITE_ONCE(lkl_home.task, NULL);
}

/**
 * lkl_take_calls - notice the requests made since the last time
 *
 * Return: whether there were any
 */
bool lkl_take_calls(void)
{
	struct lkl_call *list, *call, *fifo = NULL;
	u32 boot = lkl_kernel_boots();

	if (!READ_ONCE(lkl_cpu.requests))
		return false;
	if (unlikely(++lkl_home_calls > LKL_HOME_CALLS) && lkl_home.task)
		lkl_leave_home();
	list = __atomic_exchange_n(&lkl_cpu.requests, NULL, __ATOMIC_SEQ_CST);
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
		/* From here on the owner may queue it again, or be gone. */
		interrupted = READ_ONCE(call->started);
		call->started = 1;
		if (unlikely(call->boot != boot)) {
			if (!interrupted)
				lkl_complete(call, -ESHUTDOWN);
			__atomic_store_n(&call->queued, 0, __ATOMIC_RELEASE);
			continue;
		}
		if (interrupted) {
			lkl_interrupt_call(call);
			__atomic_store_n(&call->queued, 0, __ATOMIC_RELEASE);
			continue;
		}
		if (task)
			task->thread.call = call;
		else
			lkl_want_task(call);
		__atomic_store_n(&call->queued, 0, __ATOMIC_RELEASE);
		if (task)
			wake_up_process(task);
	}
	return true;
}

/**
 * lkl_kick_cpu - something is pending; see that it is noticed
 *
 * From any host thread, also one that drives.
 */
void lkl_kick_cpu(void)
{
	u32 boot = lkl_kernel_boots();

	if (boot)
		lkl_kick_boot(boot);
}

/* The CPU is free, but there is work for it. */
static inline bool lkl_wants_driver(u32 boot)
{
	return READ_ONCE(lkl_cpu.word) ==
	       (lkl_cpu_free(boot) | LKL_CPU_PENDING);
}

/**
 * lkl_drive_timer - let the timer thread run the kernel
 * @boot: boot it belongs to
 * @pending: only if there is work already
 */
void lkl_drive_timer(u32 boot, bool pending)
{
	bool free = pending ? lkl_wants_driver(boot) : lkl_set_pending(boot);

	if (pending && !free)
		return;
	lkl_watch();
	if (free && lkl_trylock(boot, NULL))
		lkl_drive(boot, NULL, true);
}

/* The task that lkl_poke() looks at, and that must not go away meanwhile. */
static struct task_struct *lkl_poked;

/**
 * lkl_poke - have the driver see to what is pending
 *
 * Kernel code that runs for long, and does not enable interrupts, asks now and
 * then whether it should let others run.  Only for the watcher.
 */
void lkl_poke(void)
{
	u32 bits = LKL_CPU_LOCKED | LKL_CPU_PENDING;
	struct task_struct *task;

	if ((READ_ONCE(lkl_cpu.word) & bits) != bits)
		return;
	task = READ_ONCE(lkl_current);
	__atomic_store_n(&lkl_poked, task, __ATOMIC_SEQ_CST);
	if (READ_ONCE(lkl_current) == task)
		__atomic_fetch_or(&task_thread_info(task)->flags,
				  _TIF_NEED_RESCHED, __ATOMIC_SEQ_CST);
	__atomic_store_n(&lkl_poked, NULL, __ATOMIC_SEQ_CST);
}

/* The memory of a task is about to be freed. */
void arch_release_task_struct(struct task_struct *task)
{
	/* The task has left lkl_current; lkl_poke() looks after it has said so. */
	smp_mb();
	while (READ_ONCE(lkl_poked) == task)
		lkl_ops->relax();
}

/* A thread is about to spin for the end of a call. */
static bool lkl_come_home(struct task_struct *task)
{
	struct task_struct *home = READ_ONCE(lkl_home.task);

	if (!home && task && READ_ONCE(lkl_home.hits) >= LKL_HOME_HITS) {
		WRITE_ONCE(lkl_home.task, task);
		return true;
	}
	return task && home == task;
}

/* Who can listen learns no sooner of what comes from outside. */
static bool lkl_spin_for(u32 boot, struct lkl_call *call, bool listens)
{
	unsigned int backoff, skip = READ_ONCE(lkl_spin_skip);
	int i, max = lkl_spin_max;
	bool home;

	if (skip) {
		WRITE_ONCE(lkl_spin_skip, skip - 1);
		return false;
	}
	home = lkl_come_home(call->task);
	for (i = 0; i < max; i++) {
		if (lkl_done(call)) {
			if (lkl_spin_backoff && (call->by_call || !listens))
				WRITE_ONCE(lkl_spin_backoff, 0);
			if (!home && lkl_home.hits < LKL_HOME_HITS &&
			    call->by_call && call->waited)
				WRITE_ONCE(lkl_home.hits, lkl_home.hits + 1);
			return true;
		}
		/* Looking costs the driver, if there is one, a cache miss. */
		if ((home || i % 16 == 0) && lkl_wants_driver(boot))
			return false;
		__builtin_ia32_pause();
	}
	if (home)
		lkl_leave_home();
	backoff = min(READ_ONCE(lkl_spin_backoff) * 2 + 1, LKL_SPIN_SKIP);
	WRITE_ONCE(lkl_spin_backoff, backoff);
	WRITE_ONCE(lkl_spin_skip, backoff);
	return false;
}

/* Returns -EINTR if that ended it. */
static int lkl_sleep(struct lkl_call *call, bool listens)
{
	int err, old = LKL_CALL_RUNNING;
	u64 cover;

	if (lkl_cpu_pending())
		lkl_watch();
	if (!__atomic_compare_exchange_n(&call->state, &old, LKL_CALL_SLEEPING,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return 0;

	cover = lkl_timer_cover();
	if (listens)
		err = lkl_ops->listen_wait(&call->state, LKL_CALL_SLEEPING,
					   cover);
	else
		err = lkl_ops->wait(&call->state, LKL_CALL_SLEEPING, cover);
	lkl_timer_uncover(cover);
	old = LKL_CALL_SLEEPING;
	__atomic_compare_exchange_n(&call->state, &old, LKL_CALL_RUNNING, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return err;
}

/* Sleep until @call is done or the CPU wants a driver. */
static void lkl_wait(u32 boot, struct lkl_call *call)
{
	bool listens = lkl_ops->listen_begin();
	int err = 0;

	if (!(lkl_ops->cpus() > 1 && lkl_spin_for(boot, call, listens)) &&
	    !lkl_wants_driver(boot))
		err = lkl_sleep(call, listens);
	if (listens)
		lkl_ops->listen_end();
	/* Making a task cannot be interrupted: the request is on another list. */
	if (err == -EINTR && call->task && !call->interrupted) {
		call->interrupted = 1;
		/* Not started yet: serve it once it is. */
		while (__atomic_load_n(&call->queued, __ATOMIC_SEQ_CST)) {
			if (lkl_boot_gone(boot))
				return;
			if (lkl_trylock(boot, NULL))
				lkl_drive(boot, call, false);
			lkl_ops->relax();
		}
		if (!lkl_done(call)) {
			lkl_push(boot, call);
			lkl_set_pending(boot);
		}
	}
}

/*
 * Whose turn it is.  A thread that takes the CPU from another one brings the
 * kernel's data to its own processor, which costs as much as dozens of calls.  If
 * both make one call after the other, they do better in turns: who has lost the
 * CPU, and comes back at once, leaves it to the other one for four times its own
 * last turn, in which each call counts for the time of a change at most.  So turns
 * grow as long as all threads make use of theirs, and who calls now and then waits
 * for nobody.
 */
static struct {
	struct task_struct *task;
	u64 began;
	u32 calls;
} lkl_turn;

/* When a task has lost its turn, and how long it waits for the next, in ns. */
static struct {
	u64 lost;
	u64 wait;
} lkl_turns[LKL_TURN_SLOTS];

/* Threads that sleep until their turn, of any boot. */
static u32 lkl_nappers __section(".data..lkl_keep");

/* Some tasks share a slot. */
static unsigned int lkl_turn_slot(struct task_struct *task)
{
	return (unsigned long)task / SMP_CACHE_BYTES % LKL_TURN_SLOTS;
}

/* The CPU's new holder has it for another task than the one before. */
static void lkl_begin_turn(struct task_struct *task)
{
	u64 worth, now = lkl_ops->time();
	unsigned int slot;

	/* Not if it ended by itself, as the task was blocked. */
	if (lkl_turn.task && lkl_current == lkl_turn.task) {
		worth = (u64)(lkl_cpu.calls - lkl_turn.calls) * LKL_CHANGE_NS;
		worth = min(worth, now - lkl_turn.began);
		slot = lkl_turn_slot(lkl_current);
		WRITE_ONCE(lkl_turns[slot].lost, now);
		WRITE_ONCE(lkl_turns[slot].wait,
			   min(4 * worth, (u64)LKL_TURN_NS));
	}
	lkl_turn.task = task;
	lkl_turn.began = now;
	lkl_turn.calls = lkl_cpu.calls;
	lkl_bias_reset();
}

/*
 * Sleep until the turn comes; nobody wakes who does.  Each of those who wait wants a
 * turn, but none waits for more than a tick.
 */
static void lkl_nap(struct lkl_call *call, u32 ns)
{
	static int word;
	u64 all = (u64)ns * __atomic_add_fetch(&lkl_nappers, 1, __ATOMIC_RELAXED);

	if (lkl_ops->wait(&word, 0, lkl_ops->time() + min_t(u64, all, TICK_NSEC)) == -EINTR)
		call->interrupted = true;
	__atomic_sub_fetch(&lkl_nappers, 1, __ATOMIC_RELAXED);
}

/* The CPU is the task's as it is, or there is no turn to wait for. */
static __always_inline bool lkl_may_begin(struct task_struct *task)
{
	return READ_ONCE(lkl_current) == task ||
	       !READ_ONCE(lkl_turns[lkl_turn_slot(task)].wait);
}

/* How long a task waits for its turn; the next time it does not. */
static u64 lkl_patience(struct task_struct *task)
{
	unsigned int slot = lkl_turn_slot(task);
	u64 since, wait = READ_ONCE(lkl_turns[slot].wait);

	if (!wait)
		return 0;
	WRITE_ONCE(lkl_turns[slot].wait, 0);
	since = lkl_ops->time() - READ_ONCE(lkl_turns[slot].lost);
	if (READ_ONCE(lkl_current) == &init_task || since > LKL_GONE_NS ||
	    since >= wait)
		return 0;
	return wait - since;
}

/*
 * Take the CPU as soon as it is free and the thread's turn has come, or the holder
 * makes no use of its own.  Each look at that costs it a cache miss.
 */
static bool lkl_lock_soon(u32 boot, struct lkl_call *call)
{
	u32 seen, calls = READ_ONCE(lkl_cpu.calls);
	int i, step = 16, spun = 0, locked = 0, quiet = 0;
	u64 patience = 0;

	if (call->task)
		patience = lkl_patience(call->task);
	/* Callers meet: there are more changes than there is time for. */
	if (!patience && READ_ONCE(lkl_driving) &&
	    READ_ONCE(lkl_current) != &init_task &&
	    READ_ONCE(lkl_cpu.word) & LKL_CPU_LOCKED)
		patience = 2 * LKL_CHANGE_NS;
	while (spun < LKL_SPIN_TURN) {
		if (READ_ONCE(lkl_cpu.word) & LKL_CPU_LOCKED) {
			quiet = 0;
			if (locked > LKL_SPIN_LOCK)
				return false;
		} else {
			locked = 0;
			if (!patience || quiet > lkl_change_max ||
			    (u64)spun * LKL_CHANGE_NS > patience * lkl_change_max) {
				lkl_bias_revoke(boot);
				if (lkl_trylock(boot, NULL))
					return true;
			}
		}
		for (i = 0; i < step; i++)
			__builtin_ia32_pause();
		spun += step;
		locked += step;
		quiet += step;
		seen = READ_ONCE(lkl_cpu.calls);
		if (seen == calls)
			continue;
		calls = seen;
		step = 64;
		locked = 0;
		quiet = 0;
		if (patience > LKL_SPIN_NS) {
			lkl_nap(call, patience);
			patience = 0;
		}
	}
	return false;
}

/* The thread has to get a new task. */
static bool lkl_call_gone(u32 boot, struct lkl_call *call)
{
	if (!lkl_boot_gone(boot))
		return false;
	call->ret = -ENOSYS;
	call->state = LKL_CALL_DONE;
	return true;
}

static noinline void lkl_call_contended(u32 boot, struct lkl_call *call)
{
	if (lkl_call_gone(boot, call))
		return;
	if (lkl_lock_soon(boot, call)) {
		lkl_begin_turn(call->task);
		lkl_push(boot, call);
		lkl_set_pending(boot);
		lkl_drive(boot, call, false);
		return;
	}
	lkl_push(boot, call);
	if (lkl_set_pending(boot) && lkl_trylock(boot, NULL))
		lkl_drive(boot, call, false);
}

static noinline void lkl_call_wait(u32 boot, struct lkl_call *call)
{
	for (;;) {
		bool done = lkl_done(call);

		/* The list must not point at the caller's stack any more. */
		if (done && !__atomic_load_n(&call->queued, __ATOMIC_SEQ_CST))
			return;
		if (lkl_boot_gone(boot)) {
			lkl_refuse_calls(boot);
			lkl_ops->relax();
		} else if (lkl_wants_driver(boot) && lkl_trylock(boot, NULL)) {
			lkl_drive(boot, call, false);
		} else if (!done) {
			lkl_wait(boot, call);
		} else {
			lkl_ops->relax();
		}
	}
}

/* Have the thread that is home make a call. */
static noinline void lkl_call_home(u32 boot, struct lkl_call *call)
{
	int i, max = lkl_home_max;

	if (lkl_call_gone(boot, call))
		return;
	lkl_push(boot, call);
	lkl_set_pending(boot);
	for (i = 0; i < max; i++) {
		if (lkl_done(call))
			return;
		__builtin_ia32_pause();
	}
	if (lkl_wants_driver(boot))
		lkl_leave_home();
}

static __always_inline long lkl_call(u32 boot, struct lkl_call *call)
{
	struct task_struct *home = READ_ONCE(lkl_home.task);

	if (unlikely(home && home != call->task)) {
		lkl_call_home(boot, call);
	} else if (likely(lkl_may_begin(call->task)) &&
		   likely(lkl_trylock(boot, call->task))) {
		if (likely(lkl_current == call->task)) {
			call->task->thread.call = call;
			call->started = 1;
			if (unlikely((s32)(++lkl_cpu.calls - lkl_bias_at) >= 0))
				lkl_bias_grant(boot, call->task);
		} else {
			lkl_bias_drop(boot);
			lkl_begin_turn(call->task);
			lkl_push(boot, call);
			lkl_set_pending(boot);
		}
		__lkl_drive(boot, call, false);
	} else {
		lkl_call_contended(boot, call);
	}
	if (unlikely(!lkl_done(call) || call->queued))
		lkl_call_wait(boot, call);
	return call->ret;
}

/* Not all of a request is worth writing for each call. */
static __always_inline void lkl_call_init(struct lkl_call *call, void *task,
					  long (*fn)(void *arg))
{
	call->task = task;
	call->fn = fn;
	call->queued = 0;
	call->started = false;
	call->interrupted = false;
	call->waited = false;
	call->state = LKL_CALL_RUNNING;
}

long lkl_task_syscall(void *task, unsigned int boot, long nr,
		      const long *params)
{
	struct lkl_call call;

	lkl_call_init(&call, task, NULL);
	call.nr = nr;
	call.params = params;
	return lkl_call(boot, &call);
}

long lkl_task_run(void *task, unsigned int boot, long (*fn)(void *arg),
		  void *arg)
{
	struct lkl_call call;

	lkl_call_init(&call, task, fn);
	call.arg = arg;
	return lkl_call(boot, &call);
}

int lkl_task_create(unsigned int boot, int tid, void **task)
{
	struct lkl_call call;
	int err;

	lkl_call_init(&call, NULL, NULL);
	call.nr = tid;
	err = lkl_call(boot, &call);
	*task = call.task;
	return err;
}

static long lkl_exit_task(void *unused)
{
	do_exit(0);
}

void lkl_task_exit(void *task, unsigned int boot)
{
	lkl_task_run(task, boot, lkl_exit_task, NULL);
}

/* Pause instructions differ; the fastest of some tries was not interrupted. */
static void lkl_measure_pause(void)
{
	u64 begin, took, least = LKL_SPIN_NS;
	int try, i;

	for (try = 0; try < 5; try++) {
		begin = lkl_ops->time();
		for (i = 0; i < 64; i++)
			__builtin_ia32_pause();
		took = lkl_ops->time() - begin;
		least = min(least, took);
	}
	lkl_spin_max = 64 * LKL_SPIN_NS / max_t(u64, least, 1);
	lkl_home_max = 64 * LKL_HOME_NS / max_t(u64, least, 1);
	lkl_change_max = 64 * LKL_CHANGE_NS / max_t(u64, least, 1);
}

/**
 * lkl_cpu_start - make the CPU available to host threads and run the kernel
 * @boot: number of this boot
 * @call: request that the kernel ends when it has booted
 */
void lkl_cpu_start(u32 boot, struct lkl_call *call)
{
	call->started = 1;
	lkl_cpu.irqs_on = 0;
	lkl_measure_pause();
	__atomic_store_n(&lkl_cpu.word, lkl_cpu_free(boot) | LKL_CPU_LOCKED,
			 __ATOMIC_SEQ_CST);
	lkl_drive(boot, call, false);
	if (!lkl_done(call))
		lkl_call_wait(boot, call);
}
