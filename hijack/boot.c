// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's begin and end.  It is booted, or that of a relative is used, at
 * the start of the program, when a call needs one, and after one has ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lkl/asm/areas.h>
#include <lkl_config.h>

#include "../lib/config/config.h"
#include "../lib/snapshot.h"
#include "child.h"

/* The configuration, and what the kernel that is up has of it. */
static struct lkl_config settings, config;
static long debug;

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
	lkl_snapshot_silent = !shown;
	err = lkl_start_kernel("%s%s%s", config.boot_cmdline ?: "mem=512M",
			       config.maxcpus ? " maxcpus=" : "",
			       config.maxcpus ?: "");
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

int hijack_boot_now(void)
{
	long listener;
	int err;

	if (!hijack_change_state(HIJACK_DOWN))
		return 0;
	while (family_take(&listener)) {
		err = join();
		if (err == -EAGAIN)
			continue;
		hijack_set_state(err ? HIJACK_DOWN : HIJACK_UP);
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
	hijack_set_state(err ? HIJACK_DOWN : HIJACK_UP);
	return err ? -ENETDOWN : 0;
}

void hijack_before_fork(void)
{
	heir_end();
	if (!lkl_kernel_boots())
		return;
	if (hijack_has_sockets()) {
		share_prepare();
		return;
	}
	if (!hijack_change_state(HIJACK_UP))
		return;
	/* Another thread may just have begun, and so may a relative. */
	if (hijack_has_sockets() || !admit_end(true)) {
		hijack_set_state(HIJACK_UP);
		share_prepare();
		return;
	}
	lkl_sys_halt();
	lkl_unload_config(&config);
	lkl_cleanup();
	fd_disown();
	admit_close();
	hijack_set_state(HIJACK_DOWN);
}

/* The end of the process, if it is the one that has the kernel. */
long boot_exit_group(long nr, const long *a)
{
	if (hijack_in_vfork())
		return host1(nr, a[0]);
	share_bye();
	if (heir_pass() || !lkl_kernel_boots() || outlive())
		return host1(nr, a[0]);
	share_linger();
	if (!hijack_change_state(HIJACK_UP))
		return host1(nr, a[0]);
	fd_close_all();
	exit_linger();
	if (debug & 0x100) {
		char c;

		hijack_say("at exit: ", "press Enter");
		host3(SYS_read, STDIN_FILENO, &c, 1);
	}
	lkl_unload_config(&config);
	return host1(nr, a[0]);
}

static void end(void)
{
	boot_exit_group(SYS_exit_group, (long[6]){ 0 });
}

/*
 * A signal that comes just before a call would wait ends it only by the way
 * in's own wait operation.
 */
static int no_listener(void)
{
	return 0;
}

/* A signal of a call of the library's; the thread gets it at the end of it. */
static void raise_signal(int tid, int sig)
{
	if (!serve_raise(tid, sig))
		own_call3(SYS_tgkill, own_call3(SYS_getpid, 0, 0, 0), tid, sig);
}

static int (*send_to_host)(int tid, int sig, const void *info);

/* One that the library's kernel sends. */
static int send_signal(int tid, int sig, const void *info)
{
	return serve_signal(tid, sig, info) ? 0 : send_to_host(tid, sig, info);
}

int hijack_start(const char *name)
{
	bool relative;
	int err;

	hijack_name = name;
	/* As a boot would, which another process may make for this one. */
	while (linux_maps_near(lkl_ram_base))
		lkl_ram_base += LINUX_NEXT_RAM;
	hijack_end = end;
	cred_init();
	own_threads_init();
	lkl_host_ops.listen_begin = no_listener;
	lkl_host_ops.raise = raise_signal;
	send_to_host = lkl_host_ops.signal;
	lkl_host_ops.signal = send_signal;
	lkl_host_ops.signal_group = groups_signal;
	/* A program's own seccomp filter may know nothing of membarrier(). */
	lkl_host_ops.fence = NULL;
	lkl_listen_syscall = host_wait_syscall;
	lkl_alt_stacks_handled = true;
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
		err = hijack_boot_now();
	if (!err && settings.delay_main)
		usleep(strtoul(settings.delay_main, NULL, 10));
	return err;
}
