// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that are executed: they use the kernel that their process uses, and
 * go on with the descriptors that they inherit.  Which number is what, and the
 * way to the owner, is told by the environment.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"

static const char variable[] = "LKL_HIJACK_SHARED";
/* Its value when there are sockets, and no way. */
static const char lost[] = "lost";

static char *put_hex(char *at, unsigned long n)
{
	int shift;

	for (shift = 28; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[n >> shift & 15];
	*at++ = ':';
	return at;
}

/* How the new program finds its owner. */
struct way {
	long control, area;
	int number;
};

static struct way way_to_owner(void)
{
	struct hijack_thread *t = hijack_thread();

	if (vfork_is_child())
		return (struct way){ t->fork_control, t->fork_area,
				     t->fork_process };
	return (struct way){ child_control, share_fd,
			     hijack_in_vfork() ? -1 : child_number };
}

static void keep(const struct way *way, bool keep)
{
	long flags = keep ? 0 : FD_CLOEXEC;

	if (way->number < 0)
		return;
	host3(SYS_fcntl, way->control, F_SETFD, flags);
	host3(SYS_fcntl, way->area, F_SETFD, flags);
}

/* The next descriptor of the library's that is inherited, from @fd, or -1. */
static int next_kept(int fd, uint32_t *word)
{
	long flags;

	for (; fd < FD_MAX; fd++) {
		/* Below that only what a vfork()'s child has made. */
		if (fd > fd_last() && !vfork_is_child())
			return -1;
		if (fd > fd_last() + 1024)
			return -1;
		*word = vfork_word(fd);
		if (!(*word & FD_LKL))
			continue;
		flags = own_call3(SYS_fcntl, fd, F_GETFD, 0);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			return fd;
	}
	return -1;
}

/* Write the variable, or nothing; false without an owner to name. */
static bool describe(char *text)
{
	struct hijack_thread *t = hijack_thread();
	struct way way = way_to_owner();
	char *at = text;
	uint32_t word;
	int fd;

	copy(at, variable, sizeof(variable) - 1);
	at += sizeof(variable) - 1;
	*at++ = '=';
	/* Without its owner the program finds a network by itself. */
	if (way.number < 0 || (!vfork_is_child() && share_is_alone())) {
		if (next_kept(0, &word) >= 0)
			copy(at, lost, sizeof(lost));
		else
			*text = 0;
		return false;
	}
	at = put_hex(at, way.control);
	at = put_hex(at, way.area);
	at = put_hex(at, way.number);
	at = put_hex(at, socket_adopt(-1));
	at = put_hex(at, hijack_away || t->fork_new);
	at = put_hex(at, t->elsewhere && !vfork_is_child()
				 ? child_link_number(t)
				 : 0);
	for (fd = next_kept(0, &word); fd >= 0; fd = next_kept(fd + 1, &word)) {
		if (at + 20 > text + HIJACK_EXEC_TEXT - FILTER_TEXT) {
			hijack_say("too many sockets are inherited: ",
				   "some are lost");
			break;
		}
		at = put_hex(at, fd);
		at = put_hex(at, word);
	}
	*at = 0;
	keep(&way, true);
	return true;
}

/* The configuration in our own environment, in strings of ours. */
static char *own_variables[64];

static bool is_variable(const char *string, const char *prefix, size_t n)
{
	return !strncmp(string, prefix, n);
}

/**
 * exec_init - remember the configuration for programs that will be executed
 * @family: a variable to add, or NULL
 *
 * At the start; uses libc.
 */
void exec_init(const char *family)
{
	static const char prefix[] = "LKL_HIJACK_";
	unsigned int n = 0;
	char **at;

	if (family)
		own_variables[n++] = (char *)family;
	for (at = environ; *at && n < array_size(own_variables) - 1; at++)
		if (is_variable(*at, prefix, sizeof(prefix) - 1) &&
		    !is_variable(*at, variable, sizeof(variable) - 1) &&
		    !filter_is_variable(*at) &&
		    !(family && is_variable(*at, family, strcspn(family, "="))))
			own_variables[n++] = strdup(*at);
}

long hijack_exec_size(long given)
{
	return given + array_size(own_variables) + 3;
}

/* A list of strings; each is looked at where it begins. */
static bool are_there(long list)
{
	char *string, first;

	for (; list; list += sizeof(string)) {
		if (!user_get(&string, list, sizeof(string)))
			return false;
		if (!string)
			break;
		if (!user_get(&first, (long)string, 1))
			return false;
	}
	return true;
}

/*
 * The kernel goes to a process of its own, if the program has used it.  From
 * then on calls are slower, also when the host refuses to execute the program.
 */
static void leave_kernel(void)
{
	uint32_t word;

	if (!hijack_in_vfork())
		heir_end();
	if (lkl_kernel_boots() && !hijack_in_vfork() &&
	    (share_has_forked() || share_joined || hijack_away ||
	     next_kept(0, &word) >= 0))
		outlive_exec();
}

long hijack_exec_begin(bool known, long args, long env, long given, char **to,
		       char *text)
{
	char *filters = text + HIJACK_EXEC_TEXT - FILTER_TEXT;
	long n = 0, i, k, fd;
	bool described;

	if (given && !user_get(to, env, given * sizeof(*to)))
		return -EFAULT;
	for (i = 0; i < given; i++)
		if (!user_begins(to[i], variable, sizeof(variable) - 1) &&
		    !filter_is_variable(to[i]))
			to[n++] = to[i];
	given = n;
	if (known && are_there(args) && are_there(env))
		leave_kernel();
	/* What has been changed is changed, what is missing is added. */
	for (i = 0; own_variables[i]; i++) {
		size_t len = strcspn(own_variables[i], "=") + 1;

		for (k = 0; k < given; k++)
			if (user_begins(to[k], own_variables[i], len))
				break;
		if (k == given)
			to[n++] = own_variables[i];
	}
	described = describe(text);
	if (*text)
		to[n++] = text;
	/* execvp() tries names of nothing: their error is the host's to give. */
	if (known && !described && hijack_away) {
		hijack_say("a program is not executed: ",
			   "it would leave its network namespace");
		return -EPERM;
	}
	fd = filter_give(filters);
	if (fd < -1)
		return fd;
	hijack_thread()->filter_fd = fd;
	if (fd >= 0)
		to[n++] = filters;
	to[n] = NULL;
	return n;
}

void hijack_exec_end(void)
{
	struct way way = way_to_owner();
	long fd = hijack_thread()->filter_fd;

	keep(&way, false);
	if (fd >= 0)
		own_call3(SYS_close, fd, 0, 0);
}

/* Close what has not been inherited: all of the kernel's but @kept. */
static void close_others(const long *kept, int n)
{
	long first = 0, next;
	int i;

	do {
		next = LONG_MAX;
		for (i = 0; i < n; i++)
			if (kept[i] >= first && kept[i] < next)
				next = kept[i];
		if (next > first)
			lkl3(SYS_close_range, first,
			     next == LONG_MAX ? UINT_MAX : next - 1, 0);
		first = next + 1;
	} while (next != LONG_MAX);
}

/* The child of a vfork() may have several numbers for one of the kernel's. */
static void part(const long *fds, const long *kept, int n)
{
	long kfd;
	int i, k;

	for (i = 1; i < n; i++) {
		for (k = 1; k < i && kept[k] != kept[i]; k++)
			;
		if (k == i)
			continue;
		kfd = lkl3(SYS_fcntl, kept[i], F_DUPFD_CLOEXEC, 0);
		if (kfd >= 0)
			fd_set_word(fds[i],
				    FD_LKL | kfd |
					    (fd_word(fds[i]) & FD_ROUTE));
	}
}

/* Are these what their numbers are said to be? */
static long map_inherited(long control)
{
	int type = 0;
	socklen_t len = sizeof(type);
	struct stat st;

	if (getsockopt(control, SOL_SOCKET, SO_TYPE, &type, &len) ||
	    fstat(share_fd, &st))
		return -errno;
	if (type != SOCK_SEQPACKET || st.st_size != sizeof(*share) ||
	    !(fcntl(share_fd, F_GET_SEALS) & F_SEAL_SHRINK))
		return -EINVAL;
	share = share_map(share_fd);
	return share ? 0 : -ENOMEM;
}

/**
 * share_adopt - take over the network of the program that executed this one
 *
 * At the start; uses libc.
 *
 * Return: 1, 0 when there is none, or a negative error number
 */
long share_adopt(void)
{
	const char *text = getenv(variable);
	long kept[HIJACK_EXEC_TEXT / 18], fds[HIJACK_EXEC_TEXT / 18];
	long err, fd, control;
	int n = 0, thread;
	char *end;

	if (!text)
		return 0;
	if (!strcmp(text, lost)) {
		hijack_say("sockets of the program before are lost: ",
			   "it had the kernel; see lkl-hijack(1)");
		unsetenv(variable);
		return 0;
	}
	control = strtoul(text, &end, 16);
	share_fd = strtoul(end + 1, &end, 16);
	child_begin(strtoul(end + 1, &end, 16), control);
	kept[n++] = socket_adopt(strtoul(end + 1, &end, 16));
	if (strtoul(end + 1, &end, 16))
		netns_set_away();
	thread = strtoul(end + 1, &end, 16);
	err = fd_init();
	if (!err)
		err = map_inherited(control);
	if (err) {
		child_begin(-1, 0);
		return err;
	}
	keep(&(struct way){ control, share_fd, child_number }, false);
	fd_set_word(child_control, FD_OWN);
	fd_set_word(share_fd, FD_OWN);
	while (end[1]) {
		fd = strtoul(end + 1, &end, 16);
		fd_set_word(fd, strtoul(end + 1, &end, 16));
		fds[n] = fd;
		kept[n++] = fd_number(fd_word(fd));
	}
	unsetenv(variable);
	fd_expect_socket();
	/* What the program before has left there. */
	memset(share->epoll, 0, share->epolls_top * sizeof(*share->epoll));
	share->epolls_top = share->adopted = 0;
	if (!share_send(control, SHARE_ADOPT, thread, -1) &&
	    child_await(&share->adopted, 0)) {
		close_others(kept, n);
		part(fds, kept, n);
	}
	return 1;
}
