// SPDX-License-Identifier: GPL-2.0-only
/*
 * A passphrase is all that a file holds, or a line typed on the terminal.
 *
 * It lies in memory of its own that is not swapped, nor in a core dump, and is
 * cleared in the end.  Meanwhile no process of the same user can look into this
 * one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "key.h"
#include "tool.h"

#define PASSPHRASE_MAX (8U << 20)
/* What can be locked where users may not lock much. */
#define LOCK_MIN (64U << 10)

/* What may end the program, or stop it, while the terminal hides what is typed.
 */
static const int signals[] = { SIGINT,	SIGTERM, SIGHUP, SIGQUIT,
			       SIGTSTP, SIGTTIN, SIGTTOU };
#define SIGNALS (sizeof(signals) / sizeof(*signals))

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

static char *new_key(void)
{
	char *key = mmap(NULL, PASSPHRASE_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (key == MAP_FAILED)
		tool_no_memory();
	if (mlock2(key, PASSPHRASE_MAX, MLOCK_ONFAULT))
		mlock2(key, LOCK_MIN, MLOCK_ONFAULT);
	madvise(key, PASSPHRASE_MAX, MADV_DONTDUMP);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return key;
}

static void free_key(char *key, size_t len)
{
	explicit_bzero(key, len);
	munmap(key, PASSPHRASE_MAX);
}

/* Returns the length, or a negative error number. */
static long read_key(int fd, char *key)
{
	size_t len = 0;
	ssize_t n;

	while (len < PASSPHRASE_MAX &&
	       (n = read(fd, key + len, PASSPHRASE_MAX - len)) != 0) {
		if (n < 0) {
			explicit_bzero(key, len);
			return -errno;
		}
		len += n;
	}
	return len;
}

/* Read a line without showing it, unless one of the signals comes. */
static long read_hidden(int fd, char *key, const sigset_t *mask)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct termios shown, hidden;
	long n;

	if (tcgetattr(fd, &shown))
		return -ENOTTY;
	hidden = shown;
	hidden.c_lflag &= ~ECHO;
	hidden.c_lflag |= ICANON | ISIG;
	tcsetattr(fd, TCSAFLUSH, &hidden);
	n = ppoll(&pfd, 1, NULL, mask);
	if (n > 0)
		n = read(fd, key, PASSPHRASE_MAX);
	if (n < 0)
		n = -errno;
	tcsetattr(fd, TCSAFLUSH, &shown);
	return n;
}

/*
 * Ask on the terminal.  A signal is taken when that shows again what is typed;
 * after a stop the question comes once more.
 */
static long prompt(const char *image, char *key)
{
	struct sigaction sa = { .sa_handler = on_signal }, old[SIGNALS];
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	sigset_t set, mask;
	bool again;
	long n;

	if (fd < 0)
		return -ENOTTY;
	sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i]);
	do {
		caught = 0;
		sigprocmask(SIG_BLOCK, &set, &mask);
		for (size_t i = 0; i < SIGNALS; i++) {
			sigaction(signals[i], NULL, &old[i]);
			if (old[i].sa_handler != SIG_IGN)
				sigaction(signals[i], &sa, NULL);
		}
		dprintf(fd, "Passphrase for '%s': ", image);
		n = read_hidden(fd, key, &mask);
		dprintf(fd, "\n");
		for (size_t i = 0; i < SIGNALS; i++)
			sigaction(signals[i], &old[i], NULL);
		again = caught == SIGTSTP || caught == SIGTTIN ||
			caught == SIGTTOU;
		if (caught)
			raise(caught);
		sigprocmask(SIG_SETMASK, &mask, NULL);
	} while (again && n == -EINTR);
	close(fd);
	return n > 0 && key[n - 1] == '\n' ? n - 1 : n;
}

int key_get(struct key *k, const char *image, const char *option)
{
	char *key = new_key();
	const char *file = k->file;
	long len;
	int fd;

	if (file) {
		fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC)
				       : STDIN_FILENO;
		len = fd < 0 ? -errno : read_key(fd, key);
		if (fd > STDIN_FILENO)
			close(fd);
		if (len < 0)
			tool_file_error("cannot read key file", NULL, file,
					len);
	} else {
		len = prompt(image, key);
		if (len == -ENOTTY)
			tool_error("'%s' is encrypted, and there is no "
				   "terminal to ask for the passphrase; give "
				   "a file with %s",
				   image, option);
		else if (len < 0)
			tool_error("no passphrase for '%s'", image);
	}
	if (len < 0) {
		free_key(key, 0);
		return -1;
	}
	k->text = key;
	k->len = len;
	return 0;
}

void key_copy(struct key *to, const struct key *from)
{
	if (!from->text)
		return;
	to->text = new_key();
	to->len = from->len;
	memcpy(to->text, from->text, from->len);
}

void key_forget(struct key *k)
{
	if (k->text)
		free_key(k->text, k->len);
	k->text = NULL;
}
