// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the program handles its signals: what sigaction() has told us.
 */
#include <stdint.h>

#include "way.h"

/*
 * The handlers, and what is odd while they change: the table and what the host
 * knows are changed as one.
 */
static struct way_action actions[WAY_SIGNALS];
static uint32_t changes;

/**
 * way_action - how the program handles a signal
 *
 * Not on a thread that is changing it.
 */
struct way_action way_action(struct way_thread *t, int sig)
{
	struct way_action a;
	uint32_t before;

	if (t->actions)
		return t->actions[sig];
	for (;;) {
		before = __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
		if (before & 1) {
			way_exempt(SYS_sched_yield, 0, 0, 0, 0);
			continue;
		}
		a = *(volatile struct way_action *)&actions[sig];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&changes, __ATOMIC_RELAXED) == before)
			return a;
	}
}

static void change_begin(void)
{
	uint32_t now = __atomic_load_n(&changes, __ATOMIC_RELAXED);

	while (now & 1 || !__atomic_compare_exchange_n(&changes, &now, now + 1,
						       false, __ATOMIC_SEQ_CST,
						       __ATOMIC_RELAXED)) {
		way_exempt(SYS_sched_yield, 0, 0, 0, 0);
		now = __atomic_load_n(&changes, __ATOMIC_RELAXED);
	}
}

static void change_end(void)
{
	__atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
}

/**
 * way_set_action - change the table, and what the host knows, as one
 * @t: the calling thread, which is in our code
 * @sig: number, a valid one
 * @new: for the table
 * @ours: for the host, or NULL
 *
 * Return: 0 or the host's negative error number
 */
long way_set_action(struct way_thread *t, int sig, const struct way_action *new,
		    const struct way_action *ours)
{
	long ret = 0;

	if (!t->actions)
		change_begin();
	if (ours)
		ret = way_host4(SYS_rt_sigaction, sig, ours, 0, WAY_MASK_SIZE);
	if (!ret)
		(t->actions ? t->actions : actions)[sig] = *new;
	if (!t->actions)
		change_end();
	return ret;
}

/* What the table has while nobody changes it. */
struct way_action way_noted(int sig)
{
	return actions[sig];
}

/* At the start, on the program's only thread: one that the host knows. */
void way_note_action(int sig, const struct way_action *a)
{
	actions[sig] = *a;
}

/* A handler that is called once is being called. */
void way_reset_action(struct way_thread *t, int sig)
{
	struct way_action dfl = { .handler = 0 };

	if (!t->actions)
		change_begin();
	(t->actions ? t->actions : actions)[sig].handler = 0;
	if (!(BIT(sig) & way_reserved()))
		way_exempt(SYS_rt_sigaction, sig, (long)&dfl, 0, WAY_MASK_SIZE);
	if (!t->actions)
		change_end();
}

void way_actions_copy(struct way_thread *t, struct way_action *to)
{
	for (int sig = 0; sig < WAY_SIGNALS; sig++)
		to[sig] = way_action(way_self(), sig);
	t->actions = to;
}

/* In the child of a fork no signal of the parent's is pending. */
void way_signals_forked(struct way_thread *t)
{
	changes &= ~1U;
	t->kept = 0;
	way_signals_now(t);
}
