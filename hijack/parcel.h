/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of the library that are passed on (parcel.c). */
#ifndef HIJACK_PARCEL_H
#define HIJACK_PARCEL_H

#include <sys/socket.h>

#include "share.h"

/* As many descriptors as the kernel takes at once, and what else there is. */
#define PARCEL_FDS 253
#define PARCEL_CONTROL 2048

/**
 * struct parcels - what a message carries
 * @n: how many carriers there are
 * @carrier: they, descriptors of ours
 * @control: control data with them
 */
struct parcels {
	unsigned int n;
	int carrier[PARCEL_FDS];
	char control[PARCEL_CONTROL] __attribute__((aligned(16)));
};

/* Sending, for socket.c */
long parcel_pack(struct msghdr *msg, struct parcels *p);
void parcel_sent(const struct parcels *p);

/* The owner's side */
long parcel_park(int process, long kfd, struct share_token token);
void parcel_follow(int process, unsigned int index,
		   const struct share_token *token, long fd);
long parcel_claim(struct share_token token);
void parcel_lost(unsigned int id);
void parcel_gone(int process);
void parcel_forked(void);

#endif /* HIJACK_PARCEL_H */
