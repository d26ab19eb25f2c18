/* SPDX-License-Identifier: GPL-2.0-only */
/* Every order in which threads reach memory; explore.c tells more. */
#ifndef ORDERS_EXPLORE_H
#define ORDERS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_THREADS 4

enum explore_change { EXPLORE_SET, EXPLORE_OR, EXPLORE_AND, EXPLORE_ADD };

/* Memory that threads share, as a processor of the x86 family reaches it. */
uint64_t explore_load(const void *addr, size_t size);
void explore_store(void *addr, size_t size, uint64_t val, bool fence);
uint64_t explore_change(void *addr, size_t size, enum explore_change how,
			uint64_t val);
bool explore_compare(void *addr, size_t size, void *old, uint64_t val);
void explore_fence(void);

/* Every thread executes a fence, at some time before this returns. */
void explore_fence_all(void);

/* The thread waits for what another one does. */
void explore_relax(void);

/* Sleep while a word has a value, until it is woken; as a futex does. */
void explore_wait(int *word, int val);
void explore_wake(int *word);

/* The same for a thread, whatever it sleeps for. */
void explore_rouse(int thread);

/* One of @n numbers below @n; each is tried. */
int explore_choose(int n);

/* Say what is wrong, which events led to it, and end. */
__attribute__((noreturn, format(printf, 1, 2))) void
explore_fail(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void explore_note(const char *fmt, ...);

/* The thread that runs. */
int explore_self(void);

/**
 * struct explore - what is to be explored
 * @name: its name
 * @changes: how often a thread is taken the processor from, at most, or a store
 *	reaches memory early
 * @begin: make memory as it is at first
 * @end: look at what has become of memory
 * @lives: threads from this one on need not end
 * @threads: what each does, up to a NULL
 */
struct explore {
	const char *name;
	int changes;
	void (*begin)(void);
	void (*end)(void);
	int lives;
	void (*threads[EXPLORE_THREADS + 1])(void);
};

/* Returns how many orders there were. */
unsigned long explore(const struct explore *what);

#endif /* ORDERS_EXPLORE_H */
