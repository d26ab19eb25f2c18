// SPDX-License-Identifier: GPL-2.0-only
/*
 * A port of a virtual switch (VDE), or whatever else libvdeplug can plug into.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <libvdeplug.h>

#include "../../host/iov.h"
#include "../load.h"
#include "../net.h"

static struct {
	VDECONN *(*open)(char *url, char *description, int version,
			 struct vde_open_args *args);
	ssize_t (*recv)(VDECONN *conn, void *buf, size_t len, int flags);
	ssize_t (*send)(VDECONN *conn, const void *buf, size_t len, int flags);
	int (*datafd)(VDECONN *conn);
	int (*ctlfd)(VDECONN *conn);
	int (*close)(VDECONN *conn);
} lib;

static const char *const names[] = {
	"vde_open_real", "vde_recv",  "vde_send", "vde_datafd",
	"vde_ctlfd",	 "vde_close", NULL
};

/*
 * @fd: watches the connection's descriptors
 * @out, @in: frames in one piece, as libvdeplug wants them
 */
struct vde_wire {
	struct fd_wire fd;
	VDECONN *conn;
	char out[VDE_ETHBUFSIZE];
	char in[VDE_ETHBUFSIZE];
};

static struct vde_wire *to_vde(struct lkl_netdev *nd)
{
	return (struct vde_wire *)nd;
}

static int vde_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct vde_wire *w = to_vde(nd);
	size_t len = iov_length(iov, cnt);

	if (len > sizeof(w->out))
		return 0;
	iov_get(iov, cnt, w->out, len);
	if (lib.send(w->conn, w->out, len, 0) < 0 && errno == EAGAIN)
		return -EAGAIN;
	return 0;
}

static int vde_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt)
{
	struct vde_wire *w = to_vde(nd);
	ssize_t len = lib.recv(w->conn, w->in, sizeof(w->in), 0);

	if (len < 0)
		return -errno;
	iov_put(iov, cnt, w->in, len);
	return len;
}

static void vde_free(struct lkl_netdev *nd)
{
	lib.close(to_vde(nd)->conn);
	lkl_fd_free(nd);
}

static struct lkl_dev_net_ops vde_ops = {
	.tx = vde_tx,
	.rx = vde_rx,
	.poll = lkl_fd_poll,
	.poll_hup = lkl_fd_poll_hup,
	.forked = lkl_fd_forked,
	.free = vde_free,
};

struct lkl_netdev *lkl_netdev_vde_create(const char *switch_path)
{
	struct vde_wire *w;
	VDECONN *conn;
	char wire[64];
	int fd;

	snprintf(wire, sizeof(wire), "vde %s", switch_path);
	if (!lkl_load(wire, "libvdeplug.so.2", "libvdeplug2", names,
		      (void **)&lib))
		return NULL;
	conn = lib.open((char *)switch_path, "lkl",
			LIBVDEPLUG_INTERFACE_VERSION, NULL);
	if (!conn) {
		lkl_message(wire, "cannot plug in: %s", strerror(errno));
		return NULL;
	}
	/* The wire closes its own, libvdeplug the original. */
	fd = dup(lib.datafd(conn));
	w = fd < 0 ? NULL : lkl_fd_wire(sizeof(*w), &vde_ops, fd, fd);
	if (!w || (lib.ctlfd(conn) >= 0 &&
		   !lkl_fd_watch(&w->fd, lib.ctlfd(conn), EPOLLRDHUP))) {
		lkl_message(wire, "%s", strerror(errno));
		if (w)
			lkl_fd_free(&w->fd.nd);
		lib.close(conn);
		return NULL;
	}
	w->conn = conn;
	w->fd.nd.flags &= ~LKL_NETDEV_INLINE;
	return &w->fd.nd;
}
