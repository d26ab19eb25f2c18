// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host threads whose calls are those of another process: they have tasks of a process
 * of its own here (process.c), and are interrupted when it is.
 *
 * That process is not trusted.  The thread that makes its calls checks their
 * pointers; here it may open no file but those that tell about the network:
 * /proc/self/mem, for one, would be a way to all of the application's memory.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/proc_ns.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/call.h>
#include <asm/cred.h>
#include <asm/process.h>
#include <uapi/asm/netns.h>
#include <uapi/asm/share.h>

long lkl_share_copy(void *arg)
{
	struct lkl_share *share = arg;
	struct files_struct *from = current->files, *files;
	struct nsproxy *ns = current->nsproxy;

	if (share->none) {
		from = &init_files;
		ns = &init_nsproxy;
	} else if (share->from) {
		from = share->from->files;
	}
	files = dup_fd(from, NULL);
	if (IS_ERR(files)) {
		lkl_netns_put(share->ns);
		return PTR_ERR(files);
	}
	share->files = files;
	if (!share->ns && share->from) {
		share->ns = lkl_process_get_ns(share->from);
	} else if (!share->ns) {
		get_nsproxy(ns);
		share->ns = ns;
	}
	share->cred = share->from ? lkl_process_get_cred(share->from) :
				    get_cred(current_cred());
	share->process = NULL;
	return 0;
}

long lkl_share_set_cred(void *arg)
{
	const struct lkl_share_cred *set = arg;
	struct cred *new = lkl_cred_make(set->cred);

	if (IS_ERR(new))
		return PTR_ERR(new);
	lkl_process_set_cred(set->share, new);
	return 0;
}

long lkl_share_use_cred(void *arg)
{
	struct lkl_share_thread *thread = arg;

	lkl_process_use_cred(thread->share);
	return 0;
}

long lkl_share_use(void *arg)
{
	return lkl_process_join(arg);
}

long lkl_share_follow(void *arg)
{
	struct lkl_share_thread *thread = arg;
	long ns = lkl_netns_get(thread);

	if (ns < 0)
		return ns;
	lkl_process_set_ns(thread->share, (void *)ns);
	return 0;
}

long lkl_share_put(void *arg)
{
	struct lkl_share *share = arg;

	lkl_process_end(share);
	put_files_struct(share->files);
	put_nsproxy(share->ns);
	put_cred(share->cred);
	return 0;
}

long lkl_share_interrupt(void *arg)
{
	struct lkl_share_thread *thread = arg;
	struct task_struct *task = READ_ONCE(thread->task);
	struct lkl_call *call = task ? task->thread.active : NULL;

	if (!call)
		return -EAGAIN;
	call->interrupted = 1;
	lkl_interrupt_call(call);
	return 0;
}

long lkl_share_replace(void *tid)
{
	current->thread.host_tid = (long)tid;
	return 0;
}

long lkl_share_interrupt_all(void *unused)
{
	struct task_struct *task;
	long n = 0;

	rcu_read_lock();
	for_each_thread(current, task) {
		struct lkl_call *call = READ_ONCE(task->thread.active);

		if (task == current || !call)
			continue;
		call->interrupted = 1;
		lkl_interrupt_call(call);
		n++;
	}
	rcu_read_unlock();
	return n;
}

/* The rest of @name if it is @place or below, else NULL. */
static const char *lkl_share_below(const char *name, const char *place)
{
	size_t n = strlen(place);

	return !strncmp(name, place, n) && (!name[n] || name[n] == '/') ?
	       name + n : NULL;
}

/* Skip "/" and a number. */
static const char *lkl_share_number(const char *name)
{
	return *name == '/' ? name + 1 + strspn(name + 1, "0123456789") : name;
}

/* Is this the full name of a file about the network? */
static bool lkl_share_may_open(const char *name)
{
	const char *rest = lkl_share_below(name, "/proc"), *task;

	if (rest) {
		if (lkl_share_below(rest, "/sys/net"))
			return true;
		rest = lkl_share_number(rest);
		task = lkl_share_below(rest, "/task");
		if (task)
			rest = lkl_share_number(task);
		return lkl_share_below(rest, "/net");
	}
	rest = lkl_share_below(name, "/sys/devices");
	if (rest) {
		rest = strstr(rest, "/net");
		return rest && lkl_share_below(rest, "/net");
	}
	return lkl_share_below(name, "/sys/class/net") ||
	       lkl_share_below(name, LKL_NETNS_DIR) ||
	       lkl_share_below(name, "/etc/resolv.conf");
}

/* What it may do to a namespace that it has open is for the kernel to say. */
static bool lkl_share_is_netns(const struct path *path)
{
	return path->dentry->d_sb->s_magic == NSFS_MAGIC &&
	       get_proc_ns(d_inode(path->dentry))->ops->type == CLONE_NEWNET;
}

static int lkl_share_check(const struct path *path, int mode)
{
	char *buf = __getname(), *name;
	int err = -EACCES;

	if (!buf)
		return -ENOMEM;
	name = d_path(path, buf, PATH_MAX);
	if ((!IS_ERR(name) && lkl_share_may_open(name)) ||
	    lkl_share_is_netns(path))
		err = 0;
	__putname(buf);
	if (err)
		return err;
	if (d_is_symlink(path->dentry))
		return -ELOOP;
	if (d_is_dir(path->dentry) && mode & MAY_WRITE)
		return -EISDIR;
	return path_permission(path, MAY_OPEN | mode);
}

long lkl_share_open(void *arg)
{
	const struct lkl_share_open *open = arg;
	int flags = open->flags & (O_ACCMODE | O_NONBLOCK | O_CLOEXEC |
				   O_DIRECTORY | O_LARGEFILE);
	unsigned int lookup = 0;
	struct path path;
	struct file *file;
	int fd, err;

	if (!(open->flags & O_NOFOLLOW))
		lookup |= LOOKUP_FOLLOW;
	if (flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	err = user_path_at(open->dir, (const char __user __force *)open->name,
			   lookup, &path);
	if (err)
		return err;
	err = lkl_share_check(&path, ACC_MODE(flags));
	if (err)
		goto put;
	fd = get_unused_fd_flags(flags);
	err = fd;
	if (fd < 0)
		goto put;
	file = dentry_open(&path, flags, current_cred());
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		put_unused_fd(fd);
	} else {
		fd_install(fd, file);
	}
put:
	path_put(&path);
	return err;
}

long lkl_share_hold(void *arg)
{
	struct lkl_share_file *share = arg;

	share->file = fget(share->fd);
	return share->file ? 0 : -EBADF;
}

long lkl_share_take(void *arg)
{
	struct lkl_share_file *share = arg;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd >= 0)
		fd_install(fd, share->file);
	return fd;
}

long lkl_share_drop(void *arg)
{
	struct lkl_share_file *share = arg;

	fput(share->file);
	return 0;
}
