// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that are no raw files.
 *
 * An image in another format gets a qemu-nbd of its own, on a socket that
 * nobody else can reach and that has no name any more as soon as we are
 * connected.  qemu-nbd ends by itself when we disconnect, and by a signal of
 * the host's when we die.  It holds the writing end of a pipe, whose reading
 * end tells us that it has ended, and all is in the image.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"
#include "qemu.h"
#include "remote.h"
#include "tool.h"

/* What tells the format of an image. */
#define DISK_START 128
#define SECTOR 512
/* Connections, of which the library makes no more. */
#define CLIENTS 8

bool remote_is_uri(const char *name)
{
	static const char *const schemes[] = { "nbd://", "nbds://",
					       "nbd+unix://", "nbds+unix://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (!strncmp(name, schemes[i], strlen(schemes[i])))
			return true;
	}
	return false;
}

const char *remote_format(int file)
{
	static const struct {
		const char *format;
		size_t offset;
		size_t len;
		const char *magic;
	} formats[] = {
		{ "qcow2", 0, 4, "QFI\xfb" },
		{ "vmdk", 0, 4, "KDMV" },
		{ "vmdk", 0, 4, "COWD" },
		{ "vmdk", 0, 21, "# Disk DescriptorFile" },
		{ "vhdx", 0, 8, "vhdxfile" },
		{ "vdi", 0x40, 4, "\x7f\x10\xda\xbe" },
	};
	char start[DISK_START] = "";
	ssize_t n = pread(file, start, sizeof(start), 0);

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		size_t end = formats[i].offset + formats[i].len;

		if (n >= (ssize_t)end &&
		    !memcmp(start + formats[i].offset, formats[i].magic,
			    formats[i].len))
			return formats[i].format;
	}
	return NULL;
}

static struct remote *connect_to(const char *uri, long *err)
{
	struct remote *r = tool_alloc(NULL, sizeof(*r));
	struct lkl_blk_limits limits = { .block_size = SECTOR };

	*r = (struct remote){ .file = -1, .server = -1 };
	*err = lkl_disk_nbd_open(&r->disk, uri);
	if (*err) {
		free(r);
		return NULL;
	}
	r->disk.ops->get_capacity(r->disk, &r->size);
	/* a server that takes small requests has not said that it is a disk */
	if (!r->disk.ops->get_limits(r->disk, &limits) &&
	    limits.block_size > SECTOR)
		r->sector = limits.block_size;
	return r;
}

struct remote *remote_open(const char *uri)
{
	long err;
	struct remote *r = connect_to(uri, &err);

	if (!r)
		tool_file_error("cannot connect to", NULL, uri, err);
	return r;
}

/* A socket that a server can be given; 0 or a negative error number. */
static int make_listener(const struct sockaddr_un *addr, int *fd)
{
	int err = 0;

	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	if (bind(*fd, (const struct sockaddr *)addr, sizeof(*addr))) {
		err = -errno;
	} else if (listen(*fd, CLIENTS)) {
		err = -errno;
		unlink(addr->sun_path);
	}
	if (err)
		close(*fd);
	return err;
}

/* With a limit of time even SA_RESTART lets a signal end the call. */
static bool hear(int fd, void *buf, size_t size)
{
	ssize_t n;

	while ((n = recv(fd, buf, size, 0)) < 0 && errno == EINTR)
		;
	return n > 0;
}

/*
 * A server without a client would wait and never end, and it ends after one
 * with which it has agreed on an export only: become one, and leave.
 */
static void end_server(const struct sockaddr_un *addr)
{
	/* flags, fixed new style; "IHAVEOPT", NBD_OPT_EXPORT_NAME, no name */
	static const char hello[] = "\0\0\0\1IHAVEOPT\0\0\0\1\0\0\0";
	static const struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char greeting[18], answer;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) &&
	    hear(fd, greeting, sizeof(greeting)) &&
	    send(fd, hello, sizeof(hello), MSG_NOSIGNAL) > 0)
		hear(fd, &answer, 1);
	close(fd);
}

static struct remote *serve(const struct qemu *q, const char *dir)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char uri[sizeof(addr.sun_path) + 32];
	struct qemu_server server;
	struct remote *r = NULL;
	int end[2], listener;
	long err;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/nbd", dir);
	snprintf(uri, sizeof(uri), "nbd+unix:///?socket=%s", addr.sun_path);
	err = make_listener(&addr, &listener);
	if (!err && pipe2(end, O_CLOEXEC)) {
		err = -errno;
		close(listener);
		unlink(addr.sun_path);
	}
	if (err) {
		tool_file_error("cannot open", NULL, q->name, err);
		return NULL;
	}
	err = qemu_serve(q, listener, &addr, end[1], &server);
	close(end[1]);
	if (!err) {
		r = connect_to(uri, &err);
		if (r) {
			qemu_leave(&server);
		} else {
			tool_file_error("cannot connect to qemu-nbd for", NULL,
					q->name, err);
			qemu_end(&server);
		}
	}
	unlink(addr.sun_path);
	if (r)
		r->server = end[0];
	else
		close(end[0]);
	return r;
}

struct remote *remote_start(const char *name, int file, bool readonly,
			    bool trust)
{
	char dir[] = "/tmp/lkl-XXXXXX";
	char *path = realpath(name, NULL);
	struct remote *r = NULL;
	struct qemu q = {
		.name = name,
		.path = path,
		.format = remote_format(file),
		.file = file,
		.readonly = readonly,
		.trust = trust,
	};

	if (!path || !mkdtemp(dir)) {
		tool_file_error("cannot open", NULL, name, -errno);
	} else {
		r = serve(&q, dir);
		rmdir(dir);
	}
	free(path);
	if (r)
		r->file = file;
	else
		close(file);
	return r;
}

/* The URI of a socket; all but a few characters may be in its name. */
static void put_uri(const char *path)
{
	printf("nbd+unix:///?socket=");
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (isalnum(*p) || strchr("/._-~", *p))
			putchar(*p);
		else
			printf("%%%02X", *p);
	}
	putchar('\n');
}

/* A socket that clients find by a name, which may be another's meanwhile. */
struct place {
	struct sockaddr_un addr;
	int fd;
};

/* Make the socket, for nobody else; 0 or a negative error number. */
static int place_make(struct place *p, const char *path, int *listener)
{
	size_t len = strlen(path);
	mode_t mask;
	int err;

	*p = (struct place){ .addr.sun_family = AF_UNIX, .fd = -1 };
	/* without a name it would be an abstract one, which anybody finds */
	if (!len)
		return -ENOENT;
	if (len >= sizeof(p->addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(p->addr.sun_path, path, len);
	mask = umask(0177);
	err = make_listener(&p->addr, listener);
	umask(mask);
	if (err)
		return err;
	p->fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0) {
		err = -errno;
		close(*listener);
		unlink(path);
	}
	return err;
}

static bool place_is_ours(const struct place *p)
{
	struct stat is, was;

	return !lstat(p->addr.sun_path, &is) && !fstat(p->fd, &was) &&
	       is.st_dev == was.st_dev && is.st_ino == was.st_ino;
}

static void place_end_server(const struct place *p)
{
	struct sockaddr_un own = p->addr;

	if (!place_is_ours(p))
		snprintf(own.sun_path, sizeof(own.sun_path), "/proc/self/fd/%d",
			 p->fd);
	end_server(&own);
}

static void place_remove(const struct place *p)
{
	if (place_is_ours(p))
		unlink(p->addr.sun_path);
	close(p->fd);
}

/* Until the server has ended; a signal ends it when its last client leaves. */
static void wait_for_end(int end, const struct place *p, bool now)
{
	char byte;

	if (now || !tool_wait_input(end))
		place_end_server(p);
	place_remove(p);
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
}

int remote_serve(const char *name, int file, bool readonly, bool trust,
		 const char *path)
{
	struct place place;
	char *real = realpath(name, NULL);
	const char *format = remote_format(file);
	struct qemu q = {
		.name = name,
		.path = real,
		.format = format ? format : "raw",
		.file = file,
		.readonly = readonly,
		.trust = trust,
	};
	int end[2], listener = -1, err = real ? 0 : -errno;
	struct qemu_server server;

	if (err) {
		tool_file_error("cannot open", NULL, name, err);
		return -1;
	}
	err = place_make(&place, path, &listener);
	if (!err && pipe2(end, O_CLOEXEC)) {
		err = -errno;
		close(listener);
		place_remove(&place);
	}
	if (err) {
		tool_file_error("cannot make socket", NULL, path, err);
		free(real);
		return -1;
	}
	err = qemu_serve(&q, listener, &place.addr, end[1], &server);
	close(end[1]);
	if (!err) {
		put_uri(path);
		err = fflush(stdout) ? -1 : 0;
		if (err)
			tool_error("cannot write to standard output");
		wait_for_end(end[0], &place, err);
		qemu_end(&server);
	} else {
		place_remove(&place);
	}
	close(end[0]);
	free(real);
	return err;
}

static bool read_disk(void *handle, void *buf, size_t len, off_t pos)
{
	const struct lkl_disk *disk = handle;
	struct iovec iov = { buf, len };
	struct lkl_blk_req req = {
		.type = LKL_DEV_BLK_TYPE_READ,
		.sector = pos / SECTOR,
		.buf = &iov,
		.count = 1,
	};

	return disk->ops->request(*disk, &req) == LKL_DEV_BLK_STATUS_OK;
}

int remote_outline(struct remote *r, unsigned int sector)
{
	return probe_outline(read_disk, &r->disk, r->size, sector);
}

void remote_close(struct remote *r)
{
	char byte;

	if (!r)
		return;
	lkl_disk_nbd_close(&r->disk);
	if (r->server >= 0) {
		while (read(r->server, &byte, 1) < 0 && errno == EINTR)
			;
		close(r->server);
	}
	if (r->file >= 0)
		close(r->file);
	free(r);
}
