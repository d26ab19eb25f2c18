/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control characters, which a terminal takes for orders: text that comes from
 * an image is printed without them.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * control_next() - look at a character
 * @text: a text that does not end there
 * @control: whether it is a control character, also one of those beyond ASCII, in
 *	UTF-8 or as a byte
 *
 * Return: its bytes; 1 if it is not UTF-8
 */
size_t control_next(const char *text, bool *control);

/**
 * control_hide() - replace control characters by question marks
 * @text: the text, changed in place
 *
 * Return: @text
 */
char *control_hide(char *text);

/**
 * control_escape() - print a text with control characters in octal
 * @f: where to
 * @text: the text
 * @others: other characters that are escaped
 */
void control_escape(FILE *f, const char *text, const char *others);

/**
 * control_unescape() - undo control_escape()
 * @text: the text, changed in place
 *
 * Return: its end
 */
char *control_unescape(char *text);

#endif /* CONTROL_H */
