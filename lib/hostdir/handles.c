// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is open in a host directory: a descriptor of the host for each open file
 * of the kernel.
 */
#include <stdlib.h>
#include <unistd.h>

#include "hostdir.h"

uint64_t handles_add(struct hostdir *h, uint64_t id, int fd)
{
	struct handle *handle = calloc(1, sizeof(*handle));
	uint64_t fh = 0;

	lock(&h->tree);
	if (handle)
		handle->node = nodes_find(h, id);
	if (handle && handle->node)
		fh = numbers_add(&h->handles, handle);
	if (fh) {
		handle->fd = fd;
		handle->users = 1;
		handle->next = handle->node->handles;
		handle->node->handles = handle;
	}
	unlock(&h->tree);
	if (!fh) {
		close(fd);
		free(handle);
	}
	return fh;
}

struct handle *handles_get(struct hostdir *h, uint64_t fh)
{
	struct handle *handle;

	lock(&h->tree);
	handle = numbers_find(&h->handles, fh);
	if (handle)
		handle->users++;
	unlock(&h->tree);
	return handle;
}

/* Nobody changes the handle meanwhile, or any other. */
struct handle *handles_borrow(struct hostdir *h, uint64_t fh)
{
	struct handle *handle;

	if (!try_lock(&h->tree))
		return NULL;
	handle = numbers_find(&h->handles, fh);
	if (!handle)
		unlock(&h->tree);
	return handle;
}

void handles_return(struct hostdir *h)
{
	unlock(&h->tree);
}

/* Any handle of a node, or NULL. */
struct handle *handles_of(struct hostdir *h, uint64_t id)
{
	struct handle *handle;
	struct node *node;

	lock(&h->tree);
	node = nodes_find(h, id);
	handle = node ? node->handles : NULL;
	if (handle)
		handle->users++;
	unlock(&h->tree);
	return handle;
}

static void free_handle(struct handle *handle)
{
	close(handle->fd);
	free(handle->entries);
	free(handle);
}

/* Give up a use; the node does without the handle once there is none. */
static struct handle *unused(struct hostdir *h, struct handle *handle)
{
	struct handle **p;

	if (--handle->users)
		return NULL;
	for (p = &handle->node->handles; *p != handle; p = &(*p)->next)
		;
	*p = handle->next;
	nodes_put(h, handle->node);
	return handle;
}

void handles_put(struct hostdir *h, struct handle *handle)
{
	lock(&h->tree);
	handle = unused(h, handle);
	unlock(&h->tree);
	if (handle)
		free_handle(handle);
}

void handles_remove(struct hostdir *h, uint64_t fh)
{
	struct handle *handle;

	lock(&h->tree);
	handle = numbers_find(&h->handles, fh);
	if (handle) {
		numbers_remove(&h->handles, fh);
		handle = unused(h, handle);
	}
	unlock(&h->tree);
	if (handle)
		free_handle(handle);
}

/* In a forked child, which has no use for them, whatever another thread did. */
void handles_forked(struct hostdir *h)
{
	size_t i;

	for (i = 0; i < h->handles.size; i++) {
		const struct handle *handle = numbers_find(&h->handles, i + 1);

		if (handle)
			close(handle->fd);
	}
}

void handles_clear(struct hostdir *h)
{
	size_t i;

	for (i = 0; i < h->handles.size; i++)
		handles_remove(h, i + 1);
}

int handles_take(struct hostdir *h, uint64_t id, struct handle **handle)
{
	*handle = handles_of(h, id);
	return *handle ? (*handle)->fd : nodes_open(h, id, O_PATH, NULL);
}

void handles_drop(struct hostdir *h, int fd, struct handle *handle)
{
	if (handle)
		handles_put(h, handle);
	else
		nodes_close(h, fd);
}
