// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of our own: RAM, devices, events, placeholders.
 *
 * They are above the program's limit, which is raised for a moment while they
 * are opened: what is open above a limit stays open.  So they neither take
 * numbers of the program's nor count among those that it may have.  At the
 * start, when libc and the library open theirs, all numbers below are taken.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/net.h"
#include "internal.h"

/* How many descriptors the library opens at the start, at most. */
#define OWN_MAX 128
/*
 * They are above the program's limit unless that is more than this: all numbers
 * below have to be taken at the start, which takes time.
 */
#define OWN_BASE_MAX 4096
/* Where they are then. */
#define OWN_BASE_ELSE 1024

/* A placeholder for processes that cannot have one of their own. */
static int placeholder;
/* The program has a filter that may not let us make sockets. */
static bool sandboxed;
/* What fd_reserve() has found open, or has not taken. */
static bool was_open[OWN_BASE_MAX + OWN_MAX];
/* Where our own descriptors begin. */
static int numbers_base;

/*
 * The program's limit is raised for a moment.  The word is the number of the
 * process, as a child may be forked meanwhile, in which no thread would finish
 * it.
 */
static int limit_lock;
/* What the limit was before it was raised; no maximum if it is not. */
static struct rlimit limit_before;

static void lock_limit(void)
{
	int pid = own_call3(SYS_getpid, 0, 0, 0), old = 0;

	while (!__atomic_compare_exchange_n(&limit_lock, &old, pid, false,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		if (old != pid)
			continue;
		old = 0;
		own_call3(SYS_sched_yield, 0, 0, 0);
	}
}

static void unlock_limit(void)
{
	limit_before.rlim_max = 0;
	__atomic_store_n(&limit_lock, 0, __ATOMIC_RELEASE);
}

static long set_limit(const struct rlimit *new, struct rlimit *old)
{
	return raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)new,
			   (long)old, 0, 0);
}

/*
 * Have the host hand out numbers above the program's limit.  Returns whether it
 * does; then restore_limit() must follow.
 */
static bool raise_limit(struct rlimit *old)
{
	struct rlimit new;

	if (sandboxed)
		return false;
	lock_limit();
	if (!set_limit(NULL, old)) {
		new = (struct rlimit){ old->rlim_max, old->rlim_max };
		/* One with the privilege may have more than the hard limit. */
		if (new.rlim_max < (rlim_t)numbers_base + OWN_MAX)
			new = (struct rlimit){ FD_MAX, FD_MAX };
		limit_before = *old;
		if (old->rlim_cur < new.rlim_cur && !set_limit(&new, NULL))
			return true;
	}
	unlock_limit();
	return false;
}

static void restore_limit(const struct rlimit *old)
{
	set_limit(old, NULL);
	unlock_limit();
}

/**
 * numbers_limit - the program asks for its limit, or sets it
 */
long numbers_limit(long nr, const long *a)
{
	long ret;

	if (sandboxed)
		return host_call(nr, a);
	lock_limit();
	ret = host_call(nr, a);
	unlock_limit();
	return ret;
}

/**
 * numbers_forked - in a forked child: another thread may have raised the limit
 */
void numbers_forked(void)
{
	if (!limit_lock)
		return;
	if (limit_before.rlim_max)
		set_limit(&limit_before, NULL);
	unlock_limit();
}

/* The lowest number that a descriptor of ours has, but one or two at most. */
int numbers_first(void)
{
	return numbers_base;
}

/* A placeholder that is not the program's, and may be copied. */
int numbers_shared(void)
{
	return placeholder;
}

bool numbers_is_sandboxed(void)
{
	return sandboxed;
}

/**
 * numbers_sandboxed - the program installs a filter for system calls
 *
 * What it does not make itself it may forbid.
 */
void numbers_sandboxed(void)
{
	__atomic_store_n(&sandboxed, true, __ATOMIC_RELAXED);
}

/**
 * fd_own - move a descriptor of ours out of the program's way
 * @fd: descriptor or a negative error number
 *
 * Return: its new number, or a negative error number
 */
long fd_own(long fd)
{
	struct rlimit limit;
	bool raised;
	long own;

	if (fd < 0)
		return fd;
	raised = raise_limit(&limit);
	own = own_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, numbers_base);
	if (raised)
		restore_limit(&limit);
	/* Its limit is too low, and can't be raised. */
	if (own < 0)
		own = fd;
	else
		host1(SYS_close, fd);
	if (own >= FD_MAX) {
		host1(SYS_close, own);
		own = -EMFILE;
	}
	if (own >= 0)
		fd_set_word(own, FD_OWN);
	return own;
}

/**
 * fd_forget - close a descriptor of ours
 * @fd: what fd_own() returned
 */
void fd_forget(long fd)
{
	fd_take_word(fd);
	host1(SYS_close, fd);
}

/**
 * numbers_placeholder - have something of the host's that is nothing
 * @cloexec: it is closed on exec
 *
 * Return: a number for the program, or a negative error number
 */
long numbers_placeholder(bool cloexec)
{
	long fd = -EPERM;

	if (likely(!sandboxed))
		fd = own_call3(SYS_socket, AF_UNIX,
			       SOCK_STREAM | (cloexec ? SOCK_CLOEXEC : 0), 0);
	if (fd == -EMFILE || fd == -ENFILE)
		return fd;
	if (fd < 0)
		fd = own_call3(SYS_fcntl, placeholder,
			       cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	return fd;
}

/* Find out where descriptors of ours are. */
static int init(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	numbers_base = limit.rlim_cur <= OWN_BASE_MAX ? limit.rlim_cur
						      : OWN_BASE_ELSE;
	if (limit.rlim_cur < (rlim_t)numbers_base + OWN_MAX) {
		if (raise_limit(&limit))
			restore_limit(&limit);
		else
			numbers_base = limit.rlim_cur / 2;
	}
	if (!placeholder)
		placeholder = fd_own(host3(SYS_socket, AF_UNIX,
					   SOCK_STREAM | SOCK_CLOEXEC, 0));
	return placeholder < 0 ? placeholder : 0;
}

/**
 * fd_init - find out which process this is, and where the library's descriptors
 * are
 *
 * Return: 0 or a negative error number
 */
int fd_init(void)
{
	return table_init() ?: init();
}

/* A number below FD_SETSIZE that numbers_low_number() has given back, or -1. */
static int low_number = -1;

/* Give back a number that fd_reserve() has taken, below FD_SETSIZE. */
static void numbers_low_number(void)
{
	int fd = (numbers_base < FD_SETSIZE ? numbers_base : FD_SETSIZE) - 1;

	while (fd >= 0 && was_open[fd])
		fd--;
	if (fd < 0)
		return;
	was_open[fd] = true;
	low_number = fd;
	host1(SYS_close, fd);
}

/* For wires, while the program runs. */
static int own_of_wire(int fd)
{
	return fd_own(fd);
}

static void forget_of_wire(int fd)
{
	fd_forget(fd);
}

/* What fd_reserve() has raised, or not. */
static struct rlimit reserve_limit;
static bool reserve_raised;

/**
 * fd_reserve - have all descriptors that are opened from here on be high ones
 *
 * Until fd_own_opened() the low ones are taken.
 *
 * Return: 0 or a negative error number
 */
int fd_reserve(void)
{
	int fd, err = fd_init();

	if (err)
		return err;
	for (fd = 0; fd < numbers_base; fd++)
		was_open[fd] = true;
	for (; fd < numbers_base + OWN_MAX; fd++)
		was_open[fd] = !(own_call3(SYS_fcntl, fd, F_GETFD, 0) < 0);
	for (;;) {
		fd = own_call3(SYS_fcntl, placeholder, F_DUPFD_CLOEXEC, 0);
		if (fd < 0 || fd >= numbers_base)
			break;
		was_open[fd] = false;
	}
	if (fd >= 0)
		host1(SYS_close, fd);
	reserve_raised = raise_limit(&reserve_limit);
	low_number = -1;
	lkl_net_low_number = numbers_low_number;
	return 0;
}

/**
 * fd_own_opened - what has been opened since fd_reserve() is ours
 */
void fd_own_opened(void)
{
	int fd, from = 0;

	lkl_net_low_number = NULL;
	lkl_net_own = own_of_wire;
	lkl_net_forget = forget_of_wire;
	if (reserve_raised)
		restore_limit(&reserve_limit);
	reserve_raised = false;
	for (fd = 0; fd <= numbers_base; fd++) {
		if (fd < numbers_base && !was_open[fd])
			continue;
		if (from < fd)
			own_call3(SYS_close_range, from, fd - 1, 0);
		from = fd + 1;
	}
	for (fd = numbers_base; fd < numbers_base + OWN_MAX; fd++)
		if (!was_open[fd] &&
		    !(own_call3(SYS_fcntl, fd, F_GETFD, 0) < 0))
			fd_set_word(fd, FD_OWN);
	if (low_number >= 0 &&
	    !(own_call3(SYS_fcntl, low_number, F_GETFD, 0) < 0))
		fd_set_word(low_number, FD_OWN);
}

/**
 * fd_disown - what was ours has been closed by the library
 */
void fd_disown(void)
{
	int fd;

	for (fd = numbers_base; fd < numbers_base + OWN_MAX; fd++)
		if (fd_word(fd) & FD_OWN &&
		    own_call3(SYS_fcntl, fd, F_GETFD, 0) < 0)
			fd_take_word(fd);
	if (low_number >= 0 && fd_word(low_number) & FD_OWN &&
	    own_call3(SYS_fcntl, low_number, F_GETFD, 0) < 0)
		fd_take_word(low_number);
}
