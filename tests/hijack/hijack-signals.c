// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals under both ways in are as on a kernel: calls of the host and of the
 * library end with EINTR or are made again, masks hold while waiting, handlers
 * find the right stack and context, none is lost, and none finds a handler that
 * is no longer there.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "run.h"

static volatile sig_atomic_t seen;
static volatile unsigned long seen_sp;

static void count(int sig)
{
	(void)sig;
	seen_sp = (unsigned long)__builtin_frame_address(0);
	seen++;
	/* System calls in handlers, too. */
	getppid();
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	CHECK(!sigaction(sig, &sa, NULL));
}

/* A signal each @ms, @repeat or one. */
static void timer(int ms, int repeat)
{
	struct itimerval it = { .it_value.tv_usec = ms * 1000 };

	if (repeat)
		it.it_interval = it.it_value;
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
}

static void *write_later(void *arg)
{
	while (!seen)
		usleep(1000);
	usleep(60000);
	CHECK(write(*(int *)arg, "x", 1) == 1);
	return NULL;
}

/* read() of @from, with and without SA_RESTART; @to makes it end. */
static void interrupt_read(int from, int to)
{
	pthread_t thread;
	sigset_t set;
	char c;

	handle(SIGALRM, count, 0);
	seen = 0;
	/* The first may come before the call. */
	timer(20, 1);
	CHECK(read(from, &c, 1) == -1 && errno == EINTR && seen >= 1);
	timer(0, 0);

	handle(SIGALRM, count, SA_RESTART);
	seen = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(!pthread_create(&thread, NULL, write_later, &to));
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	timer(20, 1);
	CHECK(read(from, &c, 1) == 1 && seen >= 1);
	timer(0, 0);
	CHECK(!pthread_join(thread, NULL));
}

/* Calls that come back whatever SA_RESTART says. */
static void interrupt_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec ts = { .tv_sec = 60 };
	sigset_t block, old, none;

	handle(SIGALRM, count, SA_RESTART);
	seen = 0;
	timer(20, 1);
	CHECK(poll(&p, 1, 60000) == -1 && errno == EINTR && seen >= 1);
	seen = 0;
	CHECK(nanosleep(&ts, NULL) == -1 && errno == EINTR && seen >= 1);
	timer(0, 0);
	seen = 2;

	/* Only while waiting. */
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	CHECK(!sigprocmask(SIG_BLOCK, &block, &old));
	timer(5, 0);
	usleep(20000);
	CHECK(seen == 2);
	CHECK(ppoll(&p, 1, &ts, &none) == -1 && errno == EINTR && seen == 3);
	raise(SIGALRM);
	CHECK(seen == 3);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR && seen == 4);
	CHECK(!sigprocmask(SIG_SETMASK, &old, &block));
	CHECK(sigismember(&block, SIGALRM) && !sigismember(&block, SIGHUP));
}

/* Several at once that are blocked but while a call waits: all come, and then
 * are again. */
static void several(int fd)
{
	static const int sigs[] = { SIGUSR1, SIGCHLD, SIGALRM };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec ts = { .tv_sec = 60 };
	sigset_t block, old, none, now;

	sigemptyset(&none);
	sigemptyset(&block);
	for (int i = 0; i < 3; i++) {
		handle(sigs[i], count, SA_RESTART);
		sigaddset(&block, sigs[i]);
	}
	CHECK(!sigprocmask(SIG_BLOCK, &block, &old));
	for (int call = 0; call < 4; call++) {
		seen = 0;
		for (int i = 0; i < 3; i++)
			CHECK(!raise(sigs[i]) && !seen);
		if (call & 1)
			CHECK(ppoll(&p, 1, &ts, &none) == -1);
		else
			CHECK(sigsuspend(&none) == -1);
		CHECK(errno == EINTR && seen == 3);
		CHECK(!sigprocmask(SIG_SETMASK, NULL, &now));
		for (int i = 0; i < 3; i++)
			CHECK(sigismember(&now, sigs[i]));
		CHECK(!sigismember(&now, SIGHUP));
	}
	CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
	CHECK(seen == 3);
	handle(SIGCHLD, SIG_DFL, 0);
}

/* The mask that a handler finds, and the one afterwards. */
static void mask_handler(int sig)
{
	sigset_t now;

	(void)sig;
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
	CHECK(!sigismember(&now, SIGHUP));
	seen++;
}

static void masks(void)
{
	struct sigaction sa = { .sa_handler = mask_handler }, old;
	sigset_t all, now;

	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	CHECK(!sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == mask_handler);
	CHECK(sigismember(&old.sa_mask, SIGUSR2));
	seen = 0;
	CHECK(!raise(SIGUSR1) && seen == 1);
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(!sigismember(&now, SIGUSR1));

	handle(SIGUSR1, count, SA_RESETHAND);
	CHECK(!raise(SIGUSR1) && seen == 2);
	CHECK(!sigaction(SIGUSR1, NULL, &old) && old.sa_handler == SIG_DFL);

	/* What can never be blocked is reported as if it were. */
	sigfillset(&all);
	CHECK(!sigprocmask(SIG_SETMASK, &all, &now));
	getpid();
	CHECK(!sigprocmask(SIG_SETMASK, &now, &all));
	CHECK(sigismember(&all, SIGSYS) && sigismember(&all, SIGSEGV));
}

static sigjmp_buf again;
static void *fault_address;
static void *volatile bad = (void *)8;

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
	(void)ucontext;
	CHECK(sig == SIGSEGV);
	fault_address = info->si_addr;
	seen_sp = (unsigned long)__builtin_frame_address(0);
	getppid();
	siglongjmp(again, 1);
}

/* Faults of the program; and of the library, for the program's pointers. */
static void faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 65536 }, old;
	int fd = library_socket(), i;

	stack.ss_sp = malloc(stack.ss_size);
	CHECK(!sigaltstack(&stack, NULL));
	CHECK(!sigaction(SIGSEGV, &sa, NULL));
	for (i = 0; i < 3; i++) {
		if (!sigsetjmp(again, 1))
			*(volatile int *)(8UL + i) = 1;
		CHECK(fault_address == (void *)(8UL + i));
		CHECK(seen_sp - (unsigned long)stack.ss_sp < stack.ss_size);
		CHECK(write(fd, bad, 100) == -1 && errno == EFAULT);
	}
	CHECK(!sigaltstack(NULL, &old) && old.ss_sp == stack.ss_sp);
	signal(SIGSEGV, SIG_DFL);
	close(fd);
}

static volatile unsigned long outer_sp;

static void inner(int sig)
{
	(void)sig;
	CHECK((unsigned long)__builtin_frame_address(0) < outer_sp);
	seen++;
}

static void outer(int sig)
{
	volatile char mark[256];
	stack_t s;

	(void)sig;
	memset((void *)mark, 0x5a, sizeof(mark));
	outer_sp = (unsigned long)__builtin_frame_address(0);
	CHECK(!sigaltstack(NULL, &s) && s.ss_flags & SS_ONSTACK);
	/* Comes in the middle of a call that is made on the signal stack. */
	CHECK(!kill(getpid(), SIGUSR2));
	for (unsigned int i = 0; i < sizeof(mark); i++)
		CHECK(mark[i] == 0x5a);
	seen++;
}

static void nested_on_stack(void)
{
	handle(SIGUSR1, outer, SA_ONSTACK);
	handle(SIGUSR2, inner, SA_ONSTACK);
	seen = 0;
	CHECK(!raise(SIGUSR1) && seen == 2);
}

/* A storm of them, in all sorts of calls: results and registers stay right. */
static void *storm(void *arg)
{
	int fd = library_socket(), pipe_fd[2], i;
	char buf[64];

	(void)arg;
	CHECK(!pipe(pipe_fd));
	for (i = 0; i < 20000; i++) {
		ssize_t n;

		memset(buf, i, sizeof(buf));
		CHECK(write(fd, buf, sizeof(buf)) == sizeof(buf));
		memset(buf, 0, sizeof(buf));
		n = read(fd, buf, sizeof(buf));
		CHECK(n == sizeof(buf) && buf[63] == (char)i);
		CHECK(write(pipe_fd[1], buf, sizeof(buf)) == sizeof(buf));
		CHECK(read(pipe_fd[0], buf, 8) == 8);
		CHECK(read(pipe_fd[0], buf, sizeof(buf)) == sizeof(buf) - 8);
		CHECK(syscall(SYS_gettid) == gettid());
	}
	return NULL;
}

static void storms(void)
{
	struct itimerval it = { { 0, 137 }, { 0, 137 } };
	pthread_t threads[4];
	int i;

	handle(SIGALRM, count, SA_RESTART);
	seen = 0;
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	for (i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, storm, NULL));
	for (i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	memset(&it, 0, sizeof(it));
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK(seen > 100);
}

/* One that is never really blocked, sent by a call. */
static int sent_sig;

static void on_sent(int sig)
{
	sent_sig = sig;
	seen++;
}

static void sent(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGSYS, SIGILL, SIGTRAP };
	sigset_t block, old, pending;

	for (unsigned int i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		handle(sigs[i], on_sent, 0);
		seen = 0;
		for (int n = 1; n <= 3; n++) {
			CHECK(!raise(sigs[i]));
			CHECK(seen == n && sent_sig == sigs[i]);
		}
		CHECK(!kill(getpid(), sigs[i]) && seen == 4);
		sigemptyset(&block);
		sigaddset(&block, sigs[i]);
		CHECK(!sigprocmask(SIG_BLOCK, &block, &old));
		CHECK(!sigismember(&old, sigs[i]));
		CHECK(!raise(sigs[i]) && seen == 4);
		CHECK(!sigpending(&pending) && sigismember(&pending, sigs[i]));
		CHECK(!sigprocmask(SIG_SETMASK, &old, NULL) && seen == 5);
		handle(sigs[i], SIG_IGN, 0);
		CHECK(!raise(sigs[i]) && seen == 5);
		handle(sigs[i], SIG_DFL, 0);
	}
}

/* Without a handler they end the process, sent or not. */
static void ends(int sig, int how)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		if (how == 0)
			raise(sig);
		else if (how == 1)
			asm volatile("ud2");
		else
			*(volatile int *)bad = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

/* A handler that comes and goes while the signal is sent. */
static volatile int stop_sending;

static void *send_usr1(void *arg)
{
	while (!stop_sending)
		kill(getpid(), SIGUSR1);
	return arg;
}

static void change_handler(void)
{
	pthread_t thread;

	signal(SIGUSR1, SIG_IGN);
	CHECK(!pthread_create(&thread, NULL, send_usr1, NULL));
	for (int i = 0; i < 50000; i++) {
		signal(SIGUSR1, count);
		signal(SIGUSR1, SIG_IGN);
	}
	stop_sending = 1;
	CHECK(!pthread_join(thread, NULL));
	signal(SIGUSR1, SIG_DFL);
}

/*
 * Calls of a handler on a small signal stack, and of code on a stack that has
 * no room at all, as a goroutine's.
 */
static int call_fd;

static void calls(void)
{
	struct timeval none = { 0 };
	fd_set set;
	char buf[16];

	FD_ZERO(&set);
	FD_SET(call_fd, &set);
	CHECK(write(call_fd, "x", 1) == 1);
	CHECK(select(call_fd + 1, &set, NULL, NULL, &none) == 1);
	CHECK(read(call_fd, buf, sizeof(buf)) == 1);
	CHECK(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static void on_small(int sig)
{
	(void)sig;
	calls();
	seen++;
}

static void *small_stack(void *arg)
{
	stack_t stack = { .ss_size = 8192 };
	char *area = mmap(NULL, 3 * 8192, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(area != MAP_FAILED);
	stack.ss_sp = area + 8192;
	CHECK(!mprotect(stack.ss_sp, 8192, PROT_READ | PROT_WRITE));
	CHECK(!sigaltstack(&stack, NULL));
	handle(SIGUSR1, on_small, SA_ONSTACK);
	seen = 0;
	for (int i = 0; i < 100; i++)
		pthread_kill(pthread_self(), SIGUSR1);
	CHECK(seen == 100);
	stack.ss_flags = SS_DISABLE;
	CHECK(!sigaltstack(&stack, NULL));
	munmap(area, 3 * 8192);
	return arg;
}

/* write(call_fd, "x", 1) with the stack pointer at the end of what there is. */
static void no_stack(void)
{
	long page = 4096, ret, fd = call_fd;
	/* lkl-run learns of an instruction by a signal. */
	static char alt[65536];
	stack_t stack = { .ss_sp = alt, .ss_size = sizeof(alt) };
	char *area = mmap(NULL, 2 * page, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(area != MAP_FAILED);
	CHECK(!mprotect(area + page, page, PROT_READ | PROT_WRITE));
	CHECK(!sigaltstack(&stack, NULL));
	for (int i = 0; i < 3; i++) {
		asm volatile("movq %%rsp, %%rbx\n\t"
			     "movq %[sp], %%rsp\n\t"
			     "movl %[nr], %%eax\n\t"
			     "syscall\n\t"
			     "movq %%rbx, %%rsp"
			     : "=a"(ret)
			     : [sp] "r"(area + page), [nr] "i"(SYS_write),
			       "D"(fd), "S"("x"), "d"(1L)
			     : "rbx", "rcx", "r11", "memory");
		CHECK(ret == 1);
	}
	munmap(area, 2 * page);
}

static void small_stacks(void)
{
	pthread_t thread;

	call_fd = library_socket();
	small_stack(NULL);
	CHECK(!pthread_create(&thread, NULL, small_stack, NULL));
	CHECK(!pthread_join(thread, NULL));
	no_stack();
}

/*
 * Threads that have one signal stack, of which they expect that nothing but
 * their end runs there: what makes handlers wait for the end of a call does not
 * either.
 */
static char shared_area[65536];
static volatile int shared_end;

static void *sharing_thread(void *arg)
{
	stack_t stack = { .ss_sp = shared_area,
			  .ss_size = sizeof(shared_area) };
	int fd = library_socket();
	char buf[8];

	CHECK(!sigaltstack(&stack, NULL));
	while (!shared_end) {
		struct timespec ts = { .tv_nsec = 1000 };
		struct pollfd p = { .fd = fd, .events = POLLIN };

		CHECK(write(fd, "x", 1) == 1);
		CHECK(poll(&p, 1, 1000) == 1 || errno == EINTR);
		CHECK(read(fd, buf, sizeof(buf)) == 1);
		nanosleep(&ts, NULL);
	}
	for (unsigned int i = 0; i < sizeof(shared_area); i++)
		CHECK(!shared_area[i]);
	stack.ss_flags = SS_DISABLE;
	CHECK(!sigaltstack(&stack, NULL));
	close(fd);
	return arg;
}

static void shared_stacks(void)
{
	pthread_t threads[4];

	handle(SIGUSR1, count, SA_RESTART);
	seen = 0;
	/* The first has it for itself, as far as anybody knows. */
	CHECK(!pthread_create(&threads[0], NULL, sharing_thread, NULL));
	for (int i = 1; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, sharing_thread, NULL));
	usleep(20000);
	memset(shared_area, 0, sizeof(shared_area));
	for (int i = 0; i < 8000; i++)
		CHECK(!pthread_kill(threads[i % 4], SIGUSR1));
	shared_end = 1;
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK(seen);
}

int main(int argc, char **argv)
{
	int pipe_fd[2], fd;

	(void)argc;
	run_both(argv);
	CHECK(!pipe(pipe_fd));
	interrupt_read(pipe_fd[0], pipe_fd[1]);
	fd = library_socket();
	interrupt_read(fd, fd);
	interrupt_wait(pipe_fd[0]);
	interrupt_wait(fd);
	several(pipe_fd[0]);
	several(fd);
	masks();
	faults();
	nested_on_stack();
	storms();
	sent();
	ends(SIGSEGV, 0);
	ends(SIGSEGV, 2);
	ends(SIGILL, 0);
	ends(SIGILL, 1);
	ends(SIGSYS, 0);
	change_handler();
	small_stacks();
	shared_stacks();
	return 0;
}
