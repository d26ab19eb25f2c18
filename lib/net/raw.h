/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NET_RAW_H
#define NET_RAW_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_RANGES 16

struct raw_range {
	uint16_t first;
	uint16_t last;
};

/**
 * struct raw_ports - the ports that are the library's
 *
 * @ranges: the ports
 * @count: number of @ranges; 0 when the library has an address of its own
 */
struct raw_ports {
	struct raw_range ranges[MAX_RANGES];
	unsigned int count;
};

/**
 * lkl_raw_filter() - let a packet socket receive only what is the library's
 * @fd: the socket
 * @p: the ports
 * @cooked: its frames have no Ethernet header
 * @mac: the Ethernet address, if there are no ports
 *
 * Return: 0 or a negative error number
 */
int lkl_raw_filter(int fd, const struct raw_ports *p, bool cooked,
		   const unsigned char *mac);

#endif /* NET_RAW_H */
