// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts the systems that are in images as they mount themselves.
 *
 * What says which system it is, os-release, is looked for in each file system,
 * which is mounted for a moment without replaying its journal.  The fstab
 * beside it says what belongs to it, and where.
 *
 * The image is not trusted: its paths lead nowhere but into its root directory.
 */
#include <errno.h>
#include <lkl.h>
#include <lkl_host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl/linux/fs.h>

#include "inspect.h"
#include "kernel.h"
#include "tool.h"

#define UNMOUNT_MS 10000
#define PROBE "/probe"
#define MAX_FILE (64 << 10)
/* Of statfs(): what cannot be written. */
#define ST_RDONLY 1

/* A file system that has a system in it. */
struct system {
	size_t source;
	const char *subvolume;
};

static char *copy(const char *text)
{
	char *c = strdup(text);

	if (!c)
		tool_no_memory();
	return c;
}

static int open_in(int root, const char *path, int flags)
{
	struct lkl_open_how how = {
		.flags = flags,
		.resolve = LKL_RESOLVE_IN_ROOT,
	};

	return lkl_sys_openat2(root, path, &how, sizeof(how));
}

char *inspect_read(int root, const char *path)
{
	int fd = open_in(root, path, LKL_O_RDONLY | LKL_O_NONBLOCK);
	size_t size = 0;
	char *text;
	long n;

	if (fd < 0)
		return NULL;
	text = tool_alloc(NULL, MAX_FILE + 1);
	while (size < MAX_FILE &&
	       (n = lkl_sys_read(fd, text + size, MAX_FILE - size)) > 0)
		size += n;
	text[size] = 0;
	lkl_sys_close(fd);
	return text;
}

/* Mount a source, by nodes that are made for it; btrfs wants to know its
 * others. */
static long mount_source(const struct inspect *in, const struct source *source,
			 const char *where, bool readonly, const char *options)
{
	const struct sources *s = &in->sources;
	const char *type = probe_kernel_type(source->found.type);
	char *list = NULL;
	size_t len;
	FILE *f = open_memstream(&list, &len);
	long err;

	if (!f)
		tool_no_memory();
	fputs(options ?: "", f);
	for (size_t i = 0; i < s->count && !strcmp(type, "btrfs"); i++) {
		const struct source *other = &s->list[i];
		char node[32];

		if (other == source ||
		    strcmp(other->found.uuid, source->found.uuid))
			continue;
		snprintf(node, sizeof(node), "/source%zu", i);
		lkl_sys_unlinkat(LKL_AT_FDCWD, node, 0);
		lkl_sys_mknodat(LKL_AT_FDCWD, node, S_IFBLK | 0600, other->dev);
		fprintf(f, "%sdevice=%s", ftell(f) ? "," : "", node);
	}
	fclose(f);
	lkl_sys_unlinkat(LKL_AT_FDCWD, "/source", 0);
	lkl_sys_mknodat(LKL_AT_FDCWD, "/source", S_IFBLK | 0600, source->dev);
	kernel_clear_log();
	err = lkl_sys_mount("/source", (char *)where, (char *)type,
			    readonly ? LKL_MS_RDONLY : LKL_MS_NOATIME, list);
	free(list);
	return err;
}

/* Options that leave a journal as it is; NULL if it needs none. */
static const char *no_journal(const char *type)
{
	static const struct {
		const char *type, *options;
	} list[] = {
		{ "ext3", "noload" },
		{ "ext4", "noload" },
		{ "xfs", "norecovery" },
		{ "btrfs", "rescue=nologreplay,subvolid=5" },
		{ "f2fs", "norecovery" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (!strcmp(type, list[i].type))
			return list[i].options;
	}
	return NULL;
}

static bool is_there(int root, const char *path)
{
	int fd = open_in(root, path, LKL_O_PATH);

	if (fd >= 0)
		lkl_sys_close(fd);
	return fd >= 0;
}

/* Is there a system in a directory? */
static bool is_system(int root, const char *dir)
{
	int fd = open_in(root, dir, LKL_O_PATH | LKL_O_DIRECTORY);
	bool is;

	if (fd < 0)
		return false;
	is = is_there(fd, "etc/os-release") ||
	     is_there(fd, "usr/lib/os-release") ||
	     (is_there(fd, "etc/fstab") && is_there(fd, "usr"));
	lkl_sys_close(fd);
	return is;
}

/* Look for a system in a source; false if there is none. */
static bool look(const struct inspect *in, size_t n, struct system *found)
{
	/* what distributions call the subvolume of theirs */
	static const char *const subvolumes[] = { "@", "root", "@rootfs" };
	const struct source *source = &in->sources.list[n];
	bool btrfs = !strcmp(source->found.type, "btrfs"), is = false;
	int root;

	if (!source->dev || source->opened || !source_mountable(source) ||
	    mount_source(in, source, PROBE, true,
			 no_journal(source->found.type)))
		return false;
	*found = (struct system){ .source = n };
	root = lkl_sys_openat(LKL_AT_FDCWD, PROBE, LKL_O_PATH | LKL_O_DIRECTORY,
			      0);
	for (size_t i = 0;
	     btrfs && !is && i < sizeof(subvolumes) / sizeof(*subvolumes);
	     i++) {
		is = is_system(root, subvolumes[i]);
		if (is)
			found->subvolume = subvolumes[i];
	}
	is = is || is_system(root, ".");
	lkl_sys_close(root);
	lkl_umount_timeout(PROBE, 0, UNMOUNT_MS);
	return is;
}

/*
 * The default subvolume of a btrfs is what the kernel mounts; where that has a
 * system, it is that of snapshots of which one is in use.
 */
static void look_at_default(const struct inspect *in, struct system *found)
{
	const struct source *source = &in->sources.list[found->source];
	int root;

	if (strcmp(source->found.type, "btrfs") ||
	    mount_source(in, source, PROBE, true, "rescue=nologreplay"))
		return;
	root = lkl_sys_openat(LKL_AT_FDCWD, PROBE, LKL_O_PATH | LKL_O_DIRECTORY,
			      0);
	if (is_system(root, "."))
		found->subvolume = NULL;
	lkl_sys_close(root);
	lkl_umount_timeout(PROBE, 0, UNMOUNT_MS);
}

static bool is_chosen(const struct inspect *in, const struct source *source)
{
	const char *slash = strchr(source->volume, '/');

	if (in->part && source->part != in->part)
		return false;
	return !in->lv || !strcmp(source->volume, in->lv) ||
	       (slash && !strcmp(slash + 1, in->lv));
}

/* Returns how many systems there are. */
static unsigned int find(const struct inspect *in, struct system *first,
			 char **names)
{
	unsigned int count = 0;
	struct system found;
	size_t len;
	FILE *f = open_memstream(names, &len);

	if (!f)
		tool_no_memory();
	for (size_t i = 0; i < in->sources.count && !tool_signal; i++) {
		const struct source *source = &in->sources.list[i];

		if (!is_chosen(in, source) || !look(in, i, &found))
			continue;
		if (!count)
			*first = found;
		fprintf(f, "%s%s", count++ ? ", " : "", source_name(source));
	}
	fclose(f);
	return count;
}

static int choose(struct inspect *in, struct system *chosen)
{
	struct sources *s = &in->sources;
	unsigned int count;
	char *names;

	count = find(in, chosen, &names);
	if (!count && sources_locked(s)) {
		free(names);
		if (sources_unlock(s))
			return -1;
		count = find(in, chosen, &names);
	}
	if (!count)
		tool_error("no system found in '%s'", s->image);
	else if (count > 1)
		tool_error("'%s' has several systems, choose one with -P or "
			   "-L: %s",
			   s->image, names);
	free(names);
	if (count == 1)
		look_at_default(in, chosen);
	return count == 1 ? 0 : -1;
}

static void add_mount(struct inspect *in, const char *path, const char *where,
		      const struct source *source, char *options)
{
	in->mounts = tool_alloc(in->mounts,
				(in->mount_count + 1) * sizeof(*in->mounts));
	in->mounts[in->mount_count++] =
		(struct inspect_mount){ copy(path), copy(where), source,
					options };
}

static void add_missing(struct inspect *in, const struct fstab_entry *e,
			const char *reason)
{
	in->missing = tool_alloc(in->missing, (in->missing_count + 1) *
						      sizeof(*in->missing));
	in->missing[in->missing_count++] =
		(struct inspect_missing){ copy(e->path), copy(e->spec),
					  copy(reason) };
}

/* Can what is mounted here be written? */
static bool is_readonly(const char *where)
{
	struct lkl_statfs st;

	return !lkl_sys_statfs(where, &st) && st.f_flags & ST_RDONLY;
}

static int mount_root(struct inspect *in, const struct system *system,
		      const char *where)
{
	const struct source *source = &in->sources.list[system->source];
	char *options, reason[256];
	long err;

	if (asprintf(&options, "%s%s%s%s", in->options ?: "",
		     in->options && system->subvolume ? "," : "",
		     system->subvolume ? "subvol=" : "",
		     system->subvolume ?: "") < 0)
		tool_no_memory();
	err = mount_source(in, source, where, in->sources.readonly, options);
	if (err) {
		kernel_reason(reason, sizeof(reason));
		tool_error("cannot mount %s of '%s' as %s: %s",
			   source_name(source), in->sources.image,
			   source->found.type,
			   *reason ? reason : lkl_strerror(err));
		free(options);
		return -1;
	}
	add_mount(in, "/", where, source, options);
	if (!in->sources.readonly && is_readonly(where)) {
		tool_error("cannot write to '%s': read-only file system (%s)",
			   in->sources.image, source->found.type);
		return -1;
	}
	in->root = lkl_sys_openat(LKL_AT_FDCWD, where,
				  LKL_O_PATH | LKL_O_DIRECTORY, 0);
	return in->root < 0 ? -1 : 0;
}

/* Mount at a directory of the system, which links in it may lead to. */
static long mount_at(struct inspect *in, const struct source *source,
		     const char *path, char *options)
{
	int dir = open_in(in->root, path, LKL_O_PATH | LKL_O_DIRECTORY);
	char link[64], where[4096];
	long err, len;

	if (dir < 0)
		return dir;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	len = lkl_sys_readlinkat(LKL_AT_FDCWD, link, where, sizeof(where) - 1);
	err = len < 0 ? len
		      : mount_source(in, source, link, in->sources.readonly,
				     options);
	lkl_sys_close(dir);
	if (err)
		return err;
	where[len] = 0;
	add_mount(in, path, where, source, options);
	if (!in->sources.readonly && is_readonly(where))
		return -EROFS;
	return 0;
}

/* Returns false if it would be wrong to go on without. */
static bool mount_entry(struct inspect *in, const struct fstab *f,
			const struct fstab_entry *e)
{
	const struct source *source = fstab_find(f, e, &in->sources);
	bool optional = fstab_has_option(e, "nofail");
	char reason[256], what[320], *options;
	long err;

	if (!strcmp(e->path, "/") || fstab_has_option(e, "noauto"))
		return true;
	if (!source) {
		add_missing(in, e, "it is not in the image");
		snprintf(reason, sizeof(reason), "the image does not have %s",
			 e->spec);
		if (!optional)
			tool_file_warn("nothing is mounted at",
				       in->sources.image, e->path, reason);
		return true;
	}
	options = fstab_options(e);
	err = mount_at(in, source, e->path, options);
	if (!err)
		return true;
	kernel_reason(reason, sizeof(reason));
	if (!*reason)
		snprintf(reason, sizeof(reason), "%s", lkl_strerror(err));
	if (err != -EROFS)
		free(options);
	add_missing(in, e, reason);
	snprintf(what, sizeof(what), "cannot mount %s at", source_name(source));
	/* what is read is not there; what is written would be elsewhere */
	if (in->sources.readonly)
		tool_file_warn(what, in->sources.image, e->path, reason);
	else
		tool_file_reason(what, in->sources.image, e->path, reason);
	return in->sources.readonly;
}

static int mount_rest(struct inspect *in)
{
	char *text = inspect_read(in->root, "etc/fstab");
	struct fstab f;
	int ret = 0;

	if (!text)
		return 0;
	fstab_read(&f, text, inspect_read(in->root, "etc/crypttab"));
	for (size_t i = 0; i < f.count && !ret; i++)
		ret = mount_entry(in, &f, &f.list[i]) ? 0 : -1;
	fstab_free(&f);
	free(text);
	return ret;
}

int inspect_open(struct inspect *in, const char *where)
{
	struct system system;

	in->root = -1;
	lkl_sys_mkdirat(LKL_AT_FDCWD, PROBE, 0700);
	lkl_sys_mkdirat(LKL_AT_FDCWD, where, 0700);
	if (sources_open(&in->sources) || choose(in, &system) ||
	    mount_root(in, &system, where))
		return -1;
	return mount_rest(in);
}

long inspect_close(struct inspect *in)
{
	long err = 0, one;

	if (in->root >= 0)
		lkl_sys_close(in->root);
	while (in->mount_count) {
		struct inspect_mount *m = &in->mounts[--in->mount_count];

		one = lkl_umount_timeout(m->where, 0, UNMOUNT_MS);
		err = err ?: one;
		free(m->path);
		free(m->where);
		free(m->options);
	}
	for (size_t i = 0; i < in->missing_count; i++) {
		free(in->missing[i].path);
		free(in->missing[i].spec);
		free(in->missing[i].reason);
	}
	free(in->mounts);
	free(in->missing);
	sources_close(&in->sources);
	return err;
}
