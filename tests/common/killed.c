// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kill a busy writer, and see what is left.
 *
 *	killed TYPE IMAGE SEED
 *
 * A child mounts the image and changes files from several threads, with many
 * an fsync().  What must survive it tells its parent through a pipe: before a
 * file changes, what it will be, and after fsync() has returned, that it is.
 * The parent kills it at a moment that SEED decides, and another child mounts
 * the image, which replays the journal, and compares.
 *
 * Each file holds the beginning of an endless text, which the file's number and
 * a version decide.  So a file that is fine with a length is fine with more.
 *
 * Prints how many files were there that had to be, and what was not as it must.
 */
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "check.h"

#define THREADS 4
#define FILES_EACH 24
#define FILES (THREADS * FILES_EACH)
#define LENGTH_MAX 200000
#define MEMORY "128M"
/* When to kill, in milliseconds after the first fsync(). */
#define EARLIEST 5
#define LATEST 350

/* "Whatever it is is right", which no version is. */
#define ANYTHING 0

/*
 * @version: which text
 * @length: how much of it at least
 */
struct state {
	unsigned int version;
	unsigned int length;
};

/*
 * What the writer tells.
 *
 * @synced: @state is on the disk; else it may be from now on
 */
struct note {
	unsigned short file;
	bool synced;
	struct state state;
};

/* What the parent knows of a file; without a change both are the same. */
struct file {
	bool exists;
	struct state synced;
	struct state next;
};

static int notes[2];
static unsigned long seed;
static char mnt[64];

static unsigned long next_random(unsigned long *state)
{
	unsigned long z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void make_text(char *text, unsigned int file, unsigned int version)
{
	unsigned long random = (unsigned long)version << 16 | file;

	for (unsigned int i = 0; i < LENGTH_MAX / 8; i++)
		((unsigned long *)text)[i] = next_random(&random);
}

static void mount_image(const char *type, const char *image, const char *mem)
{
	struct lkl_disk disk = { .fd = open(image, O_RDWR | O_CLOEXEC) };

	CHECK(disk.fd >= 0);
	boot(mem);
	OK(lkl_mount_dev(OK(lkl_disk_add(&disk)), 0, type, 0, NULL, mnt,
			 sizeof(mnt)));
	EQ(lkl_sys_chdir(mnt), 0);
}

/*
 * The writer.
 */

/*
 * @mine: the files that only this thread changes, as it has left them
 */
struct writer {
	int number;
	unsigned long random;
	struct state mine[FILES_EACH];
	char text[LENGTH_MAX];
};

static void tell(unsigned int file, bool synced, struct state state)
{
	struct note note = { file, synced, state };

	EQ(write(notes[1], &note, sizeof(note)), sizeof(note));
}

static void write_text(int fd, const char *text, unsigned int length)
{
	while (length) {
		unsigned int n = length < 30000 ? length : 30000;

		EQ(lkl_sys_write(fd, text, n), n);
		text += n;
		length -= n;
	}
}

/* Replace a file: by another, or by nothing and then another. */
static void replace(struct writer *w, unsigned int file, bool rename)
{
	struct state *old = &w->mine[file % FILES_EACH];
	struct state new = { old->version + 1,
			     next_random(&w->random) % LENGTH_MAX };
	char name[32], temp[32];
	int fd;

	snprintf(name, sizeof(name), "d%d/%u", w->number, file);
	snprintf(temp, sizeof(temp), "d%d/new", w->number);
	make_text(w->text, file, new.version);
	tell(file, false, rename ? new : (struct state){ ANYTHING, 0 });
	if (!rename && old->version)
		EQ(lkl_sys_unlink(name), 0);
	fd = OK(lkl_sys_open(rename ? temp : name,
			     LKL_O_CREAT | LKL_O_EXCL | LKL_O_WRONLY, 0600));
	write_text(fd, w->text, new.length);
	EQ(lkl_sys_fsync(fd), 0);
	EQ(lkl_sys_close(fd), 0);
	if (rename) {
		EQ(lkl_sys_rename(temp, name), 0);
		snprintf(temp, sizeof(temp), "d%d", w->number);
		fd = OK(lkl_sys_open(temp, LKL_O_RDONLY, 0));
		EQ(lkl_sys_fsync(fd), 0);
		EQ(lkl_sys_close(fd), 0);
	}
	*old = new;
	tell(file, true, new);
}

static void append(struct writer *w, unsigned int file)
{
	struct state *state = &w->mine[file % FILES_EACH];
	unsigned int n =
		next_random(&w->random) % (LENGTH_MAX - state->length + 1);
	char name[32];
	int fd;

	if (!state->version)
		return;
	snprintf(name, sizeof(name), "d%d/%u", w->number, file);
	make_text(w->text, file, state->version);
	fd = OK(lkl_sys_open(name, LKL_O_WRONLY | LKL_O_APPEND, 0));
	write_text(fd, w->text + state->length, n);
	EQ(lkl_sys_fdatasync(fd), 0);
	EQ(lkl_sys_close(fd), 0);
	state->length += n;
	tell(file, true, *state);
}

/* Writes without waiting for them, so that something is always on its way. */
static void litter(struct writer *w)
{
	char name[32], other[32];
	int fd;

	snprintf(name, sizeof(name), "d%d/junk-%lu", w->number,
		 next_random(&w->random) % 8);
	snprintf(other, sizeof(other), "d%d/junk-%lu", w->number,
		 next_random(&w->random) % 8);
	switch (next_random(&w->random) % 4) {
	case 0:
		lkl_sys_unlink(name);
		break;
	case 1:
		lkl_sys_rename(name, other);
		break;
	case 2:
		lkl_sys_truncate(name, next_random(&w->random) % LENGTH_MAX);
		break;
	case 3:
		fd = lkl_sys_open(name, LKL_O_CREAT | LKL_O_WRONLY, 0600);
		lkl_sys_pwrite64(fd, w->text, 30000,
				 next_random(&w->random) % LENGTH_MAX);
		lkl_sys_close(fd);
		break;
	}
}

static void *write_files(void *arg)
{
	struct writer *w = arg;
	char name[32];

	snprintf(name, sizeof(name), "d%d", w->number);
	EQ(lkl_sys_mkdir(name, 0700), 0);
	for (;;) {
		unsigned int file = w->number * FILES_EACH +
				    next_random(&w->random) % FILES_EACH;

		switch (next_random(&w->random) % 4) {
		case 0:
			replace(w, file, true);
			break;
		case 1:
			replace(w, file, false);
			break;
		case 2:
			append(w, file);
			break;
		case 3:
			litter(w);
			break;
		}
	}
	return NULL;
}

static void writer(const char *type, const char *image)
{
	static struct writer writers[THREADS];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mount_image(type, image, "mem=" MEMORY);
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		writers[i].number = i;
		writers[i].random = seed * THREADS + i;
		EQ(pthread_create(&thread, NULL, write_files, &writers[i]), 0);
	}
	for (;;)
		pause();
}

/*
 * What must be there.
 */

static void take_note(struct file *files, const struct note *note)
{
	struct file *f = &files[note->file];

	CHECK(note->file < FILES);
	f->next = note->state;
	if (note->synced) {
		f->synced = note->state;
		f->exists = true;
	}
}

/* Let the writer work for a while, and kill it. */
static void interrupt(const char *type, const char *image, struct file *files)
{
	unsigned long random = seed;
	long long wait = EARLIEST + next_random(&random) % (LATEST - EARLIEST),
		  end = 0;
	struct note note;
	int status;
	pid_t pid;

	EQ(pipe(notes), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(notes[0]);
		writer(type, image);
	}
	close(notes[1]);
	while (read(notes[0], &note, sizeof(note)) == sizeof(note)) {
		take_note(files, &note);
		if (!end && note.synced)
			end = now(CLOCK_MONOTONIC) + wait * 1000000;
		if (end && now(CLOCK_MONOTONIC) >= end)
			kill(pid, SIGKILL);
	}
	EQ(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		FAIL("the writer has ended by itself, %#x", status);
}

static bool matches(unsigned int file, struct state want, const char *buf,
		    long length)
{
	static char text[LENGTH_MAX];

	if (want.version == ANYTHING)
		return true;
	if (length < (long)want.length)
		return false;
	make_text(text, file, want.version);
	return !memcmp(buf, text, want.length);
}

static void compare(const char *type, const char *image, struct file *files)
{
	static char buf[LENGTH_MAX];
	int there = 0, lost = 0;

	mount_image(type, image, "mem=" MEMORY);
	for (int i = 0; i < FILES; i++) {
		long n = 0, length = 0;
		char name[32];
		int fd;

		if (!files[i].exists)
			continue;
		snprintf(name, sizeof(name), "d%d/%d", i / FILES_EACH, i);
		fd = lkl_sys_open(name, LKL_O_RDONLY, 0);
		while (fd >= 0 && (n = lkl_sys_read(fd, buf + length,
						    sizeof(buf) - length)) > 0)
			length += n;
		lkl_sys_close(fd);
		if (files[i].next.version == ANYTHING ||
		    (fd >= 0 && !n &&
		     (matches(i, files[i].synced, buf, length) ||
		      matches(i, files[i].next, buf, length)))) {
			there++;
			continue;
		}
		lost++;
		printf("lost: %s: %s, %ld bytes; was version %u, %u bytes\n",
		       name, fd < 0 ? lkl_strerror(fd) : "other content",
		       length, files[i].synced.version, files[i].synced.length);
	}
	EQ(lkl_sys_chdir("/"), 0);
	EQ(lkl_umount_timeout(mnt, 0, 10000), 0);
	halt();
	printf("%d there, %d lost\n", there, lost);
	fflush(stdout);
	_exit(!!lost);
}

int main(int argc, char **argv)
{
	static struct file files[FILES];
	int status;
	pid_t pid;

	if (argc != 4) {
		fprintf(stderr, "usage: killed TYPE IMAGE SEED\n");
		return 2;
	}
	seed = strtoul(argv[3], NULL, 10);
	interrupt(argv[1], argv[2], files);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		compare(argv[1], argv[2], files);
	EQ(waitpid(pid, &status, 0), pid);
	return status != 0;
}
