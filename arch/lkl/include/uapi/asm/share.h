/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Several processes in one library: a host thread can make calls in the name of
 * another process, as after a fork(), which is one of the kernel's, too, and that
 * is not trusted.
 *
 * All of these functions are to be run in kernel context.
 */
#ifndef _UAPI_ASM_LKL_SHARE_H
#define _UAPI_ASM_LKL_SHARE_H

/**
 * struct lkl_share - a process, and its files and credentials
 * @files: the kernel's
 * @ns: where its threads begin: a namespace (netns.h).  For lkl_share_copy():
 *	the caller's until then; NULL is that of who forks
 * @cred: the kernel's
 * @from: for lkl_share_copy(): whose to copy; NULL are the caller's
 * @none: for lkl_share_copy(): have no descriptors
 * @pid: for lkl_share_use(): its number on the host, or 0
 * @number: its number in the kernel, while there is a @process: @pid, unless
 *	another task has that
 * @process: the kernel's, from the first lkl_share_use() on
 */
struct lkl_share {
	void *files;
	void *ns;
	const void *cred;
	struct lkl_share *from;
	int none;
	int pid;
	int number;
	void *process;
};

/**
 * struct lkl_share_thread - a host thread that makes a process's calls
 * @share: its files
 * @task: the kernel's, for lkl_share_interrupt(); to be set to NULL before the
 *	thread makes no calls any more
 * @ns: for lkl_share_use(): the namespace in which it begins, the caller's
 *	until then; NULL is the process's
 */
struct lkl_share_thread {
	struct lkl_share *share;
	void *task;
	void *ns;
};

struct lkl_cred;

/**
 * struct lkl_share_cred - new credentials of a process
 * @share: the process
 * @cred: its credentials
 */
struct lkl_share_cred {
	struct lkl_share *share;
	const struct lkl_cred *cred;
};

/**
 * struct lkl_share_open - what a process wants to open
 * @dir: descriptor of a directory
 * @name: name
 * @flags: as for openat()
 */
struct lkl_share_open {
	int dir;
	const char *name;
	int flags;
};

/**
 * struct lkl_share_file - a file on its way from one process to another
 * @fd: its descriptor
 * @file: the kernel's
 */
struct lkl_share_file {
	int fd;
	void *file;
};

/**
 * struct lkl_share_copy - data that is sent by MSG_ZEROCOPY, and copied
 * @fd: descriptor of the socket
 * @notification: the kernel's; NULL if there is to be none, as the socket has not
 *	SO_ZEROCOPY
 * @sent: some of it has been sent
 */
struct lkl_share_copy {
	int fd;
	void *notification;
	int sent;
};

/**
 * lkl_share_copy - copy a table of descriptors, as fork() does
 * @share: struct lkl_share, which is filled in
 *
 * Return: 0 or a negative error number
 */
long lkl_share_copy(void *share);

/**
 * lkl_share_use - make a task by which a host thread can make a process's calls
 * @thread: struct lkl_share_thread, whose @task is filled in
 *
 * The calling thread is to end the task that it has, and take that one instead.
 *
 * Return: 0 or a negative error number
 */
long lkl_share_use(void *thread);

/**
 * lkl_share_follow - have a process's threads begin in the namespace that one of
 *	them is in
 * @thread: struct lkl_share_thread of that
 *
 * Return: 0, or -ESRCH when it has ended
 */
long lkl_share_follow(void *thread);

/**
 * lkl_share_set_cred - set the credentials of a process
 * @cred: struct lkl_share_cred
 *
 * Return: 0 or a negative error number
 */
long lkl_share_set_cred(void *cred);

/**
 * lkl_share_use_cred - have the calling thread be whoever its process is now
 * @thread: struct lkl_share_thread
 *
 * Return: 0
 */
long lkl_share_use_cred(void *thread);

/**
 * lkl_share_put - the process ends, of which no thread has a task any more
 * @share: struct lkl_share
 *
 * Return: 0
 */
long lkl_share_put(void *share);

/**
 * lkl_share_interrupt - have the call that a thread waits in end with -EINTR
 * @thread: struct lkl_share_thread
 *
 * Return: 0, or -EAGAIN when it is in none: the call has ended or not begun
 */
long lkl_share_interrupt(void *thread);

/**
 * lkl_share_replace - the calling host thread takes another one's place
 * @tid: number of it, a long, by which the host knows it
 *
 * Its task remains.
 *
 * Return: 0
 */
long lkl_share_replace(void *tid);

/**
 * lkl_share_interrupt_all - have the calls that threads wait in end with -EINTR
 * @unused: not used
 *
 * Those of all threads but the calling one.
 *
 * Return: how many there are
 */
long lkl_share_interrupt_all(void *unused);

/**
 * lkl_share_open - open a file that tells about the network, and no other
 * @open: struct lkl_share_open
 *
 * The file is looked at, not its name.  Nothing is created.
 *
 * Return: a descriptor or a negative error number, -EACCES for other files
 */
long lkl_share_open(void *open);

/**
 * lkl_share_hold - hold a file of the calling thread's process
 * @file: struct lkl_share_file with @fd, whose @file is filled in
 *
 * To be followed by lkl_share_take() or lkl_share_drop(), on any thread.
 *
 * Return: 0 or a negative error number
 */
long lkl_share_hold(void *file);

/**
 * lkl_share_take - give the calling thread's process a file that is held
 * @file: struct lkl_share_file; the file is not held any more, if it succeeds
 *
 * Return: a descriptor or a negative error number
 */
long lkl_share_take(void *file);

/**
 * lkl_share_drop - hold a file no longer
 * @file: struct lkl_share_file
 *
 * Return: 0
 */
long lkl_share_drop(void *file);

/**
 * lkl_share_copy_begin - data is about to be sent, and copied
 * @copy: struct lkl_share_copy with @fd, whose @notification is filled in
 *
 * To be followed by lkl_share_copy_end() if there is to be one.
 *
 * Return: 0, or -ENOBUFS: it is not to be sent
 */
long lkl_share_copy_begin(void *copy);

/**
 * lkl_share_copy_end - it has been sent, or could not be
 * @copy: struct lkl_share_copy with a @notification
 *
 * Return: 0
 */
long lkl_share_copy_end(void *copy);

#endif /* _UAPI_ASM_LKL_SHARE_H */
