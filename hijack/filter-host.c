// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host is given in place of a program's filter: the same, behind
 * instructions that look where a call is made.
 *
 *	calls in our code that the library needs: allowed
 *	all others: by the program's filter
 *
 * What our code makes for the program has been judged before (filter.c).  Code
 * of the program's that has been taken over can jump into ours, or say that it
 * is ours, so what is let through is what gains nothing that the process has
 * not: waiting, memory without code, signals to the process itself, its own
 * descriptors to copy and close, and reading and writing those that are the
 * library's.  Nothing opens, connects, executes, or names another process.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filter.h"

#define PR_SYSCALL_USER_DISPATCH 59

/* What the first instructions grow to. */
#define BEFORE_MAX 512

struct writer {
	struct sock_filter *code;
	unsigned int n;
};

static void put(struct writer *w, uint16_t code, uint8_t yes, uint8_t no,
		uint32_t k)
{
	if (w->n < BEFORE_MAX)
		w->code[w->n] = (struct sock_filter){ code, yes, no, k };
	w->n++;
}

static void load(struct writer *w, size_t offset)
{
	put(w, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

#define FIELD(name) offsetof(struct seccomp_data, name)
/* The lower half of an argument; numbers are no larger. */
#define ARG(n) (FIELD(args) + 8 * (n))

static void ret(struct writer *w, uint32_t what)
{
	put(w, BPF_RET | BPF_K, 0, 0, what);
}

/* A jump that is not known yet. */
static unsigned int jump(struct writer *w)
{
	put(w, BPF_JMP | BPF_JA, 0, 0, 0);
	return w->n - 1;
}

static void land(struct writer *w, unsigned int jump)
{
	if (jump < BEFORE_MAX)
		w->code[jump].k = w->n - jump - 1;
}

static bool is_whole(unsigned long start, unsigned long last)
{
	return !(uint32_t)start && !~(uint32_t)last;
}

/*
 * Skip what follows unless an address is in a range: one in which the upper
 * half is the same, or one in which the lower may be anything.
 */
static unsigned int in_range(struct writer *w, unsigned long start,
			     unsigned long last)
{
	load(w, FIELD(instruction_pointer) + 4);
	if (is_whole(start, last)) {
		put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 1, start >> 32);
		put(w, BPF_JMP | BPF_JGT | BPF_K, 0, 1, last >> 32);
	} else {
		put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, start >> 32);
		load(w, FIELD(instruction_pointer));
		put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 1, start);
		put(w, BPF_JMP | BPF_JGT | BPF_K, 0, 1, last);
	}
	return jump(w);
}

struct jumps {
	unsigned int ours[2 * HIJACK_CODES], asked[HIJACK_CODES];
	unsigned int n_ours, n_asked;
};

static void one_code(struct writer *w, const struct hijack_code *c,
		     struct jumps *to)
{
	unsigned long start = c->start, last;
	unsigned int out;

	for (; start < c->end; start = last + 1) {
		last = c->end - 1;
		if (start >> 32 != last >> 32 && !is_whole(start, last))
			last = start | 0xffffffff;
		out = in_range(w, start, last);
		switch (c->kind) {
		case HIJACK_CODE_OURS:
			to->ours[to->n_ours++ % array_size(to->ours)] = jump(w);
			break;
		case HIJACK_CODE_ASK:
			to->asked[to->n_asked++ % array_size(to->asked)] =
				jump(w);
			break;
		case HIJACK_CODE_ALL:
			ret(w, SECCOMP_RET_ALLOW);
			break;
		case HIJACK_CODE_KILL_THREAD:
			ret(w, SECCOMP_RET_KILL_THREAD);
			break;
		case HIJACK_CODE_KILL_PROCESS:
			ret(w, SECCOMP_RET_KILL_PROCESS);
			break;
		}
		land(w, out);
	}
}

/* Whatever the arguments are. */
static const short allowed[] = {
	SYS_futex,
	SYS_futex_waitv,
	SYS_sched_yield,
	SYS_membarrier,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_clock_gettime,
	SYS_gettid,
	SYS_getpid,
	SYS_getcwd,
	SYS_sched_getaffinity,
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_rt_sigpending,
	SYS_sigaltstack,
	SYS_arch_prctl,
	SYS_rseq,
	SYS_set_robust_list,
	SYS_get_robust_list,
	SYS_poll,
	SYS_ppoll,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_wait,
	SYS_epoll_pwait,
	SYS_epoll_pwait2,
	SYS_eventfd2,
	SYS_close,
	SYS_dup3,
	SYS_fstat,
	SYS_getsockopt,
	SYS_getpeername,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_exit,
};

/* If the program may look at files. */
static const short of_paths[] = { SYS_readlink, SYS_access };

/* If it may execute programs: what those are told. */
static const short of_exec[] = { SYS_memfd_create };

/* Of the library's descriptors, which are above those of the program. */
static const short of_ours[] = {
	SYS_read,    SYS_write,	   SYS_readv,	 SYS_writev, SYS_sendmsg,
	SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_fcntl,
};

/* Of this process. */
static const short of_self[] = { SYS_tgkill, SYS_kill, SYS_rt_tgsigqueueinfo,
				 SYS_rt_sigqueueinfo };

static const uint32_t fcntls[] = { F_GETFD, F_SETFD, F_GETFL, F_DUPFD,
				   F_DUPFD_CLOEXEC };

/* The number is in A. */
static void numbers(struct writer *w, const short *nr, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr[i]);
		ret(w, SECCOMP_RET_ALLOW);
	}
}

/* Skip what follows for another number, which stays in A. */
static unsigned int of(struct writer *w, int nr)
{
	put(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, nr);
	return jump(w);
}

static void end_of(struct writer *w, unsigned int skip)
{
	land(w, skip);
	load(w, FIELD(nr));
}

static void allow_if(struct writer *w, uint16_t test, uint32_t k)
{
	put(w, BPF_JMP | test | BPF_K, 0, 1, k);
	ret(w, SECCOMP_RET_ALLOW);
}

static void allow_unless(struct writer *w, uint16_t test, uint32_t k)
{
	put(w, BPF_JMP | test | BPF_K, 1, 0, k);
	ret(w, SECCOMP_RET_ALLOW);
}

/* Those of ours; falls through with the others. */
static void our_calls(struct writer *w, const struct filter_needs *needs)
{
	unsigned int i, skip;

	load(w, FIELD(arch));
	put(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
	skip = jump(w);
	load(w, FIELD(nr));
	numbers(w, allowed, array_size(allowed));
	if (needs->paths)
		numbers(w, of_paths, array_size(of_paths));
	if (needs->exec)
		numbers(w, of_exec, array_size(of_exec));
	for (i = 0; i < array_size(of_ours); i++) {
		unsigned int other = of(w, of_ours[i]);

		load(w, ARG(0));
		allow_if(w, BPF_JGE, numbers_first());
		/* A line that says what is wrong. */
		if (of_ours[i] == SYS_write)
			allow_if(w, BPF_JEQ, STDERR_FILENO);
		if (of_ours[i] == SYS_fcntl) {
			load(w, ARG(1));
			for (unsigned int k = 0; k < array_size(fcntls); k++)
				allow_if(w, BPF_JEQ, fcntls[k]);
		}
		end_of(w, other);
	}
	for (i = 0; i < 2; i++) {
		unsigned int other = of(w, i ? SYS_mprotect : SYS_mmap);

		load(w, ARG(2));
		allow_unless(w, BPF_JSET, PROT_EXEC);
		end_of(w, other);
	}
	for (i = 0; i < array_size(of_self); i++) {
		unsigned int other = of(w, of_self[i]);

		load(w, ARG(0));
		allow_if(w, BPF_JEQ, own_call3(SYS_getpid, 0, 0, 0));
		end_of(w, other);
	}
	{
		/* New threads; with clone3() it can't be seen what is made. */
		unsigned int other = of(w, SYS_clone);

		load(w, ARG(0));
		allow_if(w, BPF_JSET, CLONE_THREAD);
		end_of(w, other);
		put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_clone3);
		ret(w, SECCOMP_RET_ERRNO | ENOSYS);
		/* What ends with a fork is begun again. */
		other = of(w, SYS_prctl);
		load(w, ARG(0));
		allow_if(w, BPF_JEQ, PR_SYSCALL_USER_DISPATCH);
		end_of(w, other);
	}
	land(w, skip);
}

int filter_for_host(struct sock_filter *to, const struct sock_filter *insn,
		    unsigned int len, const struct filter_needs *needs)
{
	struct hijack_code code[HIJACK_CODES];
	int n = hijack_codes(code), i;
	struct writer w = { .code = to };
	struct jumps jumps = { .n_ours = 0 };
	unsigned int other, k;

	for (i = 0; i < n; i++)
		one_code(&w, &code[i], &jumps);
	other = jump(&w);
	for (k = 0; k < jumps.n_ours; k++)
		land(&w, jumps.ours[k]);
	our_calls(&w, needs);
	for (k = 0; k < jumps.n_asked; k++)
		land(&w, jumps.asked[k]);
	land(&w, other);
	/* As it begins. */
	put(&w, BPF_LD | BPF_IMM, 0, 0, 0);
	if (w.n > BEFORE_MAX || w.n + len > BPF_MAXINSNS)
		return -E2BIG;
	memcpy(to + w.n, insn, len * sizeof(*insn));
	return w.n + len;
}
