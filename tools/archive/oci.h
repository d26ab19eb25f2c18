/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OCI images.
 */
#ifndef TOOL_OCI_H
#define TOOL_OCI_H

#include "unpack.h"

/**
 * oci_open() - find the layers of an image, and check their digests
 * @u: @name is a directory with an image layout, or a tar archive of one; gets
 *	the layers
 *
 * Return: 0, or -1 when it has said why not
 */
int oci_open(struct unpack *u);

#endif /* TOOL_OCI_H */
