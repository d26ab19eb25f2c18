// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many pairs of queues a wire shall have: ",queues=N" behind its name.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../netdev.h"

int lkl_net_queues(const char *wire, const char *param, char *name, size_t size)
{
	static const char option[] = ",queues=";
	const char *at = strstr(param, option), *number;
	size_t len = at ? (size_t)(at - param) : strlen(param);
	unsigned long queues = 1;
	char *end;

	if (at) {
		number = at + sizeof(option) - 1;
		queues = strtoul(number, &end, 10);
		if (!isdigit((unsigned char)*number) || *end || !queues ||
		    queues > MAX_PAIRS) {
			lkl_message(wire,
				    "%s: queues: not a number from 1 to %d",
				    param, (int)MAX_PAIRS);
			return 0;
		}
	}
	if (len >= size)
		len = size - 1;
	memcpy(name, param, len);
	name[len] = 0;
	return queues;
}
