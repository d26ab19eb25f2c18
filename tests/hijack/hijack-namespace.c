// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces by unshare(), setns() and clone(): a thread's, as on the
 * host, and inherited by threads, processes and programs.  With NETNS_HOST in
 * the environment, the same is proved of the host's kernel, which takes rights
 * there.
 */
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "hijack.h"

/* Open on the network namespace of the host's in which the test was started. */
#define HOST_NETNS 200

static bool on_host;

static int open_ns(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", name);
	return SYS(open(path, O_RDONLY | O_CLOEXEC));
}

static long here(void)
{
	struct stat st;

	SYS(stat("/proc/thread-self/ns/net", &st));
	return st.st_ino;
}

/* Something by which to know a namespace. */
static const char ttl[] = "/proc/sys/net/ipv4/ip_default_ttl";

static void mark(int n)
{
	FILE *file = fopen(ttl, "w");

	CHECK(file);
	CHECK(fprintf(file, "%d\n", n) > 0);
	CHECK(!fclose(file));
}

static int marked(void)
{
	FILE *file = fopen(ttl, "r");
	int n;

	CHECK(file);
	EQ(fscanf(file, "%d", &n), 1);
	fclose(file);
	return n;
}

/* A program that is executed is in a namespace with the mark. */
static void program_marked(int n)
{
	char command[128];

	snprintf(command, sizeof(command), "[ $(cat %s) = %d ]", ttl, n);
	EQ(system(command), 0);
}

static bool has_loopback(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	int fd = SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	SYS(ioctl(fd, SIOCGIFFLAGS, &req));
	SYS(close(fd));
	return req.ifr_flags & IFF_UP;
}

/* An interface of this namespace, or a socket of another family tells. */
static bool unix_has_loopback(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	int fd = SYS(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	SYS(ioctl(fd, SIOCGIFFLAGS, &req));
	SYS(close(fd));
	return req.ifr_flags & IFF_UP;
}

/* Run by a thread or a process. */
static void *in_thread(void *(*fn)(void *))
{
	pthread_t id;
	void *ret;

	EQ(pthread_create(&id, NULL, fn, NULL), 0);
	EQ(pthread_join(id, &ret), 0);
	return ret;
}

static void *thread_marked(__attribute__((unused)) void *unused)
{
	return (void *)(long)marked();
}

static void *thread_here(__attribute__((unused)) void *unused)
{
	return (void *)here();
}

static void ended(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static void in_child(void (*fn)(void))
{
	pid_t pid = SYS(fork());

	if (!pid) {
		fn();
		_exit(0);
	}
	ended(pid);
}

static void unshared(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = 9 };
	long before = here();
	int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));

	SYS(system("ip link set lo up"));
	mark(40);
	SYS(unshare(CLONE_NEWNET));
	CHECK(here() != before);
	CHECK(!has_loopback());
	CHECK(!unix_has_loopback());
	EQ(marked(), 64);
	mark(41);
	/* A socket stays where it was made. */
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(connect(fd, (void *)&addr, sizeof(addr)));
	fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	FAILS(connect(fd, (void *)&addr, sizeof(addr)), ENETUNREACH);
}

static void refused(void)
{
	int net = open_ns("net"), uts = open_ns("uts"), pipes[2];
	long before = here();

	SYS(pipe(pipes));
	FAILS(setns(-1, 0), EBADF);
	FAILS(setns(-1, CLONE_NEWNET), EBADF);
	FAILS(setns(999, CLONE_NEWNET), EBADF);
	FAILS(setns(SYS(open("/dev/null", O_RDONLY)), CLONE_NEWNET), EINVAL);
	FAILS(setns(pipes[0], 0), EINVAL);
	FAILS(setns(SYS(socket(AF_INET, SOCK_DGRAM, 0)), CLONE_NEWNET), EINVAL);
	FAILS(setns(uts, CLONE_NEWNET), EINVAL);
	FAILS(setns(net, CLONE_NEWUTS), EINVAL);
	FAILS(unshare(1), EINVAL);
	/* All or nothing */
	FAILS(unshare(CLONE_NEWNET | 1), EINVAL);
	EQ(here(), before);
	EQ(unshare(CLONE_FILES), 0);
	EQ(unshare(CLONE_NEWNET | CLONE_FILES), 0);
	CHECK(here() != before);
	EQ(setns(net, 0), 0);
	EQ(here(), before);
}

static void host_refused(void)
{
	if (on_host)
		return;
	FAILS(setns(HOST_NETNS, 0), EPERM);
	FAILS(setns(HOST_NETNS, CLONE_NEWNET), EPERM);
	FAILS(setns(HOST_NETNS, CLONE_NEWUTS), EINVAL);
	FAILS(syscall(SYS_clone,
		      CLONE_NEWNET | CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0,
		      0, 0, 0),
	      EPERM);
}

static void *thread_away(__attribute__((unused)) void *unused)
{
	long before = here();

	SYS(unshare(CLONE_NEWNET));
	CHECK(here() != before);
	mark(42);
	/* A thread that this one makes begins here. */
	EQ(in_thread(thread_marked), 42);
	EQ(in_thread(thread_here), here());
	return (void *)(long)open_ns("net");
}

/* One thread goes elsewhere, and the first does not. */
static void threads(void)
{
	long before = here();
	int other;

	mark(40);
	other = (long)in_thread(thread_away);
	EQ(here(), before);
	EQ(marked(), 40);
	EQ(in_thread(thread_here), before);
	SYS(setns(other, CLONE_NEWNET));
	EQ(marked(), 42);
	EQ(in_thread(thread_marked), 42);
}

static int saved;

static void child_back(void)
{
	CHECK(marked() != 40);
	SYS(setns(saved, 0));
	EQ(marked(), 40);
}

static void child_away(void)
{
	EQ(marked(), 40);
	SYS(unshare(CLONE_NEWNET));
	mark(43);
	EQ(in_thread(thread_marked), 43);
	in_child(child_back);
}

static void child_away_again(void)
{
	SYS(unshare(CLONE_NEWNET));
	mark(41);
	in_child(child_back);
	in_child(child_back);
	EQ(marked(), 41);
	program_marked(41);
	EQ(in_thread(thread_marked), 41);
}

/* A namespace is inherited by processes, and theirs is their own. */
static void forks(void)
{
	mark(40);
	saved = open_ns("net");
	in_child(child_away_again);
	EQ(marked(), 40);
	SYS(unshare(CLONE_NEWNET));
	mark(41);
	in_child(child_back);
	EQ(marked(), 41);
	program_marked(41);
	SYS(setns(saved, CLONE_NEWNET));
	EQ(marked(), 40);
	in_child(child_away);
}

static void *thread_forks(__attribute__((unused)) void *unused)
{
	SYS(unshare(CLONE_NEWNET));
	mark(44);
	program_marked(44);
	return NULL;
}

/* A child is where the thread is that makes it, wherever the first is. */
static void thread_children(void)
{
	mark(40);
	in_thread(thread_forks);
	program_marked(40);
}

static void children_threads(void)
{
	in_child(thread_children);
}

static int stack_child(__attribute__((unused)) void *unused)
{
	if (marked() != 64 || has_loopback())
		return 1;
	mark(45);
	return marked() != 45;
}

static int stays(__attribute__((unused)) void *unused)
{
	return marked() != 40;
}

static void cloned(void)
{
	struct clone_args args = { .flags = CLONE_NEWNET,
				   .exit_signal = SIGCHLD };
	static char stack[256 << 10] __attribute__((aligned(16)));
	pid_t pid;

	mark(40);
	pid = SYS(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0));
	if (!pid)
		_exit(stack_child(NULL));
	ended(pid);
	pid = SYS(syscall(SYS_clone3, &args, sizeof(args)));
	if (!pid)
		_exit(stack_child(NULL));
	ended(pid);
	pid = SYS(clone(stack_child, stack + sizeof(stack),
			CLONE_NEWNET | SIGCHLD, NULL));
	ended(pid);
	/* Without a namespace, but with a stack. */
	pid = SYS(clone(stays, stack + sizeof(stack), SIGCHLD, NULL));
	ended(pid);
	EQ(marked(), 40);
}

static int executes(__attribute__((unused)) void *unused)
{
	execlp("sh", "sh", "-c",
	       "[ $(cat /proc/sys/net/ipv4/ip_default_ttl) = 64 ]", NULL);
	return 1;
}

/* One that shares the memory until it executes something, as Go makes them. */
static void spawned(void)
{
	static char stack[256 << 10] __attribute__((aligned(16)));

	mark(40);
	ended(SYS(clone(executes, stack + sizeof(stack),
			CLONE_NEWNET | CLONE_VM | CLONE_VFORK | SIGCHLD,
			NULL)));
	EQ(marked(), 40);
	program_marked(40);
}

static void child_cloned(void)
{
	in_child(cloned);
	in_child(spawned);
}

static void dropped(void)
{
	SYS(unshare(CLONE_NEWNET));
	mark(46);
	if (geteuid() || on_host)
		return;
	SYS(setresgid(65534, 65534, 65534));
	SYS(setresuid(65534, 65534, 65534));
	FAILS(unshare(CLONE_NEWNET), EPERM);
	FAILS(setns(saved, CLONE_NEWNET), EPERM);
	FAILS(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0), EPERM);
	/* Threads and children begin here nevertheless. */
	EQ(in_thread(thread_marked), 46);
	program_marked(46);
}

static void executed(void)
{
	SYS(socket(AF_INET, SOCK_DGRAM, 0));
	SYS(unshare(CLONE_NEWNET));
	mark(47);
	program_marked(47);
	execlp("sh", "sh", "-c",
	       "[ $(cat /proc/sys/net/ipv4/ip_default_ttl) = 47 ]", NULL);
	FAIL("sh is not executed");
}

/* A process that has given up its rights stays where it is. */
static void unprivileged(void)
{
	saved = open_ns("net");
	in_child(dropped);
	dropped();
}

static void files(void)
{
	char link[64], want[64];
	int fd = open_ns("net");
	struct stat st;

	SYS(fstat(fd, &st));
	EQ(st.st_ino, here());
	snprintf(want, sizeof(want), "net:[%ld]", here());
	link[SYS(readlink("/proc/self/ns/net", link, sizeof(link) - 1))] = 0;
	CHECK(!strcmp(link, want));
	EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWNET);
	/* Of a socket */
	SYS(unshare(CLONE_NEWNET));
	SYS(stat("/proc/self/ns/net", &st));
	CHECK(st.st_ino != (ino_t)atol(want + 5));
}

static const struct check tests[] = {
	{ "unshared", unshared },
	{ "refused", refused },
	{ "host_refused", host_refused },
	{ "threads", threads },
	{ "forks", forks },
	{ "thread_children", thread_children },
	{ "children_threads", children_threads },
	{ "cloned", cloned },
	{ "spawned", spawned },
	{ "child_cloned", child_cloned },
	{ "unprivileged", unprivileged },
	{ "executed", executed },
	{ "files", files },
};

int main(int argc, char **argv)
{
	on_host = getenv("NETNS_HOST");
	if (!on_host && !getenv("HIJACK_TEST"))
		SYS(dup2(SYS(open("/proc/self/ns/net", O_RDONLY)), HOST_NETNS));
	if (!on_host)
		hijack_self(argv);
	if (getenv("HIJACK_FORKED"))
		SYS(socket(AF_INET, SOCK_DGRAM, 0));
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
