// SPDX-License-Identifier: GPL-2.0-only
/*
 * The progress line.  A thread counts what there is to do while the copy is
 * already on its way; until it is done the line goes without the time left.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "tool.h"

#define INTERVAL_NS 200000000ull
/* What takes less long needs no line. */
#define PATIENCE_NS 1000000000ull

/* In memory that is shared with a process that counts. */
static struct walk_total *total;
static struct walk_counter to_count;
static pthread_t counter;
static bool active;
static bool counting;
static unsigned long long start_ns;
static unsigned long long shown_ns;

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/*
 * Put a line in the place of the one on the terminal, by one call: another
 * process may write there, too.
 */
static void put_line(const char *text, const char *end)
{
	char line[256];

	flockfile(stderr);
	snprintf(line, sizeof(line), "\r%.200s\033[K%s", text, end);
	fputs(line, stderr);
	fflush(stderr);
	tool_line = !*end;
	funlockfile(stderr);
}

static void show(unsigned long long files, unsigned long long bytes,
		 const char *end)
{
	double seconds = (now_ns() - start_ns) / 1e9;
	char done[TOOL_SIZE], all[TOOL_SIZE], rate[TOOL_SIZE];
	char text[200], of_files[32] = "", of_bytes[32] = "", left[32] = "";
	unsigned long long all_files = total->files, all_bytes = total->bytes;

	if (total->done) {
		snprintf(of_files, sizeof(of_files), "/%llu", all_files);
		snprintf(of_bytes, sizeof(of_bytes), " of %s",
			 tool_size(all_bytes, all));
	}
	if (total->done && !*end) {
		/* small files cost as much as a few of their kilobytes */
		double work = bytes + files * 8192.0;
		double more = all_bytes + all_files * 8192.0 - work;
		unsigned int s = more > 0 && work > 0 ? seconds * more / work
						      : 0;

		snprintf(left, sizeof(left), ", %u:%02u left", s / 60, s % 60);
	}
	snprintf(text, sizeof(text), "%llu%s files, %s%s, %s/s%s", files,
		 of_files, tool_size(bytes, done), of_bytes,
		 tool_size(seconds ? bytes / seconds : 0, rate), left);
	put_line(text, end);
}

/* Whether there is a terminal; a process in a sandbox cannot find out. */
static enum { UNKNOWN, TERMINAL, NONE } where;

void progress_prepare(void)
{
	total = mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (total == MAP_FAILED)
		tool_no_memory();
	where = isatty(STDERR_FILENO) ? TERMINAL : NONE;
}

void progress_count(const struct walk *walk)
{
	if (where != TERMINAL)
		return;
	memset(total, 0, sizeof(*total));
	to_count = (struct walk_counter){ walk, total };
	counting = !pthread_create(&counter, NULL, walk_count, &to_count);
}

void progress_end_count(void)
{
	total->stop = true;
	if (counting)
		pthread_join(counter, NULL);
	counting = false;
}

void progress_start(const struct walk *walk)
{
	if (where == UNKNOWN)
		progress_prepare();
	if (where == NONE)
		return;
	start_ns = now_ns();
	shown_ns = start_ns;
	active = true;
	if (walk)
		progress_count(walk);
}

void progress_update(unsigned long long files, unsigned long long bytes)
{
	unsigned long long now;

	if (!active)
		return;
	now = now_ns();
	if (now - shown_ns < INTERVAL_NS)
		return;
	shown_ns = now;
	show(files, bytes, "");
}

void progress_end(unsigned long long files, unsigned long long bytes)
{
	if (!active)
		return;
	progress_end_count();
	total->done = false;
	show(files, bytes, "\n");
	active = false;
}

static const char *watched;

void progress_clear(void)
{
	flockfile(stderr);
	if (tool_line)
		fputs("\r\033[K", stderr);
	tool_line = false;
	fflush(stderr);
	funlockfile(stderr);
}

void progress_watch(const char *what)
{
	watched = what && isatty(STDERR_FILENO) ? what : NULL;
	start_ns = now_ns();
	shown_ns = start_ns + PATIENCE_NS - INTERVAL_NS;
}

/* What a process has read and written; false if the host does not tell. */
static bool get_io(pid_t pid, unsigned long long *in, unsigned long long *out)
{
	char path[64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	f = fopen(path, "re");
	ok = f && fscanf(f, "rchar: %llu wchar: %llu", in, out) == 2;
	if (f)
		fclose(f);
	return ok;
}

void progress_wait(pid_t pid)
{
	unsigned long long now, in, out;
	char read[TOOL_SIZE], written[TOOL_SIZE], io[64] = "", text[200];
	unsigned int seconds;

	if (!watched)
		return;
	now = now_ns();
	if (now < shown_ns + INTERVAL_NS)
		return;
	shown_ns = now;
	seconds = (now - start_ns) / 1000000000;
	if (get_io(pid, &in, &out))
		snprintf(io, sizeof(io), "%s read, %s written, ",
			 tool_size(in, read), tool_size(out, written));
	snprintf(text, sizeof(text), "%.64s: %s%u:%02u", watched, io,
		 seconds / 60, seconds % 60);
	put_line(text, "");
}

void progress_done(void)
{
	if (watched)
		progress_clear();
	watched = NULL;
}
