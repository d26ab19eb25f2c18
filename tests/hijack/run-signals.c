// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals under lkl-run are as on a kernel: calls of the host and of the
 * library end with EINTR or are made again, masks hold while waiting, handlers
 * find the right stack and context, and none is lost.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
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

static int library_socket(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!bind(fd, (void *)&addr, sizeof(addr)));
	CHECK(!getsockname(fd, (void *)&addr, &len));
	CHECK(!connect(fd, (void *)&addr, len));
	return fd;
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

int main(int argc, char **argv)
{
	int pipe_fd[2], fd;

	(void)argc;
	run_self(argv);
	CHECK(!pipe(pipe_fd));
	interrupt_read(pipe_fd[0], pipe_fd[1]);
	fd = library_socket();
	interrupt_read(fd, fd);
	interrupt_wait(pipe_fd[0]);
	interrupt_wait(fd);
	masks();
	faults();
	nested_on_stack();
	storms();
	return 0;
}
