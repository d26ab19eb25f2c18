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
#include <uapi/asm/watch.h>

struct lkl_watch_entry {
	struct wait_queue_entry wait;
	struct wait_queue_head *head;
	struct file *file;
	struct lkl_watch *watch;
	struct lkl_watch_entry *next;
	__poll_t key;
};

/* A poll() in progress that puts our entries into the queues it meets. */
struct lkl_watch_table {
	poll_table pt;
	struct lkl_watch *watch;
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
	init_waitqueue_func_entry(&entry->wait, lkl_watch_wake);
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
	struct lkl_watch_table table = { .watch = arg };
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
	struct lkl_watch_table table = { .watch = arg };
	struct lkl_watch *watch = arg;

	watch->entries = NULL;
	init_poll_funcptr(&table.pt, lkl_watch_queue);
	if (lkl_watch_poll(watch->files, &table.pt) & POLLNVAL)
		table.err = -EBADF;
	if (table.err)
		lkl_watch_free(watch);
	return table.err;
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
