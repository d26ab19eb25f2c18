// SPDX-License-Identifier: GPL-2.0-only
/*
 * Archives that go one over another.
 *
 * What a layer says to be gone is so in the layers below, wherever in the
 * archive it stands.  So it is read first, and goes into the stream before what
 * else is in the layer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/progress.h"
#include "../common/walk.h"
#include "oci.h"
#include "unpack.h"

#define WHITEOUT ".wh."
#define OPAQUE_DIR ".wh..wh..opq"

bool unpack_is_oci(const char *path)
{
	char *marker;
	bool is;

	if (asprintf(&marker, "%s/oci-layout", path) < 0)
		tool_no_memory();
	is = !access(marker, F_OK);
	free(marker);
	return is;
}

/* The reader of a layer, with its first header read; see reader_open(). */
static int open_reader(const struct unpack *u, const struct layer *l,
		       struct reader *rd)
{
	*rd = (struct reader){
		.name = l->name,
		.fd = l->fd,
		.layer = u->kind != UNPACK_TAR,
		.fixed_time = u->fixed_time,
		.time = u->time,
		.labels = u->labels,
		.stream = u->stream,
	};
	return reader_open(rd);
}

static void add_gone(struct layer *l, enum record_type type, const char *dir,
		     const char *name)
{
	struct gone *g;

	l->gone = tool_alloc(l->gone, (l->gone_count + 1) * sizeof(*g));
	g = &l->gone[l->gone_count++];
	g->type = type;
	if (asprintf(&g->path, "%s%s%s", dir, *dir && *name ? "/" : "", name) <
	    0)
		tool_no_memory();
}

/* Is this an entry that only says what is gone?  Then keep that. */
static bool whiteout(struct layer *l, char *path)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dir = slash ? path : "";

	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)))
		return false;
	if (slash)
		*slash = 0;
	if (!strcmp(name, OPAQUE_DIR))
		add_gone(l, REC_EMPTY, dir, "");
	else if (strncmp(name, WHITEOUT WHITEOUT, 2 * strlen(WHITEOUT)) &&
		 name[strlen(WHITEOUT)] &&
		 strcmp(name + strlen(WHITEOUT), ".") &&
		 strcmp(name + strlen(WHITEOUT), ".."))
		add_gone(l, REC_REMOVE, dir, name + strlen(WHITEOUT));
	return true;
}

/* Read a layer through, and be ready to read it again; @tell may be NULL. */
static int scan_layer(struct unpack *u, struct layer *l,
		      void (*tell)(void *arg, const char *path,
				   const struct stat *st),
		      void *arg)
{
	bool gone = u->kind != UNPACK_TAR && !l->gone, layout = false;
	struct reader rd;
	int err;

	if (lseek(l->fd, 0, SEEK_SET)) {
		tool_file_error("cannot read twice", NULL, l->name, -errno);
		return -1;
	}
	err = open_reader(u, l, &rd);
	if (!err) {
		progress_watch("looking at the archive");
		do {
			struct archive_entry *e = rd.entry;
			const char *name = archive_entry_pathname(e);
			char *path = strdup(name ? name : "");

			if (!path)
				tool_no_memory();
			if (clean_path(path)) {
				layout |= !strcmp(path, "oci-layout");
				if (!(u->kind != UNPACK_TAR &&
				      (gone ? whiteout(l, path) : false)) &&
				    tell && !archive_entry_hardlink(e))
					tell(arg, path, archive_entry_stat(e));
			}
			free(path);
			progress_wait(getpid());
		} while (!tool_signal && reader_next(&rd));
	}
	progress_done();
	if (rd.failed || tool_signal)
		err = -1;
	reader_close(&rd);
	u->is_oci |= layout;
	lseek(l->fd, 0, SEEK_SET);
	return err < 0 ? -1 : 0;
}

static int open_file(struct unpack *u)
{
	int fd = STDIN_FILENO;

	if (strcmp(u->name, "-")) {
		fd = open(u->name, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			tool_file_error("cannot open", NULL, u->name, -errno);
			return -1;
		}
	}
	unpack_add_layer(u, u->name, fd);
	return 0;
}

int unpack_open(struct unpack *u)
{
	if (u->kind == UNPACK_OCI ? oci_open(u) : open_file(u))
		return -1;
	for (size_t i = 0; i < u->count && u->kind != UNPACK_TAR; i++) {
		if (scan_layer(u, &u->layers[i], NULL, NULL))
			return -1;
	}
	/* what is no archive is found out before anything is touched */
	return u->kind == UNPACK_TAR &&
			       open_reader(u, u->layers, &u->reader) < 0
		       ? -1
		       : 0;
}

int unpack_scan(struct unpack *u,
		void (*tell)(void *arg, const char *path,
			     const struct stat *st),
		void *arg)
{
	if (u->reader.in)
		reader_close(&u->reader);
	for (size_t i = 0; i < u->count; i++) {
		if (scan_layer(u, &u->layers[i], tell, arg))
			return -1;
	}
	return 0;
}

/* Send a layer into the directory that is open in the stream. */
static bool send_layer(struct unpack *u, struct layer *l)
{
	struct reader rd = u->reader;
	bool go_on = true;
	int err = 0;

	for (size_t i = 0; i < l->gone_count && go_on; i++)
		go_on = stream_named(u->stream, l->gone[i].type, NULL,
				     l->gone[i].path, "", 1);
	u->reader.in = NULL;
	if (!rd.in)
		err = open_reader(u, l, &rd);
	rd.stream = u->stream;
	if (go_on && !err && rd.entry)
		go_on = reader_send(&rd);
	reader_close(&rd);
	return go_on;
}

void *unpack_run(void *arg)
{
	const struct stat st = { .st_mode = S_IFDIR };
	struct unpack *u = arg;
	bool go_on = true;

	for (size_t i = 0; i < u->count && go_on; i++)
		go_on = stream_named(u->stream, REC_ENTER, &st, ".", "", 1) &&
			send_layer(u, &u->layers[i]) &&
			stream_close(u->stream, 0, false);
	if (go_on && stream_reserve(u->stream, 0))
		stream_commit(u->stream, REC_DONE, 0);
	return NULL;
}

void unpack_close(struct unpack *u)
{
	reader_close(&u->reader);
	for (size_t i = 0; i < u->count; i++) {
		struct layer *l = &u->layers[i];

		for (size_t n = 0; n < l->gone_count; n++)
			free(l->gone[n].path);
		free(l->gone);
		free(l->name);
		if (l->fd > STDIN_FILENO)
			close(l->fd);
	}
	free(u->layers);
	u->layers = NULL;
	u->count = 0;
}
