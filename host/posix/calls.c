// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the handling of signals and faults asks of POSIX.
 *
 * It does not number threads, so they get a number here when they need one:
 * their place in a table, which is free again when they have ended.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "host.h"
#include "posix.h"
#include "x86/registers.h"

#define MAX_THREADS 4096
#define TICK 4000000UL

static pthread_t threads[MAX_THREADS];
static bool taken[MAX_THREADS];
static int threads_lock;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* 0 is none. */
static _Thread_local int my_number;

static void free_number(void *place)
{
	unsigned long mask = posix_lock(&threads_lock);

	*(bool *)place = false;
	posix_unlock(&threads_lock, mask);
	my_number = 0;
}

static void make_key(void)
{
	pthread_key_create(&key, free_number);
}

int calls_thread(void)
{
	unsigned long mask;

	if (my_number)
		return my_number;
	pthread_once(&once, make_key);
	mask = posix_lock(&threads_lock);
	for (int i = 1; i < MAX_THREADS; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		threads[i] = pthread_self();
		my_number = i;
		break;
	}
	posix_unlock(&threads_lock, mask);
	/* Without a number it is sent what goes to the process. */
	if (my_number)
		pthread_setspecific(key, &taken[my_number]);
	return my_number;
}

long posix_gettid(void)
{
	return calls_thread();
}

void posix_threads_forked(void)
{
	threads_lock = 0;
	memset(taken, 0, sizeof(taken));
	if (!my_number)
		return;
	taken[my_number] = true;
	threads[my_number] = pthread_self();
}

/* A signal of its own would have to be queued: what it tells is lost. */
void calls_send(int thread, int sig, siginfo_t *info)
{
	unsigned long mask = posix_lock(&threads_lock);

	(void)info;
	if (!thread)
		kill(getpid(), sig);
	else if (taken[thread])
		pthread_kill(threads[thread], sig);
	posix_unlock(&threads_lock, mask);
}

static void to_set(sigset_t *set, unsigned long bits)
{
	sigemptyset(set);
	for (int sig = 1; sig <= N_SIGNALS; sig++)
		if (bits & SIGNAL_BIT(sig))
			sigaddset(set, sig);
}

static unsigned long from_set(const sigset_t *set)
{
	unsigned long bits = 0;

	for (int sig = 1; sig <= N_SIGNALS; sig++)
		if (sigismember(set, sig) > 0)
			bits |= SIGNAL_BIT(sig);
	return bits;
}

unsigned long calls_mask(int how, unsigned long bits)
{
	sigset_t set, old;

	to_set(&set, bits);
	pthread_sigmask(how, &set, &old);
	return from_set(&old);
}

int calls_take(unsigned long bits, siginfo_t *info, const struct timespec *time)
{
	sigset_t set;
	int sig;

	to_set(&set, bits);
	sig = time ? sigtimedwait(&set, info, time) : sigwaitinfo(&set, info);
	return sig < 0 ? -errno : sig;
}

bool calls_handler(int sig, bool *ends)
{
	struct sigaction sa;

	*ends = false;
	if (sigaction(sig, NULL, &sa) ||
	    (!(sa.sa_flags & SA_SIGINFO) &&
	     (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)))
		return false;
	*ends = !(sa.sa_flags & SA_RESTART);
	return true;
}

void calls_set_default(int sig)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

/* It does not let them be named. */
unsigned long calls_reserved(void)
{
	return 0;
}

/* The last one is the least likely to be the program's. */
int calls_own_signal(void)
{
	return SIGRTMAX < N_SIGNALS ? SIGRTMAX : N_SIGNALS;
}

unsigned long calls_coarse_time(void)
{
	return posix_time() / TICK * TICK;
}

int calls_alt_stack(const stack_t *new, stack_t *old)
{
	return sigaltstack(new, old);
}

static long set_alt_stack(void *new)
{
	return sigaltstack(new, NULL);
}

/*
 * The system changes no stack that is in use, for which it looks at the stack
 * pointer: so from another stack, on which is one thread at a time.
 */
void calls_change_alt_stack(const stack_t *new, stack_t *old)
{
	static char elsewhere[16384];
	static int lock;
	unsigned long mask = posix_lock(&lock);
	stack_t copy = *new;

	sigaltstack(NULL, old);
	registers_call_below((unsigned long)elsewhere + sizeof(elsewhere),
			     set_alt_stack, &copy);
	posix_unlock(&lock, mask);
}
