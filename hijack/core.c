// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core of the interception: begin, a table of all calls that are not simply
 * the host's, and end.
 *
 * What a call costs that stays on the host is one look at the table of calls
 * and, if it names a descriptor, one at the table of descriptors.
 */
#include <linux/close_range.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <lkl_config.h>

#include "../lib/config/config.h"
#include "child.h"

/* Newer than the C library. */
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif

/* How long the end waits for data to be acknowledged that is not. */
#define LINGER_MS 2000

const char *hijack_name = "lkl";

int hijack_state;

/* The configuration, and what the kernel that is up has of it. */
static struct lkl_config settings, config;
static long debug;

static __thread struct hijack_thread tls_thread
	__attribute__((tls_model("initial-exec")));

void hijack_say(const char *what, const char *why)
{
	const char *parts[] = { hijack_name, ": ", what, why, "\n" };
	char line[512];
	size_t n = 0, i, k;

	for (i = 0; i < array_size(parts); i++)
		for (k = 0; parts[i][k] && n < sizeof(line); k++)
			line[n++] = parts[i][k];
	own_call3(SYS_write, STDERR_FILENO, line, n);
}

void hijack_refuse(const char *path, const char *why)
{
	static const char text[] = ": would be on the host's network, as it ";
	char what[256];
	size_t n = 0;

	for (; path[n] && n < sizeof(what) - sizeof(text); n++)
		what[n] = path[n];
	memcpy(what + n, text, sizeof(text));
	hijack_say(what, why);
}

struct hijack_thread *hijack_thread(void)
{
	return &tls_thread;
}

/* Room to copy with; NULL if there is none. */
void *hijack_thread_buffer(void)
{
	struct hijack_thread *t = hijack_thread();
	long map;

	if (!t->buffer) {
		map = host6(SYS_mmap, 0, COPY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map < 0 && map > -4096)
			return NULL;
		t->buffer = (void *)map;
	}
	return t->buffer;
}

void hijack_thread_exit(void)
{
	struct hijack_thread *t = hijack_thread();

	wait_thread_exit();
	wait_epoll_exit();
	if (t->buffer)
		host2(SYS_munmap, t->buffer, COPY_SIZE);
	t->buffer = NULL;
	copy_forget();
	share_thread_exit();
}

static long do_exit(long nr, const long *a)
{
	hijack_thread_exit();
	lkl_thread_exit();
	return host1(nr, a[0]);
}

/* A number in /proc/net/sockstat. */
static long sockstat(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

/*
 * What the program has sent arrives after it has ended, as on any host: wait
 * until the other side has acknowledged it, or does not answer any more.
 */
static void linger(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	char text[1024];
	long n, fd, state, last = -1;
	int quiet = 0;

	while (quiet < LINGER_MS) {
		fd = lkl3(SYS_open, "/proc/net/sockstat", LKL_O_RDONLY, 0);
		if (fd < 0)
			return;
		n = lkl3(SYS_read, fd, text, sizeof(text) - 1);
		lkl1(SYS_close, fd);
		if (n <= 0)
			return;
		text[n] = 0;
		if (!sockstat(text, "orphan "))
			return;
		state = sockstat(text, "orphan ") * 1000000 +
			sockstat(text, "mem ");
		quiet = state == last ? quiet + 2 : 0;
		last = state;
		host2(SYS_nanosleep, &pause, 0);
	}
}

/*
 * Only one thread starts or stops the library.  If the process was forked by
 * another in the middle of it, nobody will finish it here.
 */
static bool change_state(int from)
{
	static long changer;
	int old = from;

	while (!__atomic_compare_exchange_n(
		&hijack_state, &old, HIJACK_CHANGING, false, __ATOMIC_ACQ_REL,
		__ATOMIC_ACQUIRE)) {
		if (old != HIJACK_CHANGING ||
		    (changer && changer != host0(SYS_getpid)))
			return false;
		old = from;
		host0(SYS_sched_yield);
	}
	changer = host0(SYS_getpid);
	tls_thread.own = true;
	return true;
}

static void set_state(int state)
{
	tls_thread.own = false;
	__atomic_store_n(&hijack_state, state, __ATOMIC_RELEASE);
}

/* The end of the process, if it is the one that has the kernel. */
static long do_exit_group(long nr, const long *a)
{
	if (!lkl_kernel_boots() || hijack_in_vfork())
		return host1(nr, a[0]);
	share_linger();
	if (!change_state(HIJACK_UP))
		return host1(nr, a[0]);
	fd_close_all();
	linger();
	if (debug & 0x100) {
		char c;

		hijack_say("at exit: ", "press Enter");
		host3(SYS_read, STDIN_FILENO, &c, 1);
	}
	lkl_unload_config(&config);
	return host1(nr, a[0]);
}

/* So it is before there may be no more descriptors. */
static long do_limit(long nr, const long *a)
{
	bool any = nr == SYS_prlimit64;

	if (a[any] != RLIMIT_NOFILE)
		return host_call(nr, a);
	if (nr == SYS_setrlimit || (any && a[2]))
		share_reach();
	return numbers_limit(nr, a);
}

/* What kind of namespace a descriptor is for, as a flag of clone(); 0 if none.
 */
static long namespace_of(long fd)
{
	struct statfs fs;
	long type = 0;

	/* The program sees that of the library's kernel as its own. */
	if (fd_is_lkl(fd))
		type = lkl3(SYS_ioctl, fd_number(fd_word(fd)), NS_GET_NSTYPE,
			    0);
	else if (!host2(SYS_fstatfs, fd, (long)&fs) && fs.f_type == NSFS_MAGIC)
		type = host3(SYS_ioctl, fd, NS_GET_NSTYPE, 0);
	return type < 0 ? 0 : type;
}

/*
 * The library's kernel has one network.  Another one of the host's would change
 * nothing for sockets of the library, and the program would not know.
 */
static long namespace_call(long nr, const long *a)
{
	long types = a[0];

	if (nr == SYS_setns)
		types = a[1] ? a[1] : namespace_of(a[0]);
	return types & CLONE_NEWNET ? -EPERM : host_call(nr, a);
}

/* Programs have another way where there is none. */
static long do_refuse(long nr, const long *a)
{
	(void)nr, (void)a;
	return -ENOSYS;
}

/* Whose each call is, and why, is told in calls.tbl. */
#define CALL(nr, whose, handler) [nr] = handler,
static hijack_call *const calls[] = {
#include "calls.h"
};
#undef CALL

#define CALL(nr, whose, handler) [nr] = WHOSE_##whose,
static const unsigned char whose_calls[] = {
#include "calls.h"
};
#undef CALL

enum call_whose hijack_whose(long nr)
{
	return (unsigned long)nr < array_size(whose_calls) ? whose_calls[nr]
							   : WHOSE_refused;
}

/* A call of a thread that runs our code, or that has made a process. */
static long other_call(long nr, const long *a)
{
	if (tls_thread.own)
		return host_call(nr, a);
	if (hijack_in_vfork())
		return hijack_vfork_syscall(nr, a);
	/* It executes something by now, or has ended. */
	hijack_fork_end(1);
	return hijack_syscall(nr, a);
}

bool hijack_is_refused(long nr)
{
	return (unsigned long)nr >= array_size(calls) || calls[nr] == do_refuse;
}

long hijack_syscall(long nr, const long a[6])
{
	hijack_call *call;

	if (unlikely(tls_thread.other))
		return other_call(nr, a);
	/* Nobody knows what a newer one does. */
	if (unlikely((unsigned long)nr >= array_size(calls)))
		return -ENOSYS;
	call = calls[nr];
	return call ? call(nr, a) : host_call(nr, a);
}

/* The library's threads */
static lkl_thread_t (*thread_create)(void (*fn)(void *arg), void *arg);

struct own_thread {
	void (*fn)(void *arg);
	void *arg;
};

static void own_thread(void *arg)
{
	struct own_thread t = *(struct own_thread *)arg;

	free(arg);
	tls_thread.own = true;
	own_thread_begin();
	t.fn(t.arg);
	own_thread_end();
}

static lkl_thread_t own_thread_create(void (*fn)(void *arg), void *arg)
{
	struct own_thread *t = malloc(sizeof(*t));
	lkl_thread_t thread = 0;

	if (t) {
		*t = (struct own_thread){ fn, arg };
		thread = thread_create(own_thread, t);
		if (!thread)
			free(t);
	}
	return thread;
}

/* What the kernel's messages go to, or NULL, and that it has said why not. */
static void (*shown)(const char *str, int len);
static bool refused;

/* A kernel that does not boot says "lkl: REASON\n"; the first is the cause. */
static void say_refusal(const char *str, int len)
{
	static const char by[] = "lkl: ";
	const int skip = sizeof(by) - 1;
	char why[160];

	if (len <= skip || strncmp(str, by, skip)) {
		if (shown)
			shown(str, len);
	} else if (!refused) {
		snprintf(why, sizeof(why), "%.*s", len - skip, str + skip);
		why[strcspn(why, "\n")] = 0;
		hijack_say("the kernel does not start: ", why);
		refused = true;
	}
}

/* The process may have used another's kernel before. */
static int init(void)
{
	int err = lkl_init(&lkl_host_ops);

	return err == -LKL_EBUSY ? 0 : err;
}

static int boot(void)
{
	struct timespec now;
	int err = init();

	if (!err)
		err = lkl_config_copy(&config, &settings);
	if (!err)
		err = lkl_load_config_pre(&config);
	if (err)
		return err;
	shown = lkl_host_ops.print;
	lkl_host_ops.print = say_refusal;
	err = lkl_start_kernel("%s", config.boot_cmdline ?: "mem=512M");
	lkl_host_ops.print = shown;
	if (err) {
		if (!refused)
			hijack_say("the kernel does not start: ",
				   lkl_strerror(err));
		return err;
	}
	err = lkl_load_config_post(&config);
	if (err)
		return err;
	/* Programs compare time stamps of packets with the host's clock. */
	clock_gettime(CLOCK_REALTIME, &now);
	lkl2(SYS_clock_settime, CLOCK_REALTIME, &now);
	lkl_set_fd_limit(FD_MAX);
	path_init(config.nameserver);
	err = path_mount();
	if (!err)
		err = socket_init();
	if (err)
		hijack_say("cannot make the network ready: ",
			   lkl_strerror(err));
	else
		cred_tell();
	return err;
}

/* A relative has a kernel, which is this process's now, too. */
static int join(void)
{
	int err = init();

	/* It may have ended again. */
	if (!err && !share_reach())
		err = share_is_alone() ? -EAGAIN : -ENFILE;
	path_init(settings.nameserver);
	if (!err)
		err = socket_init();
	if (err)
		child_leave();
	else
		cred_tell();
	return err;
}

int hijack_boot(void)
{
	long listener;
	int err;

	if (!change_state(HIJACK_DOWN))
		return 0;
	while (family_take(&listener)) {
		err = join();
		if (err == -EAGAIN)
			continue;
		set_state(err ? HIJACK_DOWN : HIJACK_UP);
		return err ? -ENETDOWN : 0;
	}
	err = fd_reserve();
	if (err)
		hijack_say("no free descriptors: ", lkl_strerror(err));
	else
		err = boot();
	fd_own_opened();
	if (listener >= 0 && err) {
		fd_forget(listener);
	} else if (listener >= 0) {
		share_prepare();
		admit_begin(listener);
	}
	set_state(err ? HIJACK_DOWN : HIJACK_UP);
	return err ? -ENETDOWN : 0;
}

bool hijack_anew(void)
{
	if (fd_next(0) >= 0 || wait_has_shadows() || !change_state(HIJACK_UP))
		return false;
	child_leave();
	set_state(HIJACK_DOWN);
	return true;
}

void hijack_before_fork(void)
{
	if (!lkl_kernel_boots())
		return;
	if (hijack_has_sockets()) {
		share_prepare();
		return;
	}
	if (!change_state(HIJACK_UP))
		return;
	/* Another thread may just have begun, and so may a relative. */
	if (hijack_has_sockets() || !admit_end(true)) {
		set_state(HIJACK_UP);
		share_prepare();
		return;
	}
	lkl_sys_halt();
	lkl_unload_config(&config);
	lkl_cleanup();
	fd_disown();
	admit_close();
	set_state(HIJACK_DOWN);
}

/*
 * A signal that comes just before a call would wait ends it only by the way
 * in's own wait operation.
 */
static int no_listener(void)
{
	return 0;
}

int hijack_start(const char *name)
{
	bool relative;
	int err;

	hijack_name = name;
	cred_init();
	thread_create = lkl_host_ops.thread_create;
	lkl_host_ops.thread_create = own_thread_create;
	lkl_host_ops.listen_begin = no_listener;
	/* A program's own seccomp filter may know nothing of membarrier(). */
	lkl_host_ops.fence = NULL;
	lkl_listen_syscall = host_wait_syscall;
	lkl_alt_stacks_minded = true;
	err = lkl_load_config(&settings);
	if (!err && settings.policy)
		err = policy_parse(settings.policy);
	if (err)
		return err;
	if (settings.debug)
		debug = strtol(settings.debug, NULL, 0);
	err = filter_adopt();
	if (err) {
		hijack_say("filters for system calls are lost: ",
			   lkl_strerror(err));
		return err;
	}
	exec_init(family_init(&settings, &relative));
	err = fd_init();
	if (!err)
		err = share_adopt();
	if (err < 0)
		hijack_say("cannot share the network: ", lkl_strerror(err));
	if (err > 0) {
		path_init(settings.nameserver);
		hijack_state = HIJACK_UP;
		return lkl_init(&lkl_host_ops);
	}
	/* A program that others start may need none, or another's. */
	path_init(settings.nameserver);
	if (!err && relative)
		return 0;
	if (!err)
		err = hijack_boot();
	if (!err && settings.delay_main)
		usleep(strtoul(settings.delay_main, NULL, 10));
	return err;
}
