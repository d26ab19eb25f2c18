// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server of a host directory alone (lib/hostdir/serve.c), and a kernel that
 * writes nonsense: a million messages of the FUSE protocol with a fixed seed,
 * cut into buffers anywhere and changed anywhere.  Nothing outside of the
 * directory changes, and what a message gets fits.
 *
 * usage: hostdir-hostile [messages]
 */
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/hostdir/hostdir.h"
#include "../../host/iov.h"

#define NOBODY 65534
#define NUM 64
#define ARENA (1 << 20)
/* What may be written in front of a buffer and behind it. */
#define GUARD 0xa5

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: not %s (message %ld)\n",       \
				__FILE__, __LINE__, #cond, message);           \
			exit(1);                                               \
		}                                                              \
	} while (0)

static long message;
static unsigned long long seed = 18;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* What the parts need of the library. */
static int wait_for(int *word, int val, unsigned long long deadline)
{
	(void)word, (void)val, (void)deadline;
	return 0;
}

static void wake(int *word, int count)
{
	(void)word, (void)count;
}

static struct lkl_host_operations host = { .wait = wait_for, .wake = wake };
struct lkl_host_operations *lkl_vdev_host = &host;
unsigned long lkl_ram_base;

int lkl_trigger_irq(int irq)
{
	(void)irq;
	return 0;
}

/* The driver's memory, and a ring in it. */
static char arena[ARENA];
static struct lkl_vring_desc *desc = (void *)arena;
static struct lkl_virtq q;

static void *map(struct lkl_virtq *queue, uint64_t addr, uint64_t len)
{
	(void)queue;
	if (addr > ARENA || len > ARENA - addr)
		return NULL;
	return arena + addr;
}

static const unsigned int opcodes[] = {
	LKL_FUSE_LOOKUP,     LKL_FUSE_LOOKUP,	 LKL_FUSE_LOOKUP,
	LKL_FUSE_FORGET,     LKL_FUSE_GETATTR,	 LKL_FUSE_SETATTR,
	LKL_FUSE_SYMLINK,    LKL_FUSE_READLINK,	 LKL_FUSE_MKNOD,
	LKL_FUSE_MKDIR,	     LKL_FUSE_UNLINK,	 LKL_FUSE_RMDIR,
	LKL_FUSE_RENAME,     LKL_FUSE_LINK,	 LKL_FUSE_OPEN,
	LKL_FUSE_READ,	     LKL_FUSE_WRITE,	 LKL_FUSE_STATFS,
	LKL_FUSE_RELEASE,    LKL_FUSE_FSYNC,	 LKL_FUSE_SETXATTR,
	LKL_FUSE_GETXATTR,   LKL_FUSE_LISTXATTR, LKL_FUSE_REMOVEXATTR,
	LKL_FUSE_INIT,	     LKL_FUSE_OPENDIR,	 LKL_FUSE_READDIR,
	LKL_FUSE_RELEASEDIR, LKL_FUSE_FSYNCDIR,	 LKL_FUSE_CREATE,
	LKL_FUSE_CREATE,     LKL_FUSE_FALLOCATE, LKL_FUSE_READDIRPLUS,
	LKL_FUSE_RENAME2,    LKL_FUSE_LSEEK,	 LKL_FUSE_COPY_FILE_RANGE,
	LKL_FUSE_DESTROY,    LKL_FUSE_ACCESS,	 LKL_FUSE_IOCTL,
};

/* Bytes of the arguments before names. */
static size_t args_size(unsigned int opcode)
{
	switch (opcode) {
	case LKL_FUSE_SETATTR:
		return sizeof(struct lkl_fuse_setattr_in);
	case LKL_FUSE_MKNOD:
		return sizeof(struct lkl_fuse_mknod_in);
	case LKL_FUSE_RENAME2:
		return sizeof(struct lkl_fuse_rename2_in);
	case LKL_FUSE_CREATE:
		return sizeof(struct lkl_fuse_create_in);
	case LKL_FUSE_READ:
	case LKL_FUSE_READDIR:
	case LKL_FUSE_READDIRPLUS:
	case LKL_FUSE_WRITE:
		return sizeof(struct lkl_fuse_read_in);
	case LKL_FUSE_LSEEK:
	case LKL_FUSE_RELEASE:
	case LKL_FUSE_RELEASEDIR:
		return sizeof(struct lkl_fuse_release_in);
	case LKL_FUSE_FALLOCATE:
		return sizeof(struct lkl_fuse_fallocate_in);
	case LKL_FUSE_COPY_FILE_RANGE:
		return sizeof(struct lkl_fuse_copy_file_range_in);
	case LKL_FUSE_INIT:
		return sizeof(struct lkl_fuse_init_in);
	case LKL_FUSE_FSYNC:
	case LKL_FUSE_FSYNCDIR:
	case LKL_FUSE_GETATTR:
		return 16;
	case LKL_FUSE_MKDIR:
	case LKL_FUSE_RENAME:
	case LKL_FUSE_LINK:
	case LKL_FUSE_OPEN:
	case LKL_FUSE_OPENDIR:
	case LKL_FUSE_FORGET:
	case LKL_FUSE_SETXATTR:
	case LKL_FUSE_GETXATTR:
	case LKL_FUSE_LISTXATTR:
		return 8;
	}
	return 0;
}

static const char *const names[] = {
	"a",
	"b",
	"c",
	"d",
	"e",
	"a",
	"b",
	"c",
	"user.x",
	"user.y",
	"",
	".",
	"..",
	"../outside",
	"../outside/f",
	"/etc/passwd",
	"/proc/self/root",
	"a/../../outside/f",
	"\xff\n",
};

/* A message as a kernel could write it, then changed here and there. */
static size_t make_message(char *to)
{
	struct lkl_fuse_in_header *hdr = (void *)to;
	unsigned int opcode = opcodes[rnd(sizeof(opcodes) / sizeof(*opcodes))];
	size_t i, len = sizeof(*hdr), args;

	if (opcode == LKL_FUSE_DESTROY && rnd(50))
		opcode = LKL_FUSE_LOOKUP;
	args = args_size(opcode);
	*hdr = (struct lkl_fuse_in_header){
		.opcode = opcode,
		.unique = message,
		.nodeid = rnd(3) ? 1 : 1 + rnd(12),
		.uid = rnd(2),
	};
	for (i = 0; i < args; i += 4)
		*(uint32_t *)(to + len + i) = rnd(3)   ? rnd(8)
					      : rnd(2) ? rnd(100000)
						       : ~0U;
	/* a number of a file or of a handle, which comes first */
	if (args >= 8 && rnd(8))
		*(uint64_t *)(to + len) = 1 + rnd(6);
	if (opcode == LKL_FUSE_INIT && rnd(2))
		*(uint32_t *)(to + len) = LKL_FUSE_KERNEL_VERSION;
	len += args;
	for (i = rnd(3); i < 3; i++) {
		const char *name = names[rnd(
			rnd(4) ? 10 : sizeof(names) / sizeof(*names))];

		memcpy(to + len, name, strlen(name) + 1);
		len += strlen(name) + 1;
	}
	if (opcode == LKL_FUSE_WRITE || !rnd(50)) {
		i = rnd(2) ? rnd(300) : rnd(90000);
		memset(to + len, 'x', i);
		len += i;
	}
	hdr->len = len;
	for (i = rnd(8); i < 2; i++)
		to[rnd(len < 200 ? len : 200)] ^= 1 << rnd(8);
	if (!rnd(10))
		len = rnd(len + 1);
	/* neither fill the disk nor make devices */
	if (hdr->opcode == LKL_FUSE_FALLOCATE)
		((struct lkl_fuse_fallocate_in *)(hdr + 1))->length &= 0xfffff;
	return len;
}

/* Cut what is at @at into descriptors, from @n on. */
static unsigned int cut(unsigned int n, uint64_t at, size_t len, int flags)
{
	do {
		size_t part = n >= NUM / 2 - 1 || rnd(3) ? len : rnd(len + 1);

		desc[n] = (struct lkl_vring_desc){
			.addr = at,
			.len = part,
			.flags = flags | LKL_VRING_DESC_F_NEXT,
			.next = n + 1,
		};
		at += part;
		len -= part;
		n++;
	} while (len && n < NUM / 2);
	return n;
}

static void one_message(struct request *r, struct request *now)
{
	const uint64_t out = 4096, in = 300000;
	size_t len, room = rnd(4) ? rnd(5000) : rnd(2) ? rnd(20) : 150000;
	unsigned int n, i;
	long ret;

	len = make_message(arena + out);
	memset(arena + in, GUARD, 64);
	memset(arena + in + 64 + room, GUARD, 64);
	n = cut(0, out, len, 0);
	if (room || rnd(2))
		n = cut(n < NUM / 2 ? n : n - 1, in + 64, room,
			LKL_VRING_DESC_F_WRITE);
	desc[n - 1].flags &= ~LKL_VRING_DESC_F_NEXT;
	if (!rnd(100)) {
		desc[rnd(n)].addr = rnd(2) ? ~0ULL : ARENA - 5;
		desc[rnd(n)].flags ^= 1 << rnd(3);
		desc[rnd(n)].next = rnd(2 * NUM);
	}
	q.broken = NULL;
	/* In the middle of the kernel first, as that does. */
	ret = rnd(2) ? hostdir_serve(now, &q, 0) : HOSTDIR_LATER;
	if (ret == HOSTDIR_LATER)
		ret = hostdir_serve(r, &q, 0);
	CHECK(ret == -1 ? q.broken != NULL : !q.broken);
	CHECK(ret <= (long)ARENA);
	if (q.broken || desc[0].addr != out)
		return;
	for (i = 0; i < 64; i++) {
		CHECK((unsigned char)arena[in + i] == GUARD);
		CHECK((unsigned char)arena[in + 64 + room + i] == GUARD);
	}
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *name)
{
	nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* What is around the directory, as text. */
static void look_around(char *to, size_t size)
{
	FILE *f = popen("ls -la --time-style=full-iso outside | tail -n +2;"
			"cat outside/f; ls",
			"r");

	to[fread(to, 1, size - 1, f)] = 0;
	pclose(f);
}

static int run(long messages)
{
	static char before[4096], after[4096];
	struct request *r = malloc(sizeof(*r)), *now = malloc(sizeof(*now));
	struct rlimit limit = { 1 << 20, 1 << 20 };
	static struct hostdir h;
	int fds;

	CHECK(!mkdir("inside", 0700) && !mkdir("outside", 0777));
	if (!geteuid()) {
		/* the temporary directory may be root's alone */
		CHECK(!chmod(".", 0755));
		CHECK(!chown("inside", NOBODY, NOBODY));
		CHECK(!chown("outside", NOBODY, NOBODY));
		CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	}
	CHECK(!system("echo outside >outside/f; ln -s ../outside inside/a"));
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	look_around(before, sizeof(before));
	fds = count_fds();

	h.root = open("inside", O_RDONLY | O_DIRECTORY);
	h.uid = geteuid();
	h.gid = getegid();
	CHECK(h.root >= 0 && nodes_begin(&h));
	r->h = now->h = &h;
	r->now = false;
	now->now = true;
	q = (struct lkl_virtq){ .map = map, .num = NUM, .desc = desc };
	for (message = 0; message < messages; message++) {
		one_message(r, now);
		if (message % 5000)
			continue;
		/* as a kernel that has begun anew */
		fchmod(h.root, 0700);
		handles_clear(&h);
		nodes_clear(&h);
	}
	handles_clear(&h);
	nodes_end(&h);
	free(h.handles.slots);
	close(h.root);
	CHECK(count_fds() == fds);
	look_around(after, sizeof(after));
	if (strcmp(before, after)) {
		fprintf(stderr, "%s---\n%s", before, after);
		CHECK(!"the same outside");
	}
	free(r);
	free(now);
	return 0;
}

int main(int argc, char **argv)
{
	int status = 1;
	pid_t pid;

	remove_tree("inside");
	remove_tree("outside");
	pid = fork();
	if (!pid)
		_exit(run(argc > 1 ? atol(argv[1]) : 1000000));
	waitpid(pid, &status, 0);
	if (system("chmod -R u+rwx inside; rm -rf inside outside"))
		return 1;
	return status != 0;
}
