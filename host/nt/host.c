// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's host on 64-bit Windows.
 *
 * The kernel is an image of its own (door/), and calls in the convention of
 * System V what is declared LKL_DOOR.  What is called on a fiber's stack uses
 * neither thread-local storage nor exceptions of the language.
 *
 *	host.c		the table, and what is short
 *	memory.c	sections and views
 *	fault.c		access violations
 *	thread.c	threads, mutexes, semaphores
 *	door.c		protection of the kernel's image
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <windows.h>
/* After windows.h. */
#include <bcrypt.h>

#include <lkl_host.h>
#include <lkl/asm/errno.h>

#include "nt.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
/* From 1601 to 1970, in the host's 100 ns. */
#define EPOCH 116444736000000000ULL

static void LKL_DOOR host_print(const char *str, int len)
{
	HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
	DWORD n;

	while (len > 0 && WriteFile(out, str, len, &n, NULL) && n) {
		str += n;
		len -= n;
	}
}

static void LKL_DOOR host_panic(void)
{
	abort();
}

static unsigned long long LKL_DOOR host_time(void)
{
	static uint64_t rate;
	LARGE_INTEGER now, r;

	if (!rate) {
		QueryPerformanceFrequency(&r);
		rate = r.QuadPart;
	}
	QueryPerformanceCounter(&now);
	return now.QuadPart / rate * NS_PER_S +
	       now.QuadPart % rate * NS_PER_S / rate;
}

static unsigned long long LKL_DOOR host_wall_time(void)
{
	FILETIME t;

	GetSystemTimePreciseAsFileTime(&t);
	return (((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) - EPOCH) *
	       100;
}

static int LKL_DOOR host_random(void *buf, lkl_ulong_t len)
{
	return BCryptGenRandom(NULL, buf, len, BCRYPT_USE_SYSTEM_PREFERRED_RNG)
		       ? -LKL_EIO
		       : 0;
}

/* The host counts milliseconds: what is less than one is slept for as one. */
static int LKL_DOOR host_wait(int *word, int val, unsigned long long deadline)
{
	DWORD ms = INFINITE;

	if (deadline) {
		uint64_t now = host_time();

		ms = deadline <= now
			     ? 0
			     : (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
	}
	WaitOnAddress(word, &val, sizeof(val), ms);
	return 0;
}

static void LKL_DOOR host_wake(int *word, int count)
{
	if (count == 1)
		WakeByAddressSingle(word);
	else
		WakeByAddressAll(word);
}

/* What is received is received by devices' threads. */
static int LKL_DOOR host_listen_begin(void)
{
	return 0;
}

static int LKL_DOOR host_listen_wait(int *word, int val,
				     unsigned long long deadline,
				     struct lkl_signals *signals)
{
	(void)signals;
	return host_wait(word, val, deadline);
}

static void LKL_DOOR host_listen_end(void)
{
}

static void LKL_DOOR host_relax(void)
{
	SwitchToThread();
}

static int LKL_DOOR host_cpus(void)
{
	DWORD_PTR mine, all;

	return GetProcessAffinityMask(GetCurrentProcess(), &mine, &all)
		       ? __builtin_popcountll(mine)
		       : 1;
}

/* Some versions of Wine have the call, which does nothing. */
static bool is_wine(void)
{
	return GetProcAddress(GetModuleHandleW(L"ntdll.dll"),
			      "wine_get_version");
}

static int LKL_DOOR host_fence(void)
{
	static int have;

	if (!have)
		have = is_wine() ? -1 : 1;
	if (have < 0)
		return -LKL_ENOSYS;
	FlushProcessWriteBuffers();
	return 0;
}

/* The host knows few signals, and those only in the whole process. */
static int LKL_DOOR host_signal(int tid, int sig, const void *info)
{
	(void)tid;
	(void)info;
	switch (sig) {
	case SIGINT:
	case SIGILL:
	case SIGFPE:
	case SIGTERM:
		raise(sig);
		break;
	case 9: /* SIGKILL */
		TerminateProcess(GetCurrentProcess(), 128 + sig);
		break;
	}
	return 0;
}

struct lkl_host_operations lkl_host_ops = {
	.print = host_print,
	.panic = host_panic,
	.time = host_time,
	.wall_time = host_wall_time,
	.random = host_random,
	.wipe_on_fork = nt_wipe_on_fork,
	.keep = nt_keep,
	.ram_open = nt_ram_open,
	.ram_close = nt_ram_close,
	.reserve = nt_reserve,
	.release = nt_release,
	.map = nt_map,
	.unmap = nt_unmap,
	.protect = nt_protect,
	.anon = nt_anon,
	.pattern = nt_pattern,
	.forget = nt_forget,
	.patch = nt_patch,
	.wait = host_wait,
	.wake = host_wake,
	.listen_begin = host_listen_begin,
	.listen_wait = host_listen_wait,
	.listen_end = host_listen_end,
	.relax = host_relax,
	.cpus = host_cpus,
	.processors = host_cpus,
	.fence = host_fence,
	.thread_create = nt_thread_create,
	.thread_join = nt_thread_join,
	.thread_detach = nt_thread_detach,
	.thread_exit = nt_thread_exit,
	.thread_self = nt_thread_self,
	.thread_equal = nt_thread_equal,
	.gettid = nt_gettid,
	.mutex_alloc = nt_mutex_alloc,
	.mutex_free = nt_mutex_free,
	.mutex_lock = nt_mutex_lock,
	.mutex_unlock = nt_mutex_unlock,
	.sem_alloc = nt_sem_alloc,
	.sem_free = nt_sem_free,
	.sem_up = nt_sem_up,
	.sem_down = nt_sem_down,
	.signal = host_signal,
};
