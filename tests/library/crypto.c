// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ciphers and hashes with the processor's own instructions: they are the ones
 * that are used, give what the kernel's plain C gives, and leave the
 * application's vector registers alone.
 */
#include <cpuid.h>
#include <lkl/linux/if_alg.h>

#include "check.h"

#define MOST 20000

/* What is asked for, what does the same in plain C, and the sizes. */
static const struct algorithm {
	const char *type, *name, *plain;
	int key, iv, tag, unit;
} algorithms[] = {
	{ "hash", "sha1", "sha1-generic", 0, 0, 0, 0 },
	{ "hash", "sha256", "sha256-generic", 0, 0, 0, 0 },
	{ "hash", "sha512", "sha512-generic", 0, 0, 0, 0 },
	{ "skcipher", "ecb(aes)", "ecb(aes-generic)", 32, 0, 0, 16 },
	{ "skcipher", "cbc(aes)", "cbc(aes-generic)", 16, 16, 0, 16 },
	{ "skcipher", "ctr(aes)", "ctr(aes-generic)", 24, 16, 0, 1 },
	{ "skcipher", "xts(aes)", "xts(ecb(aes-generic))", 64, 16, 0, 16 },
	{ "skcipher", "chacha20", "chacha20-generic", 32, 16, 0, 1 },
	{ "aead", "gcm(aes)", "gcm_base(ctr(aes-generic),ghash-generic)", 32,
	  12, 16, 1 },
	{ "aead", "rfc7539(chacha20,poly1305)",
	  "rfc7539(chacha20-generic,poly1305-generic)", 32, 12, 16, 1 },
};

static unsigned char text[MOST];

/* A socket for one operation after the other. */
static int alg_open(const struct algorithm *alg, const char *name)
{
	struct lkl_sockaddr_alg addr = { .salg_family = LKL_AF_ALG };
	int fd, op;

	strcpy((char *)addr.salg_type, alg->type);
	strcpy((char *)addr.salg_name, name);
	fd = OK(lkl_sys_socket(LKL_AF_ALG, LKL_SOCK_SEQPACKET, 0));
	if (lkl_sys_bind(fd, (struct lkl_sockaddr *)&addr, sizeof(addr)))
		FAIL("no %s", name);
	if (alg->key)
		OK(lkl_sys_setsockopt(fd, LKL_SOL_ALG, LKL_ALG_SET_KEY,
				      (char *)text + 1, alg->key));
	if (alg->tag)
		OK(lkl_sys_setsockopt(fd, LKL_SOL_ALG,
				      LKL_ALG_SET_AEAD_AUTHSIZE, NULL,
				      alg->tag));
	op = OK(lkl_sys_accept(fd, NULL, NULL));
	lkl_sys_close(fd);
	return op;
}

/* Hash or encrypt, from and to any address. */
static long alg_run(const struct algorithm *alg, int fd, const void *in,
		    long len, void *out)
{
	union {
		struct lkl_cmsghdr hdr;
		char room[200];
	} control = { 0 };
	struct lkl_iovec iov = { (void *)in, len };
	struct lkl_user_msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct lkl_cmsghdr *cmsg = &control.hdr;
	struct lkl_af_alg_iv *iv;

	if (strcmp(alg->type, "hash")) {
		*cmsg = (struct lkl_cmsghdr){ 20, LKL_SOL_ALG, LKL_ALG_SET_OP };
		*(unsigned int *)(cmsg + 1) = LKL_ALG_OP_ENCRYPT;
		msg.msg_controllen = 24;
		if (alg->iv) {
			cmsg = (void *)(control.room + 24);
			*cmsg = (struct lkl_cmsghdr){ 20 + alg->iv, LKL_SOL_ALG,
						      LKL_ALG_SET_IV };
			iv = (void *)(cmsg + 1);
			iv->ivlen = alg->iv;
			memcpy(iv->iv, text, alg->iv);
			msg.msg_controllen += (20 + alg->iv + 7) & ~7;
		}
		msg.msg_control = &control;
	}
	EQ(OK(lkl_sys_sendmsg(fd, &msg, 0)), len);
	/* A read of more than there will be waits for more to encrypt. */
	return OK(lkl_sys_read(fd, out, alg->unit ? len + alg->tag : 64));
}

static void compare(const struct algorithm *alg, unsigned int seed, int rounds)
{
	int fast = alg_open(alg, alg->name), plain = alg_open(alg, alg->plain);
	char *got = malloc(2 * (MOST + 200)), *want = got + MOST + 200;
	long off, len, n;

	CHECK(got);
	while (rounds--) {
		off = rand_r(&seed) % 100;
		len = rand_r(&seed) % (rand_r(&seed) & 1 ? MOST - 100 : 200);
		if (alg->unit)
			len = (len + 1) / alg->unit * alg->unit;
		/* An empty message is not a message. */
		if (!len)
			continue;
		n = alg_run(alg, fast, text + off, len, got + off % 16);
		EQ(alg_run(alg, plain, text + off, len, want), n);
		CHECK(n >= (alg->unit ? len + alg->tag : 20));
		if (memcmp(got + off % 16, want, n))
			FAIL("%s is wrong for %ld bytes", alg->name, len);
	}
	lkl_sys_close(fast);
	lkl_sys_close(plain);
	free(got);
}

static void set_up(void)
{
	boot("mem=64M");
	for (int i = 0; i < MOST; i++)
		text[i] = i * 7 + (i >> 8) * 3;
}

static void the_same(void)
{
	set_up();
	for (unsigned int i = 0; i < ARRAY_SIZE(algorithms); i++)
		compare(&algorithms[i], i, 200);
	halt();
}

/* There is no other to compare with, but it is soon written. */
static void crc32c(void)
{
	static const struct algorithm alg = { .type = "hash",
					      .name = "crc32c" };
	unsigned int seed = 1, sum, got[16];
	int fd;

	set_up();
	fd = alg_open(&alg, alg.name);
	for (int round = 0; round < 200; round++) {
		long off = rand_r(&seed) % 100;
		long len = 1 + rand_r(&seed) % (round & 1 ? 5000 : 200);

		EQ(alg_run(&alg, fd, text + off, len, got), sizeof(sum));
		sum = ~0U;
		for (long i = off; i < off + len; i++) {
			sum ^= text[i];
			for (int bit = 0; bit < 8; bit++)
				sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
		}
		if (*got != ~sum)
			FAIL("crc32c is wrong for %ld bytes", len);
	}
	lkl_sys_close(fd);
	halt();
}

/* Several threads at once, so that each other's are interrupted. */
static void *one_of_many(void *arg)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(algorithms); i++)
		compare(&algorithms[i], (long)arg, 200);
	return NULL;
}

static void threads(void)
{
	pthread_t id[6];

	set_up();
	for (long i = 0; i < 6; i++)
		EQ(pthread_create(&id[i], NULL, one_of_many, (void *)i), 0);
	for (int i = 0; i < 6; i++)
		pthread_join(id[i], NULL);
	halt();
}

/* The kernel's name of the algorithm behind a name. */
static const char *driver(const char *name)
{
	static char list[1 << 17], found[128];
	char *at = list, key[128];
	int fd = OK(lkl_sys_open("/proc/crypto", LKL_O_RDONLY, 0)), best = -1;
	long n, len = 0;

	while ((n = OK(lkl_sys_read(fd, list + len, sizeof(list) - 1 - len))))
		len += n;
	lkl_sys_close(fd);
	list[len] = 0;
	snprintf(key, sizeof(key), "name         : %s\n", name);
	while ((at = strstr(at, key))) {
		char this[128];
		int priority;

		at += strlen(key);
		EQ(sscanf(at, "driver : %127s module : %*s priority : %d", this,
			  &priority),
		   2);
		if (priority > best) {
			best = priority;
			strcpy(found, this);
		}
	}
	return found;
}

static void used(void)
{
	unsigned int a, b = 0, c, d;

	CHECK(__get_cpuid(1, &a, &b, &c, &d));
	boot("mem=64M");
	OK(lkl_mount_fs("proc"));
	if (c & bit_AES) {
		CHECK(strstr(driver("xts(aes)"), "aesni") ||
		      strstr(driver("xts(aes)"), "aes-vaes"));
		CHECK(strstr(driver("gcm(aes)"), "aesni") ||
		      strstr(driver("gcm(aes)"), "vaes"));
	}
	if (c & bit_SSSE3) {
		CHECK(!strstr(driver("sha256"), "generic"));
		CHECK(!strstr(driver("chacha20"), "generic"));
	}
	halt();
}

static void registers(void)
{
	const struct algorithm *alg = &algorithms[6];
	unsigned char before[16 * 16], after[16 * 16], out[MOST];
	long params[6];
	int fd;

	set_up();
	fd = alg_open(alg, alg->name);
	for (int i = 0; i < 256; i++)
		before[i] = i;
	alg_run(alg, fd, text, 4096, out);
	/* The next operation goes on with what it was told. */
	EQ(OK(lkl_sys_write(fd, (char *)text, 4096)), 4096);
	memcpy(params, (long[]){ fd, (long)out, 4096 }, 24);
	asm volatile("movdqu	(%[before]), %%xmm0\n\t"
		     "movdqu	16(%[before]), %%xmm1\n\t"
		     "movdqu	32(%[before]), %%xmm2\n\t"
		     "movdqu	48(%[before]), %%xmm3\n\t"
		     "movdqu	112(%[before]), %%xmm7\n\t"
		     "movdqu	240(%[before]), %%xmm15\n\t"
		     "mov	%[after], %%rbx\n\t"
		     "mov	%[params], %%rsi\n\t"
		     "mov	%[nr], %%edi\n\t"
		     "mov	%%rsp, %%r12\n\t"
		     "sub	$256, %%rsp\n\t"
		     "and	$-16, %%rsp\n\t"
		     "call	*%[fn]\n\t"
		     "mov	%%r12, %%rsp\n\t"
		     "movdqu	%%xmm0, (%%rbx)\n\t"
		     "movdqu	%%xmm1, 16(%%rbx)\n\t"
		     "movdqu	%%xmm2, 32(%%rbx)\n\t"
		     "movdqu	%%xmm3, 48(%%rbx)\n\t"
		     "movdqu	%%xmm7, 112(%%rbx)\n\t"
		     "movdqu	%%xmm15, 240(%%rbx)\n\t"
		     :
		     : [before] "r"(before), [after] "r"(after),
		       [params] "r"(params), [nr] "i"(__lkl__NR_read),
		       [fn] "r"(lkl_syscall)
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
		       "r10", "r11", "r12", "memory", "cc", "xmm0", "xmm1",
		       "xmm2", "xmm3", "xmm7", "xmm15");
	for (int i = 0; i < 16; i++)
		if (i < 4 || i == 7 || i == 15)
			EQ(memcmp(before + 16 * i, after + 16 * i, 16), 0);
	halt();
}

static const struct check tests[] = {
	{ "used", used },	    { "the-same", the_same },
	{ "crc32c", crc32c },	    { "threads", threads },
	{ "registers", registers },
};

CHECK_MAIN(tests)
