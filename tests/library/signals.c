// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host signals and blocked calls; signals sent inside the kernel.
 */
#include <sys/time.h>

#include "check.h"

static volatile int handled, last_signal;
static volatile long call_in_handler;

static void on_signal(int sig)
{
	last_signal = sig;
	handled++;
}

static void calling_handler(int sig)
{
	on_signal(sig);
	call_in_handler = lkl_sys_getpid();
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	EQ(sigaction(sig, &sa, NULL), 0);
	handled = 0;
}

static int fds[2];
static unsigned int word;

static long do_read(void)
{
	char c;

	return lkl_sys_read(fds[0], &c, 1);
}

static long do_nanosleep(void)
{
	struct __lkl__kernel_timespec minute = { 60, 0 };

	return lkl_sys_nanosleep(&minute, NULL);
}

static long do_poll(void)
{
	struct lkl_pollfd fd = { .fd = fds[0], .events = LKL_POLLIN };

	return lkl_sys_poll(&fd, 1, 60000);
}

static long do_epoll(void)
{
	struct lkl_epoll_event event = { .events = LKL_EPOLLIN };
	int fd = OK(lkl_sys_epoll_create1(0));
	long ret;

	EQ(lkl_sys_epoll_ctl(fd, LKL_EPOLL_CTL_ADD, fds[0], &event), 0);
	ret = lkl_sys_epoll_wait(fd, &event, 1, 60000);
	EQ(lkl_sys_close(fd), 0);
	return ret;
}

static long do_futex(void)
{
	return lkl_sys_futex(&word, LKL_FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long do_pause(void)
{
	return lkl_sys_pause();
}

static long (*const calls[])(void) = { do_read,	 do_nanosleep, do_poll,
				       do_epoll, do_futex,     do_pause };

struct blocked {
	long (*call)(void);
	long ret;
	int done;
};

static void *blocked_thread(void *arg)
{
	struct blocked *b = arg;

	b->ret = b->call();
	__atomic_store_n(&b->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A handler without SA_RESTART ends a call that is blocked. */
static void interrupt(void)
{
	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	handle(SIGUSR1, on_signal, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		struct blocked b = { .call = calls[i] };
		pthread_t id = start(blocked_thread, &b);

		msleep(20);
		EQ(b.done, 0);
		/* The first may come before a call that starts late. */
		handled = 0;
		while (!__atomic_load_n(&b.done, __ATOMIC_SEQ_CST)) {
			pthread_kill(id, SIGUSR1);
			msleep(20);
		}
		pthread_join(id, NULL);
		CHECK(handled);
		if (b.ret != -LKL_EINTR)
			FAIL("call %u ends with %ld", i, b.ret);
	}
	/* The next call is not affected. */
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* With SA_RESTART it goes on. */
static void restart(void)
{
	struct blocked b = { .call = do_read };
	pthread_t id;

	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	handle(SIGUSR1, on_signal, SA_RESTART);
	id = start(blocked_thread, &b);
	for (int i = 0; i < 20; i++) {
		msleep(5);
		pthread_kill(id, SIGUSR1);
		while (handled <= i)
			msleep(1);
	}
	msleep(5);
	EQ(__atomic_load_n(&b.done, __ATOMIC_SEQ_CST), 0);
	EQ(lkl_sys_write(fds[1], "x", 1), 1);
	pthread_join(id, NULL);
	EQ(b.ret, 1);
	halt();
}

/* A call made by a handler that has interrupted a call. */
static void nested(void)
{
	struct blocked b = { .call = do_read };
	pthread_t id;

	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	handle(SIGUSR1, calling_handler, SA_RESTART);
	id = start(blocked_thread, &b);
	/* Until one finds it in the call, not before. */
	do {
		call_in_handler = 0;
		msleep(20);
		pthread_kill(id, SIGUSR1);
		while (!call_in_handler)
			msleep(1);
	} while (call_in_handler == 1);
	EQ(call_in_handler, -LKL_EDEADLK);
	EQ(lkl_sys_write(fds[1], "x", 1), 1);
	pthread_join(id, NULL);
	EQ(b.ret, 1);
	/* Outside of a call a handler may call. */
	raise(SIGUSR1);
	EQ(call_in_handler, 1);
	halt();
}

static int stop;
static volatile long eintr;

static void *storm_thread(void *arg)
{
	struct __lkl__kernel_timespec ts = { 0, 50000 };
	int p[2];
	char c;
	long ret, n = 0;

	OK(lkl_sys_pipe2(p, 0));
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		ret = lkl_sys_nanosleep(&ts, NULL);
		if (ret == -LKL_EINTR)
			eintr++;
		else
			EQ(ret, 0);
		EQ(lkl_sys_write(p[1], "x", 1), 1);
		do
			ret = lkl_sys_read(p[0], &c, 1);
		while (ret == -LKL_EINTR);
		EQ(ret, 1);
		EQ(lkl_sys_mkdir((char *)8, 0), -LKL_EFAULT);
		EQ(lkl_sys_getpid(), 1);
		n++;
	}
	CHECK(n > 0);
	return arg;
}

/* Signals at every moment of a call, on several threads. */
static void *newborn_thread(void *arg)
{
	EQ(lkl_sys_getpid(), 1);
	return arg;
}

/* Signals at the first call of a thread, while others make theirs. */
static void newborn(void)
{
	long long end = now(CLOCK_MONOTONIC) + 2000000000;
	pthread_t id[8];

	boot("mem=64M");
	handle(SIGUSR1, on_signal, 0);
	while (now(CLOCK_MONOTONIC) < end) {
		for (int i = 0; i < 8; i++)
			id[i] = start(newborn_thread, NULL);
		for (int j = 0; j < 5; j++)
			for (int i = 0; i < 8; i++)
				pthread_kill(id[i], SIGUSR1);
		for (int i = 0; i < 8; i++)
			pthread_join(id[i], NULL);
	}
	halt();
}

static void storm(void)
{
	pthread_t id[4];
	long long end;

	boot("mem=64M");
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, calling_handler, SA_RESTART);
	for (int i = 0; i < 4; i++)
		id[i] = start(storm_thread, NULL);
	end = now(CLOCK_MONOTONIC) + 2000000000;
	while (now(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < 4; i++) {
			pthread_kill(id[i], SIGUSR1);
			if (i & 1)
				pthread_kill(id[i], SIGUSR2);
			for (volatile int j = 0; j < 5000; j++)
				;
		}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
	CHECK(handled > 100 && eintr > 0);
	halt();
}

enum { ROUNDS = 20000 };
static int ack[2];

static long read_again(int fd)
{
	char c;
	long ret;

	do
		ret = lkl_sys_read(fd, &c, 1);
	while (ret == -LKL_EINTR);
	return ret;
}

static void *completed_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		EQ(read_again(fds[0]), 1);
		EQ(lkl_sys_write(ack[1], "x", 1), 1);
	}
	return arg;
}

/*
 * Handlers that make calls, while another thread completes the call that they
 * have interrupted: that is woken, however these come together.
 */
static void completed(void)
{
	pthread_t id;

	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	OK(lkl_sys_pipe2(ack, 0));
	handle(SIGUSR1, calling_handler, 0);
	handle(SIGUSR2, calling_handler, SA_RESTART);
	id = start(completed_thread, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		/* When it sleeps, most often */
		for (volatile int j = 0; j < i % 64 * 100; j++)
			;
		if (i & 1)
			pthread_kill(id, i & 2 ? SIGUSR1 : SIGUSR2);
		if (i & 4)
			pthread_kill(id, SIGUSR2);
		EQ(lkl_sys_write(fds[1], "x", 1), 1);
		if (!(i & 1))
			pthread_kill(id, i & 2 ? SIGUSR1 : SIGUSR2);
		EQ(read_again(ack[0]), 1);
	}
	pthread_join(id, NULL);
	CHECK(handled > ROUNDS / 2);
	halt();
}

/* What is sent to process 1 arrives at the host process. */
static void inside(void)
{
	boot("mem=64M");
	handle(SIGUSR1, on_signal, SA_RESTART);
	EQ(lkl_sys_kill(lkl_sys_getpid(), SIGUSR1), 0);
	for (int i = 0; i < 10000 && !handled; i++)
		msleep(1);
	EQ(handled, 1);
	EQ(last_signal, SIGUSR1);

	/* To a thread: to the host's thread. */
	handle(SIGUSR2, on_signal, SA_RESTART);
	EQ(lkl_sys_tkill(lkl_sys_gettid(), SIGUSR2), 0);
	EQ(handled, 1);
	EQ(last_signal, SIGUSR2);

	EQ(lkl_sys_kill(1, 0), 0);
	EQ(lkl_sys_kill(99999, SIGUSR1), -LKL_ESRCH);
	EQ(lkl_sys_kill(1, 100), -LKL_EINVAL);
	halt();
}

/* Blocked inside, it waits; that is what signalfd is for. */
static void signal_fd(void)
{
	unsigned long mask = 1UL << (SIGUSR1 - 1), old;
	struct lkl_signalfd_siginfo info;
	int fd;

	boot("mem=64M");
	handle(SIGUSR1, on_signal, 0);
	EQ(lkl_sys_rt_sigprocmask(LKL_SIG_BLOCK, (void *)&mask, (void *)&old,
				  8),
	   0);
	EQ(lkl_sys_tkill(lkl_sys_gettid(), SIGUSR1), 0);
	EQ(handled, 0);
	fd = OK(lkl_sys_signalfd4(-1, (void *)&mask, 8, 0));
	EQ(lkl_sys_read(fd, (char *)&info, sizeof(info)), sizeof(info));
	EQ(info.ssi_signo, SIGUSR1);
	EQ(handled, 0);
	halt();
}

static void timers(void)
{
	struct lkl_sigevent event = { .sigev_notify = LKL_SIGEV_SIGNAL,
				      .sigev_signo = SIGUSR2 };
	struct __lkl__kernel_itimerspec spec = {
		.it_value = { .tv_nsec = 10000000 }
	};
	struct __lkl__kernel_old_itimerval val = { .it_value = {
							   .tv_usec = 10000 } };
	lkl_timer_t timer;
	long long begin;

	boot("mem=64M");
	handle(SIGUSR2, on_signal, SA_RESTART);
	EQ(lkl_sys_timer_create(LKL_CLOCK_MONOTONIC, &event, &timer), 0);
	begin = now(CLOCK_MONOTONIC);
	EQ(lkl_sys_timer_settime(timer, 0, &spec, NULL), 0);
	/* The thread is not inside meanwhile. */
	for (int i = 0; i < 10000 && !handled; i++)
		msleep(1);
	EQ(handled, 1);
	CHECK(now(CLOCK_MONOTONIC) - begin >= 10000000);
	EQ(last_signal, SIGUSR2);
	EQ(lkl_sys_timer_delete(timer), 0);

	handle(SIGALRM, on_signal, SA_RESTART);
	EQ(lkl_sys_setitimer(LKL_ITIMER_REAL, (void *)&val, NULL), 0);
	for (int i = 0; i < 10000 && !handled; i++)
		msleep(1);
	EQ(handled, 1);
	EQ(last_signal, SIGALRM);
	halt();
}

/* A reader that is gone is an error, not the end of the process. */
static void broken_pipe(void)
{
	int sock[2];

	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	EQ(lkl_sys_close(fds[0]), 0);
	EQ(lkl_sys_write(fds[1], "x", 1), -LKL_EPIPE);
	OK(lkl_sys_socketpair(LKL_AF_UNIX, LKL_SOCK_STREAM, 0, sock));
	EQ(lkl_sys_close(sock[0]), 0);
	EQ(lkl_sys_send(sock[1], "x", 1, 0), -LKL_EPIPE);
	EQ(lkl_sys_send(sock[1], "x", 1, LKL_MSG_NOSIGNAL), -LKL_EPIPE);
	/* Nor is a file that may not grow. */
	EQ(lkl_sys_setrlimit(LKL_RLIMIT_FSIZE,
			     &(struct lkl_rlimit){ 100, 100 }),
	   0);
	fds[0] = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_pwrite64(fds[0], "x", 1, 100), -LKL_EFBIG);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/*
 * A handler that comes while the kernel runs, and needs more of its stack than
 * there is, ends the process and not the kernel's memory.
 */
static struct {
	int on_kernel_stack;
	int beyond;
} * deep;

static void deep_handler(int sig)
{
	volatile char page[72 << 10];

	(void)sig;
	if ((unsigned long)page >> 40 != 0x11)
		return;
	deep->on_kernel_stack = 1;
	for (long i = sizeof(page) - 4096; i >= 0; i -= 4096)
		page[i] = 1;
	deep->beyond = 1;
}

static void *long_calls(void *arg)
{
	static char buf[8 << 20];
	int fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));

	for (;;)
		OK(lkl_sys_pwrite64(fd, buf, sizeof(buf), 0));
	return arg;
}

static void guard(void)
{
	int status;
	pid_t pid;

	deep = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = fork();
	if (!pid) {
		pthread_t id;

		boot("mem=64M");
		handle(SIGUSR1, deep_handler, SA_RESTART);
		id = start(long_calls, NULL);
		for (int i = 0; i < 5000 && !deep->beyond; i++) {
			pthread_kill(id, SIGUSR1);
			msleep(1);
		}
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(deep->on_kernel_stack, 1);
	EQ(deep->beyond, 0);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGSEGV);
}

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void fault(void)
{
	char *p = (char *)OK(lkl_sys_mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char buf[8];

	EQ(lkl_sys_mkdir((char *)8, 0), -LKL_EFAULT);
	*(volatile char *)p = 1;
	EQ(lkl_sys_munmap((long)p, 4096), 0);
	EQ(lkl_sys_pread64(99, buf, 8, 0), -LKL_EBADF);
}

static void *blocking_thread(void *arg)
{
	/* Inherited, or blocked by itself. */
	if (arg)
		block_all();
	fault();
	return NULL;
}

/* A thread that blocks all signals does not block the kernel's faults. */
static void all_blocked(void)
{
	struct __lkl__kernel_timespec moment = { 0, 1000000 };

	boot("mem=64M");
	pthread_join(start(blocking_thread, ""), NULL);
	block_all();
	pthread_join(start(blocking_thread, NULL), NULL);
	/* One that has made calls before: from when it sleeps. */
	EQ(lkl_sys_nanosleep(&moment, NULL), 0);
	fault();
	halt();
}

static volatile int alt_done;

/* On the alternate stack: none of what is there may be lost by faults. */
static void alt_handler(int sig)
{
	volatile unsigned char frame[4096];
	stack_t was, now;

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = i + sig;
	EQ(sigaltstack(NULL, &was), 0);
	fault();
	EQ(sigaltstack(NULL, &now), 0);
	for (unsigned int i = 0; i < sizeof(frame); i++)
		EQ(frame[i], (unsigned char)(i + sig));
	EQ(now.ss_sp, was.ss_sp);
	EQ(now.ss_size, was.ss_size);
	EQ(now.ss_flags, was.ss_flags);
	alt_done++;
}

static void *alt_thread(void *arg)
{
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };

	EQ(sigaltstack(&stack, NULL), 0);
	if (arg)
		EQ(lkl_sys_getpid(), 1);
	for (int i = 0; i < 3; i++)
		pthread_kill(pthread_self(), SIGUSR1);
	EQ(lkl_sys_getpid(), 1);
	return NULL;
}

static void alt_stack(void)
{
	boot("mem=64M");
	handle(SIGUSR1, alt_handler, SA_ONSTACK);
	pthread_join(start(alt_thread, ""), NULL);
	/* Its first call is the handler's. */
	pthread_join(start(alt_thread, NULL), NULL);
	EQ(alt_done, 6);
	halt();
}

/* SIGKILL for process 1 kills the host process, as it says. */
static void kill_inside(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		boot("mem=64M");
		lkl_sys_kill(1, SIGKILL);
		msleep(10000);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGKILL);
}

static const struct check tests[] = {
	{ "interrupt", interrupt }, { "restart", restart },
	{ "nested", nested },	    { "storm", storm },
	{ "inside", inside },	    { "signalfd", signal_fd },
	{ "timers", timers },	    { "broken-pipe", broken_pipe },
	{ "guard", guard },	    { "all-blocked", all_blocked },
	{ "alt-stack", alt_stack }, { "kill-inside", kill_inside },
	{ "newborn", newborn },	    { "completed", completed },
};

CHECK_MAIN(tests)
