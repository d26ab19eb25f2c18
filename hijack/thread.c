// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core knows of the calling thread of the program.
 */
#include <sys/mman.h>

#include "internal.h"

__thread struct hijack_thread hijack_this_thread
	__attribute__((tls_model("initial-exec")));

struct hijack_thread *hijack_thread(void)
{
	return &hijack_this_thread;
}

/* Room to copy with; NULL if there is none. */
void *hijack_thread_buffer(void)
{
	struct hijack_thread *t = hijack_thread();
	long map;

	if (!t->buffer) {
		map = host6(SYS_mmap, 0, COPY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map < 0 && map > -4096)
			return NULL;
		t->buffer = (void *)map;
	}
	return t->buffer;
}
