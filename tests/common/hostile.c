// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mount damaged images, many of them.
 *
 *	hostile SEED FIRST COUNT NAME.TYPE...
 *
 * A case is a number.  With SEED it decides everything: which of the images is
 * taken, how it is damaged (a quarter each: flipped bits, numbers that are
 * extreme, blocks of noise, the end cut off), and what is done with it.  So a
 * case can be repeated alone; with COUNT 1 the kernel's messages are shown.
 *
 * The damaged image is a partition in the middle of a file whose other parts
 * must not change, or when it is cut off the whole file, whose size must not. A
 * child boots a kernel, mounts it, walks it, reads all files, changes some,
 * unmounts, and has LIMIT seconds for that.
 *
 * A line for each thing found says the case, what the image was, and what
 * happened:
 *	hang, lost	it took too long; it died without a word
 *	outside		it wrote where the image is not
 *	died		it died with a message of the kernel's
 *	warned		the kernel said BUG or WARNING and went on, or listed a
 *			directory from its start again
 * The first three are never right, and the exit status is 1.  The others are
 * the kernel's own faults, which we are not the ones to hide.  The last line
 * counts.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"

#define LIMIT 30
#define MEMORY "64M"
#define BLOCK 4096
#define SECTOR 512
/* Before and behind the partition. */
#define GUARD (1 << 20)
#define LOG_MAX (1 << 20)
/* No more entries, and none deeper; damaged trees may be endless. */
#define ENTRIES 400
#define DEPTH 12
#define READ_MAX (1 << 20)
#define ENDLESS "WARNING: a directory begins again\n"

/*
 * @blocks: those that are not zeros, and so worth damaging
 */
struct base {
	const char *name;
	const char *type;
	int fd;
	off_t size;
	unsigned int *blocks;
	unsigned int count;
};

enum damage { FLIP, NUMBER, NOISE, CUT, DAMAGES };

static const char *const damages[] = { "flipped bits", "extreme numbers",
				       "noise", "cut off" };

/* What all workers count. */
static struct counts {
	unsigned long tried, mounted, hangs, lost, outside, died, warned;
} * counts;

static struct base *bases;
static int base_count;
static unsigned long seed;
static bool alone;

/* splitmix64 */
static unsigned long next_random(unsigned long *state)
{
	unsigned long z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void count(unsigned long *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/*
 * What is done with the mounted file system.  All of it may fail.
 */

struct walk {
	unsigned long random;
	int entries;
	char buf[65536];
};

static void read_file(struct walk *w, const char *path)
{
	int fd = lkl_sys_open(path, LKL_O_RDONLY | LKL_O_NONBLOCK, 0);
	long n, done = 0;
	char *map;

	if (fd < 0)
		return;
	while (done < READ_MAX &&
	       (n = lkl_sys_read(fd, w->buf, sizeof(w->buf))) > 0)
		done += n;
	/* its end, if that is elsewhere */
	n = lkl_sys_lseek(fd, -BLOCK, LKL_SEEK_END);
	if (n > done)
		lkl_sys_read(fd, w->buf, BLOCK);
	lkl_sys_lseek(fd, 0, LKL_SEEK_DATA);
	lkl_sys_lseek(fd, 0, LKL_SEEK_HOLE);
	/* page faults, too; only what can be read cannot be a bus error */
	if (done >= BLOCK) {
		map = (char *)lkl_sys_mmap(NULL, BLOCK, PROT_READ, MAP_SHARED,
					   fd, 0);
		if ((long)map > 0) {
			*(volatile char *)map;
			lkl_sys_munmap((long)map, BLOCK);
		}
	}
	lkl_sys_close(fd);
}

static void read_attributes(struct walk *w, const char *path)
{
	long n = lkl_sys_llistxattr(path, w->buf, 4096);

	for (char *name = w->buf; n > 0 && name < w->buf + n;
	     name += strlen(name) + 1)
		lkl_sys_lgetxattr(path, name, w->buf + 4096, 4096);
}

static void change(struct walk *w, const char *path, const struct lkl_stat *st)
{
	char other[64];
	int fd;

	snprintf(other, sizeof(other), "/image/renamed-%d", w->entries);
	switch (next_random(&w->random) % 8) {
	case 0:
		lkl_sys_unlink(path);
		break;
	case 1:
		lkl_sys_rename(path, other);
		break;
	case 2:
		lkl_sys_truncate(path, st->st_size / 2);
		break;
	case 3:
		lkl_sys_chmod(path, 0700);
		lkl_sys_lsetxattr(path, "user.test", w->buf, 300, 0);
		break;
	case 4:
		fd = lkl_sys_open(path, LKL_O_WRONLY | LKL_O_NONBLOCK, 0);
		if (fd >= 0) {
			lkl_sys_write(fd, w->buf, 5000);
			lkl_sys_pwrite64(fd, w->buf, 5000, st->st_size);
			lkl_sys_fsync(fd);
			lkl_sys_close(fd);
		}
		break;
	}
}

static int log_fd;

static void print(const char *s, int len)
{
	static long printed;

	printed += len;
	if (printed < LOG_MAX && write(log_fd, s, len) < 0)
		return;
}

static void walk(struct walk *w, const char *path, int depth)
{
	struct lkl_linux_dirent64 *entry;
	struct lkl_dir *dir;
	int err, dots = 0;

	dir = depth < DEPTH ? lkl_opendir(path, &err) : NULL;
	if (!dir)
		return;
	while (w->entries < ENTRIES && (entry = lkl_readdir(dir))) {
		struct lkl_stat st;
		char name[4096];

		if (!strcmp(entry->d_name, ".") && dots++) {
			print(ENDLESS, strlen(ENDLESS));
			break;
		}
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path,
			     entry->d_name) >= (int)sizeof(name))
			continue;
		w->entries++;
		if (lkl_sys_lstat(name, &st))
			continue;
		read_attributes(w, name);
		if (S_ISLNK(st.st_mode))
			lkl_sys_readlink(name, w->buf, sizeof(w->buf));
		else if (S_ISREG(st.st_mode))
			read_file(w, name);
		else if (S_ISDIR(st.st_mode))
			walk(w, name, depth + 1);
		change(w, name, &st);
	}
	lkl_closedir(dir);
}

static void add_files(struct walk *w)
{
	lkl_sys_mkdir("/image/new", 0755);
	for (int i = 0; i < 20; i++) {
		char name[64];
		int fd;

		snprintf(name, sizeof(name), "/image/new/%d", i);
		fd = lkl_sys_open(name, LKL_O_CREAT | LKL_O_RDWR, 0644);
		if (fd < 0)
			continue;
		lkl_sys_write(fd, w->buf, i * 3000);
		if (i % 4 == 0)
			lkl_sys_fsync(fd);
		lkl_sys_close(fd);
	}
}

/* The child. */
static void use_image(const struct base *base, int fd, bool part,
		      unsigned long random)
{
	static struct walk w;
	struct lkl_disk disk = { .fd = fd };
	char mnt[64];
	long err;
	int id;

	w.random = random;
	lkl_host_ops.print = print;
	if (lkl_init(&lkl_host_ops))
		_exit(2);
	id = lkl_disk_add(&disk);
	/* cut off to nothing */
	if (id < 0)
		_exit(1);
	if (lkl_start_kernel("mem=" MEMORY " loglevel=5"))
		_exit(2);
	err = lkl_mount_dev(id, part, base->type, 0, NULL, mnt, sizeof(mnt));
	if (err)
		err = lkl_mount_dev(id, part, base->type, LKL_MS_RDONLY, NULL,
				    mnt, sizeof(mnt));
	if (!err) {
		count(&counts->mounted);
		lkl_sys_symlink(mnt, "/image");
		walk(&w, mnt, 0);
		add_files(&w);
		lkl_sys_sync();
		lkl_umount_dev(id, part, 0, 1000);
	}
	lkl_sys_halt();
	lkl_cleanup();
	_exit(0);
}

/*
 * Making the damaged image.
 */

static void must_write(int fd, const void *buf, size_t len, off_t pos)
{
	EQ(pwrite(fd, buf, len, pos), len);
}

static void damage_block(char *buf, enum damage how, unsigned long *random)
{
	static const long numbers[] = { 0,	    1,	    -1,	    0x7fffffff,
					0x80000000, 0xffff, 0x8000, 16 };
	unsigned int n, size, pos;

	switch (how) {
	case FLIP:
		for (n = 1 + next_random(random) % 4; n; n--)
			buf[next_random(random) % BLOCK] ^=
				1 << next_random(random) % 8;
		break;
	case NUMBER:
		for (n = 1 + next_random(random) % 3; n; n--) {
			size = 2 << next_random(random) % 3;
			pos = next_random(random) % BLOCK / size * size;
			memcpy(buf + pos,
			       &numbers[next_random(random) %
					ARRAY_SIZE(numbers)],
			       size);
		}
		break;
	default:
		size = SECTOR << next_random(random) % 4;
		pos = next_random(random) % (BLOCK / size) * size;
		for (n = 0; n < size; n++)
			buf[pos + n] = next_random(random);
	}
}

/* Damage some blocks, often near the start, where what matters most is. */
static void damage(const struct base *base, int fd, off_t start,
		   enum damage how, unsigned long *random)
{
	char buf[BLOCK];

	for (unsigned int n = 1 + next_random(random) % 8; n; n--) {
		unsigned int range = next_random(random) % 2 ? 16 : -1U;
		off_t pos;

		if (range > base->count)
			range = base->count;
		pos = start +
		      (off_t)BLOCK * base->blocks[next_random(random) % range];
		memset(buf, 0, sizeof(buf));
		EQ(pread(fd, buf, BLOCK, pos) > 0, 1);
		damage_block(buf, how, random);
		must_write(fd, buf, BLOCK, pos);
	}
}

static void fill_guard(char *guard)
{
	unsigned long state = 1;

	for (int i = 0; i < GUARD / 8; i++)
		((unsigned long *)guard)[i] = next_random(&state);
	/* The partition table: one partition. */
	memset(guard + 446, 0, 64);
	guard[446 + 4] = 0x83;
	*(unsigned int *)(guard + 446 + 8) = GUARD / SECTOR;
	guard[510] = 0x55;
	guard[511] = 0xaa;
}

static const char *guard_for(const struct base *base)
{
	static char guard[GUARD];

	if (!guard[510])
		fill_guard(guard);
	*(unsigned int *)(guard + 446 + 12) = base->size / SECTOR;
	return guard;
}

static int make_image(const struct base *base, enum damage how,
		      unsigned long *random)
{
	off_t start = how == CUT ? 0 : GUARD;
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	char buf[BLOCK];

	CHECK(fd >= 0);
	for (unsigned int i = 0; i < base->count; i++) {
		off_t pos = (off_t)base->blocks[i] * BLOCK;

		EQ(pread(base->fd, buf, BLOCK, pos), BLOCK);
		must_write(fd, buf, BLOCK, start + pos);
	}
	if (how == CUT) {
		/* in what is used, as a rule */
		unsigned int last =
			base->blocks[next_random(random) % base->count];

		EQ(ftruncate(fd,
			     (off_t)last * BLOCK + next_random(random) % BLOCK),
		   0);
		return fd;
	}
	must_write(fd, guard_for(base), GUARD, 0);
	must_write(fd, guard_for(base), GUARD, GUARD + base->size);
	damage(base, fd, start, how, random);
	return fd;
}

/* Has anything but the image changed? */
static bool is_intact(const struct base *base, int fd, off_t size,
		      enum damage how)
{
	static char now[GUARD];
	struct stat st;

	EQ(fstat(fd, &st), 0);
	if (st.st_size != size)
		return false;
	if (how == CUT)
		return true;
	return pread(fd, now, GUARD, 0) == GUARD &&
	       !memcmp(now, guard_for(base), GUARD) &&
	       pread(fd, now, GUARD, GUARD + base->size) == GUARD &&
	       !memcmp(now, guard_for(base), GUARD);
}

/*
 * Judging what happened.
 */

__attribute__((format(printf, 3, 4))) static void
report(long number, const char *what, const char *fmt, ...)
{
	const struct base *base = &bases[number % base_count];
	char line[512];
	va_list args;
	int len;

	len = snprintf(line, sizeof(line), "case %ld: %s, %s: %s: ", number,
		       base->name, damages[number / base_count % DAMAGES],
		       what);
	va_start(args, fmt);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	va_end(args);
	strcat(line, "\n");
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		_exit(2);
}

/* The first thing that the kernel should not have to say, or NULL. */
static char *complaint(char *log)
{
	static const char *const words[] = { "BUG", "WARNING:", "UBSAN",
					     "Kernel panic", "Oops" };
	char *save, *line;

	for (line = strtok_r(log, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			char *found = strstr(line, words[i]);

			if (found)
				return found;
		}
	}
	return NULL;
}

static void wait_for(pid_t pid, bool *hangs, int *status)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0),
			    .events = POLLIN };

	CHECK(p.fd >= 0);
	*hangs = !poll(&p, 1, LIMIT * 1000);
	if (*hangs) {
		/* tells where it hangs, see lkl_register_dbg_handler() */
		kill(pid, SIGTSTP);
		poll(&p, 1, 1000);
		kill(pid, SIGKILL);
	}
	close(p.fd);
	EQ(waitpid(pid, status, 0), pid);
}

static void judge(long number, bool hangs, int status, char *log)
{
	char *what = complaint(log);

	if (hangs) {
		count(&counts->hangs);
		report(number, "hang", "%s", what ? what : "");
	} else if (WIFSIGNALED(status) && what) {
		count(&counts->died);
		report(number, "died", "%s", what);
	} else if (WIFSIGNALED(status) || WEXITSTATUS(status) > 1) {
		count(&counts->lost);
		report(number, "lost", "status %#x", status);
	} else if (what) {
		count(&counts->warned);
		report(number, "warned", "%s", what);
	}
}

static void try(long number)
{
	const struct base *base = &bases[number % base_count];
	enum damage how = number / base_count % DAMAGES;
	unsigned long random = seed + number * 0x632be59bd9b4e019;
	int fd = make_image(base, how, &random), status;
	static char log[LOG_MAX];
	struct stat st;
	bool hangs;
	pid_t pid;
	long n;

	EQ(fstat(fd, &st), 0);
	log_fd = memfd_create("log", 0);
	CHECK(log_fd >= 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log_fd, STDERR_FILENO);
		lkl_register_dbg_handler();
		use_image(base, fd, how != CUT, random);
	}
	wait_for(pid, &hangs, &status);
	n = pread(log_fd, log, sizeof(log) - 1, 0);
	log[n > 0 ? n : 0] = 0;
	if (alone)
		fputs(log, stderr);
	count(&counts->tried);
	judge(number, hangs, status, log);
	if (!is_intact(base, fd, st.st_size, how)) {
		count(&counts->outside);
		report(number, "outside", "written to");
	}
	close(log_fd);
	close(fd);
}

static void open_base(struct base *base, const char *path)
{
	static const char zeros[BLOCK];
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	char buf[BLOCK];
	struct stat st;

	base->name = slash ? slash + 1 : path;
	CHECK(dot);
	base->type = dot + 1;
	base->fd = open(path, O_RDONLY);
	CHECK(base->fd >= 0);
	EQ(fstat(base->fd, &st), 0);
	base->size = st.st_size / BLOCK * BLOCK;
	base->blocks = malloc(base->size / BLOCK * sizeof(*base->blocks));
	CHECK(base->blocks);
	for (off_t pos = 0; pos < base->size; pos += BLOCK) {
		EQ(pread(base->fd, buf, BLOCK, pos), BLOCK);
		if (memcmp(buf, zeros, BLOCK))
			base->blocks[base->count++] = pos / BLOCK;
	}
	CHECK(base->count);
}

int main(int argc, char **argv)
{
	int workers = sysconf(_SC_NPROCESSORS_ONLN);
	long first, last;

	if (argc < 5) {
		fprintf(stderr,
			"usage: hostile SEED FIRST COUNT NAME.TYPE...\n");
		return 2;
	}
	seed = strtoul(argv[1], NULL, 10);
	first = strtol(argv[2], NULL, 10);
	last = first + strtol(argv[3], NULL, 10);
	alone = last == first + 1;
	base_count = argc - 4;
	bases = calloc(base_count, sizeof(*bases));
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(bases && counts != MAP_FAILED);
	for (int i = 0; i < base_count; i++)
		open_base(&bases[i], argv[4 + i]);

	for (int w = 0; w < workers; w++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (long i = first + w; i < last; i += workers)
			try(i);
		_exit(0);
	}
	for (int w = 0, status; w < workers; w++)
		CHECK(wait(&status) > 0 && !status);
	printf("%lu images, %lu of them mounted: %lu hung, %lu died without a "
	       "message, %lu written outside; %lu died with one, %lu warned\n",
	       counts->tried, counts->mounted, counts->hangs, counts->lost,
	       counts->outside, counts->died, counts->warned);
	return counts->hangs || counts->lost || counts->outside ||
	       counts->tried != (unsigned long)(last - first);
}
