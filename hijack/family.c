// SPDX-License-Identifier: GPL-2.0-only
/*
 * Families: the processes that one launcher has started, lkl-run or
 * lkl-hijack.sh.  Those with the same configuration use one kernel at a time,
 * as there may be wires that only one can have, and as they are to reach each
 * other.
 *
 * The first that needs a kernel has it, the others join it as if it had forked
 * them (share.h).  The process that has it listens at a name in the
 * host's abstract namespace of sockets: there is one such socket at a time,
 * it is gone with its process, however that ends, and there is nothing that a
 * program could fail to inherit but an environment variable, which each program
 * that is executed is given anew (exec.c).
 *
 * The name is everybody's to see.  So a process says a secret of the family's
 * to join, and says it to a process of its own user or of root only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/config/config.h"
#include "child.h"

static const char variable[] = "LKL_HIJACK_FAMILY";

/* How often to try while the process that has the kernel begins or ends. */
#define TRIES 1000
#define PAUSE_NS 2000000

/* How many may wait to join. */
#define BACKLOG 128

static struct {
	uint64_t id;
	struct share_token secret;
} family;

/* The process that has been started as a relative, or 0. */
static long lazy;
static bool has_wires;

/* The variable, and the name. */
static char text[sizeof(variable) + 52];
static struct sockaddr_un name = { .sun_family = AF_UNIX };
static socklen_t name_len;

static uint64_t hash(uint64_t hash, const char *string)
{
	/* FNV-1a; what is not set differs from what is empty. */
	do {
		hash = (hash ^ (string ? (unsigned char)*string : 0xff)) *
		       0x100000001b3;
	} while (string && *string++);
	return hash;
}

static uint64_t hash_settings(uint64_t h, const void *base,
			      const struct setting *s)
{
	for (; s->key; s++)
		h = hash(h, *lkl_config_value(base, s));
	return h;
}

/**
 * family_init - find out which family this process belongs to
 * @settings: its configuration
 * @relative: is set to whether there was one before
 *
 * At the start; uses libc.
 *
 * Return: the variable that tells programs which are executed, or NULL
 */
const char *family_init(const struct lkl_config *settings, bool *relative)
{
	const char *value = getenv(variable);
	uint64_t h = 0xcbf29ce484222325;
	struct lkl_config_iface *iface;

	*relative = value &&
		    sscanf(value, "%16lx:%16lx:%16lx", &family.id,
			   &family.secret.half[0], &family.secret.half[1]) == 3;
	if (!*relative &&
	    getrandom(&family, sizeof(family), 0) != sizeof(family))
		return NULL;
	lazy = *relative ? getpid() : 0;
	has_wires = settings->ifaces;
	h = hash_settings(h, settings, lkl_config_settings);
	for (iface = settings->ifaces; iface; iface = iface->next)
		h = hash_settings(h, iface, lkl_config_iface_settings);
	name_len = offsetof(struct sockaddr_un, sun_path) + 1 +
		   snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1,
			    "lkl-%016lx-%016lx", family.id, h);
	snprintf(text, sizeof(text), "%s=%016lx:%016lx:%016lx", variable,
		 family.id, family.secret.half[0], family.secret.half[1]);
	return text;
}

/**
 * family_need - the program is about to give up what a boot may need
 * @wires: wires need it, and nothing else
 *
 * A program has a kernel since its start, or has none yet, as it may not need
 * any; one that has forked is a launcher.
 */
void family_need(bool wires)
{
	if (!lazy || lazy != own_call3(SYS_getpid, 0, 0, 0) ||
	    (wires && !has_wires))
		return;
	lazy = 0;
	hijack_need();
}

/*
 * Wait for a process.  It may be the one that has the kernel, and that stays
 * for this one (owner.c).
 */
long family_wait(long nr, const long *a)
{
	long options = nr == SYS_waitid ? a[3] : a[2], ret;

	if (likely(share_process() < 0) || options & WNOHANG ||
	    hijack_in_vfork())
		return host_call(nr, a);
	share_send(child_control, SHARE_WAITS, true, -1);
	ret = host_call(nr, a);
	share_send(child_control, SHARE_WAITS, false, -1);
	return ret;
}

long family_chroot(long nr, const long *a)
{
	family_need(true);
	return host_call(nr, a);
}

/* Does a process that wants to join know the secret? */
bool family_knows(const struct share_token *secret)
{
	return secret->half[0] == family.secret.half[0] &&
	       secret->half[1] == family.secret.half[1];
}

static long new_socket(int flags)
{
	return fd_own(host3(SYS_socket, AF_UNIX,
			    SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
}

/* Be the process that has the kernel; -EADDRINUSE if there is one. */
static long claim(void)
{
	long fd = new_socket(SOCK_NONBLOCK), err;

	if (fd < 0)
		return fd;
	err = host3(SYS_bind, fd, &name, name_len);
	if (!err)
		err = host2(SYS_listen, fd, BACKLOG);
	if (!err)
		return fd;
	fd_forget(fd);
	return err;
}

/* Nobody else is told the secret, nor believed what the network says. */
static bool is_trusted(long fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (host6(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &cred, &len, 0))
		return false;
	if (!cred.uid || cred.uid == (uid_t)own_call3(SYS_geteuid, 0, 0, 0))
		return true;
	hijack_say("the network is not shared: ",
		   "the process that has it is another user's");
	return false;
}

/*
 * Join the process that has the kernel; -EAGAIN if it has gone or is not there
 * yet. After another error the kernel is out of reach.
 */
static long join(void)
{
	struct share_message message = { .what = SHARE_JOIN,
					 .token = family.secret };
	long fd = new_socket(0), err, area;

	if (fd < 0)
		return fd;
	do {
		err = host3(SYS_connect, fd, &name, name_len);
	} while (err == -EINTR);
	if (err == -ECONNREFUSED)
		err = -EAGAIN;
	if (!err && !is_trusted(fd))
		err = -EPERM;
	if (err)
		goto close;
	err = share_send_message(fd, &message, -1);
	while (!err) {
		err = share_receive(fd, &message, &area, NULL, 0);
		if (!err && area >= 0) {
			err = child_join(message.index, fd, area);
			if (!err)
				return 0;
			goto close;
		}
		err = err == -EINTR ? 0 : -EAGAIN;
	}
	err = -EAGAIN;
close:
	fd_forget(fd);
	return err;
}

/**
 * family_take - have a kernel: one's own, or a relative's
 * @listener: is set to where relatives will ask to join, if it is one's own, or
 *	to -1 if they cannot
 *
 * Return: whether it is a relative's, and has been joined
 */
bool family_take(long *listener)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int tries;
	long err;

	*listener = -1;
	for (tries = 0; name_len && tries < TRIES; tries++) {
		*listener = claim();
		if (*listener >= 0)
			return false;
		err = *listener == -EADDRINUSE ? join() : -EPERM;
		if (!err)
			return true;
		if (err != -EAGAIN)
			break;
		own_call3(SYS_nanosleep, &pause, 0, 0);
	}
	*listener = -1;
	return false;
}
