/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LUKS: encrypted disks.
 */
#ifndef LUKS_H
#define LUKS_H

#include "device.h"
#include "dm.h"
#include "key.h"

/**
 * luks_load() - load the library that luks_unlock() takes
 *
 * Return: 0, or -1 when it has said why not
 */
int luks_load(void);

/**
 * luks_unlock() - find the key of a disk
 * @image: what the disk belongs to, for messages
 * @k: the passphrase
 * @d: device with a LUKS header
 * @t: gets what makes a device of its content
 *
 * Return: 0, or -1 when it has said why not
 */
int luks_unlock(const char *image, const struct key *k, struct device *d,
		struct table *t);

#endif /* LUKS_H */
