// SPDX-License-Identifier: GPL-2.0-only
/* Disks that Linux alone can open. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/tool.h"
#include "elsewhere.h"

/* Formats that take qemu to read, by how they begin. */
static const struct {
	const char *name;
	const char *word;
	size_t len;
} formats[] = {
	{ "qcow2", "QFI\xfb", 4 },
	{ "vmdk", "KDMV", 4 },
	{ "vdi", "<<< ", 4 },
	{ "vhdx", "vhdxfile", 8 },
};

bool refuse_server(const struct disk *d)
{
	if (strncmp(d->file, "nbd", 3) || !strstr(d->file, "://"))
		return false;
	tool_error("cannot open '%s': there is no NBD here", d->file);
	return true;
}

bool refuse_format(const struct disk *d)
{
	char head[16] = "";

	if (pread(d->fd, head, sizeof(head), 0) < 0) {
		tool_file_error("error reading", NULL, d->file, -errno);
		return true;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (memcmp(head, formats[i].word, formats[i].len))
			continue;
		tool_error("cannot open '%s': it has the format %s of qemu, "
			   "which is not read here",
			   d->file, formats[i].name);
		return true;
	}
	return false;
}
