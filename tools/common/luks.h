/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LUKS: encrypted disks.
 */
#ifndef LUKS_H
#define LUKS_H

#include "image.h"
#include "layers.h"

/**
 * luks_ask() - get the passphrase from the key file or the terminal
 * @img: the image, whose @key is set
 *
 * Return: 0, or -1 when it has said why not
 */
int luks_ask(struct image *img);

/**
 * luks_load() - load the library that luks_unlock() takes
 *
 * Return: 0, or -1 when it has said why not
 */
int luks_load(void);

/**
 * luks_unlock() - find the key of a disk
 * @img: the image; it is asked for the passphrase if need be
 * @d: device with a LUKS header
 * @t: gets what makes a device of its content
 *
 * Return: 0, or -1 when it has said why not
 */
int luks_unlock(struct image *img, struct device *d, struct table *t);

/**
 * luks_forget() - forget the passphrase
 * @img: the image
 */
void luks_forget(struct image *img);

#endif /* LUKS_H */
