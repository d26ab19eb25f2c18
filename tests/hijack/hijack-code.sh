#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls of code that is not there at the start, or that was made by the program,
# are the library's under both ways in: of libraries that dlopen() loads, of
# memory that becomes executable, in all threads, with signals, in a child.  Where
# the host cannot trap calls, a program that needs that ends with one line.

. "$(dirname "$0")/../common/tools.sh"
need gcc

cat >object.c <<'END'
long call(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}

/* Behind a jump, so that there is no instruction to move. */
long call_hard(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("jmp 1f\n\t.byte 0xb8\n1:\tsyscall\n\tjmp 2f\n\t.byte 0xb8\n2:"
		     : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}
END
cat >main.c <<'END'
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : (printf("%d: %s\n", __LINE__, #x), exit(1)))

typedef long call_fn(long nr, long a, long b, long c);

/* The C library's /proc/net/udp is that of the library's kernel. */
static void check(call_fn *call)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = call(SYS_socket, AF_INET, SOCK_DGRAM, 0), table;
	char text[16384], want[16];
	ssize_t n;

	CHECK(fd >= 0);
	CHECK(!call(SYS_bind, fd, (long)&addr, len));
	CHECK(!call(SYS_getsockname, fd, (long)&addr, (long)&len));
	snprintf(want, sizeof(want), ":%04X ", ntohs(addr.sin_port));
	table = open("/proc/net/udp", O_RDONLY);
	n = read(table, text, sizeof(text) - 1);
	CHECK(n > 0 && !close(table));
	text[n] = 0;
	CHECK(strstr(text, want));
	CHECK(!call(SYS_close, fd, 0, 0));
}

/* mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx; syscall; ret */
static const unsigned char code[] = "\x48\x89\xf8\x48\x89\xf7\x48\x89\xd6\x48"
				    "\x89\xca\x0f\x05\xc3";

static void *made(int prot, int then)
{
	void *at = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	memcpy(at, code, sizeof(code));
	if (then)
		CHECK(!mprotect(at, 4096, then));
	return at;
}

/* One mapping to write to, another one to execute. */
static void *shared(void)
{
	int fd = memfd_create("code", 0);
	void *at;

	CHECK(!ftruncate(fd, 4096));
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED && pwrite(fd, code, sizeof(code), 0) > 0);
	close(fd);
	return at;
}

static call_fn *volatile now;
static int ready, done;

/* Makes no call that would tell us about it before there is code. */
static void *spin(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (!now)
		;
	check(now);
	return NULL;
}

static void on_alarm(int sig)
{
	(void)sig;
	done++;
	check(now);
}

/* Calls that are interrupted, and handlers that make some. */
static void signals(call_fn *call)
{
	struct itimerval it = { { 0, 2000 }, { 0, 2000 } }, none = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm };
	int p[2];
	char c;

	CHECK(!pipe(p));
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK(call(SYS_read, p[0], (long)&c, 1) == -EINTR && done);
	while (done < 20)
		check(call);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	done = 0;
	if (!fork()) {
		usleep(20000);
		_exit(write(p[1], "x", 1) != 1);
	}
	CHECK(call(SYS_read, p[0], (long)&c, 1) == 1 && c == 'x');
	setitimer(ITIMER_REAL, &none, NULL);
	wait(NULL);
}

static void *again(void *arg)
{
	check(now);
	return arg;
}

static void many(call_fn *call)
{
	pthread_t thread[4];
	int status;

	now = call;
	for (int n = 0; n < 20; n++) {
		for (int i = 0; i < 4; i++)
			CHECK(!pthread_create(&thread[i], NULL, again, NULL));
		for (int i = 0; i < 4; i++)
			CHECK(!pthread_join(thread[i], NULL));
	}
	if (!fork()) {
		check(call);
		_exit(0);
	}
	CHECK(wait(&status) > 0 && !status);
	CHECK(!system("true"));
	signals(call);
}

int main(int argc, char **argv)
{
	void *object = dlopen(argv[1], RTLD_NOW);
	call_fn *fn[6];
	pthread_t thread[2];

	CHECK(object);
	fn[0] = dlsym(object, "call");
	check(fn[0]);
	signals(now = fn[0]);
	many(fn[0]);
	now = NULL;
	CHECK(!dlclose(object));
	object = dlopen(argv[1], RTLD_NOW);
	fn[0] = dlsym(object, "call");
	fn[1] = dlsym(object, "call_hard");
	check(fn[0]);
	if (argc > 2)
		return 0;
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&thread[i], NULL, spin, NULL));
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != 2)
		;
	now = made(PROT_READ | PROT_WRITE | PROT_EXEC, 0);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(thread[i], NULL));
	check(fn[1]);
	many(now);
	many(fn[1]);
	many(made(PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC));
	many(shared());
	puts("all");
	return 0;
}
END
cat >without.c <<'END'
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A host without PR_SET_SYSCALL_USER_DISPATCH. */
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 59, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 22),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return 1;
	execv(argv[1], argv + 1);
	return 1 + argc;
}
END
gcc -O1 -shared -fPIC -o object.so object.c
gcc -O1 -pthread -o main main.c -ldl
gcc -o without without.c

for way in lkl-hijack.sh lkl-run; do
	out=$("$way" ./main ./object.so) || fail "$way: $out"
	[ "$out" = all ] || fail "$way: $out"
done
# What a file has is rewritten, which takes nothing of the host's.
hijack=$(type -P lkl-hijack.sh)
# Where a jump overlaps the next instruction, the trampoline's place follows from where
# the host puts the library, and may be taken: another start has another place.
for ((i = 0; i < 5; i++)); do
	! ./without "$hijack" ./main ./object.so file || break
done
[ $i -lt 5 ] || fail "a library, without dispatch"
status=0
./without "$hijack" ./main ./object.so >out 2>err || status=$?
[ $status = 126 ] && [ "$(wc -l <err)" = 1 ] && grep -q "this host cannot trap" err ||
	fail "without dispatch: status $status, $(cat out err)"
