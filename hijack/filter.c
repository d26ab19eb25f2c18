// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's filters for system calls (seccomp).
 *
 * A filter judges what the program does, not how we do it.  So each call of a
 * thread that has one is judged here, before anything else is done, by the
 * number, the arguments and the address that the program's call has.  The host
 * gets the filter, too, changed so that it lets those calls through that our
 * code makes (filter-host.c): for it judges what comes another way, and it
 * asks tracers and listeners.
 *
 * Threads have filters of their own, which new threads and processes inherit.
 * With SECCOMP_FILTER_FLAG_TSYNC all threads of the program get the caller's,
 * each by a signal; the library's own threads, which are not the program's, do
 * not.
 */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "filter.h"

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
#define SYNC_FLAGS                                                             \
	((unsigned long)(SECCOMP_FILTER_FLAG_TSYNC |                           \
			 SECCOMP_FILTER_FLAG_TSYNC_ESRCH))

#define MAX_ERRNO 4095
#define PAGE 4096UL

bool hijack_filtered;

static bool failed(long ret)
{
	return ret < 0 && ret > -4096;
}

/*
 * The machine of linux/filter.h, without what the host does not take in a
 * filter for system calls.  One that it has not yet checked does no harm.
 */
struct machine {
	uint32_t a, x, m[BPF_MEMWORDS];
};

static uint32_t load(const struct machine *s, const struct sock_filter *i,
		     const struct seccomp_data *data)
{
	uint32_t word = 0;

	switch (BPF_MODE(i->code)) {
	case BPF_ABS:
		if (i->k <= sizeof(*data) - sizeof(word))
			memcpy(&word, (const char *)data + i->k, sizeof(word));
		return word;
	case BPF_LEN:
		return sizeof(*data);
	case BPF_MEM:
		return s->m[i->k % BPF_MEMWORDS];
	}
	return i->k;
}

static uint32_t alu(uint16_t op, uint32_t a, uint32_t b, bool *stop)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		if (b)
			return a / b;
		*stop = true;
		return 0;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	}
	return -a;
}

static bool test(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	}
	return a & b;
}

static uint32_t run(const struct filter *f, const struct seccomp_data *data)
{
	const struct sock_filter *i = f->insn;
	struct machine s = { 0 };
	bool stop = false;
	uint32_t b;

	for (; i < f->insn + f->len; i++) {
		b = BPF_SRC(i->code) == BPF_X ? s.x : i->k;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			s.a = load(&s, i, data);
			break;
		case BPF_LDX:
			s.x = load(&s, i, data);
			break;
		case BPF_ST:
			s.m[i->k % BPF_MEMWORDS] = s.a;
			break;
		case BPF_STX:
			s.m[i->k % BPF_MEMWORDS] = s.x;
			break;
		case BPF_ALU:
			s.a = alu(BPF_OP(i->code), s.a, b, &stop);
			if (stop)
				return 0;
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA)
				i += i->k;
			else
				i += test(BPF_OP(i->code), s.a, b) ? i->jt
								   : i->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? s.a : i->k;
		case BPF_MISC:
			if (BPF_MISCOP(i->code) == BPF_TAX)
				s.x = s.a;
			else
				s.a = s.x;
			break;
		}
	}
	return 0;
}

static uint32_t judge_strictly(int nr)
{
	return nr == SYS_read || nr == SYS_write || nr == SYS_exit ||
			       nr == SYS_rt_sigreturn
		       ? SECCOMP_RET_ALLOW
		       : SECCOMP_RET_KILL_THREAD;
}

/* Of all filters the hardest counts; of equal ones that of the newest. */
static uint32_t judge(const struct filter *f, const struct seccomp_data *data,
		      bool *strict)
{
	uint32_t ret = SECCOMP_RET_ALLOW, one;

	for (; f; f = f->prev) {
		one = f->strict ? judge_strictly(data->nr) : run(f, data);
		if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) >=
		    (int32_t)(ret & SECCOMP_RET_ACTION_FULL))
			continue;
		ret = one;
		*strict = f->strict;
	}
	return ret;
}

/* May the library's kernel be asked in that call? */
static bool may_be_the_librarys(long nr, const long *a)
{
	switch (hijack_whose(nr)) {
	case WHOSE_descriptor:
		return fd_word(a[0]);
	case WHOSE_library:
	case WHOSE_path:
	case WHOSE_either:
		return true;
	default:
		return false;
	}
}

struct hijack_judgement hijack_judge(long nr, const long a[6], unsigned long ip)
{
	struct seccomp_data data = {
		.nr = nr,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = ip,
	};
	bool strict = false;
	static bool told;
	uint32_t ret;

	memcpy(data.args, a, sizeof(data.args));
	ret = judge(hijack_thread()->filter, &data, &strict);
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return (struct hijack_judgement){ HIJACK_PASS, 0 };
	case SECCOMP_RET_ERRNO:
		ret &= SECCOMP_RET_DATA;
		return (struct hijack_judgement){
			HIJACK_RETURN,
			-(long)(ret < MAX_ERRNO ? ret : MAX_ERRNO)
		};
	case SECCOMP_RET_TRAP:
		return (struct hijack_judgement){ HIJACK_TRAP,
						  ret & SECCOMP_RET_DATA };
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		/* The process that is asked may have the host go on with it. */
		if (!may_be_the_librarys(nr, a))
			return (struct hijack_judgement){ HIJACK_ASK, 0 };
		if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
			hijack_say("a filter asks another process about a call "
				   "of the library's network: ",
				   "it is refused");
		return (struct hijack_judgement){ HIJACK_RETURN, -ENOSYS };
	case SECCOMP_RET_KILL_THREAD:
		return (struct hijack_judgement){ strict ? HIJACK_KILL_STRICT
							 : HIJACK_KILL_THREAD,
						  0 };
	}
	return (struct hijack_judgement){ HIJACK_KILL_PROCESS, 0 };
}

const void *hijack_filter(void)
{
	return hijack_thread()->filter;
}

void hijack_filter_inherit(void *thread_pointer, const void *filter)
{
	char *own = (char *)&hijack_thread()->filter;

	own += (char *)thread_pointer - (char *)__builtin_thread_pointer();
	*(const void **)own = filter;
}

/*
 * Installing one
 */

/* Is one of some calls allowed, in some case? */
static bool allows(const struct filter *f, const short *calls, unsigned int n)
{
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };
	bool strict;

	for (unsigned int i = 0; i < n; i++) {
		data.nr = calls[i];
		if ((int32_t)judge(f, &data, &strict) >=
		    (int32_t)SECCOMP_RET_LOG)
			return true;
	}
	return false;
}

static struct filter_needs needs(const struct filter *f)
{
	static const short paths[] = { SYS_open,  SYS_openat,	  SYS_openat2,
				       SYS_stat,  SYS_newfstatat, SYS_statx,
				       SYS_access };
	static const short exec[] = { SYS_execve, SYS_execveat };

	return (struct filter_needs){
		.paths = allows(f, paths, array_size(paths)),
		.exec = allows(f, exec, array_size(exec)),
	};
}

static void *room(size_t size)
{
	long map = own_call6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return failed(map) ? NULL : (void *)map;
}

#define CODE_SIZE (BPF_MAXINSNS * sizeof(struct sock_filter))

/* What is to be installed, as it is here and as the host gets it. */
struct install {
	struct filter *filter;
	size_t size;
	struct sock_filter *code;
	unsigned long flags;
};

static void forget(struct install *i)
{
	if (i->code)
		own_call3(SYS_munmap, i->code, CODE_SIZE, 0);
	if (i->filter)
		own_call3(SYS_munmap, i->filter, i->size, 0);
}

static struct filter *new_filter(struct install *i, unsigned int len)
{
	i->size = sizeof(*i->filter) + len * sizeof(*i->filter->insn);
	i->size = (i->size + PAGE - 1) & -PAGE;
	i->filter = room(i->size);
	i->code = room(CODE_SIZE);
	if (!i->filter || !i->code)
		return NULL;
	i->filter->prev = hijack_thread()->filter;
	i->filter->len = len;
	return i->filter;
}

static long finish(struct install *i)
{
	struct filter_needs need = needs(i->filter);
	int n = filter_for_host(i->code, i->filter->insn, i->filter->len,
				&need);

	if (n < 0) {
		hijack_say("a filter for system calls is refused: ",
			   "with what the library needs it is too long");
		return -EINVAL;
	}
	/* It is kept for threads that may have to take it over. */
	i->filter->host = (struct sock_fprog){ n, i->code };
	own_call3(SYS_mprotect, i->code, CODE_SIZE, PROT_READ);
	own_call3(SYS_mprotect, i->filter, i->size, PROT_READ);
	return 0;
}

/* Have the host install it on the calling thread, which is at no other call. */
static long install_here(void *arg)
{
	struct install *i = arg;
	long ret;

	ret = own_call3(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			i->flags & ~SYNC_FLAGS, &i->filter->host);
	if (ret < 0)
		return ret;
	hijack_thread()->filter = i->filter;
	__atomic_store_n(&hijack_filtered, true, __ATOMIC_RELEASE);
	return ret;
}

static long install(struct install *i)
{
	long ret;

	/* What takes a descriptor is had before. */
	family_need(false);
	share_reach();
	numbers_sandboxed();
	if (!(i->flags & SECCOMP_FILTER_FLAG_TSYNC))
		return install_here(i);
	ret = filter_sync(i->filter, install_here, i);
	/* The number of a thread can't be told from that of a listener. */
	return ret > 0 && i->flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH
								     : ret;
}

/* Of the flags that concern all threads, the host sees these combinations. */
static bool flags_fit(unsigned long flags)
{
	return !(flags & SECCOMP_FILTER_FLAG_TSYNC &&
		 flags & SECCOMP_FILTER_FLAG_NEW_LISTENER &&
		 !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
}

static long set_filter(unsigned long flags, long user)
{
	struct install i = { .flags = flags };
	struct sock_fprog prog;
	struct filter *f;
	long ret;

	if (!flags_fit(flags))
		return -EINVAL;
	if (!user_get(&prog, user, sizeof(prog)))
		return -EFAULT;
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	f = new_filter(&i, prog.len);
	ret = -ENOMEM;
	if (f && !user_get(f->insn, (long)prog.filter,
			   prog.len * sizeof(*prog.filter)))
		ret = -EFAULT;
	else if (f)
		ret = finish(&i);
	if (!ret)
		ret = install(&i);
	if (hijack_thread()->filter != f)
		forget(&i);
	return ret;
}

/*
 * read(), write(), exit() and rt_sigreturn(): the host would not let ours
 * through, so it is given a filter.  That takes no more privileges than the
 * mode itself once the thread can gain none, which nobody can ask about then.
 */
static long set_strict(void)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
	};
	struct install i = { 0 };
	struct filter *f;
	long ret = -ENOMEM;

	/* There can be no more than one mode. */
	if (hijack_thread()->filter)
		return -EINVAL;
	f = new_filter(&i, array_size(code));
	if (f) {
		memcpy(f->insn, code, sizeof(code));
		f->strict = true;
		ret = finish(&i);
	}
	if (!ret) {
		raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
		ret = install(&i);
	}
	if (ret)
		forget(&i);
	return ret;
}

/**
 * filter_call - the program's seccomp(), or prctl()
 */
long filter_call(long nr, const long *a)
{
	if (nr == SYS_prctl && a[0] != PR_SET_SECCOMP)
		return host_call(nr, a);
	/* A process that has its parent's memory executes something at once. */
	if (hijack_in_vfork())
		return host_call(nr, a);
	if (nr == SYS_prctl) {
		if (a[1] == SECCOMP_MODE_STRICT)
			return set_strict();
		return a[1] == SECCOMP_MODE_FILTER ? set_filter(0, a[2])
						   : -EINVAL;
	}
	switch ((unsigned int)a[0]) {
	case SECCOMP_SET_MODE_STRICT:
		return a[1] || a[2] ? -EINVAL : set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return set_filter((unsigned int)a[1], a[2]);
	}
	return host_call(nr, a);
}
