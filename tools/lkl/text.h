/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How properties of files are written and read.
 */
#ifndef LKL_TEXT_H
#define LKL_TEXT_H

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "verb.h"

#define MODE_TEXT 11
#define SIZE_TEXT 32
#define TIME_TEXT 64

/**
 * text_read() - read a small file of the image's
 * @s: the session
 * @path: the file
 * @max: more is not read
 * @text: the content, with a 0 behind it, to be freed
 * @len: its length
 *
 * Return: 0, or a negative error number, -EFBIG for more than @max
 */
long text_read(const struct session *s, const char *path, size_t max,
	       char **text, size_t *len);

/**
 * text_mode() - type and permissions, as ls -l has them
 * @mode: the mode
 * @text: where to
 *
 * Return: @text
 */
const char *text_mode(mode_t mode, char text[MODE_TEXT]);

/**
 * text_type() - the type of a file in a word
 * @mode: its mode
 *
 * Return: "file", "directory", ...
 */
const char *text_type(mode_t mode);

/**
 * text_size() - a size as GNU's tools write it
 * @size: the size in bytes
 * @human: 1024 or 1000 to write it with a unit, else that in which to count
 * @units: it is written with a unit
 * @text: where to
 *
 * Return: @text; sizes are rounded up
 */
const char *text_size(uint64_t size, unsigned int human, bool units,
		      char text[SIZE_TEXT]);

/**
 * text_unit() - in which unit sizes are wanted: options -h, -H, --si and -b
 * @a: the command line
 * @size: the unit, returned, for text_size()
 * @units: whether it is written, returned
 */
void text_unit(const struct args *a, unsigned int *size, bool *units);

/**
 * text_time() - a time, in the local time zone
 * @ts: the time
 * @style: full-iso, long-iso, iso, locale, or + and a format of strftime(3)
 * @text: where to
 *
 * Return: @text
 */
const char *text_time(const struct timespec *ts, const char *style,
		      char text[TIME_TEXT]);

/**
 * text_time_style() - is it a style that text_time() knows?
 * @style: the style
 *
 * Return: whether it is
 */
bool text_time_style(const char *style);

/**
 * text_parse_time() - read a time
 * @text: @SECONDS, now, or YYYY-MM-DD[ HH:MM[:SS[.FRACTION]]][Z]
 * @ts: the time
 *
 * Return: false when it is none
 */
bool text_parse_time(const char *text, struct timespec *ts);

/**
 * text_label() - the SELinux label of a file
 * @s: the session
 * @dir: directory it is in
 * @name: its name
 * @label: where to
 * @size: size of that
 *
 * Return: @label, which is "?" if there is none
 */
const char *text_label(const struct session *s, int dir, const char *name,
		       char *label, size_t size);

/**
 * text_link() - where a link leads to
 * @s: the session
 * @dir: directory it is in
 * @name: its name
 * @target: PATH_MAX bytes for it
 *
 * Return: 0 or a negative error number
 */
long text_link(const struct session *s, int dir, const char *name,
	       char *target);

#endif /* LKL_TEXT_H */
