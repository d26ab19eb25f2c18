// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tell a thread outside the kernel that a file may have become ready.
 *
 * This is what poll() does to sleep, but instead of waking a task, the entry in
 * the file's wait queue calls a function of the host.  Entries hold on to their
 * file, so they can be taken out of the queue at any time.
 */
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/asm/watch.h>

struct lkl_watch_entry {
	struct wait_queue_entry wait;
	struct wait_queue_head *head;
	struct file *file;
	struct lkl_watch *watch;
	struct lkl_watch_entry *next;
	__poll_t key;
	struct work_struct look;
};

/* A poll() in progress that puts our entries into the queues it meets. */
struct lkl_watch_table {
	poll_table pt;
	struct lkl_watch *watch;
	wait_queue_func_t wake;
	int err;
};

static int lkl_watch_wake(struct wait_queue_entry *wait, unsigned int mode,
			  int sync, void *key)
{
	struct lkl_watch_entry *entry =
		container_of(wait, struct lkl_watch_entry, wait);

	if (key && !(key_to_poll(key) & entry->key))
		return 0;
	entry->watch->notify(entry->watch);
	return 1;
}

/* The first time, the file is ready for this. */
static void lkl_watch_tell(struct lkl_watch *watch, __poll_t mask)
{
	if (watch->files->revents)
		return;
	watch->files->revents = mangle_poll(mask);
	watch->notify(watch);
}

/* As requests to files (fs/aio.c) do: what is not told is looked at. */
static void lkl_watch_look(struct work_struct *work)
{
	struct lkl_watch_entry *entry =
		container_of(work, struct lkl_watch_entry, look);
	__poll_t mask = vfs_poll(entry->file, NULL) & entry->key;

	if (mask)
		lkl_watch_tell(entry->watch, mask);
}

static int lkl_watch_wake_once(struct wait_queue_entry *wait, unsigned int mode,
			       int sync, void *key)
{
	struct lkl_watch_entry *entry =
		container_of(wait, struct lkl_watch_entry, wait);
	__poll_t mask = key_to_poll(key);

	if (!mask) {
		schedule_work(&entry->look);
		return 1;
	}
	if (!(mask & entry->key))
		return 0;
	if (!work_pending(&entry->look))
		lkl_watch_tell(entry->watch, mask);
	return 1;
}

static void lkl_watch_queue(struct file *file, struct wait_queue_head *head,
			    poll_table *pt)
{
	struct lkl_watch_table *table =
		container_of(pt, struct lkl_watch_table, pt);
	struct lkl_watch_entry *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry) {
		table->err = -ENOMEM;
		return;
	}
	init_waitqueue_func_entry(&entry->wait, table->wake);
	INIT_WORK(&entry->look, lkl_watch_look);
	entry->head = head;
	entry->file = get_file(file);
	entry->watch = table->watch;
	entry->key = pt->_key;
	entry->next = table->watch->entries;
	table->watch->entries = entry;
	add_wait_queue(head, &entry->wait);
}

static void lkl_watch_free(struct lkl_watch *watch)
{
	struct lkl_watch_entry *entry, *next;

	for (entry = watch->entries; entry; entry = next) {
		next = entry->next;
		remove_wait_queue(entry->head, &entry->wait);
		if (entry->wait.func == lkl_watch_wake_once)
			cancel_work_sync(&entry->look);
		fput(entry->file);
		kfree(entry);
	}
	watch->entries = NULL;
}

/* poll() one file: what it is ready for. */
static short lkl_watch_poll(struct lkl_watch_file *f, poll_table *pt)
{
	__poll_t filter = demangle_poll((u16)f->events) | EPOLLERR | EPOLLHUP;
	struct fd fd = fdget(f->fd);
	__poll_t mask;

	if (!fd_file(fd))
		return POLLNVAL;
	pt->_key = filter;
	mask = vfs_poll(fd_file(fd), pt) & filter;
	fdput(fd);
	return mangle_poll(mask);
}

long lkl_watch_start(void *arg)
{
	struct lkl_watch_table table = { .watch = arg, .wake = lkl_watch_wake };
	struct lkl_watch *watch = arg;
	unsigned int i;
	long ready = 0;

	watch->entries = NULL;
	init_poll_funcptr(&table.pt, lkl_watch_queue);
	for (i = 0; i < watch->count; i++) {
		struct lkl_watch_file *f = &watch->files[i];

		f->revents = lkl_watch_poll(f, &table.pt);
		if (f->revents) {
			ready++;
			/* No thread will sleep. */
			table.pt._qproc = NULL;
		}
	}
	if (ready || table.err)
		lkl_watch_free(watch);
	return ready ?: table.err;
}

long lkl_watch_always(void *arg)
{
	struct lkl_watch_table table = { .watch = arg, .wake = lkl_watch_wake };
	struct lkl_watch *watch = arg;

	watch->entries = NULL;
	init_poll_funcptr(&table.pt, lkl_watch_queue);
	if (lkl_watch_poll(watch->files, &table.pt) & POLLNVAL)
		table.err = -EBADF;
	if (table.err)
		lkl_watch_free(watch);
	return table.err;
}

long lkl_watch_once(void *arg)
{
	struct lkl_watch_table table = { .watch = arg,
					 .wake = lkl_watch_wake_once };
	struct lkl_watch *watch = arg;
	short ready;

	watch->entries = NULL;
	watch->files->revents = 0;
	init_poll_funcptr(&table.pt, lkl_watch_queue);
	ready = lkl_watch_poll(watch->files, &table.pt);
	if (!ready && !table.err)
		return 0;
	lkl_watch_free(watch);
	if (ready & POLLNVAL)
		return -EBADF;
	return ready ?: table.err;
}

long lkl_watch_stop(void *arg)
{
	struct lkl_watch *watch = arg;
	poll_table pt = {};
	unsigned int i;
	long ready = 0;

	lkl_watch_free(watch);
	for (i = 0; i < watch->count; i++) {
		struct lkl_watch_file *f = &watch->files[i];

		f->revents = lkl_watch_poll(f, &pt);
		ready += !!f->revents;
	}
	return ready;
}
