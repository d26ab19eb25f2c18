// SPDX-License-Identifier: GPL-2.0-only
/*
 * OCI images: index.json names manifests, perhaps through other indexes, and a
 * manifest names layers.  Each is a blob, a file whose name is its digest,
 * which is checked before anything in it is believed.
 *
 * Of an archive, the blobs are unpacked into a temporary directory, as they
 * come in any order; their descriptors are all that is left of them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/openat2.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../common/control.h"
#include "input.h"
#include "oci.h"

/* Indexes in indexes; what is read as JSON; a layout has no more of them. */
#define MAX_NESTING 4
#define MAX_JSON (8 << 20)
#define MAX_LAYERS 1024

/*
 * @dir: the layout
 */
struct oci {
	struct unpack *u;
	int dir;
};

static const char *get_text(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) &&
			       json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : NULL;
}

static json_object *get_array(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) &&
			       json_object_is_type(v, json_type_array)
		       ? v
		       : NULL;
}

/* The algorithm's name becomes a directory, so only these are taken. */
static bool split_digest(const char *digest, char *path, size_t size,
			 const char **hex)
{
	size_t len;

	if (!digest)
		return false;
	if (!strncmp(digest, "sha256:", 7))
		len = 64;
	else if (!strncmp(digest, "sha512:", 7))
		len = 128;
	else
		return false;
	*hex = digest + 7;
	if (strlen(*hex) != len || strspn(*hex, "0123456789abcdef") != len)
		return false;
	snprintf(path, size, "blobs/%.6s/%s", digest, *hex);
	return true;
}

static void to_hex(char *text, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* Has a file the digest? */
static bool check_digest(int fd, bool is_512, const char *hex)
{
	uint8_t *buf = tool_alloc(NULL, BLOCK), sum[SHA512_DIGEST_SIZE];
	char text[2 * SHA512_DIGEST_SIZE + 1];
	struct sha256_ctx s256;
	struct sha512_ctx s512;
	off_t off = 0;
	ssize_t n;

	sha256_init(&s256);
	sha512_init(&s512);
	while (!tool_signal && (n = pread(fd, buf, BLOCK, off)) > 0) {
		if (is_512)
			sha512_update(&s512, n, buf);
		else
			sha256_update(&s256, n, buf);
		off += n;
	}
	free(buf);
	if (is_512) {
		sha512_digest(&s512, SHA512_DIGEST_SIZE, sum);
		to_hex(text, sum, SHA512_DIGEST_SIZE);
	} else {
		sha256_digest(&s256, SHA256_DIGEST_SIZE, sum);
		to_hex(text, sum, SHA256_DIGEST_SIZE);
	}
	return !strcmp(text, hex);
}

/*
 * A file of the layout.  Nothing on the way is a link, which may lead anywhere,
 * and a pipe is not waited for.
 */
static int open_part(const struct oci *o, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return syscall(SYS_openat2, o->dir, path, &how, sizeof(how));
}

/* A digest of the image's, which may be anything, for a message. */
static const char *printable(const char *text, char buf[160])
{
	snprintf(buf, 160, "%s", text);
	return control_hide(buf);
}

/* Open a blob, which @what says what it is, and check it. */
static int open_blob(const struct oci *o, json_object *descriptor,
		     const char *what)
{
	const char *digest = get_text(descriptor, "digest"), *hex;
	json_object *size;
	char path[256], buf[160];
	struct stat st;
	int fd;

	if (!split_digest(digest, path, sizeof(path), &hex)) {
		tool_error("'%s': %s has no digest that can be checked: '%s'",
			   o->u->name, what, printable(digest ?: "", buf));
		return -1;
	}
	fd = open_part(o, path);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			errno = EISDIR;
		if (errno == ENOENT)
			tool_error("'%s': %s %s is missing", o->u->name, what,
				   digest);
		else
			tool_error("'%s': cannot open %s %s: %s", o->u->name,
				   what, digest, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if ((json_object_object_get_ex(descriptor, "size", &size) &&
	     json_object_get_int64(size) != st.st_size) ||
	    !check_digest(fd, !strncmp(digest, "sha512", 6), hex)) {
		if (!tool_signal)
			tool_error("'%s': the content of %s %s does not match "
				   "its digest",
				   o->u->name, what, digest);
		close(fd);
		return -1;
	}
	return fd;
}

/* Read JSON; NULL when it has said why not.  Takes the descriptor. */
static json_object *read_json(const struct oci *o, int fd, const char *what)
{
	json_object *json = NULL;
	struct stat st;
	char *text;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size && st.st_size <= MAX_JSON) {
		text = tool_alloc(NULL, st.st_size + 1);
		text[st.st_size] = 0;
		if (pread(fd, text, st.st_size, 0) == st.st_size)
			json = json_tokener_parse(text);
		free(text);
	}
	close(fd);
	if (json && json_object_is_type(json, json_type_object))
		return json;
	json_object_put(json);
	tool_error("'%s': %s is not valid", o->u->name, what);
	return NULL;
}

static bool is_index(json_object *descriptor)
{
	const char *type = get_text(descriptor, "mediaType");

	return type &&
	       (strstr(type, "image.index") || strstr(type, "manifest.list"));
}

static const char *ref_name(json_object *descriptor)
{
	json_object *notes;
	const char *ref;

	if (!json_object_object_get_ex(descriptor, "annotations", &notes))
		return NULL;
	ref = get_text(notes, "org.opencontainers.image.ref.name");
	return ref ?: get_text(notes, "io.containerd.image.name");
}

/* Is an image for machines of this kind, or does it not say? */
static bool fits(json_object *descriptor)
{
	static const struct {
		const char *machine, *oci;
	} names[] = {
		{ "x86_64", "amd64" },
		{ "aarch64", "arm64" },
		{ "i686", "386" },
		{ "armv7l", "arm" },
	};
	json_object *platform;
	const char *os, *arch;
	struct utsname uts;

	if (!json_object_object_get_ex(descriptor, "platform", &platform))
		return true;
	os = get_text(platform, "os");
	arch = get_text(platform, "architecture");
	if (!arch || uname(&uts))
		return true;
	if (os && strcmp(os, "linux"))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(uts.machine, names[i].machine))
			return !strcmp(arch, names[i].oci);
	}
	return !strcmp(arch, uts.machine);
}

/* "'a', 'b'" */
static char *list_refs(json_object *list)
{
	char *text = NULL;
	size_t len, count = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		tool_no_memory();
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *ref = ref_name(json_object_array_get_idx(list, i));
		char buf[160];

		if (ref)
			fprintf(f, "%s'%s'", count++ ? ", " : "",
				printable(ref, buf));
	}
	fclose(f);
	return text;
}

/* Choose an image of an index; NULL when it has said why not. */
static json_object *choose(const struct oci *o, json_object *index, bool top)
{
	json_object *list = get_array(index, "manifests"), *chosen = NULL;
	const char *want = top ? o->u->ref : NULL;
	unsigned int count = 0;
	char *refs;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *d = json_object_array_get_idx(list, i);
		const char *ref = ref_name(d);

		if (want ? !ref || strcmp(ref, want) : !fits(d))
			continue;
		if (!count++)
			chosen = d;
	}
	if (count == 1)
		return chosen;
	if (want && !count) {
		tool_error("'%s' has no image '%s'", o->u->name, want);
	} else if (!count) {
		tool_error("'%s' has no image for this machine", o->u->name);
	} else if (top) {
		refs = list_refs(list);
		tool_error("'%s' has several images, choose one with --ref: %s",
			   o->u->name, refs);
		free(refs);
	} else {
		tool_error("'%s' has several images for this machine",
			   o->u->name);
	}
	return NULL;
}

static int open_layers(const struct oci *o, json_object *manifest)
{
	json_object *list = get_array(manifest, "layers");

	if (!list || json_object_array_length(list) > MAX_LAYERS) {
		tool_error("'%s': the manifest is not valid", o->u->name);
		return -1;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *d = json_object_array_get_idx(list, i);
		int fd = open_blob(o, d, "layer");

		if (fd < 0)
			return -1;
		unpack_add_layer(o->u, get_text(d, "digest"), fd);
	}
	return 0;
}

static int open_image(const struct oci *o)
{
	int fd = open_part(o, "index.json"), ret = -1;
	json_object *json, *d, *next;

	if (fd < 0) {
		if (errno == ENOENT)
			tool_error("'%s' is no OCI image: it has no index.json",
				   o->u->name);
		else
			tool_error("'%s': cannot open index.json: %s",
				   o->u->name, strerror(errno));
		return -1;
	}
	json = read_json(o, fd, "index.json");
	for (int i = 0; json && i < MAX_NESTING; i++) {
		d = choose(o, json, !i);
		if (!d)
			break;
		if (!is_index(d)) {
			next = read_json(o, open_blob(o, d, "manifest"),
					 "the manifest");
			if (next)
				ret = open_layers(o, next);
			json_object_put(next);
			break;
		}
		next = read_json(o, open_blob(o, d, "index"), "an index");
		json_object_put(json);
		json = next;
		if (json && i == MAX_NESTING - 1)
			tool_error("'%s' is too deeply nested", o->u->name);
	}
	json_object_put(json);
	return ret;
}

/* What of an archive of an image is to be unpacked. */
static bool is_part(const char *path)
{
	char want[256];
	const char *hex;
	char digest[160];

	if (!strcmp(path, "index.json"))
		return true;
	if (strncmp(path, "blobs/", 6) || strlen(path) > 150)
		return false;
	snprintf(digest, sizeof(digest), "%s", path + 6);
	if (strlen(digest) > 6 && digest[6] == '/')
		digest[6] = ':';
	return split_digest(digest, want, sizeof(want), &hex) &&
	       !strcmp(want, path);
}

/* Unpack an entry into a file. */
static bool unpack_part(struct reader *rd, int dir, const char *path)
{
	int fd = openat(dir, path,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	bool ok;

	if (fd < 0) {
		tool_file_error("cannot unpack", rd->name, path, -errno);
		return false;
	}
	ok = archive_read_data_into_fd(rd->in->tar, fd) == ARCHIVE_OK;
	if (!ok)
		tool_error("cannot unpack '%s': %s", rd->name,
			   input_reason(rd->in->tar));
	close(fd);
	return ok;
}

static bool unpack_all(struct oci *o)
{
	struct reader rd = { .name = o->u->name };
	bool ok;
	int err;

	rd.fd = strcmp(rd.name, "-") ? open(rd.name, O_RDONLY | O_CLOEXEC)
				     : STDIN_FILENO;
	if (rd.fd < 0) {
		tool_file_error("cannot open", NULL, rd.name, -errno);
		return false;
	}
	err = reader_open(&rd);
	ok = !err;
	if (err > 0)
		tool_error("'%s' is empty", rd.name);
	while (ok) {
		const char *name = archive_entry_pathname(rd.entry);
		char *path = strdup(name ? name : "");

		if (!path)
			tool_no_memory();
		if (archive_entry_filetype(rd.entry) == AE_IFREG &&
		    !archive_entry_hardlink(rd.entry) && clean_path(path) &&
		    is_part(path))
			ok = unpack_part(&rd, o->dir, path);
		free(path);
		if (ok && (tool_signal || !reader_next(&rd)))
			break;
	}
	ok = ok && !rd.failed && !tool_signal;
	reader_close(&rd);
	if (rd.fd != STDIN_FILENO)
		close(rd.fd);
	return ok;
}

/* Remove what was unpacked, which is in use and so stays until it is closed. */
static void remove_parts(int dir, const char *path)
{
	static const char *const dirs[] = { "blobs/sha256", "blobs/sha512" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		int fd = openat(dir, dirs[i], O_RDONLY | O_DIRECTORY);
		DIR *d = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *de;

		while (d && (de = readdir(d)))
			unlinkat(fd, de->d_name, 0);
		if (d)
			closedir(d);
		unlinkat(dir, dirs[i], AT_REMOVEDIR);
	}
	unlinkat(dir, "blobs", AT_REMOVEDIR);
	unlinkat(dir, "index.json", 0);
	rmdir(path);
}

static int open_archive(struct oci *o)
{
	const char *tmp = getenv("TMPDIR");
	char *path;
	int ret = -1;

	if (asprintf(&path, "%s/lkl-oci.XXXXXX",
		     tmp && *tmp ? tmp : "/var/tmp") < 0)
		tool_no_memory();
	if (!mkdtemp(path)) {
		tool_file_error("cannot create", NULL, path, -errno);
		free(path);
		return -1;
	}
	o->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dir < 0 || mkdirat(o->dir, "blobs", 0700) ||
	    mkdirat(o->dir, "blobs/sha256", 0700) ||
	    mkdirat(o->dir, "blobs/sha512", 0700))
		tool_file_error("cannot create", NULL, path, -errno);
	else if (unpack_all(o))
		ret = open_image(o);
	if (o->dir >= 0)
		remove_parts(o->dir, path);
	free(path);
	return ret;
}

int oci_open(struct unpack *u)
{
	struct oci o = { .u = u, .dir = -1 };
	struct stat st;
	int ret = -1;

	if (strcmp(u->name, "-") && stat(u->name, &st)) {
		tool_file_error("cannot open", NULL, u->name, -errno);
		return -1;
	}
	if (!strcmp(u->name, "-") || !S_ISDIR(st.st_mode)) {
		ret = open_archive(&o);
	} else {
		o.dir = open(u->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (o.dir < 0)
			tool_file_error("cannot open", NULL, u->name, -errno);
		else
			ret = open_image(&o);
	}
	if (o.dir >= 0)
		close(o.dir);
	return ret;
}
