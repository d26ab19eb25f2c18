// SPDX-License-Identifier: GPL-2.0-only
/*
 * A passphrase is all that a file holds, or a line typed on the terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "key.h"
#include "tool.h"

#define PASSPHRASE_MAX (8U << 20)

/* Returns the length, or a negative error number. */
static long read_key(int fd, char *key)
{
	size_t len = 0;
	ssize_t n;

	while (len < PASSPHRASE_MAX &&
	       (n = read(fd, key + len, PASSPHRASE_MAX - len)) != 0) {
		if (n < 0)
			return -errno;
		len += n;
	}
	return len;
}

/* Ask on the terminal, without showing what is typed. */
static long prompt(const char *image, char *key)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC), err = 0;
	struct termios shown, hidden;
	ssize_t n = 0;

	if (fd < 0 || tcgetattr(fd, &shown)) {
		if (fd >= 0)
			close(fd);
		return -ENOTTY;
	}
	hidden = shown;
	hidden.c_lflag &= ~ECHO;
	hidden.c_lflag |= ICANON | ISIG;
	dprintf(fd, "Passphrase for '%s': ", image);
	tcsetattr(fd, TCSAFLUSH, &hidden);
	/* unlike read(), poll() ends on a signal */
	if (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1) < 0 ||
	    (n = read(fd, key, PASSPHRASE_MAX)) < 0)
		err = -errno;
	tcsetattr(fd, TCSAFLUSH, &shown);
	dprintf(fd, "\n");
	close(fd);
	if (err)
		return err;
	return n && key[n - 1] == '\n' ? n - 1 : n;
}

int key_get(struct key *k, const char *image, const char *option)
{
	char *key = tool_alloc(NULL, PASSPHRASE_MAX);
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
		free(key);
		return -1;
	}
	k->text = key;
	k->len = len;
	return 0;
}

void key_forget(struct key *k)
{
	if (k->text)
		explicit_bzero(k->text, k->len);
	free(k->text);
	k->text = NULL;
}
