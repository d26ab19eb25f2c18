/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The door between the library's kernel and its host.
 *
 * The kernel reaches the host only through struct lkl_host_operations; the
 * host reaches the kernel only through the functions declared below it.  Both
 * worlds include this file, so it uses nothing but plain C types, which are as
 * wide on one side as on the other (door.h).
 *
 * Operations marked [path] run on the path of a system call: they use raw
 * system calls, no thread-local storage, no locks, and no libc.
 */
#ifndef _UAPI_ASM_LKL_HOST_OPS_H
#define _UAPI_ASM_LKL_HOST_OPS_H

#include <asm/door.h>

struct lkl_virtio_dev;
struct lkl_mutex;
struct lkl_sem;

/* A thread of the host; 0 is none. */
typedef lkl_ulong_t lkl_thread_t;

/**
 * struct lkl_signals - signals of a thread that are held back; the host's affair
 * @before: what the thread had blocked before
 * @held: what is held back
 * @tid: number of the thread
 * @rung: another thread wakes this one
 * @woken: the thread has noticed that
 */
struct lkl_signals {
	lkl_ulong_t before;
	lkl_ulong_t held;
	int tid;
	int rung;
	int woken;
};

/* Protection of a host mapping; any access implies read access. */
#define LKL_HOST_NONE	0
#define LKL_HOST_READ	1
#define LKL_HOST_WRITE	2
#define LKL_HOST_EXEC	4

/* What is used of a siginfo_t. */
#define LKL_SIGINFO_SIZE 48

/**
 * struct lkl_host_range - memory of the process
 * @addr: first address, of a page
 * @size: in bytes, whole pages
 */
struct lkl_host_range {
	lkl_ulong_t addr;
	lkl_ulong_t size;
};

/**
 * struct lkl_host_operations - what the kernel needs of its host
 *
 * @print: write @len bytes of console output; NULL silences the console
 * @panic: the kernel has panicked and printed why; must not return
 * @time: [path] monotonic time in nanoseconds
 * @wall_time: nanoseconds since the Unix epoch
 * @random: fill @buf with @len bytes of fresh entropy
 * @wipe_on_fork: replace the page at @addr by one that a forked child finds
 *	zeroed
 * @keep: @size bytes of zeroed memory that stays for the process's life
 * @ram_open: create @size bytes of zeroed RAM mapped at @addr; 0 or -errno.  The
 *	host keeps the address in its own lkl_ram_base (areas.h)
 * @ram_close: unmap and free the RAM made by @ram_open
 * @reserve: [path] keep @size bytes of address space at @addr for later @map calls
 *	and make it inaccessible; 0 or -errno
 * @release: [path] give back what @reserve took, with all that @map put there
 * @map: [path] make @size bytes at @addr show the RAM at @offset
 * @unmap: [path] make @size bytes at @addr inaccessible again
 * @protect: [path] make @size bytes of RAM at @addr inaccessible, or accessible again
 * @anon: [path] map zeroed private memory at @addr unless something is there
 *	already; 0 or -errno
 * @pattern: map private memory at @addr, each @len bytes of which show what @with
 *	does, until they are written to; 0 or -errno
 * @freeze: remember the contents of RAM, of what @anon and @pattern have mapped,
 *	of what @map shows where, and of the @count ranges at @ranges.  No thread
 *	changes any of it.  0 or -errno, and then nothing has changed
 * @reset: let all of that be as it was at the last @freeze.  Nothing of it may be
 *	used meanwhile
 * @thaw: @reset will not be asked for any more; 0 or -errno, and then it may be
 * @forget: the pages of the program's file at @addr, @size bytes, are not needed
 *	any more, or not soon: let them be read again then
 * @patch: let the code at @addr, @size bytes, be written to, or not any more; 0
 *	or -errno
 * @wait: [path] sleep while *@word == @val, until woken or until the monotonic
 *	time @deadline in nanoseconds (0 is forever).  Returns 0, or -EINTR when
 *	a signal handler installed without SA_RESTART ran
 * @wake: [path] wake up to @count sleepers of @word
 * @listen_begin: [path] become the thread that receives for devices while it
 *	waits; 0 if there is nothing to receive from, or another one does.  If
 *	not, @listen_end must follow
 * @hold_signals: [path] the call of this thread may be blocked from now on: let no
 *	handler run unnoticed that was installed without SA_RESTART.  Returns 0 when there is nothing to hold back; if not,
 *	@release_signals must follow.  May be NULL: @wait notices all of them
 * @wait_held: [path] sleep until @wake_held, until the monotonic time @deadline (0
 *	is forever), or until a handler without SA_RESTART has run, which is -EINTR
 * @wake_held: [path] wake the thread that sleeps in @wait_held; for each sleep at
 *	most once
 * @woken_held: [path] another thread wakes this one, or has: wait for that
 * @release_signals: [path] let the handlers run, those that are late, too
 * @listen_wait: [path] @wait, which also ends when there is something to receive.
 *	Signals that are held back are not during this, unless @signals is NULL
 * @listen_end: [path] receive it, which may raise interrupts and thus run the
 *	kernel, and leave that to others
 * @relax: [path] let the other hyperthread or, every so often, another host
 *	thread of this processor run
 * @cpus: number of host processors this process may run on
 * @processors: how many of them its control groups leave it the time for, too; asked
 *	once in a boot
 * @fence: [path] return when each thread of the process has executed a memory
 *	barrier.  Returns 0, or another value if that cannot be had; may be NULL
 * @thread_create: start a thread that takes no signals; returns it or 0
 * @thread_join: wait for such a thread to end, and free what is left of it; 0 or a
 *	negative error number
 * @thread_detach: the calling thread leaves nothing behind when it ends
 * @thread_exit: end the calling thread
 * @thread_self: the calling thread
 * @thread_equal: are these the same?
 * @gettid: the number by which the host knows the calling thread
 * @mutex_alloc: a new mutex, which its owner may take again if @recursive; or NULL
 * @mutex_free: free it
 * @mutex_lock: take it
 * @mutex_unlock: release it
 * @sem_alloc: a new semaphore that has @count; or NULL
 * @sem_free: free it
 * @sem_up: add one
 * @sem_down: take one, as soon as there is one
 * @signal: deliver @sig, sent inside the kernel, to the host's thread @tid or,
 *	when that is 0, to the process; when it is negative, to the process with that
 *	number, whose calls are made here (share.h).  @info is LKL_SIGINFO_SIZE bytes of a
 *	siginfo_t, what is behind them is 0; or NULL.  Returns 1 when a handler
 *	installed without SA_RESTART takes it
 * @signal_group: deliver @sig, about a file, to the host's process group @group, of
 *	which its owner lkl_program_set_group() has told; @user is as that says, @info
 *	LKL_SIGINFO_SIZE bytes.  NULL if that is not called
 * @raise: [path] a call of the host's thread @tid has raised @sig beside its error,
 *	as SIGPIPE is with EPIPE, and has not returned yet.  May be NULL: the caller
 *	has the error
 * @virtio_next: iterate over the devices present at boot (NULL: the first)
 */
struct lkl_host_operations {
	void (LKL_DOOR *print)(const char *str, int len);
	void (LKL_DOOR *panic)(void);
	unsigned long long (LKL_DOOR *time)(void);
	unsigned long long (LKL_DOOR *wall_time)(void);
	int (LKL_DOOR *random)(void *buf, lkl_ulong_t len);

	int (LKL_DOOR *wipe_on_fork)(void *addr, lkl_ulong_t size);
	void *(LKL_DOOR *keep)(lkl_ulong_t size);
	int (LKL_DOOR *ram_open)(lkl_ulong_t addr, lkl_ulong_t size);
	void (LKL_DOOR *ram_close)(void);
	int (LKL_DOOR *reserve)(lkl_ulong_t addr, lkl_ulong_t size);
	void (LKL_DOOR *release)(lkl_ulong_t addr, lkl_ulong_t size);
	int (LKL_DOOR *map)(lkl_ulong_t addr, lkl_ulong_t size,
			    lkl_ulong_t offset, int prot);
	int (LKL_DOOR *unmap)(lkl_ulong_t addr, lkl_ulong_t size);
	int (LKL_DOOR *protect)(lkl_ulong_t addr, lkl_ulong_t size, int on);
	int (LKL_DOOR *anon)(lkl_ulong_t addr, lkl_ulong_t size);
	int (LKL_DOOR *pattern)(lkl_ulong_t addr, lkl_ulong_t size,
				const void *with, lkl_ulong_t len);
	int (LKL_DOOR *freeze)(const struct lkl_host_range *ranges,
			       unsigned int count);
	void (LKL_DOOR *reset)(void);
	int (LKL_DOOR *thaw)(void);
	void (LKL_DOOR *forget)(lkl_ulong_t addr, lkl_ulong_t size);
	int (LKL_DOOR *patch)(lkl_ulong_t addr, lkl_ulong_t size, int writable);

	int (LKL_DOOR *wait)(int *word, int val, unsigned long long deadline);
	void (LKL_DOOR *wake)(int *word, int count);
	int (LKL_DOOR *hold_signals)(struct lkl_signals *signals);
	int (LKL_DOOR *wait_held)(struct lkl_signals *signals,
				  unsigned long long deadline);
	void (LKL_DOOR *wake_held)(struct lkl_signals *signals);
	void (LKL_DOOR *woken_held)(struct lkl_signals *signals);
	void (LKL_DOOR *release_signals)(struct lkl_signals *signals);
	int (LKL_DOOR *listen_begin)(void);
	int (LKL_DOOR *listen_wait)(int *word, int val,
				    unsigned long long deadline,
				    struct lkl_signals *signals);
	void (LKL_DOOR *listen_end)(void);
	void (LKL_DOOR *relax)(void);
	int (LKL_DOOR *cpus)(void);
	int (LKL_DOOR *processors)(void);
	int (LKL_DOOR *fence)(void);
	lkl_thread_t (LKL_DOOR *thread_create)(void (LKL_DOOR *fn)(void *arg),
					       void *arg);
	int (LKL_DOOR *thread_join)(lkl_thread_t thread);
	void (LKL_DOOR *thread_detach)(void);
	void (LKL_DOOR *thread_exit)(void);
	lkl_thread_t (LKL_DOOR *thread_self)(void);
	int (LKL_DOOR *thread_equal)(lkl_thread_t a, lkl_thread_t b);
	lkl_long_t (LKL_DOOR *gettid)(void);
	struct lkl_mutex *(LKL_DOOR *mutex_alloc)(int recursive);
	void (LKL_DOOR *mutex_free)(struct lkl_mutex *mutex);
	void (LKL_DOOR *mutex_lock)(struct lkl_mutex *mutex);
	void (LKL_DOOR *mutex_unlock)(struct lkl_mutex *mutex);
	struct lkl_sem *(LKL_DOOR *sem_alloc)(int count);
	void (LKL_DOOR *sem_free)(struct lkl_sem *sem);
	void (LKL_DOOR *sem_up)(struct lkl_sem *sem);
	void (LKL_DOOR *sem_down)(struct lkl_sem *sem);
	int (LKL_DOOR *signal)(int tid, int sig, const void *info);
	void (LKL_DOOR *signal_group)(int group, unsigned int user, int sig,
				      const void *info);
	void (LKL_DOOR *raise)(int tid, int sig);

	struct lkl_virtio_dev *(LKL_DOOR *virtio_next)(struct lkl_virtio_dev *dev);
};

/*
 * The other direction.  A host thread is known to the kernel by its task, which
 * lives as long as the boot with the number it was made in.
 */

/**
 * lkl_kernel_boot - start the kernel in this process
 * @ops: the host; must stay valid until lkl_kernel_halt()
 * @cmdline: kernel command line
 *
 * Return: 0, -EBUSY when it runs already, -ENOMEM or -EINVAL
 */
int LKL_DOOR lkl_kernel_boot(struct lkl_host_operations *ops,
			     const char *cmdline);

/**
 * lkl_kernel_halt - stop the kernel
 * @task: calling thread's task
 *
 * Calls that other threads are blocked in return -ESHUTDOWN.  Devices may still
 * use the kernel's memory; lkl_kernel_release() must follow.
 *
 * Return: 0, or -ENOSYS when it does not run
 */
lkl_long_t LKL_DOOR lkl_kernel_halt(void *task);

/* Free what a halted kernel held. */
void LKL_DOOR lkl_kernel_release(void);

/**
 * lkl_kernel_hold - take all virtual CPUs, outside of the kernel
 * @boot: lkl_kernel_boots() as the caller read it
 * @quiet: nothing may be left to do that needs no time to pass
 *
 * The calling thread must not be in a call.  lkl_kernel_let_go() must follow.
 *
 * Return: 0, -ENOSYS when that boot is over, or -EBUSY when the kernel does not
 * come to rest within a second
 */
int LKL_DOOR lkl_kernel_hold(unsigned int boot, int quiet);

/* Give the virtual CPUs back, of the boot with the number that it has now. */
void LKL_DOOR lkl_kernel_let_go(void);

/**
 * lkl_kernel_freeze - remember the kernel's state
 *
 * The caller holds the virtual CPUs, as in the next two.  The kernel is quiet and
 * devices use none of its memory.
 *
 * Return: 0, -EBUSY when it is frozen already or a thread is in a call,
 * -EOPNOTSUPP if the host does not know how, or what else is in its way
 */
lkl_long_t LKL_DOOR lkl_kernel_freeze(void);

/**
 * lkl_kernel_reset - return to the state that is remembered
 *
 * Devices use none of the kernel's memory.  Calls of other threads end with
 * -ESHUTDOWN.  The boot gets another number, by which each thread learns that its
 * task may be gone.
 */
void LKL_DOOR lkl_kernel_reset(void);

/**
 * lkl_kernel_thaw - forget the state that is remembered
 *
 * Return: 0 or -ENOMEM, and then it is remembered still
 */
lkl_long_t LKL_DOOR lkl_kernel_thaw(void);

/* What of a virtual CPU is state. */
#define LKL_STATE_CPU	512

/**
 * struct lkl_state - a kernel whose memory is elsewhere
 * @ram_base: address of its RAM
 * @ram_size: and how much there is
 * @time: its clock
 * @ranges: memory of its own, beside RAM and struct pages
 * @pristine: the first of these as it was before the first boot; stays for the
 *	process's life
 * @cpu: the kernel's affair
 */
struct lkl_state {
	lkl_ulong_t ram_base;
	lkl_ulong_t ram_size;
	unsigned long long time;
	struct lkl_host_range ranges[2];
	void *pristine;
	unsigned char cpu[LKL_STATE_CPU];
};

/**
 * lkl_kernel_state - tell what the kernel's state is
 * @state: where to
 *
 * The caller holds the virtual CPU.  The kernel is quiet and has no devices.
 *
 * Return: 0, -EBUSY while a thread is in a call, or -EOPNOTSUPP with several virtual
 * CPUs
 */
int LKL_DOOR lkl_kernel_state(struct lkl_state *state);

/**
 * lkl_kernel_restore - start from a state instead of a boot
 * @ops: the host, as in lkl_kernel_boot()
 * @cmdline: kernel command line that the state was booted with
 * @state: the state, of the same kernel at the same address
 * @load: called once RAM is there and empty: put all memory of the state in its place;
 *	0 or a negative error number
 * @arg: passed to it
 *
 * lkl_kernel_renew() must follow.
 *
 * Return: 0 or a negative error number, and then the kernel can be booted
 */
int LKL_DOOR lkl_kernel_restore(struct lkl_host_operations *ops, const char *cmdline,
				const struct lkl_state *state,
				int (LKL_DOOR *load)(void *arg), void *arg);

/**
 * lkl_kernel_renew - have what must not be the same in two kernels with one state
 *
 * The time of day, and what the kernel takes random numbers from.  To be run by
 * lkl_task_run().
 *
 * Return: 0 or a negative error number
 */
lkl_long_t LKL_DOOR lkl_kernel_renew(void *unused);

/**
 * lkl_kernel_leave - have no thread of this process in the kernel
 *
 * The caller holds the virtual CPUs.  The kernel's own threads end.  lkl_kernel_enter()
 * must follow, in this process or in a forked one that has the kernel's memory.
 *
 * Return: 0, or -EBUSY while a thread is in the middle of a call
 */
int LKL_DOOR lkl_kernel_leave(void);

/**
 * lkl_kernel_enter - have the kernel go on after lkl_kernel_leave()
 * @forked: this is the forked process, and the threads of its parent are not here
 *
 * The caller still holds the virtual CPUs.
 *
 * Return: 0 or -ENOMEM
 */
int LKL_DOOR lkl_kernel_enter(int forked);

/**
 * lkl_kernel_boots - number of the running boot
 *
 * Return: a number that no earlier boot of the process had, or 0 when no
 * kernel runs in this process, as in the child of a fork
 */
unsigned int LKL_DOOR lkl_kernel_boots(void);

/**
 * lkl_task_create - make the calling host thread known to the kernel
 * @boot: lkl_kernel_boots() as the caller read it
 * @tid: what lkl_host_operations.signal() knows the thread by
 *
 * @task: where to store the task, or NULL when there is none
 *
 * Return: 0 or a negative error number
 */
int LKL_DOOR lkl_task_create(unsigned int boot, int tid, void **task);

/* The host thread ends, or will not call again. */
void LKL_DOOR lkl_task_exit(void *task, unsigned int boot);

/* [path] Make a system call as @task; nothing else may use @task meanwhile. */
lkl_long_t LKL_DOOR lkl_task_syscall(void *task, unsigned int boot,
				     lkl_long_t nr, const lkl_long_t *params);

/* Run @fn(@arg) in kernel context as @task would run a system call. */
lkl_long_t LKL_DOOR lkl_task_run(void *task, unsigned int boot,
				 lkl_long_t (LKL_DOOR *fn)(void *arg),
				 void *arg);

/**
 * lkl_kernel_fault - is this host fault the kernel's business?
 * @ucontext: ucontext_t of the signal
 * @addr: faulting address
 * @write: it was a write
 *
 * Return: 1 when the interrupted code can go on, 0 when the fault belongs to
 * the application, -1 when the kernel itself is broken (it has said so), 2 when
 * the application has touched the kernel's mmap() area: see lkl_page_fault()
 */
int LKL_DOOR lkl_kernel_fault(void *ucontext, lkl_ulong_t addr, int write);

/**
 * struct lkl_fault - what the application has touched
 * @addr: faulting address
 * @write: it was a write
 */
struct lkl_fault {
	lkl_ulong_t addr;
	int write;
};

/**
 * lkl_page_fault - bring in a page of the mmap() area
 * @fault: struct lkl_fault
 *
 * To be run by lkl_task_run().
 *
 * Return: 0, -EFAULT when the access is not allowed, or another error when
 * there is no such page: the file has ended, or memory has
 */
lkl_long_t LKL_DOOR lkl_page_fault(void *fault);

/**
 * lkl_kernel_pass_irq - raise an interrupt for another thread to see to
 * @irq: number from lkl_get_free_irq()
 *
 * Unlike lkl_trigger_irq() it does not run the kernel.
 *
 * Return: non-zero, or 0 when there is no other thread: the caller has to call
 * lkl_trigger_irq()
 */
int LKL_DOOR lkl_kernel_pass_irq(int irq);

/**
 * lkl_kernel_dump - print the last messages, and what each task waits for
 * @ucontext: ucontext_t of the signal whose handler calls this
 * @print: called with the text
 *
 * Works also when the kernel hangs.
 */
void LKL_DOOR lkl_kernel_dump(void *ucontext,
			      void (LKL_DOOR *print)(const char *str, int len));

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/**
 * lkl_trigger_irq - raise an interrupt of the library's kernel
 * @irq: number from lkl_get_free_irq()
 *
 * May be called from any host thread and from signal handlers; never blocks
 * for the virtual CPU.  May run the handler before it returns.
 *
 * Return: 0, -EINVAL for a bad number, -ENOSYS when no kernel runs
 */
int LKL_DOOR lkl_trigger_irq(int irq);

/**
 * lkl_get_free_irq - reserve an interrupt line
 * @user: name of the user, kept by reference
 *
 * Return: a line number > 0, or -EBUSY when all are taken
 */
int LKL_DOOR lkl_get_free_irq(const char *user);

/**
 * lkl_put_irq - give a line back
 * @irq: number from lkl_get_free_irq()
 * @user: name it was reserved with
 */
void LKL_DOOR lkl_put_irq(int irq, const char *user);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* _UAPI_ASM_LKL_HOST_OPS_H */
