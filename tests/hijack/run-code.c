// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl-run changes system call instructions that have been executed, whole,
 * while other threads execute them, and nothing else; and what a system call
 * preserves stays as it is.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "run.h"

#define THREADS 4
#define ROUNDS 30

/* Three times the same bytes: never executed, an operand, and data. */
asm(".text\n"
    ".globl code, code_end\n"
    "code:\n\t"
    "movl	$0x00050f90, %eax\n\t"
    "jmp	1f\n\t"
    "movl	$39, %eax\n\t"
    "syscall\n\t"
    "1: .byte 0x48, 0x8d, 0x05, 0, 0, 0, 0\n\t"
    "ret\n\t"
    ".ascii \"\\x0f\\x05\\xb8\\x27\\0\\0\\0\\x0f\\x05\"\n"
    "code_end:\n");
extern const char code[], code_end[];

static void looks_like(void)
{
	char copy[64];
	size_t len = code_end - code;

	memcpy(copy, code, len);
	((void (*)(void))code)();
	getpid();
	CHECK(!memcmp(copy, code, len));
}

/* A file with one function that makes a system call, at the end of a page. */
static char *map_function(const char *text, size_t len, size_t at)
{
	int fd = memfd_create("code", 0);
	char *map;

	CHECK(fd >= 0 && !ftruncate(fd, 8192));
	CHECK(pwrite(fd, text, len, at) == (ssize_t)len);
	map = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	return map;
}

static struct {
	long (*fn)(void);
	long want;
	volatile int stop;
} race;

static void *racer(void *arg)
{
	while (!race.stop)
		CHECK(race.fn() == race.want);
	return arg;
}

/* nops; mov $39, %eax; syscall; ret */
#define NOPS "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
#define LEADER NOPS NOPS NOPS NOPS NOPS NOPS
static const char before[] = LEADER "\xb8\x27\0\0\0\x0f\x05\xc3";
/* mov $39, %eax; mov %rdi, %rdi; syscall; cmp $0, %rax; ret; int3... */
static const char short_jump[] = LEADER
	"\xb8\x27\0\0\0\x48\x89\xff\x0f\x05\x48\x83\xf8\0\xc3"
	"\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc";
/* mov $39, %eax; mov %rdi, %rdi; syscall; cmp; ret, and no padding */
static const char overlap[] = LEADER
	"\xb8\x27\0\0\0\x48\x89\xff\x0f\x05\x48\x83\xf8\0\xc3\x48\x89\xc0\xc3";

static void rewrite_races(const char *text, size_t len)
{
	pthread_t threads[THREADS];
	int i, n;

	race.want = getpid();
	for (n = 0; n < ROUNDS; n++) {
		/* So that the instructions to change lie on two pages, too. */
		size_t at = 4096 - len + n % len;
		char *map = map_function(text, len, at);

		race.fn = (void *)(map + at);
		race.stop = 0;
		for (i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&threads[i], NULL, racer, NULL));
		usleep(500);
		race.stop = 1;
		for (i = 0; i < THREADS; i++)
			CHECK(!pthread_join(threads[i], NULL));
		CHECK(!munmap(map, 8192));
	}
}

/* Code that is generated, executed, and replaced at the same place. */
static void generate(void)
{
	unsigned char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int calls[] = { SYS_getpid, SYS_gettid, SYS_getppid }, i;

	CHECK(map != MAP_FAILED);
	for (i = 0; i < 30; i++) {
		int nr = calls[i % 3];

		CHECK(!mprotect(map, 4096, PROT_READ | PROT_WRITE));
		memcpy(map, before, sizeof(before));
		map[sizeof(LEADER)] = nr;
		CHECK(!mprotect(map, 4096, PROT_READ | PROT_EXEC));
		CHECK(((long (*)(void))map)() == syscall(nr));
	}
}

/* Registers, flags and the red zone, at a site that is new and one that is not.
 */
static void preserved(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		uint64_t regs[16], zone = 0;
		uint8_t flags;

		asm volatile("movq	$1, %%rbx\n\t"
			     "movq	$2, %%rdx\n\t"
			     "movq	$3, %%rsi\n\t"
			     "movq	$4, %%rdi\n\t"
			     "movq	$5, %%r8\n\t"
			     "movq	$6, %%r9\n\t"
			     "movq	$7, %%r10\n\t"
			     "movq	$8, %%r12\n\t"
			     "movq	$9, %%r13\n\t"
			     "movq	$10, %%r14\n\t"
			     "movq	$11, %%r15\n\t"
			     "movq	%%rbx, %%xmm0\n\t"
			     "movq	%%rdx, %%xmm7\n\t"
			     "movq	%%rsi, %%xmm15\n\t"
			     "movq	$0x1234, -128(%%rsp)\n\t"
			     "movl	%[nr], %%eax\n\t"
			     "stc\n\t"
			     "nopl	0(%%rax)\n\t"
			     "movl	%[nr], %%eax\n\t"
			     "syscall\n\t"
			     "setc	%[flags]\n\t"
			     "movq	-128(%%rsp), %%rcx\n\t"
			     "movq	%%rbx, 0(%[regs])\n\t"
			     "movq	%%rdx, 8(%[regs])\n\t"
			     "movq	%%rsi, 16(%[regs])\n\t"
			     "movq	%%rdi, 24(%[regs])\n\t"
			     "movq	%%r8, 32(%[regs])\n\t"
			     "movq	%%r9, 40(%[regs])\n\t"
			     "movq	%%r10, 48(%[regs])\n\t"
			     "movq	%%r12, 56(%[regs])\n\t"
			     "movq	%%r13, 64(%[regs])\n\t"
			     "movq	%%r14, 72(%[regs])\n\t"
			     "movq	%%r15, 80(%[regs])\n\t"
			     "movq	%%xmm0, 88(%[regs])\n\t"
			     "movq	%%xmm7, 96(%[regs])\n\t"
			     "movq	%%xmm15, 104(%[regs])\n\t"
			     "movq	%%rcx, %[zone]\n\t"
			     : [zone] "=m"(zone), [flags] "=m"(flags)
			     : [regs] "r"(regs), [nr] "i"(SYS_getppid)
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8",
			       "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			       "xmm0", "xmm7", "xmm15", "memory", "cc");
		for (int r = 0; r < 11; r++)
			CHECK(regs[r] == r + 1U);
		CHECK(regs[11] == 1 && regs[12] == 2 && regs[13] == 3);
		CHECK(flags == 1);
		CHECK(zone == 0x1234);
	}
}

/* No page can be written and executed. */
static void write_xor_execute(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		CHECK(!strstr(line, " rwx") && !strstr(line, " -wx"));
	fclose(maps);
}

/* The instruction's page is as it was but for what was executed. */
static void own_text(void)
{
	char *map = map_function(before, sizeof(before), 0);

	CHECK(((long (*)(void))map)() == getpid());
	CHECK(!memcmp(map, LEADER, sizeof(LEADER) - 1));
	CHECK(!memcmp(map + sizeof(LEADER) + 4, "\x0f\x05\xc3", 3));
	/* It was changed indeed, or this proves nothing. */
	CHECK(memcmp(map, before, sizeof(before)));
}

int main(int argc, char **argv)
{
	(void)argc;
	run_self(argv);
	looks_like();
	preserved();
	own_text();
	rewrite_races(before, sizeof(before) - 1);
	rewrite_races(short_jump, sizeof(short_jump) - 1);
	rewrite_races(overlap, sizeof(overlap) - 1);
	generate();
	write_xor_execute();
	return 0;
}
