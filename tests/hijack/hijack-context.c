// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers change what they return to, or do not return, under both ways in as
 * on the host: the mask of blocked signals, registers, siglongjmp(), contexts.
 * Faults and signals come as before afterwards.
 */
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <ucontext.h>

#include "run.h"

static volatile int seen;
static void (*volatile act)(ucontext_t *uc);
static int sock;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	seen++;
	act(context);
}

static void handle(int sig, void (*fn)(ucontext_t *uc), int flags)
{
	struct sigaction sa = { .sa_sigaction = handler,
				.sa_flags = SA_SIGINFO | flags };

	act = fn;
	seen = 0;
	CHECK(!sigaction(sig, &sa, NULL));
}

static bool is_blocked(int sig)
{
	sigset_t set;

	CHECK(!pthread_sigmask(SIG_SETMASK, NULL, &set));
	return sigismember(&set, sig);
}

static void unblock_all(void)
{
	sigset_t none;

	sigemptyset(&none);
	CHECK(!pthread_sigmask(SIG_SETMASK, &none, NULL));
}

static void transfer(void)
{
	char c = 'x';

	CHECK(write(sock, &c, 1) == 1);
	CHECK(recv(sock, &c, 1, 0) == 1 && c == 'x');
	CHECK(recv(sock, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

/* All that works in spite of what is blocked. */
static void use(void)
{
	transfer();
	CHECK(send(sock, (void *)8, 1, 0) == -1 && errno == EFAULT);
	CHECK(access((void *)8, 0) == -1 && errno == EFAULT);
}

/* A signal in the middle of a wait, of a call of the library or the host. */
static void interrupted(int from)
{
	struct itimerval it = { .it_value.tv_usec = 10000,
				.it_interval.tv_usec = 10000 };
	struct itimerval none = { .it_value.tv_sec = 0 };
	char c;

	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK(read(from, &c, 1) == -1 && errno == EINTR);
	CHECK(!setitimer(ITIMER_REAL, &none, NULL));
}

/*
 * Masks
 */
static void fill(ucontext_t *uc)
{
	sigfillset(&uc->uc_sigmask);
}

static void empty(ucontext_t *uc)
{
	sigemptyset(&uc->uc_sigmask);
}

static void check_mask(ucontext_t *uc)
{
	static const int blocked[] = { SIGUSR2, SIGSEGV, SIGBUS, SIGILL,
				       SIGSYS };

	for (int i = 0; i < 5; i++)
		CHECK(sigismember(&uc->uc_sigmask, blocked[i]));
	CHECK(!sigismember(&uc->uc_sigmask, SIGUSR1));
}

static const int special[] = { SIGSEGV, SIGBUS,	 SIGILL, SIGSYS,
			       SIGTRAP, SIGUSR2, SIGALRM };
#define N_SPECIAL (sizeof(special) / sizeof(*special))

static void masks(void)
{
	sigset_t set;
	size_t i;

	handle(SIGUSR1, fill, 0);
	raise(SIGUSR1);
	CHECK(seen == 1);
	for (i = 0; i < N_SPECIAL; i++)
		CHECK(is_blocked(special[i]));
	use();
	/* They wait, as they are blocked. */
	handle(SIGALRM, empty, 0);
	act = empty;
	for (i = 0; i < N_SPECIAL; i++) {
		struct sigaction sa = { .sa_sigaction = handler,
					.sa_flags = SA_SIGINFO };

		CHECK(!sigaction(special[i], &sa, NULL));
		raise(special[i]);
	}
	CHECK(!seen);
	CHECK(!sigpending(&set));
	for (i = 0; i < N_SPECIAL; i++)
		CHECK(sigismember(&set, special[i]));
	use();
	unblock_all();
	CHECK(seen == N_SPECIAL);
	use();

	/* Some are blocked; a handler that finds that lets them in. */
	handle(SIGUSR1, check_mask, 0);
	sigemptyset(&set);
	for (i = 0; i < N_SPECIAL; i++)
		sigaddset(&set, special[i]);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	CHECK(seen == 1 && is_blocked(SIGSEGV) && is_blocked(SIGUSR2));
	for (i = 0; i < N_SPECIAL; i++)
		raise(special[i]);
	CHECK(seen == 1);
	act = empty;
	raise(SIGUSR1);
	CHECK(seen == 2 + N_SPECIAL);
	for (i = 0; i < N_SPECIAL; i++)
		CHECK(!is_blocked(special[i]));
	use();
	for (i = 0; i < N_SPECIAL; i++)
		signal(special[i], SIG_DFL);
}

/* The same where the signal ends a call. */
static void masks_in_calls(void)
{
	int p[2];

	CHECK(!pipe(p));
	for (int i = 0; i < 2; i++) {
		handle(SIGALRM, fill, 0);
		interrupted(i ? sock : p[0]);
		CHECK(seen == 1);
		CHECK(is_blocked(SIGSEGV) && is_blocked(SIGALRM));
		use();
		act = empty;
		unblock_all();
		use();
	}
	close(p[0]);
	close(p[1]);
}

/*
 * Faults
 */
static char *page;

static void let_in(ucontext_t *uc)
{
	CHECK(!mprotect(page, 4096, PROT_READ | PROT_WRITE));
	fill(uc);
}

static void skip(ucontext_t *uc)
{
	/* A store of one register through another. */
	uc->uc_mcontext.gregs[REG_RIP] += 3;
	uc->uc_mcontext.gregs[REG_RAX] = 42;
}

static void faults(void)
{
	long value = 1;

	for (int i = 0; i < 3; i++) {
		page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
		CHECK(page != MAP_FAILED);
		handle(SIGSEGV, let_in, 0);
		*(volatile char *)page = 1;
		CHECK(seen == 1 && is_blocked(SIGSEGV) && is_blocked(SIGUSR1));
		use();
		CHECK(is_blocked(SIGSEGV));
		unblock_all();
		CHECK(!munmap(page, 4096));
	}
	handle(SIGSEGV, skip, 0);
	asm volatile("movq %%rbx, (%%rcx)"
		     : "+a"(value)
		     : "b"(1L), "c"(8L)
		     : "memory");
	CHECK(value == 42 && seen == 1);
	use();
	signal(SIGSEGV, SIG_DFL);
}

/*
 * Jumps
 */
static sigjmp_buf back;
static void *volatile nowhere = (void *)8;

static void jump(ucontext_t *uc)
{
	(void)uc;
	siglongjmp(back, 1);
}

static void jumps(void)
{
	struct itimerval it = { .it_value.tv_usec = 3000 };
	int p[2];
	char c;

	CHECK(!pipe(p));
	handle(SIGALRM, jump, SA_RESTART);
	for (volatile int i = 0; i < 20; i++) {
		if (!sigsetjmp(back, 1)) {
			CHECK(!setitimer(ITIMER_REAL, &it, NULL));
			for (;;)
				CHECK(read(i & 1 ? sock : p[0], &c, 1) == -1);
		}
		CHECK(seen == i + 1 && !is_blocked(SIGALRM));
		use();
	}
	/* The mask stays that of the handler. */
	handle(SIGSEGV, jump, 0);
	if (!sigsetjmp(back, 0))
		*(volatile int *)nowhere = 1;
	CHECK(is_blocked(SIGSEGV));
	use();
	CHECK(is_blocked(SIGSEGV));
	unblock_all();
	if (!sigsetjmp(back, 1))
		*(volatile int *)nowhere = 1;
	CHECK(seen == 2 && !is_blocked(SIGSEGV));
	use();
	signal(SIGSEGV, SIG_DFL);
	close(p[0]);
	close(p[1]);
}

/*
 * Contexts
 */
static ucontext_t other, handlers;
static char stack[65536], alt[65536];

static void elsewhere(void)
{
	for (;;) {
		/*
		 * A bad pointer would use the signal stack, which a handler
		 * that was left so still needs.
		 */
		transfer();
		CHECK(!swapcontext(&other, &handlers));
	}
}

static void swap(ucontext_t *uc)
{
	(void)uc;
	CHECK(!swapcontext(&handlers, &other));
	use();
}

static void set(ucontext_t *uc)
{
	(void)uc;
	setcontext(&handlers);
}

static void contexts(int flags)
{
	volatile int again = 0;
	int p[2];

	CHECK(!pipe(p));
	CHECK(!getcontext(&other));
	other.uc_stack.ss_sp = stack;
	other.uc_stack.ss_size = sizeof(stack);
	/* A timer that is late must not swap to where it has swapped from. */
	sigaddset(&other.uc_sigmask, SIGALRM);
	makecontext(&other, elsewhere, 0);
	handle(SIGUSR1, swap, flags);
	for (int i = 0; i < 10; i++)
		raise(SIGUSR1);
	CHECK(seen == 10);
	use();
	handle(SIGALRM, swap, flags);
	for (int i = 0; i < 4; i++)
		interrupted(i & 1 ? sock : p[0]);
	use();
	/* A context that was left is gone on with from a handler. */
	handle(SIGUSR1, set, flags);
	CHECK(!getcontext(&handlers));
	if (again++ < 5)
		raise(SIGUSR1);
	CHECK(seen == 5 && !is_blocked(SIGUSR1));
	use();
	close(p[0]);
	close(p[1]);
}

/*
 * Backtraces
 */
static bool found;

static __attribute__((noinline)) void unwinds(void)
{
	raise(SIGUSR1);
	CHECK(found);
}

static void look(ucontext_t *uc)
{
	void *frames[64];
	int n = backtrace(frames, 64);

	(void)uc;
	for (int i = 0; i < n; i++)
		found |= (unsigned long)frames[i] - (unsigned long)unwinds < 64;
}

static void backtraces(void)
{
	void *frame;

	/* What it loads it loads now. */
	CHECK(backtrace(&frame, 1) == 1);
	found = false;
	handle(SIGUSR1, look, 0);
	unwinds();
}

static void *all(void *arg)
{
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };

	(void)arg;
	unblock_all();
	masks();
	masks_in_calls();
	faults();
	jumps();
	backtraces();
	contexts(0);
	CHECK(!sigaltstack(&ss, NULL));
	contexts(SA_ONSTACK);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *way = getenv("UNDER_LKL_RUN");
	pthread_t thread;
	sigset_t set;
	int status;
	pid_t pid;

	(void)argc;
	if (!way) {
		pid = fork();
		if (pid) {
			CHECK(waitpid(pid, &status, 0) == pid);
			CHECK(!status);
			run_both(argv);
		}
	}
	sock = library_socket();
	all(NULL);
	/* Signals are the other thread's. */
	sigfillset(&set);
	CHECK(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	CHECK(!pthread_create(&thread, NULL, all, NULL));
	CHECK(!pthread_join(thread, NULL));
	pid = fork();
	if (!pid)
		all(NULL);
	if (pid) {
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(!status);
	}
	return 0;
}
