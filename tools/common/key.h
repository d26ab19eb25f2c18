/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Passphrases.
 */
#ifndef KEY_H
#define KEY_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct key - a passphrase
 *
 * @file: file that it is in, "-" for standard input, or NULL to ask
 * @text: the passphrase, or NULL as long as it is not known
 * @len: its length
 * @elsewhere: another process asks for it, which this one cannot
 * @wanted: this process would have asked
 */
struct key {
	const char *file;
	char *text;
	size_t len;
	bool elsewhere;
	bool wanted;
};

/**
 * key_get() - get the passphrase from its file or the terminal
 * @k: the passphrase
 * @image: what it is for
 * @option: option that gives a file with it, for the message
 *
 * Return: 0, or -1 when it has said why not
 */
int key_get(struct key *k, const char *image, const char *option);

/**
 * key_copy() - have a known passphrase twice
 * @to: the copy
 * @from: the passphrase
 */
void key_copy(struct key *to, const struct key *from);

/**
 * key_forget() - forget the passphrase
 * @k: the passphrase
 */
void key_forget(struct key *k);

#endif /* KEY_H */
