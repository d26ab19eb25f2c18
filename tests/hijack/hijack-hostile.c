// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process that was taken over cannot command its parent, whose kernel
 * it uses: it fills its link by hand, with what the parent has elsewhere, with
 * garbage in every field, and holds nothing of the kernel itself.
 *
 * HOSTILE_SECONDS is for how long garbage is written.
 */
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "../../hijack/share.h"
#include "hijack.h"

static int pair[2];

/* What the parent has beside the area, at the same addresses as the child. */
static char secret[4096] __attribute__((aligned(4096)));
static char target[4096] __attribute__((aligned(4096)));
static const char token[] = "only the parent knows this";

/* In the child */
static struct share *area;
static struct share_link *link_;
static char *window;
static int control;

/* Where the memory is that a file is mapped to, or NULL. */
static void *mapping(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[1000];
	void *at = NULL;

	while (!at && fgets(line, sizeof(line), f))
		if (strstr(line, name))
			at = (void *)strtoul(line, NULL, 16);
	fclose(f);
	return at;
}

/* A descriptor of a file with this in its name, or -1. */
static int descriptor(const char *name)
{
	char path[64], text[256];
	long n;
	int fd;

	for (fd = 0; fd < 2048; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = 0;
		if (n > 0 && strstr(text, name))
			return fd;
	}
	return -1;
}

/* A descriptor that the program is not meant to know, under another number. */
static int steal(int fd)
{
	int self = SYS(syscall(SYS_pidfd_open, getpid(), 0));
	int stolen = syscall(SYS_pidfd_getfd, self, fd, 0);

	SYS(close(self));
	return stolen;
}

/* The socket to the owner is one of a kind. */
static int find_control(void)
{
	int fd, stolen, type;

	for (fd = 3; fd < 2048; fd++) {
		socklen_t len = sizeof(type);

		stolen = steal(fd);
		if (stolen < 0)
			continue;
		if (!getsockopt(stolen, SOL_SOCKET, SO_TYPE, &type, &len) &&
		    type == SOCK_SEQPACKET)
			return stolen;
		SYS(close(stolen));
	}
	FAIL("no socket to the owner");
}

static void take_over(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	/* Have a link. */
	SYS(getpeername(pair[1], (void *)&addr, &len));
	area = mapping("memfd:lkl-share");
	CHECK(area);
	for (link_ = area->link; !link_->used; link_++)
		;
	window = area->data[link_ - area->link];
	control = find_control();
	if (!geteuid()) {
		SYS(setresgid(65534, 65534, 65534));
		SYS(setresuid(65534, 65534, 65534));
	}
}

static bool finished(struct share_link *l, int ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < ms; i++) {
		uint32_t word = __atomic_load_n(&l->word, __ATOMIC_SEQ_CST);

		if (!(word & FUTEX_WAITERS))
			return true;
		if (word & FUTEX_OWNER_DIED)
			FAIL("the owner has died: %x, call %ld", word, l->nr);
		syscall(SYS_futex, &l->word, FUTEX_WAIT, word, &pause, 0, 0);
	}
	return false;
}

static void start_call(struct share_link *l, long nr, const long *a)
{
	l->nr = nr;
	memcpy(l->arg, a, sizeof(l->arg));
	l->number++;
	__atomic_fetch_or(&l->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &l->word, FUTEX_WAKE, 1, 0, 0, 0);
}

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	start_call(link_, nr, (long[6]){ a, b, c, d, e, f });
	if (!finished(link_, 10000))
		FAIL("call %ld does not end", nr);
	return link_->ret;
}

#define REFUSED(why, ...) EQ(call(__VA_ARGS__), -(why))

/* Places in the window. */
#define HEAD SHARE_FIRST
#define DATA SHARE_HEAD

/* The number of an inode, as the owner tells it. */
static unsigned long inode_of(long fd)
{
	EQ(call(SYS_fstat, fd, DATA, 0, 0, 0, 0), 0);
	return ((struct stat *)(window + DATA))->st_ino;
}

/*
 * A socket that has no number gets that of a socket the process has, and keeps
 * it.  @named is one that the parent has, too.
 */
static void inodes(long named)
{
	unsigned long before = inode_of(named);
	long s = call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
	int own = SYS(socket(AF_UNIX, SOCK_STREAM, 0)), other[2];
	struct stat st;

	CHECK(s >= 0);
	SYS(fstat(own, &st));
	SYS(pipe(other));
	REFUSED(EEXIST, SHARE_INODE, named, own, 0, 0, 0, 0);
	EQ(inode_of(named), before);
	REFUSED(ENOTSOCK, SHARE_INODE, s, other[0], 0, 0, 0, 0);
	REFUSED(ENOENT, SHARE_INODE, s, st.st_ino + (1 << 30), 0, 0, 0, 0);
	REFUSED(ENOENT, SHARE_INODE, s, -1, 0, 0, 0, 0);
	REFUSED(EBADF, SHARE_INODE, 1L << 30, own, 0, 0, 0, 0);
	EQ(call(SHARE_INODE, s, own, 0, 0, 0, 0), 0);
	EQ(inode_of(s), st.st_ino);
	REFUSED(EEXIST, SHARE_INODE, s, pair[0], 0, 0, 0, 0);
	EQ(inode_of(s), st.st_ino);
}

static void by_hand(void)
{
	struct share_head *head;
	static const char *const places[] = {
		"/",
		"/init",
		"/etc/evil",
		"/run",
		"/run/netns/a/b",
		"/run/netns/..",
		"/run/netns/.",
		"/run/netns/",
		"/run/netnsx",
		"/run/netns/../evil",
		"run/netns/x",
		"",
		"/proc",
	};
	static const char *const files[] = {
		"/proc/self/mem",
		"/proc/1/mem",
		"/proc/thread-self/mem",
		"/proc/net/../mem",
		"/proc/kcore",
		"/dev/mem",
		"/",
		"/proc/sys/net/../../self/mem",
		"/proc/sys/kernel/core_pattern",
	};
	struct {
		unsigned long len;
		const void *at;
	} * inner;
	unsigned int i;
	long fd = -1, s = (long)secret, t = (long)target;

	take_over();
	head = (void *)(window + HEAD);
	/* Which number has the socket there? */
	for (i = 0; i < 64 && fd < 0; i++)
		if (call(SYS_write, i, 0, 1, 0, 0, 0) == 1)
			fd = i;
	CHECK(fd >= 0);

	/* The parent's memory: what is no place in the window is nothing. */
	EQ(call(SYS_write, fd, s, 16, 0, 0, 0), 16);
	EQ(call(SYS_sendto, fd, s, 16, 0, t, 16), 16);
	REFUSED(EFAULT, SYS_write, fd, 0, SHARE_DATA + 1, 0, 0, 0);
	REFUSED(EFAULT, SYS_write, fd, 0, -1, 0, 0, 0);
	REFUSED(EFAULT, SYS_pwritev2, fd, s, SHARE_DATA + 1, 0, 0, 0);
	REFUSED(EPERM, SYS_writev, fd, s, 1, 0, 0, 0);
	REFUSED(EFAULT, SYS_sendmsg, fd, s, 0, 0, 0, 0);
	head->name_len = SHARE_NAME + 1;
	REFUSED(EFAULT, SYS_sendmsg, fd, 16, 0, 0, 0, 0);
	head->name_len = 0;
	head->control_len = SHARE_CONTROL + 1;
	REFUSED(EFAULT, SYS_sendmsg, fd, 16, 0, 0, 0, 0);
	head->control_len = 0;
	REFUSED(EFAULT, SYS_getsockname, fd, t, t, 0, 0, 0);
	REFUSED(EFAULT, SYS_getsockname, fd, DATA, t, 0, 0, 0);
	REFUSED(EFAULT, SYS_fstat, fd, t, 0, 0, 0, 0);
	REFUSED(EFAULT, SYS_fstat, fd, SHARE_WINDOW - 8, 0, 0, 0, 0);
	REFUSED(EFAULT, SYS_fstat, fd, -8, 0, 0, 0, 0);
	REFUSED(EFAULT, SYS_ioctl, fd, 0x541b, t, 0, 0, 0);
	REFUSED(EFAULT, SYS_poll, DATA, 1 << 20, 0, 0, 0, 0);
	REFUSED(EFAULT, SYS_openat, 0, SHARE_WINDOW - 8, 0, 0, 0, 0);
	/* A length that is no number's place, one that is too long. */
	REFUSED(EFAULT, SYS_getsockname, fd, DATA, HEAD + 1, 0, 0, 0);
	*(int *)(window + HEAD) = 1 << 30;
	REFUSED(EFAULT, SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, DATA, HEAD, 0);
	*(int *)(window + HEAD) = SHARE_DATA / 2;
	REFUSED(EFAULT, SYS_getsockopt, fd, SOL_SOCKET, 26 /* SO_GET_FILTER */,
		DATA, HEAD, 0);
	/* What the kernel tells of, of files that are none or no sockets. */
	REFUSED(EBADF, SYS_sendto, 1000, 0, 16, MSG_ZEROCOPY, 0, 0);
	EQ(call(SHARE_COPIED, 1000, 0, 0, 0, 0, 0), 0);
	EQ(call(SHARE_COPIED, fd, 0, 0, 0, 0, 0), 0);
	head->name_len = 0;
	REFUSED(EBADF, SYS_sendmsg, -1, 16, MSG_ZEROCOPY, 0, 0, 0);
	/* Pointers in what arguments point to. */
	inner = (void *)(window + DATA);
	inner->len = 1;
	inner->at = secret;
	REFUSED(EFAULT, SYS_setsockopt, fd, SOL_SOCKET, SO_ATTACH_FILTER, s, 4,
		0);
	REFUSED(EFAULT, SYS_setsockopt, fd, SOL_SOCKET, SO_ATTACH_FILTER, DATA,
		65535, 0);
	REFUSED(EOPNOTSUPP, SYS_setsockopt, fd, 0, 64, DATA, 4096, 0);
	REFUSED(ENOPROTOOPT, SYS_setsockopt, fd, 283, 4, DATA, 32, 0);
	REFUSED(ENOPROTOOPT, SYS_getsockopt, fd, IPPROTO_TCP, 35, DATA, HEAD,
		0);
	/* ETHTOOL_GSTRINGS has no fixed size, and pointers are no pointers. */
	memset(window + DATA, 0, 512);
	strcpy(window + DATA, "lo");
	*(const void **)(window + DATA + 16) = secret;
	*(int *)(window + DATA + 256) = 0x1b;
	REFUSED(EOPNOTSUPP, SYS_ioctl, fd, 0x8946 /* SIOCETHTOOL */, 0, 0, 0,
		0);
	*(int *)(window + DATA + 256) = 0xa; /* ETHTOOL_GLINK */
	EQ(call(SYS_ioctl, fd, 0x8946, 0, 0, 0, 0), 0);
	EQ(*(int *)(window + DATA + 260), 1);
	REFUSED(EOPNOTSUPP, SYS_ioctl, fd, 0x8940 /* SIOCGIFBR */, DATA, 0, 0,
		0);
	memset(window + DATA, 0xff, 512);
	CHECK(call(SYS_ioctl, fd, 0x890b /* SIOCADDRT */, t, 0, 0, 0) < 0);
	REFUSED(EOPNOTSUPP, SYS_ioctl, fd, 0x8902 /* SIOCSPGRP */, DATA, 0, 0,
		0);
	REFUSED(EFAULT, SYS_ioctl, fd, 0x8912 /* SIOCGIFCONF */, 1L << 40, 0, 0,
		0);
	REFUSED(EFAULT, SHARE_WATCH, SHARE_START, 1L << 60, 0, 0, 0, 0);
	REFUSED(ENOENT, SHARE_EPOLL, SHARE_STOP, 1L << 40, 0, 0, 0, 0);
	inodes(fd);
	/* Calls that no child makes. */
	REFUSED(EPERM, SYS_mmap, 0, 4096, PROT_READ, 0, 0, 0);
	REFUSED(EPERM, SYS_process_vm_readv, 1, DATA, 1, 0, 0, 0);
	REFUSED(EPERM, SYS_kill, 1, SIGKILL, 0, 0, 0, 0);
	REFUSED(EPERM, SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, 0, 0, 0);
	REFUSED(EPERM, SYS_execve, DATA, 0, 0, 0, 0, 0);
	REFUSED(EPERM, 1L << 40, 0, 0, 0, 0, 0, 0);
	REFUSED(EPERM, SHARE_LAST - 1, 0, 0, 0, 0, 0, 0);
	REFUSED(EINVAL, SYS_fcntl, fd, F_SETOWN, 1, 0, 0, 0);
	REFUSED(EINVAL, SYS_fcntl, fd, 10 /* F_SETSIG */, SIGKILL, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		strcpy(window + HEAD, files[i]);
		CHECK(call(SYS_openat, AT_FDCWD, HEAD, O_RDWR, 0, 0, 0) < 0);
		CHECK(call(SYS_openat, AT_FDCWD, HEAD, O_RDONLY, 0, 0, 0) < 0);
	}
	strcpy(window + HEAD, "/proc/net/dev");
	CHECK(call(SYS_openat, AT_FDCWD, HEAD, O_RDONLY, 0, 0, 0) >= 0);

	/* Names that it may change are those of namespaces. */
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		strcpy(window + HEAD, places[i]);
		strcpy(window + DATA, "/proc/thread-self/ns/net");
		REFUSED(EPERM, SYS_mkdirat, AT_FDCWD, HEAD, 0755, 0, 0, 0);
		REFUSED(EPERM, SYS_unlinkat, AT_FDCWD, HEAD, 0, 0, 0, 0);
		REFUSED(EPERM, SYS_mknodat, AT_FDCWD, HEAD, S_IFREG, 0, 0, 0);
		REFUSED(EPERM, SYS_umount2, HEAD, 2, 0, 0, 0, 0);
		REFUSED(EPERM, SYS_mount, DATA, HEAD, 0, MS_BIND, 0, 0);
		strcpy(window + DATA, "/run/netns/x");
		REFUSED(EPERM, SYS_mount, HEAD, DATA, 0, MS_BIND, 0, 0);
	}
	strcpy(window + HEAD, "/run/netns/x");
	REFUSED(EPERM, SYS_mknodat, AT_FDCWD, HEAD, S_IFCHR, 0x101, 0, 0);
	REFUSED(EPERM, SYS_mount, HEAD, HEAD, 0, 0, 0, 0);
	REFUSED(EPERM, SYS_mount, HEAD, HEAD, 0, MS_BIND | MS_REMOUNT, 0, 0);
	REFUSED(EFAULT, SYS_mount, 0, HEAD, 0, MS_BIND, 0, 0);
	REFUSED(EFAULT, SYS_umount2, 0, 0, 0, 0, 0, 0);
	REFUSED(EPERM, SYS_unshare, CLONE_FILES, 0, 0, 0, 0, 0);
	REFUSED(EPERM, SYS_unshare, CLONE_NEWNET | CLONE_FS, 0, 0, 0, 0, 0);
	REFUSED(EINVAL, SYS_setns, fd, CLONE_NEWNS, 0, 0, 0, 0);
	REFUSED(ESRCH, SHARE_NETNS, SHARE_OTHER, 1L << 40, 0, 0, 0, 0);

	/* Nothing of the kernel is here. */
	EQ((long)mapping("memfd:lkl-ram"), 0);
	EQ(descriptor("memfd:lkl-ram"), -1);
	EQ(descriptor("net/tun"), -1);
	/* What is in common cannot be taken away. */
	i = SYS(steal(descriptor("memfd:lkl-share")));
	CHECK(syscall(SYS_ftruncate, i, 4096) < 0);
	CHECK(syscall(SYS_ftruncate, i, 1L << 40) < 0);
}

/* The parent's state after its child has done what it could. */
static void unharmed(int status)
{
	unsigned int i;
	int p[2];

	EQ(status, 0);
	for (i = 0; i < sizeof(target); i++)
		EQ(target[i], 'T');
	tcp_pair(p);
	EQ(write(p[0], "x", 1), 1);
	EQ(read(p[1], &(char){ 0 }, 1), 1);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

static void with_child(void (*fn)(void))
{
	const int one = 1;
	pid_t pid;
	int i, status, go[2];
	char c;

	tcp_pair(pair);
	for (i = 0; i < 2; i++)
		SYS(setsockopt(pair[i], SOL_SOCKET, SO_ZEROCOPY, &one,
			       sizeof(one)));
	SYS(pipe(go));
	memset(target, 'T', sizeof(target));
	memset(secret, 0, sizeof(secret));
	pid = SYS(fork());
	if (!pid) {
		EQ(read(go[0], &c, 1), 1);
		fn();
		_exit(0);
	}
	strcpy(secret, token);
	EQ(write(go[1], "x", 1), 1);
	EQ(waitpid(pid, &status, 0), pid);
	unharmed(status);
	SYS(close(go[0]));
	SYS(close(go[1]));
	SYS(close(pair[0]));
	SYS(close(pair[1]));
}

static void attack(void)
{
	with_child(by_hand);
}

/*
 * Garbage
 */
static unsigned long state = 88172645463325252;

static unsigned long random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Something that could be a pointer, a number, or a descriptor. */
static long random_word(void)
{
	unsigned long r = random_number();

	switch (r % 10) {
	case 0:
		return (long)secret + (r >> 8) % 64;
	case 1:
		return (long)target + (r >> 8) % 4096;
	case 2:
	case 3:
	case 4:
		return (r >> 8) % SHARE_WINDOW;
	case 5:
		return (r >> 8) % 4096;
	case 6:
		return random_number();
	case 7:
		return 0x110000000000 + (r >> 8) % (512 << 20);
	default:
		return (r >> 8) % 64;
	}
}

static long random_call(void)
{
	static const short calls[] = {
		SYS_read,	SYS_write,	SYS_readv,	SYS_writev,
		SYS_recvmsg,	SYS_sendmsg,	SYS_recvfrom,	SYS_sendto,
		SYS_getsockopt, SYS_setsockopt, SYS_ioctl,	SYS_poll,
		SYS_openat,	SYS_stat,	SYS_epoll_wait, SYS_epoll_ctl,
		SYS_getdents64, SYS_accept4,	SYS_statx,	SYS_socket,
		SYS_connect,	SYS_bind,	SYS_fcntl,	SHARE_WATCH,
		SHARE_ASYNC,	SHARE_EPOLL,	SHARE_NETNS,	SHARE_NETNS,
		SHARE_INODE,
	};
	unsigned long r = random_number();
	long any = (long)((r >> 8) % 1000) - 500;

	/* But the one that has no other after it. */
	if (r % 4 == 0 && any != SHARE_END)
		return any;
	return calls[(r >> 8) % ARRAY_SIZE(calls)];
}

static void say(int what, int index, int fd)
{
	struct share_message m = { .what = what,
				   .index = index,
				   .from = random_number() % 4 };
	struct iovec iov = { &m, sizeof(m) };
	char c[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int n = 1 + random_number() % 4, i;

	if (what == SHARE_ADOPT)
		return;
	if (fd >= 0) {
		msg.msg_control = c;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			((int *)CMSG_DATA(CMSG_FIRSTHDR(&msg)))[i] = fd;
	}
	syscall(SYS_sendmsg, control, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void garbage(void)
{
	const char *seconds = getenv("HOSTILE_SECONDS");
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 2);
	unsigned long rounds = 0, i, null;
	long a[6];

	null = SYS(open("/dev/null", O_RDONLY));
	take_over();
	while (time(NULL) < end) {
		for (i = 0; i < 64; i++)
			((long *)window)[i] = random_word();
		for (i = 0; i < 6; i++)
			a[i] = random_word();
		/* What is beside the call. */
		switch (random_number() % 16) {
		case 0:
			area->adopted = random_word();
			break;
		case 1:
			memset(&area->epoll[random_number() % SHARE_EPOLLS],
			       random_number(), sizeof(*area->epoll));
			break;
		case 2:
			area->epolls_top = random_number();
			break;
		case 3:
			/* All but that this process ends. */
			i = random_number() % (SHARE_ADOPT + 2);
			say(i == SHARE_BYE ? SHARE_BYE + 1 : i, random_word(),
			    null);
			break;
		case 4:
			say(SHARE_BELL, random_number() % SHARE_EPOLLS, null);
			break;
		case 5:
			memset(&area->link[1 + random_number() % 1000],
			       random_number(), sizeof(*area->link));
			break;
		}
		start_call(link_, random_call(), a);
		/* While it is being made, too. */
		for (i = 0; i < 64; i++)
			((long *)window)[i] = random_word();
		for (i = 0; !finished(link_, i ? 50 : 3); i++) {
			if (i == 200)
				FAIL("call %ld does not end", link_->nr);
			link_->interrupt = link_->number;
			say(SHARE_INTERRUPT, 0, -1);
		}
		rounds++;
		if (memmem(window, SHARE_WINDOW, token, sizeof(token)))
			FAIL("call %ld has told the secret", link_->nr);
	}
	printf("%lu calls\n", rounds);
}

static void random_bytes(void)
{
	with_child(garbage);
}

static const struct check tests[] = {
	{ "attack", attack },
	{ "random-bytes", random_bytes },
};

HIJACK_MAIN(tests)
