/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stream asks of the host.
 */
#ifndef STREAM_HOST_H
#define STREAM_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, which a process that is forked later has in common; or NULL.
 */
void *stream_memory(size_t size, bool shared);
void stream_free_memory(void *memory, size_t size);

/* A file for such memory, which no process can make smaller; or -1. */
int stream_file(size_t size);
void *stream_file_memory(int file, size_t size);

/* Processes that are forked from now on do not have it. */
void stream_keep_memory(void *memory, size_t size);

/* Sleep while the word is 1, so many milliseconds at most; 0 is for ever. */
void stream_sleep(_Atomic uint32_t *word, unsigned int ms);
void stream_wake(_Atomic uint32_t *word);

/* Has the process ended that this descriptor is of? */
bool stream_ended(int fd);

#endif /* STREAM_HOST_H */
