// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that gives up its rights on the host has none in the library's
 * kernel: in all of its threads, in a child that does it alone, and in programs
 * that are executed later.
 */
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "hijack.h"

/* What only root may. */
static int bind_low(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(port) };
	int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
	int ret = bind(fd, (void *)&addr, sizeof(addr)) ? errno : 0;

	SYS(close(fd));
	return ret;
}

static int change_mtu(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = 60000 };
	int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	int ret = ioctl(fd, SIOCSIFMTU, &ifr) ? errno : 0;

	SYS(close(fd));
	return ret;
}

static void may(int port, bool yes)
{
	EQ(bind_low(port), yes ? 0 : EACCES);
	EQ(change_mtu(), yes ? 0 : EPERM);
}

static void drop(void)
{
	SYS(setgroups(0, NULL));
	SYS(setresgid(65534, 65534, 65534));
	SYS(setresuid(65534, 65534, 65534));
}

static void *in_thread(void *unused)
{
	(void)unused;
	may(85, false);
	return NULL;
}

static void dropped(void)
{
	may(80, true);
	drop();
	may(81, false);
	EQ(pthread_join(start(in_thread, NULL), NULL), 0);
	/* Nor can a child have them again. */
	if (!SYS(fork())) {
		may(82, false);
		_exit(0);
	}
	int status;
	SYS(wait(&status));
	EQ(status, 0);
}

static void *in_child_thread(void *unused)
{
	(void)unused;
	may(86, false);
	return NULL;
}

static void child_only(void)
{
	int status;

	may(80, true);
	if (!SYS(fork())) {
		may(81, true);
		drop();
		may(82, false);
		EQ(pthread_join(start(in_child_thread, NULL), NULL), 0);
		if (!SYS(fork())) {
			may(83, false);
			_exit(0);
		}
		SYS(wait(&status));
		EQ(status, 0);
		_exit(0);
	}
	SYS(wait(&status));
	EQ(status, 0);
	may(84, true);
}

/* One capability and no other. */
static void kept(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { 0 };

	may(80, true);
	data[0].effective = data[0].permitted = 1 << CAP_NET_BIND_SERVICE;
	SYS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	SYS(syscall(SYS_setresuid, 65534, 65534, 65534));
	may(81, false);
	SYS(syscall(SYS_capset, &head, data));
	EQ(bind_low(82), 0);
	EQ(change_mtu(), EPERM);
}

static const struct check tests[] = {
	{ "dropped", dropped },
	{ "child-only", child_only },
	{ "kept", kept },
};

int main(int argc, char **argv)
{
	if (geteuid()) {
		printf("skip: for root only\n");
		return 77;
	}
	hijack_self(argv);
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
