/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control characters, which a terminal takes for orders: text that comes from
 * an image is printed without them.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdio.h>

/**
 * control_is() - is it a control character?
 * @c: the byte
 *
 * Return: whether it is one
 */
static inline bool control_is(unsigned char c)
{
	return c < ' ' || c == 127;
}

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
