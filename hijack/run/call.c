// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's system calls, as they come from x86/entry.S.
 *
 * Most go to the core.  What concerns the program's own registers, threads,
 * signals and address space is done here.  The common way touches no vector
 * register, because a program's survive a system call; the others save them.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lkl.h>

#include "run.h"

#define N_CALLS 512

static const char *const names[N_CALLS] = {
#include "run-names.h"
};

typedef long handler(struct run_thread *t, struct way_regs *r);

/* What the call is to be counted as. */
static unsigned long count_host, count_library, count_here;

/*
 * Does every call take the slow way?
 */
static bool watch_all;

static long core(struct way_regs *r)
{
	return hijack_syscall(r->nr, r->arg);
}

static bool failed(long ret)
{
	return ret < 0 && ret > -4096;
}

/*
 * Address space: what code is there to rewrite
 */
static unsigned long pages(unsigned long len)
{
	return (len + 4095) & -4096UL;
}

static long call_mmap(struct run_thread *t, struct way_regs *r)
{
	long a[6], ret;

	(void)t;
	memcpy(a, r->arg, sizeof(a));
	if (a[3] & MAP_FIXED)
		rewrite_forget(a[0], a[0] + pages(a[1]));
	else if (!a[0] && !(a[3] & MAP_32BIT))
		a[0] = run_place(a[1]);
	ret = hijack_syscall(r->nr, a);
	if (failed(ret))
		return ret;
	if ((a[2] & (PROT_READ | PROT_WRITE | PROT_EXEC)) ==
		    (PROT_READ | PROT_EXEC) &&
	    (a[3] & (MAP_PRIVATE | MAP_ANONYMOUS)) == MAP_PRIVATE)
		rewrite_text(ret, ret + pages(a[1]));
	return ret;
}

static long call_munmap(struct run_thread *t, struct way_regs *r)
{
	(void)t;
	rewrite_forget(r->arg[0], r->arg[0] + pages(r->arg[1]));
	return core(r);
}

static long call_mprotect(struct run_thread *t, struct way_regs *r)
{
	(void)t;
	if (!(r->arg[2] & PROT_EXEC) || r->arg[2] & PROT_WRITE)
		rewrite_forget(r->arg[0], r->arg[0] + pages(r->arg[1]));
	return core(r);
}

static long call_mremap(struct run_thread *t, struct way_regs *r)
{
	(void)t;
	rewrite_forget(r->arg[0], r->arg[0] + pages(r->arg[1]));
	if (r->arg[3] & MREMAP_FIXED)
		rewrite_forget(r->arg[4], r->arg[4] + pages(r->arg[2]));
	return core(r);
}

/*
 * The thread's own state
 */
static long call_arch_prctl(struct run_thread *t, struct way_regs *r)
{
	unsigned long value = r->arg[1];

	switch (r->arg[0]) {
	case ARCH_SET_FS:
		if (value >= 1UL << 47)
			return -EPERM;
		t->way.user_fs = value;
		return 0;
	case ARCH_GET_FS:
		return user_copy((void *)value, &t->way.user_fs, 8) ? -EFAULT
								    : 0;
	case ARCH_SET_GS:
		/* It is in use. */
		return -EPERM;
	case ARCH_GET_GS: {
		unsigned long none = 0;

		return user_copy((void *)value, &none, 8) ? -EFAULT : 0;
	}
	default:
		return core(r);
	}
}

static long call_sigaction(struct run_thread *t, struct way_regs *r)
{
	return way_sigaction(&t->way, r->arg);
}

static long call_sigprocmask(struct run_thread *t, struct way_regs *r)
{
	return way_sigprocmask(&t->way, r->arg);
}

static long call_sigpending(struct run_thread *t, struct way_regs *r)
{
	return way_sigpending(&t->way, r->arg);
}

static long call_sigaltstack(struct run_thread *t, struct way_regs *r)
{
	return way_sigaltstack(&t->way, r->arg);
}

static long call_sigreturn(struct run_thread *t, struct way_regs *r)
{
	(void)r;
	return way_return(&t->way);
}

static long call_set_tid_address(struct run_thread *t, struct way_regs *r)
{
	t->clear_tid = (int *)r->arg[0];
	return way_host0(SYS_gettid);
}

static long call_prctl(struct run_thread *t, struct way_regs *r)
{
	(void)t;
	/* PR_SET_SYSCALL_USER_DISPATCH is in use, as if there were none. */
	return r->arg[0] == 59 ? -EINVAL : core(r);
}

/*
 * /proc/self/exe is the program.
 */
static bool is_self_exe(long user)
{
	static const char *const names[] = { "/proc/self/exe",
					     "/proc/thread-self/exe",
					     "/proc/curproc/exe" };
	char path[32] = "", mine[32];

	user_copy(path, (void *)user, sizeof(path) - 1);
	if (strncmp(path, "/proc/", 6))
		return false;
	snprintf(mine, sizeof(mine), "/proc/%d/exe", getpid());
	for (unsigned int i = 0; i < 2; i++)
		if (!strcmp(path, names[i]))
			return true;
	return !strcmp(path, mine);
}

static long call_readlink(struct run_thread *t, struct way_regs *r)
{
	int at = r->nr == SYS_readlinkat;
	size_t len = strlen(run_options.program);

	(void)t;
	if (!is_self_exe(r->arg[at]))
		return core(r);
	if (r->arg[at + 2] <= 0)
		return -EINVAL;
	if (len > (size_t)r->arg[at + 2])
		len = r->arg[at + 2];
	return user_copy((void *)r->arg[at + 1], run_options.program, len)
		       ? -EFAULT
		       : (long)len;
}

static long call_open(struct run_thread *t, struct way_regs *r)
{
	int at = r->nr == SYS_openat;
	long arg[6];

	(void)t;
	if (!is_self_exe(r->arg[at]))
		return core(r);
	memcpy(arg, r->arg, sizeof(arg));
	arg[at] = (long)run_options.program;
	return hijack_syscall(r->nr, arg);
}

static long call_exit_group(struct run_thread *t, struct way_regs *r)
{
	(void)t;
	if (run_options.stats && !run_forked())
		run_stats();
	return core(r);
}

static handler *const handlers[N_CALLS] = {
	[SYS_mmap] = call_mmap,
	[SYS_munmap] = call_munmap,
	[SYS_mprotect] = call_mprotect,
	[SYS_mremap] = call_mremap,
	[SYS_brk] = run_brk,
	[SYS_rt_sigaction] = call_sigaction,
	[SYS_rt_sigprocmask] = call_sigprocmask,
	[SYS_rt_sigreturn] = call_sigreturn,
	[SYS_rt_sigpending] = call_sigpending,
	[SYS_sigaltstack] = call_sigaltstack,
	[SYS_arch_prctl] = call_arch_prctl,
	[SYS_set_tid_address] = call_set_tid_address,
	[SYS_prctl] = call_prctl,
	[SYS_clone] = run_thread_clone,
	[SYS_clone3] = run_thread_clone3,
	[SYS_fork] = run_thread_vfork,
	[SYS_vfork] = run_thread_vfork,
	[SYS_rseq] = run_rseq,
	[SYS_exit] = run_thread_exit,
	[SYS_exit_group] = call_exit_group,
	[SYS_execve] = run_exec,
	[SYS_execveat] = run_exec,
	[SYS_readlink] = call_readlink,
	[SYS_readlinkat] = call_readlink,
	[SYS_open] = call_open,
	[SYS_openat] = call_open,
};

/* The core's calls of the library; see the Makefile's --wrap. */
long __real_lkl_syscall(long nr, long *params);
long __wrap_lkl_syscall(long nr, long *params);

static __thread unsigned long library_calls
	__attribute__((tls_model("initial-exec")));

long __wrap_lkl_syscall(long nr, long *params)
{
	library_calls++;
	return __real_lkl_syscall(nr, params);
}

static void trace(const struct way_regs *r, long ret, const char *where)
{
	char line[256];
	const char *name = (unsigned long)r->nr < N_CALLS ? names[r->nr] : NULL;
	int n;

	n = snprintf(
		line, sizeof(line), "[%ld] %s%.0ld(%#lx, %#lx, %#lx, %#lx) = ",
		way_host0(SYS_gettid), name ? name : "call ", name ? 0 : r->nr,
		r->arg[0], r->arg[1], r->arg[2], r->arg[3]);
	if (ret == -WAY_RESTART)
		n += snprintf(line + n, sizeof(line) - n, "(again)");
	else if (failed(ret))
		n += snprintf(line + n, sizeof(line) - n, "-%s",
			      strerrorname_np(-ret));
	else
		n += snprintf(line + n, sizeof(line) - n, "%#lx", ret);
	n += snprintf(line + n, sizeof(line) - n, "  %s\n", where);
	way_host3(SYS_write, STDERR_FILENO, line, n);
}

/* Once in a program: why its requests are refused. */
static void trace_requests(long nr)
{
	static const char ring[] =
		"lkl-run: io_uring is refused, as its requests are made where "
		"they are not seen\n";
	static bool told_ring;

	if (nr == SYS_io_uring_setup &&
	    !__atomic_exchange_n(&told_ring, true, __ATOMIC_RELAXED))
		way_host3(SYS_write, STDERR_FILENO, ring, sizeof(ring) - 1);
}

static long call_slow(struct way_thread *way, struct way_regs *r)
{
	struct run_thread *t = to_run(way);
	handler *h = (unsigned long)r->nr < N_CALLS ? handlers[r->nr] : NULL;
	unsigned long before = library_calls;
	const char *where = "here";
	bool alt = way_on_alt(&t->way);
	long ret;

	if (hijack_filtered && !way_judge(way, r, &ret)) {
		if (run_options.trace)
			trace(r, ret, "filtered");
		return ret;
	}
	if (alt)
		way_alt_off();
	if (t->way.vforked && !h)
		ret = hijack_vfork_syscall(r->nr, r->arg);
	else
		ret = h ? h(t, r) : core(r);
	if (alt)
		way_alt_on(&t->way);

	if (library_calls != before) {
		where = "library";
		__atomic_fetch_add(&count_library, 1, __ATOMIC_RELAXED);
	} else if (!h && hijack_is_refused(r->nr)) {
		where = "refused";
		__atomic_fetch_add(&count_here, 1, __ATOMIC_RELAXED);
	} else if (!h) {
		where = "host";
		__atomic_fetch_add(&count_host, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_add(&count_here, 1, __ATOMIC_RELAXED);
	}
	if (run_options.trace) {
		trace(r, ret, where);
		trace_requests(r->nr);
	}
	return ret;
}

long run_call(struct way_regs *r)
{
	struct run_thread *t = run_self();
	long ret;

	t->way.resume = r->site ? r->site->resume : (unsigned long)r->rcx;
	if (__builtin_expect((unsigned long)r->nr >= N_CALLS ||
				     handlers[r->nr] || watch_all ||
				     hijack_filtered || t->way.vforked ||
				     way_on_alt(&t->way),
			     0))
		ret = way_saved(call_slow, &t->way, r);
	else
		ret = core(r);
	if (__builtin_expect(t->way.interrupted, 0)) {
		if (ret == -EINTR && way_wants_restart(&t->way, r->nr))
			ret = -WAY_RESTART;
		t->way.interrupted = false;
	}
	if (__builtin_expect(ret == -WAY_RESTART, 0)) {
		t->way.resume = r->site ? r->site->address
					: (unsigned long)r->rcx - 2;
		ret = r->nr;
	}
	return ret;
}

static unsigned long by_kind[4];

static void count_site(const struct rewrite_site *site)
{
	char line[80];
	int n;

	by_kind[site->kind]++;
	if (site->kind != REWRITE_NONE)
		return;
	n = snprintf(line, sizeof(line), "lkl-run: not rewritten: %#lx\n",
		     site->address);
	way_host3(SYS_write, STDERR_FILENO, line, n);
}

void run_stats(void)
{
	char text[512];
	int n;

	rewrite_each(count_site);
	n = snprintf(text, sizeof(text),
		     "lkl-run: %lu calls of the library, %lu of the host, "
		     "%lu made by lkl-run itself\n"
		     "lkl-run: %lu sites rewritten (%lu before, %lu short), "
		     "%lu not; %lu signals\n",
		     count_library, count_host, count_here,
		     by_kind[REWRITE_BEFORE] + by_kind[REWRITE_SHORT],
		     by_kind[REWRITE_BEFORE], by_kind[REWRITE_SHORT],
		     by_kind[REWRITE_NONE], run_traps());
	way_host3(SYS_write, STDERR_FILENO, text, n);
}

void run_calls_init(void)
{
	way_vectors_init();
	watch_all = run_options.trace || run_options.stats;
}
