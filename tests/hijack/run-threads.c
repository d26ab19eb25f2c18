// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads and processes under lkl-run: many short threads, what they leave
 * behind, cancellation, robust mutexes, fork, vfork, posix_spawn, exec, and a
 * thread made by clone3().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "run.h"

static __thread int local;

static void *short_thread(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	local = (int)(long)arg;
	CHECK(fd >= 0 && !close(fd));
	CHECK(syscall(SYS_gettid) != getpid());
	CHECK(local == (int)(long)arg);
	return (void *)(long)(local + 1);
}

static long threads_now(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long n = 0;

	CHECK(status);
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "Threads: %ld", &n) == 1)
			break;
	fclose(status);
	return n;
}

static long mappings_now(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	long n = 0;
	int c;

	CHECK(maps);
	while ((c = fgetc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

static void many_threads(void)
{
	long before = 0, maps = 0, i;

	for (i = 0; i < 3000; i += 4) {
		pthread_t t[4];
		void *ret;
		int k;

		for (k = 0; k < 4; k++)
			CHECK(!pthread_create(&t[k], NULL, short_thread,
					      (void *)(i + k)));
		for (k = 0; k < 4; k++)
			CHECK(!pthread_join(t[k], &ret) &&
			      (long)ret == i + k + 1);
		if (i == 400) {
			before = threads_now();
			maps = mappings_now();
		}
	}
	/* Nothing waits for their last steps. */
	for (i = 0; i < 1000 && threads_now() > before + 4; i++)
		usleep(10000);
	CHECK(threads_now() <= before + 4);
	CHECK(mappings_now() <= maps + 30);
}

static int cleaned;
static volatile int ready;

static void clean(void *arg)
{
	cleaned = *(int *)arg;
}

static void *blocked(void *arg)
{
	int *fd = arg, seven = 7;
	char c;

	pthread_cleanup_push(clean, &seven);
	ready = 1;
	CHECK(read(*fd, &c, 1) == 1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(int fd)
{
	pthread_t t;
	void *ret;

	cleaned = ready = 0;
	CHECK(!pthread_create(&t, NULL, blocked, &fd));
	while (!ready)
		usleep(1000);
	usleep(30000);
	CHECK(!pthread_cancel(t));
	CHECK(!pthread_join(t, &ret) && ret == PTHREAD_CANCELED);
	CHECK(cleaned == 7);
}

static void *dies_with_mutex(void *mutex)
{
	CHECK(!pthread_mutex_lock(mutex));
	return NULL;
}

static void robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	pthread_t t;

	CHECK(!pthread_mutexattr_init(&attr));
	CHECK(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&mutex, &attr));
	CHECK(!pthread_create(&t, NULL, dies_with_mutex, &mutex));
	CHECK(!pthread_join(t, NULL));
	CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD);
}

static int wait_for(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *child_thread(void *arg)
{
	*(int *)arg = 5;
	return NULL;
}

static void processes(void)
{
	char *true_argv[] = { "true", NULL }, *env[] = { NULL };
	int fd = socket(AF_INET, SOCK_STREAM, 0), five = 0, pipe_fd[2];
	pid_t pid;

	CHECK(fd >= 0 && !pipe(pipe_fd));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		pthread_t t;

		/* No kernel here, but threads, and the host. */
		CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == -1);
		CHECK(!pthread_create(&t, NULL, child_thread, &five));
		CHECK(!pthread_join(t, NULL) && five == 5);
		CHECK(write(pipe_fd[1], "x", 1) == 1);
		_exit(3);
	}
	CHECK(wait_for(pid) == 3);

	close(9);
	pid = vfork();
	if (!pid) {
		close(fd);
		dup2(pipe_fd[1], 9);
		execl("/bin/sh", "sh", "-c", "echo >&9; exit 4", NULL);
		_exit(127);
	}
	CHECK(wait_for(pid) == 4);
	/* What the child did to its descriptors is not the parent's. */
	CHECK(dup2(fd, 51) == 51 && fcntl(9, F_GETFD) == -1);
	CHECK(!listen(fd, 1));

	CHECK(!posix_spawn(&pid, "/bin/true", NULL, NULL, true_argv, env));
	CHECK(wait_for(pid) == 0);
	CHECK(posix_spawn(&pid, "/does/not/exist", NULL, NULL, true_argv,
			  env) == ENOENT);
	CHECK(execve("/does/not/exist", true_argv, env) == -1 &&
	      errno == ENOENT);
}

static int cloned(void *arg)
{
	*(int *)arg = syscall(SYS_gettid);
	return 0;
}

/* A thread as its own program would make it. */
static void raw_thread(void)
{
	static volatile int tid, cleared = 1;
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(stack != MAP_FAILED);
	CHECK(clone(cloned, stack + 65536,
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			    CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
		    (void *)&tid, NULL, NULL, &cleared) > 0);
	while (cleared)
		usleep(100);
	CHECK(tid > 0 && tid != getpid());
}

int main(int argc, char **argv)
{
	char name[16];
	int pipe_fd[2], fd;

	(void)argc;
	/* After execve() under lkl-run: with the name and arguments as given.
	 */
	if (argv[1] && !strcmp(argv[1], "again")) {
		CHECK(!strcmp(argv[0], "renamed") && !strcmp(argv[2], "a b"));
		CHECK(socket(AF_INET, SOCK_STREAM, 0) >= 0);
		return 0;
	}
	run_self(argv);
	CHECK(!prctl(PR_GET_NAME, name) && !strncmp(name, "run-threads", 11));
	many_threads();
	CHECK(!pipe(pipe_fd));
	cancel(pipe_fd[0]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	cancel(fd);
	robust();
	raw_thread();
	processes();
	execl("/proc/self/exe", "renamed", "again", "a b", NULL);
	return 1;
}
