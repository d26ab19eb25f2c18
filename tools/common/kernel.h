/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts the library's kernel for a tool, and reads its log.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * kernel_prepare() - do what kernel_start() cannot do in a sandbox
 * @mem: as for that
 * @verbose: as for that
 *
 * Return: 0 or a negative error number
 */
int kernel_prepare(unsigned int mem, bool verbose);

/**
 * kernel_start() - boot, and set what all tools want
 * @mem: its memory in MiB
 * @verbose: show all of its messages
 * @umask: what file systems without permissions take away
 *
 * lkl_init() has been called, and the disks are added.
 *
 * Return: 0, or -1 when it has said why not
 */
int kernel_start(unsigned int mem, bool verbose, mode_t umask);

/**
 * kernel_failed() - say that the kernel cannot be started
 * @mem: its memory in MiB
 * @err: negative error number
 *
 * Return: -1
 */
int kernel_failed(unsigned int mem, long err);

/**
 * kernel_set() - write to a file of /proc or /sys, if the kernel has it
 * @path: the file
 * @text: what to write
 */
void kernel_set(const char *path, const char *text);

/**
 * kernel_clear_log() - forget the kernel's messages so far
 */
void kernel_clear_log(void);

/**
 * kernel_log() - the kernel's messages since kernel_clear_log()
 *
 * Return: the text, to be freed
 */
char *kernel_log(void);

/**
 * kernel_said() - look for a text in the kernel's messages
 * @what: the text
 *
 * Return: whether one of them contains it
 */
bool kernel_said(const char *what);

/**
 * kernel_reason() - the most severe of the kernel's messages
 * @reason: filled in, without level, time and device; "" if there is none
 * @size: size of @reason
 *
 * File systems explain there what an error number cannot.
 */
void kernel_reason(char *reason, size_t size);

#endif /* KERNEL_H */
