/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every tool does the same way: messages, the exit status and signals.
 */
#ifndef TOOL_H
#define TOOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses: all done, something left out, nothing done at all. */
#define TOOL_OK 0
#define TOOL_PARTIAL 1
#define TOOL_FAILED 2

/* The exit status for a wrong command line. */
extern int tool_failed;

/* The name messages begin with. */
extern const char *tool_name;

/* The signal that asked the tool to stop, or 0. */
extern volatile sig_atomic_t tool_signal;

/* Set while an unfinished line stands on the terminal; messages erase it. */
extern volatile bool tool_line;

/**
 * tool_init() - set the name of the tool and catch the signals that stop it
 * @argv0: how the tool was called
 */
void tool_init(const char *argv0);

/**
 * tool_mortal() - let signals end the tool at once again
 *
 * For tools that change nothing, and would wait for the reader of their output.
 */
void tool_mortal(void);

/**
 * tool_wait_begin() - prepare for tool_wait_input()
 *
 * Due in a process that was forked, and before a sandbox.
 */
void tool_wait_begin(void);

/**
 * tool_wait_input() - wait until there is something to read, or a signal
 * @fd: descriptor to read from
 *
 * Return: false when a signal has asked the tool to stop
 */
bool tool_wait_input(int fd);

/**
 * tool_wait_some() - the same for a while
 * @fd: descriptor to read from
 * @ms: how long at most, in milliseconds, or -1
 *
 * Return: false when nothing has come so far
 */
bool tool_wait_some(int fd, int ms);

/**
 * tool_status() - the exit status the messages so far ask for
 *
 * Return: TOOL_OK or TOOL_PARTIAL
 */
int tool_status(void);

/**
 * tool_forget_errors() - let tool_status() be of what comes only
 */
void tool_forget_errors(void);

/**
 * tool_exit() - end as the signal that stopped the tool wants it, or normally
 * @status: exit status when there was no signal
 */
void tool_exit(int status) __attribute__((noreturn));

/**
 * tool_error() - print one line that says what went wrong
 * @fmt: as for printf(), without program name and newline
 */
void tool_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * tool_warn() - as tool_error(), but the exit status stays what it is
 * @fmt: as for printf(), without program name and newline
 */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * tool_file_error() - print "what 'label:path': reason"
 * @what: what could not be done
 * @label: image the file is in, or NULL for a file of the host
 * @path: the file; control characters are shown in octal
 * @err: negative error number
 */
void tool_file_error(const char *what, const char *label, const char *path,
		     long err);

/**
 * tool_file_reason() - as tool_file_error(), with a reason in words
 * @what: what could not be done
 * @label: image the file is in, or NULL
 * @path: the file
 * @reason: why
 */
void tool_file_reason(const char *what, const char *label, const char *path,
		      const char *reason);

/**
 * tool_file_warn() - as tool_file_error(), but no failure
 * @what: what could not be done
 * @label: image the file is in, or NULL
 * @path: the file
 * @reason: why
 */
void tool_file_warn(const char *what, const char *label, const char *path,
		    const char *reason);

/**
 * tool_usage_error() - print what is wrong with the command line and exit
 * @fmt: as for printf(); NULL when getopt has said it already
 */
void tool_usage_error(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/**
 * tool_number() - read a decimal number of the command line
 * @text: the number
 * @max: largest value allowed
 * @what: what it means, for the message
 *
 * Return: the number; does not return when it is not one
 */
uint64_t tool_number(const char *text, uint64_t max, const char *what);

/**
 * tool_parse_size() - read a size with a unit, as 10M or 3kB
 * @text: the size
 * @size: returned, in bytes
 *
 * Return: false when it is none, or too large
 */
bool tool_parse_size(const char *text, uint64_t *size);

/**
 * tool_no_memory() - say that there is no memory and exit
 */
void tool_no_memory(void) __attribute__((noreturn));

/**
 * tool_alloc() - allocate memory or exit
 * @old: what to enlarge, or NULL
 * @size: bytes
 *
 * Return: the memory
 */
void *tool_alloc(void *old, size_t size);

/**
 * struct tool_path - a path that becomes longer and shorter
 *
 * @text: the path, or NULL at first
 * @len: its length
 * @size: size of its memory
 */
struct tool_path {
	char *text;
	size_t len;
	size_t size;
};

/**
 * tool_path_set() - append a name to the start of a path
 * @path: the path
 * @len: how much of it remains
 * @name: what comes behind it, after a slash
 */
void tool_path_set(struct tool_path *path, size_t len, const char *name);

#define TOOL_SIZE 16

/**
 * tool_size() - write a number of bytes for people, like "1.5 kB"
 * @n: the number
 * @buf: where to
 *
 * Return: @buf
 */
const char *tool_size(double n, char buf[TOOL_SIZE]);

#endif /* TOOL_H */
