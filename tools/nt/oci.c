// SPDX-License-Identifier: GPL-2.0-only
/* OCI images, which are not read on Windows. */
#include "../archive/oci.h"

int oci_open(struct unpack *u)
{
	tool_error("'%s': OCI images cannot be read here", u->name);
	return -1;
}
