// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program's filters for system calls do under both ways in what they do on the
 * host: to calls of the library as to calls of the host, and to nothing that the
 * program does not do itself.
 *
 * The cases are run on the host and under the ways in, and have to print the
 * same.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "hijack.h"

#define SHOW(...) (printf(__VA_ARGS__), fflush(stdout))
/* A call by its number, and what it says. */
#define CALL(nr, ...)                                                          \
	({                                                                     \
		long ret_ = (errno = 0, syscall(SYS_##nr, ##__VA_ARGS__));     \
		SHOW("  %s: %ld, errno %d\n", #nr, ret_, errno);               \
	})

#define NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARG(n)                                                                 \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                     \
		 offsetof(struct seccomp_data, args[n]))
#define IF(nr, what)                                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET, what)
#define ELSE(what) BPF_STMT(BPF_RET, what)
#define ALLOW SECCOMP_RET_ALLOW
#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

static long install_with(unsigned int flags, const struct sock_filter *code,
			 size_t n)
{
	struct sock_fprog prog = { n, (struct sock_filter *)code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

#define INSTALL_WITH(flags, ...)                                               \
	({                                                                     \
		struct sock_filter code_[] = { __VA_ARGS__ };                  \
		install_with(flags, code_, ARRAY_SIZE(code_));                 \
	})
#define INSTALL(...) SYS(INSTALL_WITH(0, __VA_ARGS__))

static int pair[2], other[2];
static pid_t own_pid;

/* Data goes there and back. */
static void echo(void)
{
	char text[8] = "";
	long sent, got;

	sent = syscall(SYS_write, pair[0], "hello", 5);
	got = syscall(SYS_read, pair[1], text, sizeof(text));
	syscall(SYS_write, STDOUT_FILENO,
		sent == 5 && got == 5 && !strcmp(text, "hello") ? "  echo\n"
								: "  lost\n",
		7);
}

static void only_four(void)
{
	INSTALL(NR, IF(SYS_read, ALLOW), IF(SYS_write, ALLOW),
		IF(SYS_exit, ALLOW), IF(SYS_exit_group, ALLOW),
		ELSE(SECCOMP_RET_KILL));
	for (int i = 0; i < 3; i++)
		echo();
}

static void only_four_and_more(void)
{
	only_four();
	syscall(SYS_sendto, pair[0], "x", 1, 0, NULL, 0);
}

static void kill_process(void)
{
	INSTALL(NR, IF(SYS_getppid, SECCOMP_RET_KILL_PROCESS), ELSE(ALLOW));
	echo();
	CALL(getppid);
}

static void strict(void)
{
	CALL(prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
	echo();
	syscall(SYS_exit, 3);
}

static void strict_and_more(void)
{
	CALL(seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
	echo();
	syscall(SYS_recvfrom, pair[1], NULL, 0, 0, NULL, NULL);
}

static void errors(void)
{
	INSTALL(NR, IF(SYS_socket, ERRNO(EMLINK)), IF(SYS_sendto, ERRNO(0)),
		IF(SYS_getppid, ERRNO(5000)), IF(SYS_poll, ERRNO(EXDEV)),
		ELSE(ALLOW));
	CALL(socket, AF_INET, SOCK_STREAM, 0);
	CALL(socket, AF_UNIX, SOCK_STREAM, 0);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	CALL(getppid);
	CALL(poll, NULL, 0, 0);
	echo();
}

static void by_arguments(void)
{
	char c;

	INSTALL(NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 5),
		ARG(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, pair[0], 0, 3),
		ARG(2), IF(4, ERRNO(EDOM)), ELSE(ALLOW));
	CALL(write, pair[0], "four", 4);
	CALL(write, pair[0], "1", 1);
	CALL(read, pair[1], &c, 1);
	CALL(write, pair[1], "four", 4);
}

/* Each instruction of the machine. */
static void machine(void)
{
	static const struct {
		unsigned int code, k, want;
	} ops[] = {
		{ BPF_ADD | BPF_K, 7, 107 },   { BPF_SUB | BPF_K, 7, 93 },
		{ BPF_MUL | BPF_K, 7, 700 },   { BPF_DIV | BPF_K, 7, 14 },
		{ BPF_AND | BPF_K, 6, 4 },     { BPF_OR | BPF_K, 3, 103 },
		{ BPF_XOR | BPF_K, 5, 97 },    { BPF_LSH | BPF_K, 3, 800 },
		{ BPF_RSH | BPF_K, 3, 12 },    { BPF_ADD | BPF_X, 7, 107 },
		{ BPF_SUB | BPF_X, 7, 93 },    { BPF_MUL | BPF_X, 7, 700 },
		{ BPF_DIV | BPF_X, 7, 14 },    { BPF_AND | BPF_X, 6, 4 },
		{ BPF_OR | BPF_X, 3, 103 },    { BPF_XOR | BPF_X, 5, 97 },
		{ BPF_LSH | BPF_X, 35, 800 },  { BPF_RSH | BPF_X, 3, 12 },
		{ BPF_NEG, 0, -100U & 0xfff },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (fork()) {
			wait(NULL);
			continue;
		}
		INSTALL(NR, BPF_STMT(BPF_MISC | BPF_TAX, 0),
			BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, ops[i].k),
			BPF_STMT(BPF_STX, 15), BPF_STMT(BPF_LDX | BPF_MEM, 15),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
			BPF_STMT(BPF_RET, ALLOW),
			BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
			BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 36),
			BPF_STMT(BPF_ALU | ops[i].code, ops[i].k),
			BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
			BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3),
			BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
			BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 0),
			BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1),
			BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0),
			BPF_STMT(BPF_RET | BPF_A, 0));
		errno = 0;
		syscall(SYS_getppid);
		SHOW("  %x: %d%s\n", ops[i].code, errno,
		     errno == (int)ops[i].want ? "" : ", not as expected");
		_exit(0);
	}
	if (!fork()) {
		INSTALL(NR, BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
			BPF_STMT(BPF_RET, ALLOW),
			BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
			BPF_STMT(BPF_RET, ALLOW));
		CALL(getppid);
		_exit(0);
	}
	int status;

	wait(&status);
	SHOW("  divided by 0: %x\n", status & 0x7f);
}

static void stacked(void)
{
	INSTALL(NR, IF(SYS_getppid, ERRNO(1)), IF(SYS_getgid, ERRNO(2)),
		IF(SYS_sendto, ERRNO(3)), ELSE(ALLOW));
	INSTALL(NR, IF(SYS_getppid, ERRNO(4)), IF(SYS_getuid, ERRNO(5)),
		IF(SYS_sendto, SECCOMP_RET_LOG), ELSE(ALLOW));
	CALL(getppid);
	CALL(getgid);
	CALL(getuid);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	INSTALL(NR, IF(SYS_sendto, SECCOMP_RET_KILL_PROCESS), ELSE(ALLOW));
	echo();
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
}

static void on_sigsys(int sig, siginfo_t *info, void *arg)
{
	greg_t *regs = ((ucontext_t *)arg)->uc_mcontext.gregs;
	char line[200];
	int n;

	n = snprintf(line, sizeof(line),
		     "  signal %d: code %d, errno %d, call %d, arch %x, rax "
		     "%lld, at %d, by %d\n",
		     sig, info->si_code, info->si_errno, info->si_syscall,
		     info->si_arch, (long long)regs[REG_RAX],
		     (long)info->si_call_addr == (long)regs[REG_RIP],
		     *(unsigned short *)((char *)info->si_call_addr - 2) ==
			     0x050f);
	syscall(SYS_write, STDOUT_FILENO, line, n);
	regs[REG_RAX] = 4242;
}

static void trap_sigsys(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys,
				.sa_flags = SA_SIGINFO };

	CHECK(!sigaction(SIGSYS, &sa, NULL));
	INSTALL(NR, IF(SYS_getppid, SECCOMP_RET_TRAP | 17),
		IF(SYS_sendto, SECCOMP_RET_TRAP | 0x6c6b),
		IF(SYS_mmap, SECCOMP_RET_TRAP), ELSE(ALLOW));
}

static void trap(void)
{
	trap_sigsys();
	for (int i = 0; i < 3; i++) {
		CALL(getppid);
		CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
		CALL(mmap, 0, 4096, 0, 0, 0, 0);
	}
	echo();
}

static void trap_blocked(void)
{
	sigset_t set;

	trap_sigsys();
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
}

static void trap_ignored(void)
{
	trap_sigsys();
	signal(SIGSYS, SIG_IGN);
	CALL(getppid);
}

static void trap_unhandled(void)
{
	trap_sigsys();
	signal(SIGSYS, SIG_DFL);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
}

/* Whoever is asked is not there. */
static void trace(void)
{
	INSTALL(NR, IF(SYS_getppid, SECCOMP_RET_TRACE), ELSE(ALLOW));
	CALL(getppid);
	echo();
}

static void *filtered_thread(void *arg)
{
	INSTALL(NR, IF(SYS_sendto, ERRNO(33)), IF(SYS_getppid, ERRNO(34)),
		ELSE(ALLOW));
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	return arg;
}

static void *inheriting_thread(void *arg)
{
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	CALL(getppid);
	return arg;
}

static void run_thread(void *(*fn)(void *))
{
	pthread_t id;

	CHECK(!pthread_create(&id, NULL, fn, NULL));
	CHECK(!pthread_join(id, NULL));
}

static void threads(void)
{
	run_thread(filtered_thread);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	INSTALL(NR, IF(SYS_sendto, ERRNO(35)), IF(SYS_getppid, ERRNO(36)),
		ELSE(ALLOW));
	run_thread(inheriting_thread);
	if (!fork()) {
		inheriting_thread(NULL);
		_exit(0);
	}
	wait(NULL);
}

static volatile int tid;

static void *killed_thread(void *arg)
{
	INSTALL(NR, IF(SYS_getppid, SECCOMP_RET_KILL_THREAD), ELSE(ALLOW));
	tid = syscall(SYS_gettid);
	syscall(SYS_getppid);
	SHOW("  survived\n");
	return arg;
}

static void kill_thread(void)
{
	pthread_t id;

	CHECK(!pthread_create(&id, NULL, killed_thread, NULL));
	while (!tid || !syscall(SYS_tgkill, getpid(), tid, 0))
		sched_yield();
	echo();
}

/* All threads of the program get it, those that sleep, too. */
static int go[2];

static void *synced_thread(void *arg)
{
	char c;

	CHECK(read(go[0], &c, 1) == 1);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	CALL(getppid);
	return arg;
}

static void *sleeping_thread(void *arg)
{
	char c;

	/* The library's. */
	CHECK(read(other[0], &c, 1) == 1);
	CALL(getppid);
	return arg;
}

static void sync_threads(void)
{
	pthread_t a, b;

	CHECK(!pipe(go));
	CHECK(!pthread_create(&a, NULL, synced_thread, NULL));
	CHECK(!pthread_create(&b, NULL, sleeping_thread, NULL));
	SHOW("  %ld\n",
	     INSTALL_WITH(SECCOMP_FILTER_FLAG_TSYNC, NR,
			  IF(SYS_sendto, ERRNO(44)), IF(SYS_getppid, ERRNO(45)),
			  ELSE(ALLOW)));
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(!pthread_join(a, NULL));
	CHECK(write(other[1], "x", 1) == 1);
	CHECK(!pthread_join(b, NULL));
	echo();
	CHECK(!pthread_create(&a, NULL, synced_thread, NULL));
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(!pthread_join(a, NULL));
}

static void *own_filter(void *arg)
{
	char c;

	INSTALL(NR, IF(SYS_getppid, ERRNO(46)), ELSE(ALLOW));
	tid = syscall(SYS_gettid);
	CHECK(read(go[0], &c, 1) == 1);
	CALL(getppid);
	return arg;
}

/* But not if one has a filter that the caller has not. */
static void sync_unlike(void)
{
	pthread_t a;
	long ret;

	CHECK(!pipe(go));
	CHECK(!pthread_create(&a, NULL, own_filter, NULL));
	while (!tid)
		sched_yield();
	ret = INSTALL_WITH(SECCOMP_FILTER_FLAG_TSYNC, NR,
			   IF(SYS_getppid, ERRNO(47)), ELSE(ALLOW));
	SHOW("  the thread's %d\n", ret == tid);
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(!pthread_join(a, NULL));
	CALL(getpgid, 1000000);
	SHOW("  not filtered: %d\n", syscall(SYS_getppid) > 0);
	ret = INSTALL_WITH(SECCOMP_FILTER_FLAG_TSYNC, NR,
			   IF(SYS_getppid, ERRNO(48)), ELSE(ALLOW));
	SHOW("  %ld\n", ret);
	CALL(getppid);
}

/* Another process, or thread, is asked, and answers. */
static void *asked_thread(void *arg)
{
	CHECK(syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	*(volatile long *)arg = INSTALL_WITH(
		SECCOMP_FILTER_FLAG_NEW_LISTENER, NR,
		IF(SYS_getppid, SECCOMP_RET_USER_NOTIF),
		IF(SYS_getpgid, SECCOMP_RET_USER_NOTIF), ELSE(ALLOW));
	CALL(getppid);
	CALL(getpgid, 1000000);
	return NULL;
}

static void ask(void)
{
	struct seccomp_notif_resp answer = { .val = 4321 };
	struct seccomp_notif asked = { 0 };
	volatile long fd = -1;
	pthread_t a;

	CHECK(!pthread_create(&a, NULL, asked_thread, (void *)&fd));
	while (fd < 0)
		sched_yield();
	SYS(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked));
	SHOW("  asked: %d\n", asked.data.nr);
	answer.id = asked.id;
	SYS(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer));
	memset(&asked, 0, sizeof(asked));
	SYS(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked));
	SHOW("  asked: %d %lld\n", asked.data.nr, asked.data.args[0]);
	answer = (struct seccomp_notif_resp){
		.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE
	};
	SYS(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer));
	CHECK(!pthread_join(a, NULL));
}

/* What the library does in a call is not judged: it waits, wakes, maps. */
static void at_work(void)
{
	struct pollfd p = { pair[1], POLLIN, 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = SYS(epoll_create1(0));
	char c;

	INSTALL(NR, IF(SYS_read, ALLOW), IF(SYS_write, ALLOW),
		IF(SYS_sendto, ALLOW), IF(SYS_recvfrom, ALLOW),
		IF(SYS_poll, ALLOW), IF(SYS_epoll_ctl, ALLOW),
		IF(SYS_epoll_wait, ALLOW), IF(SYS_close, ALLOW),
		IF(SYS_dup, ALLOW), IF(SYS_socket, ALLOW), IF(SYS_bind, ALLOW),
		IF(SYS_exit_group, ALLOW), ELSE(SECCOMP_RET_KILL_PROCESS));
	CALL(poll, &p, 1, 0);
	CALL(poll, &p, 1, 10);
	CALL(sendto, pair[0], "x", 1, 0, NULL, 0);
	CALL(poll, &p, 1, 1000);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, pair[1], &ev);
	CALL(epoll_wait, ep, &ev, 1, 1000);
	CALL(recvfrom, pair[1], &c, 1, 0, NULL, NULL);
	CALL(epoll_wait, ep, &ev, 1, 10);
	CALL(close, syscall(SYS_dup, pair[1]));
	c = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	CALL(bind, c, NULL, 0);
	CALL(close, c);
}

static void refused(void)
{
	struct sock_fprog none = { 0 }, bad = { 1, (void *)1 };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
	CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, &none);
	CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, &bad);
	CALL(seccomp, SECCOMP_SET_MODE_FILTER, 1 << 20, &none);
	CALL(seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL);
	CALL(seccomp, 77, 0, NULL);
	CALL(prctl, PR_SET_SECCOMP, 9, 0, 0, 0);
	CALL(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &none, 0, 0);
	SHOW("  %ld\n", INSTALL_WITH(0, BPF_STMT(BPF_RET, ALLOW), NR));
	SHOW("  %ld\n",
	     INSTALL_WITH(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
			  BPF_STMT(BPF_RET, ALLOW)));
	SHOW("  %ld\n",
	     INSTALL_WITH(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3),
			  BPF_STMT(BPF_RET, ALLOW)));
	SHOW("  %ld\n", INSTALL_WITH(0, BPF_STMT(BPF_LD | BPF_MEM, 3),
				     BPF_STMT(BPF_RET, ALLOW)));
	INSTALL(BPF_STMT(BPF_RET, ALLOW));
	SHOW("  mode %d\n", prctl(PR_GET_SECCOMP));
	CALL(prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
}

/* A program that is executed has it, too. */
static void executed(void)
{
	char *argv[] = { "/proc/self/exe", "--calls", NULL };

	INSTALL(NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		ARG(0), IF(AF_INET, ERRNO(EMLINK)), NR,
		IF(SYS_getppid, ERRNO(7)), IF(SYS_listen, SECCOMP_RET_KILL),
		ELSE(ALLOW));
	execv(argv[0], argv);
}

static int calls_only(void)
{
	CALL(getppid);
	CALL(socket, AF_INET, SOCK_STREAM, 0);
	CALL(socket, AF_UNIX, SOCK_STREAM, 0);
	CALL(listen, syscall(SYS_socket, AF_INET6, SOCK_STREAM, 0), 1);
	return 0;
}

#define CASE(name) { #name, name }

static const struct {
	const char *name;
	void (*fn)(void);
} cases[] = {
	CASE(only_four),    CASE(only_four_and_more), CASE(kill_process),
	CASE(strict),	    CASE(strict_and_more),    CASE(errors),
	CASE(by_arguments), CASE(machine),	      CASE(stacked),
	CASE(trap),	    CASE(trap_blocked),	      CASE(trap_ignored),
	CASE(trap_unhandled), CASE(trace),	      CASE(threads),
	CASE(kill_thread),  CASE(sync_threads),	      CASE(sync_unlike),
	CASE(ask),	    CASE(at_work),	      CASE(refused),
	CASE(executed),
};

static int all_cases(const char *only)
{
	struct rlimit none = { 0 };
	int status;

	setrlimit(RLIMIT_CORE, &none);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		if (only && strcmp(only, cases[i].name))
			continue;
		SHOW("%s\n", cases[i].name);
		tcp_pair(pair);
		tcp_pair(other);
		own_pid = fork();
		if (!own_pid) {
			alarm(30);
			cases[i].fn();
			_exit(0);
		}
		SYS(waitpid(own_pid, &status, 0));
		SHOW("  status %x\n", status & ~0x80);
		close(pair[0]), close(pair[1]);
		close(other[0]), close(other[1]);
	}
	return 0;
}

static char *output_of(const char *way, const char *self)
{
	size_t size = 0, room = 1 << 16;
	char command[5000], *text = malloc(room);
	FILE *f;

	snprintf(command, sizeof(command), "%s %s --cases", way, self);
	f = popen(command, "r");
	CHECK(f);
	size = fread(text, 1, room - 1, f);
	text[size] = 0;
	if (pclose(f))
		FAIL("%s fails:\n%s", command, text);
	return text;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = { "lkl-hijack.sh", "lkl-run",
					    "lkl-run --seccomp" };
	const char *build = getenv("BUILD");
	char self[4096] = "", way[4096], *host, *here;

	if (argc > 1 && !strcmp(argv[1], "--calls"))
		return calls_only();
	if (argc > 1)
		return all_cases(argv[2]);
	SYS(readlink("/proc/self/exe", self, sizeof(self) - 1));
	host = output_of("", self);
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		snprintf(way, sizeof(way), "%s/bin/%s", build ?: "build",
			 ways[i]);
		here = output_of(way, self);
		if (strcmp(host, here))
			FAIL("%s:\n%s\nthe host:\n%s", ways[i], here, host);
		free(here);
	}
	free(host);
	return 0;
}
