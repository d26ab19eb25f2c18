/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */

#include <linux/fcntl.h>

/* Kinds of sockets, and flags beside them. */
#define SOCK_STREAM	1
#define SOCK_DGRAM	2
#define SOCK_RAW	3
#define SOCK_RDM	4
#define SOCK_SEQPACKET	5
#define SOCK_DCCP	6
#define SOCK_PACKET	10
#define SOCK_CLOEXEC	O_CLOEXEC
#define SOCK_NONBLOCK	O_NONBLOCK

/* How to shut down. */
#define SHUT_RD		0
#define SHUT_WR		1
#define SHUT_RDWR	2
