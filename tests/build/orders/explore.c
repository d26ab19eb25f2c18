// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every order in which threads reach the memory that they share.
 *
 * The threads are contexts of one host thread.  Before each access one may lose
 * the processor to any other: explore_choose() says whether, and the program is
 * run again and again until each answer was given to each question.  The number
 * of changes that no thread asks for is bounded, as faults need few of them.
 *
 * A processor keeps a thread's stores for a while before the others see them,
 * in their order.  So each thread has a queue of stores; the thread itself sees
 * them, and they reach memory one by one, or all before an atomic operation.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "explore.h"

#define STACK 65536
#define STORES 64
#define STEPS 20000
#define NOTES 400

enum state { READY, WAITING, ENDED };

struct store {
	void *addr;
	size_t size;
	uint64_t val;
};

static struct thread {
	ucontext_t context;
	char stack[STACK] __attribute__((aligned(64)));
	enum state state;
	int *word;
	struct store store[STORES];
	int stores;
} threads[EXPLORE_THREADS];

static const struct explore *now;
static ucontext_t outside;
static int n_threads, running, changes, steps;

/* Answers so far, and how many there are to each question. */
static struct {
	unsigned char answer, of;
} answers[STEPS];
static int given, asked;

static char notes[NOTES][100];
static int noted;

void explore_note(const char *fmt, ...)
{
	va_list args;
	int n;

	if (noted == NOTES)
		return;
	n = snprintf(notes[noted], sizeof(notes[0]), "%d: ", running);
	va_start(args, fmt);
	vsnprintf(notes[noted] + n, sizeof(notes[0]) - n, fmt, args);
	va_end(args);
	noted++;
}

void explore_fail(const char *fmt, ...)
{
	va_list args;

	for (int i = 0; i < noted; i++)
		printf("    %s\n", notes[i]);
	printf("FAIL %s: ", now->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

int explore_self(void)
{
	return running;
}

int explore_choose(int n)
{
	if (n == 1)
		return 0;
	if (asked == given) {
		if (given == STEPS)
			explore_fail("more than %d questions", STEPS);
		answers[given].answer = 0;
		answers[given++].of = n;
	}
	if (answers[asked].of != n)
		explore_fail("the threads do not do the same each time");
	return answers[asked++].answer;
}

/* The next answers; false if each was given. */
static bool next_answers(void)
{
	while (given && answers[given - 1].answer + 1 == answers[given - 1].of)
		given--;
	if (!given)
		return false;
	answers[given - 1].answer++;
	return true;
}

static void reach_memory(struct thread *t)
{
	memcpy(t->store[0].addr, &t->store[0].val, t->store[0].size);
	memmove(t->store, t->store + 1, --t->stores * sizeof(t->store[0]));
}

static void empty(struct thread *t)
{
	while (t->stores)
		reach_memory(t);
}

static void change_to(int next)
{
	int self = running;

	if (next == self)
		return;
	explore_note("-> %d", next);
	running = next;
	swapcontext(&threads[self].context, &threads[next].context);
}

static void count_step(void)
{
	if (++steps > STEPS)
		explore_fail("the threads do not come to an end");
}

/* Another thread may go on, or a store reach memory. */
static void interleave(void)
{
	int n = 1, what[1 + 2 * EXPLORE_THREADS], choice;

	count_step();
	if (changes == now->changes)
		return;
	for (int i = 0; i < n_threads; i++) {
		if (i != running && threads[i].state == READY)
			what[n++] = i;
		if (threads[i].stores)
			what[n++] = EXPLORE_THREADS + i;
	}
	choice = explore_choose(n);
	if (!choice)
		return;
	changes++;
	if (what[choice] < EXPLORE_THREADS) {
		change_to(what[choice]);
	} else {
		explore_note("a store of %d", what[choice] - EXPLORE_THREADS);
		reach_memory(&threads[what[choice] - EXPLORE_THREADS]);
		interleave();
	}
}

/* Have any other thread go on, if there is one. */
static void give_way(void)
{
	int n = 0, what[EXPLORE_THREADS];

	for (int i = 0; i < n_threads; i++)
		if (i != running && threads[i].state == READY)
			what[n++] = i;
	if (n) {
		change_to(what[explore_choose(n)]);
		return;
	}
	if (threads[running].state == READY)
		return;
	/* All sleep, or have ended. */
	for (int i = 0; i < n_threads; i++)
		if (threads[i].state != ENDED && i < now->lives)
			explore_fail("thread %d sleeps for ever", i);
	setcontext(&outside);
}

static uint64_t memory(const void *addr, size_t size)
{
	uint64_t val = 0;

	memcpy(&val, addr, size);
	return val;
}

uint64_t explore_load(const void *addr, size_t size)
{
	struct thread *t = &threads[running];
	uint64_t val;

	interleave();
	for (int i = t->stores; i--;)
		if (t->store[i].addr == addr && t->store[i].size == size)
			return t->store[i].val;
	val = memory(addr, size);
	return val;
}

void explore_store(void *addr, size_t size, uint64_t val, bool fence)
{
	struct thread *t = &threads[running];

	interleave();
	if (t->stores == STORES)
		reach_memory(t);
	t->store[t->stores++] = (struct store){ addr, size, val };
	if (fence)
		empty(t);
}

uint64_t explore_change(void *addr, size_t size, enum explore_change how,
			uint64_t val)
{
	uint64_t old;

	interleave();
	empty(&threads[running]);
	old = memory(addr, size);
	if (how == EXPLORE_OR)
		val |= old;
	else if (how == EXPLORE_AND)
		val &= old;
	else if (how == EXPLORE_ADD)
		val += old;
	memcpy(addr, &val, size);
	return old;
}

bool explore_compare(void *addr, size_t size, void *old, uint64_t val)
{
	interleave();
	empty(&threads[running]);
	if (memcmp(addr, old, size)) {
		memcpy(old, addr, size);
		return false;
	}
	memcpy(addr, &val, size);
	return true;
}

void explore_fence(void)
{
	interleave();
	empty(&threads[running]);
}

void explore_fence_all(void)
{
	for (int i = 0; i < n_threads; i++) {
		interleave();
		empty(&threads[i]);
	}
}

void explore_relax(void)
{
	count_step();
	for (int i = 0; i < n_threads; i++)
		empty(&threads[i]);
	give_way();
}

void explore_wait(int *word, int val)
{
	interleave();
	empty(&threads[running]);
	if (*word != val)
		return;
	explore_note("sleeps");
	threads[running].word = word;
	threads[running].state = WAITING;
	give_way();
}

void explore_wake(int *word)
{
	interleave();
	empty(&threads[running]);
	for (int i = 0; i < n_threads; i++) {
		if (threads[i].state == WAITING && threads[i].word == word) {
			explore_note("wakes %d", i);
			threads[i].state = READY;
			return;
		}
	}
}

void explore_rouse(int thread)
{
	interleave();
	if (threads[thread].state == WAITING) {
		explore_note("rouses %d", thread);
		threads[thread].state = READY;
	}
}

static void run_thread(int number)
{
	now->threads[number]();
	explore_note("ends");
	empty(&threads[number]);
	threads[number].state = ENDED;
	give_way();
}

static void run_all(void)
{
	volatile bool begun = false;

	asked = 0;
	noted = 0;
	steps = 0;
	changes = 0;
	now->begin();
	for (int i = 0; i < n_threads; i++) {
		struct thread *t = &threads[i];

		t->state = READY;
		t->stores = 0;
		getcontext(&t->context);
		t->context.uc_stack.ss_sp = t->stack;
		t->context.uc_stack.ss_size = STACK;
		t->context.uc_link = NULL;
		makecontext(&t->context, (void (*)(void))run_thread, 1, i);
	}
	getcontext(&outside);
	if (!begun) {
		begun = true;
		running = 0;
		running = explore_choose(n_threads);
		setcontext(&threads[running].context);
	}
	now->end();
}

unsigned long explore(const struct explore *what)
{
	unsigned long orders = 0;

	now = what;
	for (n_threads = 0; what->threads[n_threads]; n_threads++)
		;
	given = 0;
	do {
		run_all();
		orders++;
	} while (next_answers());
	return orders;
}
