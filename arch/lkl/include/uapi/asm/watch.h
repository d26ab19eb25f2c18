/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Waiting for files of the library's kernel outside of it.
 *
 * A program that waits for files of the host and of the library at once sleeps
 * in the host.  A watch tells it when one of the library's files may have become
 * ready.
 */
#ifndef _UAPI_ASM_LKL_WATCH_H
#define _UAPI_ASM_LKL_WATCH_H

/**
 * struct lkl_watch_file - a file, as struct pollfd has it
 * @fd: descriptor of the library's kernel
 * @events: what to wait for
 * @revents: what has come true
 */
struct lkl_watch_file {
	int fd;
	short events;
	short revents;
};

/**
 * struct lkl_watch - files that host code waits for
 * @notify: [kernel] called each time one of the files may have become ready,
 *	with the virtual CPU held: must be short, and use raw system calls only
 * @files: the files; not looked at between the calls below, but see
 *	lkl_watch_once()
 * @count: number of them
 * @entries: the kernel's
 */
struct lkl_watch {
	void (*notify)(struct lkl_watch *watch);
	struct lkl_watch_file *files;
	unsigned int count;
	void *entries;
};

/**
 * lkl_watch_start - watch files, unless one is ready already
 * @watch: struct lkl_watch
 *
 * This and the next are to be run in kernel context.
 *
 * Return: number of files with revents; only if that is 0 they are being
 * watched; or -ENOMEM
 */
long lkl_watch_start(void *watch);

/**
 * lkl_watch_always - watch the one file of a watch, ready or not
 * @watch: struct lkl_watch
 *
 * Return: 0, -EBADF or -ENOMEM
 */
long lkl_watch_always(void *watch);

/**
 * lkl_watch_once - watch the one file of a watch, unless it is ready
 * @watch: struct lkl_watch
 *
 * @notify is called once, when the file is ready.  What for is in its revents, with
 * what is ready at the same time.
 *
 * Return: revents; only if that is 0 the file is being watched; or -EBADF or
 *	-ENOMEM
 */
long lkl_watch_once(void *watch);

/**
 * lkl_watch_stop - watch no more, and look at the files once more
 * @watch: struct lkl_watch
 *
 * Return: number of files with revents
 */
long lkl_watch_stop(void *watch);

#endif /* _UAPI_ASM_LKL_WATCH_H */
