// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done with images on Linux only: what lies between a disk and a file
 * system is known by its type, but not opened.
 */
#include <string.h>

#include "../common/contents.h"
#include "../common/disk.h"
#include "../common/image.h"
#include "../common/tool.h"

int disk_look(struct disk *d)
{
	(void)d;
	return 0;
}

/* Only the types are known. */
bool layers_known(const struct probe *found)
{
	return !strcmp(found->type, "crypto_LUKS") ||
	       !strcmp(found->type, "LVM2_member") ||
	       !strcmp(found->type, "linux_raid_member");
}

bool layers_open(struct layers *l, struct probe *found)
{
	(void)found;
	tool_error("'%s' has encryption, logical volumes or RAID, which cannot "
		   "be opened here",
		   l->image);
	return false;
}

struct volume *layers_list(struct layers *l, size_t *count)
{
	*count = 0;
	layers_open(l, NULL);
	return NULL;
}

void layers_close(struct layers *l)
{
	(void)l;
}

/* What would ask for it is not opened. */
int key_get(struct key *k, const char *image, const char *option)
{
	(void)k;
	tool_error("'%s': %s cannot be used here", image, option);
	return -1;
}

void key_copy(struct key *to, const struct key *from)
{
	*to = *from;
}

void key_forget(struct key *k)
{
	(void)k;
}

int inspect_open(struct inspect *in, const char *where)
{
	(void)in;
	(void)where;
	tool_error("--inspect cannot be used here");
	return -1;
}

long inspect_close(struct inspect *in)
{
	(void)in;
	return 0;
}
