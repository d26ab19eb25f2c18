// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ciphers and hashes through AF_ALG: the library, the library's plain C, and
 * the host where it has AF_ALG.
 *
 * usage: crypto [rounds]
 */
#include <sys/socket.h>
#include <linux/if_alg.h>

#include "bench.h"

#define BLOCK 65536
#define SIDES 3

static const struct {
	const char *figure, *type, *name, *plain;
	int key, iv, tag;
} algorithms[] = {
	{ "sha256", "hash", "sha256", "sha256-generic", 0, 0, 0 },
	{ "aes-256-xts", "skcipher", "xts(aes)", "xts(ecb(aes-generic))", 64,
	  16, 0 },
	{ "aes-256-gcm", "aead", "gcm(aes)",
	  "gcm_base(ctr(aes-generic),ghash-generic)", 32, 12, 16 },
	{ "chacha20-poly1305", "aead", "rfc7539(chacha20,poly1305)",
	  "rfc7539(chacha20-generic,poly1305-generic)", 32, 12, 16 },
};

static const char *const sides[SIDES] = { "lkl", "plain C", "host" };
static char text[BLOCK], out[BLOCK + 64];

/* A socket for one operation after the other, or an error. */
static int alg_open(int side, int which)
{
	struct sockaddr_alg addr = { .salg_family = AF_ALG };
	int fd, op, tag = algorithms[which].tag;

	strcpy((char *)addr.salg_type, algorithms[which].type);
	strcpy((char *)addr.salg_name,
	       side == 1 ? algorithms[which].plain : algorithms[which].name);
	fd = bench_call(side == 2, SYS_socket, AF_ALG, SOCK_SEQPACKET);
	if (fd < 0)
		return fd;
	op = bench_call(side == 2, SYS_bind, fd, (long)&addr, sizeof(addr));
	if (op < 0)
		return op;
	if (algorithms[which].key)
		bench_call(side == 2, SYS_setsockopt, fd, SOL_ALG, ALG_SET_KEY,
			   (long)text, algorithms[which].key);
	if (tag)
		bench_call(side == 2, SYS_setsockopt, fd, SOL_ALG,
			   ALG_SET_AEAD_AUTHSIZE, 0, tag);
	op = bench_call(side == 2, SYS_accept, fd);
	bench_call(side == 2, SYS_close, fd);
	return op;
}

static void alg_run(int side, int which, int fd)
{
	char control[128] = { 0 };
	struct iovec iov = { text, BLOCK };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int ivlen = algorithms[which].iv;
	long size = algorithms[which].key ? BLOCK + algorithms[which].tag : 64;
	struct cmsghdr *cmsg = (void *)control;
	struct af_alg_iv *iv;

	if (algorithms[which].key) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(4) + CMSG_SPACE(4 + ivlen);
		*cmsg = (struct cmsghdr){ CMSG_LEN(4), SOL_ALG, ALG_SET_OP };
		*(int *)CMSG_DATA(cmsg) = ALG_OP_ENCRYPT;
		cmsg = (void *)(control + CMSG_SPACE(4));
		*cmsg = (struct cmsghdr){ CMSG_LEN(4 + ivlen), SOL_ALG,
					  ALG_SET_IV };
		iv = (void *)CMSG_DATA(cmsg);
		iv->ivlen = ivlen;
	}
	if (bench_call(side == 2, SYS_sendmsg, fd, (long)&msg, 0, 0, 0) !=
		    BLOCK ||
	    bench_call(side == 2, SYS_read, fd, (long)out, size, 0, 0) <= 0) {
		fprintf(stderr, "crypto: %s fails\n", algorithms[which].name);
		exit(1);
	}
}

static double mb_per_s(int side, int which, int fd, int n)
{
	double start = now_ns();

	for (int i = 0; i < n; i++)
		alg_run(side, which, fd);
	return (double)n * BLOCK / (now_ns() - start) * 1e3;
}

int main(int argc, char **argv)
{
	int n = getenv("QUICK") ? 50 : 300;

	begin(argc, argv);
	need(lkl_start_kernel("mem=64M"), "boot");
	for (int i = 0; i < (int)(sizeof(algorithms) / sizeof(*algorithms));
	     i++) {
		double value[SIDES][MAX_ROUNDS];
		int fd[SIDES];

		for (int side = 0; side < SIDES; side++) {
			fd[side] = alg_open(side, i);
			if (fd[side] >= 0)
				mb_per_s(side, i, fd[side], 10);
		}
		for (int round = 0; round < rounds; round++)
			for (int side = 0; side < SIDES; side++)
				if (fd[side] >= 0)
					value[side][round] =
						mb_per_s(side, i, fd[side], n);
		for (int side = 0; side < SIDES; side++)
			if (fd[side] >= 0)
				report(algorithms[i].figure, "MB/s",
				       sides[side], value[side]);
	}
	return lkl_sys_halt() ? 1 : 0;
}
