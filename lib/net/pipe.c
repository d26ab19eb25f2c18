// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two FIFOs, one for each direction, with frames as in stream.c.
 *
 * Both are opened for reading and writing, so that it does not matter which
 * side comes first, or comes again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../net.h"

#define PIPE_SIZE (1 << 20)

static int open_fifo(const char *wire, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0) {
		lkl_message(wire, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) || !S_ISFIFO(st.st_mode)) {
		lkl_message(wire, "%s: not a FIFO", path);
		close(fd);
		return -1;
	}
	/* If the host does not let us have so much, less will do. */
	fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	return fd;
}

struct lkl_netdev *lkl_netdev_pipe_create(const char *paths, int offload)
{
	static const char wire[] = "pipe";
	const char *bar = strchr(paths, '|');
	char rx[4096], old[4096];
	int in, out;

	if (!bar || bar == paths || !bar[1] || strchr(bar + 1, '|') ||
	    snprintf(rx, sizeof(rx), "%.*s", (int)(bar - paths), paths) >=
		    (int)sizeof(rx)) {
		lkl_message(wire, "not RX|TX: %s", paths);
		return NULL;
	}
	if (!lkl_net_check_offload(wire, offload))
		return NULL;
	in = open_fifo(wire, rx);
	if (in < 0)
		return NULL;
	out = open_fifo(wire, bar + 1);
	if (out < 0) {
		close(in);
		return NULL;
	}
	/* What was sent to an earlier reader. */
	while (read(in, old, sizeof(old)) > 0)
		;
	return lkl_stream_wire(wire, in, out, offload);
}
