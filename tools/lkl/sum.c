// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl sum - checksums of files
 *
 * The library's kernel computes them: AF_ALG gives its digests, which use what
 * the processor has for them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lkl/linux/if_alg.h>

#include "../common/tool.h"
#include "path.h"

#define CHUNK (1 << 20)
#define DIGEST_MAX 64
#define AF_ALG 38
#define SOCK_SEQPACKET 5
#define MSG_MORE 0x8000

/* What people call it, and what the kernel does. */
static const struct {
	const char *name;
	const char *kernel;
	unsigned int size;
} digests[] = {
	{ "md5", "md5", 16 },	     { "sha1", "sha1", 20 },
	{ "sha224", "sha224", 28 },  { "sha256", "sha256", 32 },
	{ "sha384", "sha384", 48 },  { "sha512", "sha512", 64 },
	{ "b2", "blake2b-512", 64 },
};

struct summer {
	const struct session *s;
	const struct args *a;
	unsigned int digest;
	int alg;
	char *buf;
};

static int open_alg(const char *name)
{
	struct lkl_sockaddr_alg sa = { .salg_family = AF_ALG,
				       .salg_type = "hash" };
	int fd = lkl_sys_socket(AF_ALG, SOCK_SEQPACKET, 0);
	int err;

	if (fd < 0)
		return fd;
	strcpy((char *)sa.salg_name, name);
	err = lkl_sys_bind(fd, (void *)&sa, sizeof(sa));
	if (!err)
		return fd;
	lkl_sys_close(fd);
	return err;
}

/* The digest of what is at @fd, or a negative error number. */
static long digest(struct summer *d, int fd, unsigned char *out)
{
	int op = lkl_sys_accept(d->alg, NULL, NULL);
	off_t off = 0;
	long n = op, sent;

	while (n >= 0 && !tool_signal) {
		n = d->s->fs->pread(fd, d->buf, CHUNK, off);
		if (n <= 0)
			break;
		off += n;
		for (char *p = d->buf; n > 0; p += sent, n -= sent) {
			sent = lkl_sys_sendto(op, p, n, MSG_MORE, NULL, 0);
			if (sent < 0)
				n = sent;
			if (sent < 0)
				break;
		}
	}
	if (!n) {
		lkl_sys_sendto(op, "", 0, 0, NULL, 0);
		n = lkl_sys_read(op, out, DIGEST_MAX);
	}
	if (op >= 0)
		lkl_sys_close(op);
	return n;
}

/* GNU's form: a name with these is written with escapes, and the line says so.
 */
static void put_escaped(const char *path)
{
	char *text = tool_alloc(NULL, 2 * strlen(path) + 1), *to = text;

	for (const char *p = path; *p; p++) {
		if (strchr("\n\r\\", *p))
			*to++ = '\\';
		*to++ = *p == '\n' ? 'n' : *p == '\r' ? 'r' : *p;
	}
	*to = 0;
	put_name(text);
	free(text);
}

static void sum_file(struct summer *d, int dir, const char *name,
		     const char *path)
{
	const struct session *s = d->s;
	unsigned char out[DIGEST_MAX];
	struct stat st;
	bool zero = d->a->given['z'];
	int fd = dir < 0 ? path_open(s, path, LKL_O_RDONLY | LKL_O_NONBLOCK)
			 : s->fs->open_file(dir, name);
	long n = fd;

	if (fd >= 0 && !s->fs->stat(fd, "", &st) && !S_ISREG(st.st_mode))
		n = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (n >= 0)
		n = digest(d, fd, out);
	if (fd >= 0)
		s->fs->close(fd);
	/* of a part it would be wrong */
	if (tool_signal)
		return;
	if (n < 0) {
		path_error(s, fd < 0 ? "cannot open" : "error reading", path,
			   n);
		return;
	}
	if (!zero && strpbrk(path, "\n\r\\"))
		putchar('\\');
	for (long i = 0; i < n; i++)
		printf("%02x", out[i]);
	printf("  ");
	if (zero)
		put_name(path);
	else
		put_escaped(path);
	putchar(zero ? 0 : '\n');
}

static bool sum_enter(struct tree *t, const struct tree_entry *e)
{
	if (S_ISREG(e->st.st_mode))
		sum_file(t->arg, e->dir, e->name, e->path);
	return true;
}

int sum_run(struct session *s, const struct args *a)
{
	const char *name = a->value['a'] ?: "sha256";
	struct summer d = { .s = s, .a = a };
	struct tree t = { .s = s, .enter = sum_enter, .arg = &d };

	while (d.digest < sizeof(digests) / sizeof(*digests) &&
	       strcasecmp(digests[d.digest].name, name))
		d.digest++;
	if (d.digest == sizeof(digests) / sizeof(*digests))
		return args_bad("unknown digest '%s' (md5, sha1, sha224, "
				"sha256, sha384, sha512 or b2)",
				name);
	d.alg = open_alg(digests[d.digest].kernel);
	if (d.alg < 0) {
		tool_error("cannot compute %s: %s", name, strerror(-d.alg));
		return TOOL_FAILED;
	}
	d.buf = tool_alloc(NULL, CHUNK);
	for (char **path = a->operand; *path && !tool_signal; path++) {
		if (a->given['r'])
			tree_walk(&t, *path);
		else
			sum_file(&d, -1, NULL, *path);
	}
	free(d.buf);
	lkl_sys_close(d.alg);
	return session_status();
}
