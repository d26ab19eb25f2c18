// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call raises SIGPIPE under both ways in exactly if it does on the host: for
 * each kind of file, after each way to break it, and each call that writes; in
 * the program, in a thread, in its child and in a program that it executes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "hijack.h"

static volatile int signals, strange;

static void on_pipe(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	signals++;
	/* It is for the thread that makes the call. */
	strange |= info->si_code != SI_USER && info->si_code != SI_TKILL;
}

/*
 * What is written to
 */
static int files[2];

static void tcp(void)
{
	tcp_pair(files);
}

static void tcp_alone(void)
{
	files[0] = SYS(socket(AF_INET, SOCK_STREAM, 0));
	files[1] = -1;
}

static void tcp_listening(void)
{
	tcp_alone();
	SYS(listen(files[0], 1));
}

static void tcp6(void)
{
	files[0] = SYS(socket(AF_INET6, SOCK_STREAM, 0));
	files[1] = -1;
}

static void udp(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	files[0] = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	files[1] = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	SYS(bind(files[1], (void *)&addr, len));
	SYS(getsockname(files[1], (void *)&addr, &len));
	SYS(connect(files[0], (void *)&addr, len));
}

static void unix_stream(void)
{
	SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, files));
}

static void unix_packets(void)
{
	SYS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, files));
}

static void unix_datagrams(void)
{
	SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, files));
}

static void pipes(void)
{
	int p[2];

	SYS(pipe(p));
	files[0] = p[1];
	files[1] = p[0];
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "tcp", tcp },
	{ "tcp-alone", tcp_alone },
	{ "tcp-listening", tcp_listening },
	{ "tcp6-alone", tcp6 },
	{ "udp", udp },
	{ "unix-stream", unix_stream },
	{ "unix-seqpacket", unix_packets },
	{ "unix-dgram", unix_datagrams },
	{ "pipe", pipes },
};

/*
 * How it is broken
 */
static void shut(void)
{
	shutdown(files[0], SHUT_WR);
}

static void shut_read(void)
{
	shutdown(files[0], SHUT_RD);
}

/* With data that nobody has read: a TCP connection is reset. */
static void gone(void)
{
	socklen_t size = sizeof(int);
	int protocol = 0;
	ssize_t n;
	char c;

	if (files[1] < 0)
		return;
	n = write(files[0], "x", 1);
	SYS(close(files[1]));
	files[1] = -1;
	/* It has arrived once this returns, and the error is taken. */
	getsockopt(files[0], SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
	if (protocol == IPPROTO_TCP)
		n = recv(files[0], &c, 1, 0);
	(void)n;
}

static const struct {
	const char *name;
	void (*cut)(void);
} ways[] = { { "shut", shut }, { "shut-read", shut_read }, { "gone", gone } };

/*
 * What writes
 */
static char text[10];

static long by_write(int fd)
{
	return write(fd, text, sizeof(text));
}

static long by_writev(int fd)
{
	struct iovec iov[2] = { { text, 4 }, { text, 6 } };

	return writev(fd, iov, 2);
}

static long by_pwritev2(int fd)
{
	struct iovec iov = { text, 4 };

	return pwritev2(fd, &iov, 1, -1, 0);
}

static long by_send(int fd)
{
	return send(fd, text, sizeof(text), 0);
}

static long by_send_quietly(int fd)
{
	return send(fd, text, sizeof(text), MSG_NOSIGNAL);
}

static long by_sendto(int fd)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = 9 };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sendto(fd, text, sizeof(text), 0, (void *)&addr, sizeof(addr));
}

static long send_message(int fd, int flags)
{
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	return sendmsg(fd, &msg, flags);
}

static long by_sendmsg(int fd)
{
	return send_message(fd, 0);
}

static long by_sendmsg_quietly(int fd)
{
	return send_message(fd, MSG_NOSIGNAL);
}

static long send_messages(int fd, int flags)
{
	struct iovec iov = { text, sizeof(text) };
	struct mmsghdr msg[2] = {
		{ { .msg_iov = &iov, .msg_iovlen = 1 }, 0 },
		{ { .msg_iov = &iov, .msg_iovlen = 1 }, 0 },
	};

	return sendmmsg(fd, msg, 2, flags);
}

static long by_sendmmsg(int fd)
{
	return send_messages(fd, 0);
}

static long by_sendmmsg_quietly(int fd)
{
	return send_messages(fd, MSG_NOSIGNAL);
}

static long by_splice(int fd)
{
	int p[2], err;
	long ret;

	SYS(pipe(p));
	EQ(write(p[1], text, sizeof(text)), sizeof(text));
	ret = splice(p[0], NULL, fd, NULL, sizeof(text), 0);
	err = errno;
	close(p[0]);
	close(p[1]);
	errno = err;
	return ret;
}

static long by_sendfile(int fd)
{
	int from = SYS(open("/proc/self/exe", O_RDONLY)), err;
	long ret = sendfile(fd, from, NULL, 10);

	err = errno;
	close(from);
	errno = err;
	return ret;
}

/* What is already sent when it breaks is not told to anybody. */
static long by_much(int fd)
{
	static char much[300000];

	return send(fd, much, sizeof(much), 0);
}

static const struct {
	const char *name;
	long (*send)(int fd);
} calls[] = {
	{ "write", by_write },
	{ "writev", by_writev },
	{ "pwritev2", by_pwritev2 },
	{ "send", by_send },
	{ "send-quietly", by_send_quietly },
	{ "sendto", by_sendto },
	{ "sendmsg", by_sendmsg },
	{ "sendmsg-quietly", by_sendmsg_quietly },
	{ "sendmmsg", by_sendmmsg },
	{ "sendmmsg-quietly", by_sendmmsg_quietly },
	{ "splice", by_splice },
	{ "sendfile", by_sendfile },
	{ "much", by_much },
};

static void one(const char *who, int kind, int way, int call)
{
	long ret;

	kinds[kind].make();
	ways[way].cut();
	/* Room for all that may be sent. */
	fcntl(files[0], F_SETFL, O_NONBLOCK);
	signals = 0;
	ret = calls[call].send(files[0]);
	if (calls[call].send == by_much && ret > 0)
		ret = 1;
	printf("%s %s %s %s: %s, %d signals%s\n", who, kinds[kind].name,
	       ways[way].name, calls[call].name,
	       ret < 0 ? strerrorname_np(errno)
	       : ret   ? "sent"
		       : "0",
	       signals, strange ? ", strange" : "");
	close(files[0]);
	if (files[1] >= 0)
		close(files[1]);
}

static void all(const char *who)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
			for (size_t c = 0; c < ARRAY_SIZE(calls); c++)
				one(who, k, w, c);
	fflush(stdout);
}

/*
 * The signal's way
 */
static pthread_t receiver;

static void note_thread(int sig)
{
	(void)sig;
	signals++;
	strange |= !pthread_equal(pthread_self(), receiver);
}

static void *in_thread(void *arg)
{
	(void)arg;
	receiver = pthread_self();
	unix_stream();
	close(files[1]);
	by_write(files[0]);
	close(files[0]);
	tcp();
	shut();
	by_write(files[0]);
	close(files[0]);
	close(files[1]);
	return NULL;
}

/* By default, ignored, blocked; and whose it is. */
static void dispositions(const char *who)
{
	sigset_t set, pending;
	pthread_t thread;
	int status;
	pid_t pid;

	tcp();
	shut();
	pid = SYS(fork());
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		by_write(files[0]);
		_exit(0);
	}
	SYS(waitpid(pid, &status, 0));
	printf("%s default: %#x\n", who, status);
	signal(SIGPIPE, SIG_IGN);
	printf("%s ignored: %ld %s\n", who, by_write(files[0]),
	       strerrorname_np(errno));
	signal(SIGPIPE, note_thread);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	receiver = pthread_self();
	signals = strange = 0;
	by_write(files[0]);
	sigpending(&pending);
	printf("%s blocked: %d signals, %d pending\n", who, signals,
	       sigismember(&pending, SIGPIPE));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("%s unblocked: %d signals\n", who, signals);
	close(files[0]);
	close(files[1]);
	signals = 0;
	EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
	EQ(pthread_join(thread, NULL), 0);
	printf("%s thread: %d signals%s\n", who, signals,
	       strange ? " in another" : "");
	strange = 0;
	fflush(stdout);
}

static void report(const char *who)
{
	struct sigaction sa = { .sa_sigaction = on_pipe,
				.sa_flags = SA_SIGINFO };

	EQ(sigaction(SIGPIPE, &sa, NULL), 0);
	all(who);
	dispositions(who);
}

static void wait_for(pid_t pid)
{
	int status;

	SYS(waitpid(pid, &status, 0));
	EQ(status, 0);
}

static int report_all(const char *self)
{
	pid_t pid;

	/* Before the first: each has a kernel of its own. */
	report("program");
	SYS(socket(AF_INET, SOCK_DGRAM, 0));
	fflush(stdout);
	pid = SYS(fork());
	if (!pid) {
		report("child");
		exit(0);
	}
	wait_for(pid);
	pid = SYS(vfork());
	if (!pid) {
		execl(self, self, "executed", NULL);
		_exit(1);
	}
	wait_for(pid);
	return 0;
}

static int same(const char *way)
{
	char command[256];

	snprintf(command, sizeof(command), "diff host %s", way);
	return system(command);
}

int main(int argc, char **argv)
{
	static const char *const under[] = { "lkl-hijack.sh", "lkl-run" };
	char self[4096] = "", command[16384];

	SYS(readlink("/proc/self/exe", self, sizeof(self) - 1));
	if (argc > 1 && !strcmp(argv[1], "all"))
		return report_all(self);
	if (argc > 1) {
		report(argv[1]);
		return 0;
	}
	snprintf(command, sizeof(command), "'%s' all >host", self);
	EQ(system(command), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command), "'%s/bin/%s' '%s' all >%s",
			 getenv("BUILD"), under[i], self, under[i]);
		EQ(system(command), 0);
		EQ(same(under[i]), 0);
	}
	return 0;
}
