// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads and forks.
 *
 * A thread of the program is a thread of our C library, which runs the
 * program's code on the program's stack with the program's FS register, and
 * ours on its own: so all our code can rely on thread-local storage, and what
 * belongs to the thread is freed when it ends.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <unistd.h>

#include <lkl_host.h>

#include "run.h"

#define RSEQ_FLAG_UNREGISTER 1

static __thread struct run_thread self
	__attribute__((tls_model("initial-exec")));

static int first_pid;
static struct run_thread *first;

/* A thread or process that is to be. */
struct start {
	struct way_regs regs;
	unsigned long flags;
	unsigned long sp;
	unsigned long resume;
	unsigned long fs;
	unsigned long mask;
	unsigned long blocked;
	const void *filter;
	struct hijack_netns netns;
	int *parent_tid;
	int *child_tid;
	int tid;
};

bool run_forked(void)
{
	return way_host0(SYS_getpid) != first_pid;
}

static void futex_wake(int *word)
{
	raw_syscall(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0);
}

/* Make the calling thread one of the program's. */
static void thread_init(struct run_thread *t)
{
	unsigned long fs;

	t->way.self = &t->way;
	t->way.out = way_out_now;
	way_host2(SYS_arch_prctl, ARCH_GET_FS, &fs);
	t->way.host_fs = fs;
	way_host2(SYS_arch_prctl, ARCH_SET_GS, t);
}

/* The program may want to have its own. */
static void forget_rseq(void)
{
	if (__rseq_size)
		way_host4(SYS_rseq,
			  (char *)__builtin_thread_pointer() + __rseq_offset,
			  32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

/*
 * The library's own threads inherit a state in which nothing ever happens; the
 * one that starts them becomes the program's first afterwards.
 */
static struct run_thread idle;
static lkl_thread_t (*library_thread_create)(void (*fn)(void *arg), void *arg);

static lkl_thread_t run_thread_create(void (*fn)(void *arg), void *arg)
{
	struct run_thread *t = run_self();
	unsigned long old = way_signals_block();
	lkl_thread_t thread;

	way_host2(SYS_arch_prctl, ARCH_SET_GS, &idle);
	thread = library_thread_create(fn, arg);
	way_host2(SYS_arch_prctl, ARCH_SET_GS, t);
	way_signals_unblock(old);
	return thread;
}

void run_threads_early(void)
{
	first_pid = getpid();
	way_signals_admit(&self.way);
	thread_init(&idle);
	library_thread_create = lkl_host_ops.thread_create;
	lkl_host_ops.thread_create = run_thread_create;
}

void run_first_thread(struct run_image *image)
{
	struct way_regs regs = { .flags = 0x200 };
	char *stack = mmap(NULL, WAY_STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stack == MAP_FAILED || run_dispatch(&self))
		return;
	first = &self;
	thread_init(&self);
	forget_rseq();
	self.way.stack = (unsigned long)stack + WAY_STACK_SIZE - 8;
	self.way.user_sp = image->sp;
	self.way.resume = image->entry;
	run_go(&self, &regs);
}

/* To the program, as the child of a call that has returned 0. */
static void child_go(struct run_thread *t, struct start *s)
{
	t->way.user_sp = s->sp;
	t->way.user_fs = s->fs;
	t->way.resume = s->resume;
	t->way.blocked = s->blocked;
	s->regs.nr = 0;
	way_host4(SYS_rt_sigprocmask, SIG_SETMASK, &s->mask, 0, 8);
	run_go(t, &s->regs);
}

/*
 * Mutexes that are held are for the host to see to; if there are none it need
 * not look where the program may have other things by then.
 */
static void forget_robust_list(void)
{
	struct {
		void *next;
		long offset;
		void *pending;
	} * head;
	size_t len;

	if (!way_host3(SYS_get_robust_list, 0, &head, &len) && head &&
	    head->next == head && !head->pending)
		way_host2(SYS_set_robust_list, 0, len);
}

/* rseq(area, length, flags, signature) */
long run_rseq(struct run_thread *t, struct way_regs *r)
{
	long ret =
		way_host4(SYS_rseq, r->arg[0], r->arg[1], r->arg[2], r->arg[3]);

	if (!ret)
		memcpy(t->rseq, r->arg, sizeof(t->rseq));
	return ret;
}

static void *thread_main(void *arg)
{
	struct start *theirs = arg, s = *theirs;
	int tid = way_host0(SYS_gettid);

	thread_init(&self);
	forget_rseq();
	way_keep_own_signal();
	hijack_filter_inherit(__builtin_thread_pointer(), s.filter);
	hijack_netns_inherit(__builtin_thread_pointer(), &s.netns);
	if (s.flags & CLONE_PARENT_SETTID)
		*s.parent_tid = tid;
	if (s.flags & CLONE_CHILD_SETTID)
		*s.child_tid = tid;
	if (s.flags & CLONE_CHILD_CLEARTID)
		self.clear_tid = s.child_tid;
	run_dispatch(&self);
	__atomic_store_n(&theirs->tid, tid, __ATOMIC_RELEASE);
	futex_wake(&theirs->tid);
	child_go(&self, &s);

	/* The program's thread has ended. */
	way_signals_block();
	hijack_thread_exit();
	if (self.rseq[0] && !self.rseq[2])
		way_host4(SYS_rseq, self.rseq[0], self.rseq[1],
			  RSEQ_FLAG_UNREGISTER, self.rseq[3]);
	if (self.clear_tid) {
		forget_robust_list();
		__atomic_store_n(self.clear_tid, 0, __ATOMIC_RELEASE);
		futex_wake(self.clear_tid);
	}
	return NULL;
}

long run_thread_exit(struct run_thread *t, struct way_regs *r)
{
	/* The first thread's end is not that of the process. */
	if (t->way.vforked || t == first)
		return way_host1(SYS_exit, r->arg[0]);
	run_back();
}

static long new_thread(struct start *s)
{
	pthread_attr_t attr;
	pthread_t id;
	int err = -hijack_netns_pass(&s->netns);

	if (err)
		return -err;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, WAY_STACK_SIZE);
	err = pthread_create(&id, &attr, thread_main, s);
	pthread_attr_destroy(&attr);
	if (err)
		hijack_netns_drop(&s->netns);
	while (!err && !__atomic_load_n(&s->tid, __ATOMIC_ACQUIRE))
		raw_syscall(SYS_futex, (long)&s->tid, FUTEX_WAIT, 0, 0, 0, 0);
	return err ? -err : s->tid;
}

/* A process with memory of its own. */
static long new_process(struct run_thread *t, struct start *s)
{
	unsigned long simple = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
			       CLONE_PARENT_SETTID | SIGCHLD;
	bool is_simple = !(s->flags & ~simple) &&
			 (s->flags & CSIGNAL) == SIGCHLD;
	long ret;

	if (is_simple)
		hijack_heir_begin();
	rewrite_lock();
	ret = hijack_fork_begin(false);
	if (ret) {
		rewrite_unlock();
		hijack_heir_parent();
		return ret;
	}
	if (is_simple) {
		/* Leaves our C library in order. */
		ret = fork();
		ret = ret < 0 ? -errno : ret;
		if (!ret && s->flags & CLONE_CHILD_SETTID)
			*s->child_tid = getpid();
		if (ret > 0 && s->flags & CLONE_PARENT_SETTID)
			*s->parent_tid = ret;
	} else {
		ret = raw_syscall(SYS_clone, s->flags & ~CLONE_SETTLS, 0,
				  (long)s->parent_tid, (long)s->child_tid, 0,
				  0);
	}
	hijack_fork_end(ret);
	rewrite_unlock();
	if (ret) {
		hijack_heir_parent();
		return ret;
	}
	hijack_heir_child();
	way_signals_forked(&t->way);
	run_dispatch(t);
	t->way.user_sp = s->sp;
	t->way.user_fs = s->fs;
	t->clear_tid = s->flags & CLONE_CHILD_CLEARTID ? s->child_tid : NULL;
	return 0;
}

/* A process in the same memory, mostly for a moment: its part of ours. */
struct guest {
	struct run_thread thread;
	struct start start;
	struct way_action actions[WAY_SIGNALS];
};

static void guest_main(void *arg)
{
	struct guest *g = arg;
	struct run_thread *t = &g->thread;

	thread_init(t);
	run_dispatch(t);
	child_go(t, &g->start);
	way_host1(SYS_exit, 0);
}

static long new_guest(struct run_thread *t, struct start *s)
{
	bool waits = s->flags & CLONE_VFORK;
	struct guest *g;
	char *area;
	long ret = waits ? hijack_fork_begin(true) : 0;

	if (ret)
		return ret;
	area = mmap(NULL, WAY_STACK_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		if (waits)
			hijack_fork_end(-ENOMEM);
		return -ENOMEM;
	}
	g = (void *)(area + WAY_STACK_SIZE - sizeof(*g) - 64);
	g = (void *)((unsigned long)g & -64UL);
	g->start = *s;
	g->thread.way.vforked = true;
	g->thread.way.alt = waits ? t->way.alt : (stack_t){ 0 };
	way_actions_copy(&g->thread.way, g->actions);
	ret = run_clone(s->flags & ~CLONE_SETTLS, g, s->parent_tid,
			s->child_tid, 0, guest_main, g);
	if (waits)
		hijack_fork_end(ret);
	if (ret < 0 || waits)
		munmap(area, WAY_STACK_SIZE);
	return ret;
}

static long clone_any(struct run_thread *t, struct way_regs *r,
		      unsigned long flags, unsigned long sp, long parent_tid,
		      long child_tid, unsigned long tls)
{
	bool netns = flags & CLONE_NEWNET;
	struct start s = {
		.regs = *r,
		.flags = flags & ~CLONE_NEWNET,
		.sp = sp ? sp : t->way.user_sp,
		.resume = t->way.resume,
		.fs = flags & CLONE_SETTLS ? tls : t->way.user_fs,
		.blocked = t->way.blocked,
		.filter = hijack_filter(),
		.parent_tid = (int *)parent_tid,
		.child_tid = (int *)child_tid,
	};
	long ret;

	/* Not one that goes on in its parent's memory. */
	if (netns && (t->way.vforked || flags & CLONE_THREAD ||
		      (flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM))
		return -EPERM;
	s.mask = way_signals_block();
	if (t->way.pending) {
		way_signals_unblock(s.mask);
		return -WAY_RESTART;
	}
	ret = netns ? hijack_fork_netns() : 0;
	if (ret) {
		way_signals_unblock(s.mask);
		return ret;
	}
	if (!(flags & CLONE_THREAD) && !t->way.vforked) {
		hijack_before_fork();
		way_signals_init();
	}
	if (flags & CLONE_THREAD)
		ret = (flags & (CLONE_VM | CLONE_SIGHAND)) ==
				      (CLONE_VM | CLONE_SIGHAND)
			      ? new_thread(&s)
			      : -EINVAL;
	else if (flags & CLONE_VM)
		ret = new_guest(t, &s);
	else
		ret = new_process(t, &s);
	way_signals_unblock(s.mask);
	return ret;
}

long run_thread_clone(struct run_thread *t, struct way_regs *r)
{
	return clone_any(t, r, (unsigned int)r->arg[0], r->arg[1], r->arg[2],
			 r->arg[3], r->arg[4]);
}

long run_thread_clone3(struct run_thread *t, struct way_regs *r)
{
	struct clone_args a = { .flags = 0 };
	size_t size = r->arg[1];
	long third;

	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (user_copy(&a, (void *)r->arg[0],
		      size < sizeof(a) ? size : sizeof(a)))
		return -EFAULT;
	third = a.parent_tid;
	if (a.flags & CLONE_PIDFD) {
		/* clone() has one place for both. */
		if (a.flags & CLONE_PARENT_SETTID)
			return -ENOSYS;
		third = a.pidfd;
	}
	/* The C libraries fall back to clone() for these. */
	if (a.flags >> 32 || a.set_tid_size || size > sizeof(a))
		return -ENOSYS;
	return clone_any(t, r, a.flags | a.exit_signal,
			 a.stack ? a.stack + a.stack_size : 0, third,
			 a.child_tid, a.tls);
}

long run_thread_vfork(struct run_thread *t, struct way_regs *r)
{
	return clone_any(t, r,
			 r->nr == SYS_fork ? SIGCHLD
					   : CLONE_VM | CLONE_VFORK | SIGCHLD,
			 0, 0, 0, 0);
}
