// SPDX-License-Identifier: GPL-2.0-only
/*
 * cptofs, cpfromfs - copy files into, or out of, a file system image
 *
 * One program; its name says which way.  A thread walks the source and sends
 * it as a stream (common/walk.c), the main thread receives the stream and
 * writes the target.  Which of the two is the host's and which the image's
 * only decides which table of calls (common/fs.h) each of them gets.
 *
 * What is open in the target is a stack of objects: directories and, at the
 * top, perhaps a file.  Owner, attributes, mode and times are set when an
 * object is closed, in this order: a change of owner clears set-user-id bits
 * and capabilities, writing into a directory changes its times.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/image.h"
#include "common/progress.h"
#include "common/tool.h"
#include "common/walk.h"

#define DEFAULT_MB 256
#define MODE_BITS 07777

/* Renumbering of owners: the first rule that fits @from, or everybody (@any). */
struct idrule {
	bool any;
	uint32_t from;
	uint32_t to;
};

struct idmap {
	size_t count;
	struct idrule *rules;
};

/*
 * @fd: open file or directory, or -1
 * @skip: could not be made; what belongs to it is left out
 * @fresh: made by this run, not there before
 * @inherits: directory that gives new files a group or an ACL
 * @failed: contents are incomplete
 * @st: what it is to become
 * @mode: permissions it was made with
 * @path_len: length of the path of the directory it is in
 * @name_len: length of its name, the last part of the path
 * @end: bytes written so far, holes included
 * @attrs: extended attributes: name, 0, uint32_t size, value, ...
 */
struct object {
	int fd;
	bool skip;
	bool fresh;
	bool inherits;
	bool failed;
	struct stat st;
	mode_t mode;
	size_t path_len;
	size_t name_len;
	off_t end;
	char *attrs;
	size_t attrs_size;
};

/* Kinds of things that a file system may be unable to keep. */
enum loss { LOST_OWNER, LOST_MODE, LOST_ATTRIBUTES, LOSSES };

/*
 * @base: directory that everything goes into
 * @base_inherits: as struct object's inherits
 * @target: path of @base, or of the only object to be made, for messages
 * @renamed: it is the latter
 * @full: nothing more can be written
 */
struct sink {
	const struct fs *fs;
	int base;
	bool base_inherits;
	const char *target;
	bool renamed;
	struct object *stack;
	size_t depth;
	size_t stack_size;
	char *path;
	size_t path_len;
	size_t path_size;
	bool full;
	bool lost[LOSSES];
	unsigned long long files;
	unsigned long long bytes;

	struct idmap uids;
	struct idmap gids;
	const char *label;
};

static void set_path(struct sink *s, size_t len, const char *name)
{
	size_t need = len + strlen(name) + 2;

	if (need > s->path_size) {
		s->path_size = 2 * need;
		s->path = tool_alloc(s->path, s->path_size);
	}
	if (len && s->path[len - 1] != '/')
		s->path[len++] = '/';
	strcpy(s->path + len, name);
	s->path_len = len + strlen(name);
}

/* Set the path to that of @name in the directory on top of the stack. */
static void enter_path(struct sink *s, const char *name)
{
	if (s->depth) {
		set_path(s, s->path_len, name);
		return;
	}
	set_path(s, 0, s->target);
	if (!s->renamed && strcmp(name, "."))
		set_path(s, s->path_len, name);
}

/*
 * Report a failed call.  Some errors mean that nothing more will succeed; then
 * the first of them is enough.
 */
static void complain(struct sink *s, const char *what, long err)
{
	if (!s->full)
		tool_file_error(what, s->fs->label, s->path, err);
	s->full |= err == -ENOSPC || err == -EDQUOT || err == -EROFS ||
		   err == -EIO;
}

/*
 * Something a target of this kind or this user cannot keep: say so once, and
 * do not call it a failure.
 */
static void lose(struct sink *s, enum loss kind, const char *what, long err)
{
	if (s->lost[kind])
		return;
	s->lost[kind] = true;
	tool_file_warn(what, s->fs->label, s->path, strerror(-err));
}

static bool cannot_keep(long err)
{
	return err == -EPERM || err == -EOPNOTSUPP || err == -EINVAL;
}

static uint32_t map_id(const struct idmap *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->rules[i].any || map->rules[i].from == id)
			return map->rules[i].to;
	}
	return id;
}

/* The directory that the object at @level of the stack is in. */
static struct object parent(const struct sink *s, size_t level)
{
	if (level)
		return s->stack[level - 1];
	return (struct object){ .fd = s->base, .inherits = s->base_inherits };
}

/* Does the directory give what is made in it a group or an ACL? */
static bool inherits(const struct fs *fs, int dir, const char *name)
{
	struct stat st;

	return (!fs->stat(dir, name, &st) && st.st_mode & S_ISGID) ||
	       fs->getxattr(dir, name, "system.posix_acl_default", NULL, 0) > 0;
}

static void make_dir(struct sink *s, struct object *o, const char *name)
{
	const struct object in = parent(s, s->depth - 1);
	const struct fs *fs = s->fs;
	int err;

	o->mode = 0700;
	err = fs->mkdir(in.fd, name, o->mode);
	if (err && (err != -EEXIST || in.fresh)) {
		complain(s, "cannot create directory", err);
		o->skip = true;
		return;
	}
	o->fresh = !err;
	o->fd = fs->open_dir(in.fd, name);
	if (o->fd < 0) {
		complain(s, "cannot open directory", o->fd);
		o->skip = true;
	} else if (!o->fresh) {
		o->inherits = inherits(fs, o->fd, "");
	} else if (in.inherits) {
		fs->removexattr(o->fd, "", "system.posix_acl_default");
		fs->removexattr(o->fd, "", "system.posix_acl_access");
		fs->chmod(o->fd, "", o->mode);
	}
}

static int make(const struct fs *fs, struct object *o, int dir,
		const char *name, const char *target)
{
	mode_t type = o->st.st_mode & S_IFMT;

	switch (type) {
	case S_IFREG:
		o->fd = fs->create(dir, name, o->mode);
		return o->fd < 0 ? o->fd : 0;
	case S_IFLNK:
		return fs->symlink(target, dir, name);
	default:
		return fs->mknod(dir, name, type | o->mode, o->st.st_rdev);
	}
}

/*
 * Everything but a directory replaces what has its name.  In a directory that
 * this run has made, that would be another file of the source: the target does
 * not tell their names apart.
 */
static int make_room(const struct fs *fs, const struct object *in,
		     const char *name)
{
	return in->fresh ? -EEXIST : fs->unlink(in->fd, name);
}

static void make_other(struct sink *s, struct object *o, const char *name,
		       const char *target)
{
	const char *what =
		S_ISREG(o->st.st_mode) ? "cannot create regular file" :
		S_ISLNK(o->st.st_mode) ? "cannot create symbolic link" :
					 "cannot create special file";
	const struct object in = parent(s, s->depth - 1);
	const struct fs *fs = s->fs;
	int err;

	o->mode = fs->exclusive ? o->st.st_mode & MODE_BITS : 0600;
	o->fresh = true;
	err = make(fs, o, in.fd, name, target);
	if (err == -EEXIST) {
		err = make_room(fs, &in, name);
		if (!err)
			err = make(fs, o, in.fd, name, target);
	}
	if (err) {
		complain(s, what, err);
		o->skip = true;
	} else if (in.inherits && o->fd >= 0) {
		fs->removexattr(o->fd, "", "system.posix_acl_access");
	}
}

static void open_object(struct sink *s, const struct record *r)
{
	bool skip = s->depth && s->stack[s->depth - 1].skip;
	struct object *o;

	if (s->depth == s->stack_size) {
		s->stack_size = s->stack_size ? 2 * s->stack_size : 64;
		s->stack = tool_alloc(s->stack, s->stack_size * sizeof(*o));
	}
	o = &s->stack[s->depth];
	*o = (struct object){
		.fd = -1,
		.skip = skip,
		.st = r->st,
		.path_len = s->path_len,
		.name_len = r->name_size - 1,
	};
	enter_path(s, r->data);
	s->depth++;
	if (skip)
		return;
	if (S_ISDIR(o->st.st_mode))
		make_dir(s, o, r->data);
	else
		make_other(s, o, r->data, r->data + r->name_size);
	if (!o->skip)
		s->files++;
}

static void make_link(struct sink *s, const struct record *r)
{
	const char *first = r->data + r->name_size;
	const struct object in = parent(s, s->depth);
	const struct fs *fs = s->fs;
	size_t len = s->path_len;
	int err;

	if (in.skip)
		return;
	enter_path(s, r->data);
	err = fs->link(s->base, first, in.fd, r->data);
	if (err == -EEXIST) {
		err = make_room(fs, &in, r->data);
		if (!err)
			err = fs->link(s->base, first, in.fd, r->data);
	}
	if (err)
		complain(s, "cannot create hard link", err);
	else
		s->files++;
	s->path_len = len;
	s->path[len] = 0;
}

static void add_attr(struct object *o, const char *name, const void *value,
		     uint32_t size)
{
	size_t len = strlen(name) + 1;

	o->attrs =
		tool_alloc(o->attrs, o->attrs_size + len + sizeof(size) + size);
	memcpy(o->attrs + o->attrs_size, name, len);
	o->attrs_size += len;
	memcpy(o->attrs + o->attrs_size, &size, sizeof(size));
	o->attrs_size += sizeof(size);
	memcpy(o->attrs + o->attrs_size, value, size);
	o->attrs_size += size;
}

/* Keep an attribute until the object is closed. */
static void keep_attr(struct sink *s, const struct record *r)
{
	struct object *o = &s->stack[s->depth - 1];

	if (o->skip)
		return;
	/* the user's label goes before the source's */
	if (s->label && !strcmp(r->data, "security.selinux"))
		return;
	add_attr(o, r->data, r->data + r->name_size, r->size - r->name_size);
}

static void write_data(struct sink *s, const struct record *r)
{
	struct object *o = &s->stack[s->depth - 1];
	size_t done = 0;

	if (o->skip || o->failed)
		return;
	while (done < r->size) {
		long n = s->fs->pwrite(o->fd, r->data + done, r->size - done,
				       r->off + done);

		if (n <= 0) {
			complain(s, "error writing", n ? n : -EIO);
			o->failed = true;
			return;
		}
		done += n;
	}
	o->end = r->off + r->size;
	s->bytes += r->size;
}

/* Returns the permissions that may be set, less those of the lost owner. */
static mode_t set_owner(struct sink *s, const struct object *o, int dir,
			const char *name, uid_t uid, gid_t gid)
{
	mode_t mode = o->st.st_mode & MODE_BITS;
	int err = s->fs->chown(dir, name, uid, gid);

	if (!err)
		return mode;
	if (!cannot_keep(err)) {
		complain(s, "cannot change the owner of", err);
	} else if (s->fs->exclusive || !s->fs->uid) {
		lose(s, LOST_OWNER, "cannot keep owners, as that of", err);
	} else if (!s->fs->chown(dir, name, -1, gid)) {
		/* an ordinary user, who may give files to groups of his */
		return mode & ~S_ISUID;
	}
	return mode & ~(S_ISUID | S_ISGID);
}

static void set_attrs(struct sink *s, const struct object *o, int dir,
		      const char *name)
{
	const char *p = o->attrs;

	while (p < o->attrs + o->attrs_size) {
		const char *attr = p;
		uint32_t size;
		int err;

		p += strlen(p) + 1;
		memcpy(&size, p, sizeof(size));
		p += sizeof(size);
		err = s->fs->setxattr(dir, name, attr, p, size);
		p += size;
		if (cannot_keep(err)) {
			lose(s, LOST_ATTRIBUTES,
			     "cannot keep extended attributes, as those of",
			     err);
		} else if (err) {
			tool_file_error("cannot set an extended attribute of",
					s->fs->label, s->path, err);
		}
	}
}

static void set_metadata(struct sink *s, struct object *o, int dir,
			 const char *name)
{
	struct timespec times[2] = { o->st.st_atim, o->st.st_mtim };
	bool unsure = !o->fresh || parent(s, s->depth - 1).inherits;
	uid_t uid = map_id(&s->uids, o->st.st_uid);
	gid_t gid = map_id(&s->gids, o->st.st_gid);
	mode_t mode = o->st.st_mode & MODE_BITS;
	int err;

	if (s->label)
		add_attr(o, "security.selinux", s->label, strlen(s->label) + 1);
	if (unsure || uid != s->fs->uid || gid != s->fs->gid) {
		mode = set_owner(s, o, dir, name, uid, gid);
		unsure |= mode & (S_ISUID | S_ISGID);
	}
	set_attrs(s, o, dir, name);
	if ((unsure || mode != o->mode) && !S_ISLNK(o->st.st_mode)) {
		err = s->fs->chmod(dir, name, mode);
		if (cannot_keep(err))
			lose(s, LOST_MODE, "cannot keep permissions, as of",
			     err);
		else if (err)
			complain(s, "cannot set permissions of", err);
	}
	err = s->fs->utime(dir, name, times);
	if (err)
		complain(s, "cannot set times of", err);
}

/* Take the top object off the stack, complete or, if @failed, as it is. */
static void close_object(struct sink *s, off_t size, bool failed)
{
	struct object *o = &s->stack[s->depth - 1];
	const char *name = s->path + s->path_len - o->name_len;
	int dir = parent(s, s->depth - 1).fd;
	bool file = S_ISREG(o->st.st_mode);
	const struct fs *fs = s->fs;
	int err;

	if (o->skip)
		goto out;
	failed |= o->failed;
	if (file && !failed && o->end != size) {
		err = fs->truncate(o->fd, size);
		if (err)
			complain(s, "error writing", err);
		failed = err;
	}
	if (o->fd < 0)
		set_metadata(s, o, dir, name);
	else if (!file || !failed)
		set_metadata(s, o, o->fd, "");
	err = o->fd < 0 ? 0 : fs->close(o->fd);
	if (err)
		complain(s, "error writing", err);
	if (file && (failed || err)) {
		fs->unlink(dir, name);
		s->files--;
	}
out:
	free(o->attrs);
	s->path_len = o->path_len;
	s->path[s->path_len] = 0;
	s->depth--;
}

/* Write everything that comes; tidy up if that is not all there is. */
static void receive(struct sink *s, struct stream *stream)
{
	while (!tool_signal && !s->full) {
		const struct record *r = stream_next(stream);

		progress_update(s->files, s->bytes);
		if (!r)
			continue;
		switch (r->type) {
		case REC_OPEN:
			open_object(s, r);
			break;
		case REC_XATTR:
			keep_attr(s, r);
			break;
		case REC_DATA:
			write_data(s, r);
			break;
		case REC_CLOSE:
			close_object(s, r->off, r->failed);
			break;
		case REC_LINK:
			make_link(s, r);
			break;
		case REC_DONE:
			return;
		}
	}
	stream_cancel(stream);
	while (s->depth)
		close_object(s, 0, true);
}

/*
 * Find where to put things: into the target if it is a directory, else in its
 * place.  *@rename becomes the name the only source then gets.
 */
static int find_target(struct sink *s, const struct walk *walk, char *target,
		       char **rename)
{
	size_t len = strlen(target);
	bool slash = len && target[len - 1] == '/';
	struct walk_path wp;
	struct stat st;
	int err;

	*rename = NULL;
	s->target = target;
	s->base = s->fs->resolve(target);
	if (s->base >= 0)
		goto found;
	err = s->base;
	if (walk->count > 1 || (err != -ENOENT && err != -ENOTDIR)) {
		tool_file_error("cannot open target directory", s->fs->label,
				target, err);
		return -1;
	}
	if (slash) {
		err = walk_split(walk->fs, walk->paths[0], &wp);
		if (!err)
			err = walk->fs->stat(wp.dir, wp.open, &st);
		walk_split_free(walk->fs, &wp);
		if (!err && !S_ISDIR(st.st_mode)) {
			tool_file_error("cannot create regular file",
					s->fs->label, target, -ENOTDIR);
			return -1;
		}
	}
	while (len && target[len - 1] == '/')
		target[--len] = 0;
	err = walk_split(s->fs, target, &wp);
	if (err) {
		tool_file_error("cannot create", s->fs->label, target, err);
		walk_split_free(s->fs, &wp);
		return -1;
	}
	s->base = wp.dir;
	s->renamed = true;
	*rename = wp.name;
	wp.dir = -1;
	wp.name = NULL;
	walk_split_free(s->fs, &wp);
found:
	s->base_inherits = inherits(s->fs, s->base, ".");
	return 0;
}

/* Copy @walk's paths to @target. */
static void copy(struct sink *s, struct walk *walk, char *target, bool sync)
{
	pthread_t reader;
	char *rename;
	int err;

	if (find_target(s, walk, target, &rename))
		return;
	walk->rename = rename;
	walk->stream = stream_new();
	if (!walk->stream)
		tool_no_memory();
	progress_start(walk);
	err = pthread_create(&reader, NULL, walk_run, walk);
	if (err) {
		tool_error("cannot start a thread: %s", strerror(err));
	} else {
		receive(s, walk->stream);
		pthread_join(reader, NULL);
	}
	progress_end(s->files, s->bytes);
	if (sync) {
		err = s->fs->sync(s->base);
		if (err && !s->full)
			tool_file_error("error writing", s->fs->label,
					s->target, err);
	}
	s->fs->close(s->base);
	stream_free(walk->stream);
	free(s->stack);
	free(s->path);
	free(rename);
}

/* "ID", or "FROM:TO,FROM:TO,..." with * for everybody else */
static void parse_idmap(struct idmap *map, char *text, const char *what)
{
	char *save;

	for (char *part = strtok_r(text, ",", &save); part;
	     part = strtok_r(NULL, ",", &save)) {
		char *colon = strchr(part, ':');
		struct idrule rule = {
			.any = !colon || !strncmp(part, "*:", 2),
		};

		if (colon)
			*colon = 0;
		if (!rule.any)
			rule.from = tool_number(part, UINT32_MAX - 1, what);
		rule.to = tool_number(colon ? colon + 1 : part, UINT32_MAX - 1,
				      what);
		map->rules =
			tool_alloc(map->rules, (map->count + 1) * sizeof(rule));
		map->rules[map->count++] = rule;
	}
	if (!map->count)
		tool_usage_error("invalid %s: ''", what);
}

static void help(bool to_image)
{
	if (to_image)
		printf("Usage: %s [OPTION]... -i IMAGE PATH... FS_PATH\n"
		       "Copy files and directories into a file system image.\n",
		       tool_name);
	else
		printf("Usage: %s [OPTION]... -i IMAGE FS_PATH... PATH\n"
		       "Copy files and directories out of a file system image.\n",
		       tool_name);
	printf("\n"
	       "  -i, --image=FILE        the image, or a block device\n"
	       "  -t, --type=TYPE         type of the file system (default: auto)\n"
	       "  -P, --partition=N       partition to use, 0 or none for the whole disk\n"
	       "  -O, --options=LIST      options to mount the file system with\n"
	       "  -o, --owner=UID|MAP     owner of the copies\n"
	       "  -g, --group=GID|MAP     group of the copies; a MAP is FROM:TO[,FROM:TO]...\n"
	       "                          where FROM may be * for all others\n"
	       "  -s, --selinux=LABEL     SELinux label of the copies\n"
	       "  -m, --memory=MB         memory for the kernel (default: %d)\n"
	       "  -p, --printk            show the kernel's messages\n"
	       "      --sync              wait until the copies are on the host's disk\n"
	       "      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "Exit status: %d all was copied, %d something was not, %d nothing was.\n",
	       DEFAULT_MB, TOOL_OK, TOOL_PARTIAL, TOOL_FAILED);
}

enum { OPT_SYNC = 256, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{ "type", required_argument, NULL, 't' },
	{ "image", required_argument, NULL, 'i' },
	{ "partition", required_argument, NULL, 'P' },
	{ "options", required_argument, NULL, 'O' },
	{ "owner", required_argument, NULL, 'o' },
	{ "group", required_argument, NULL, 'g' },
	{ "selinux", required_argument, NULL, 's' },
	{ "memory", required_argument, NULL, 'm' },
	{ "printk", no_argument, NULL, 'p' },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 }
};

static void parse_options(int argc, char **argv, struct image *img,
			  struct sink *s)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "t:i:P:O:o:g:s:m:p", options,
				  NULL)) != -1) {
		switch (opt) {
		case 't':
			img->type = strcmp(optarg, "auto") ? optarg : NULL;
			break;
		case 'i':
			img->file = optarg;
			break;
		case 'P':
			img->part =
				strcmp(optarg, "none") ?
					tool_number(optarg, 255, "partition") :
					0;
			break;
		case 'O':
			img->options = optarg;
			break;
		case 'o':
			parse_idmap(&s->uids, optarg, "owner");
			break;
		case 'g':
			parse_idmap(&s->gids, optarg, "group");
			break;
		case 's':
			s->label = optarg;
			break;
		case 'm':
			img->mem = tool_number(optarg, 1 << 20, "memory size");
			break;
		case 'p':
			img->verbose = true;
			break;
		case OPT_SYNC:
			img->sync = true;
			break;
		case OPT_HELP:
			help(!img->readonly);
			exit(TOOL_OK);
		case OPT_VERSION:
			printf("%s (lkl) %s\n", tool_name, LKL_VERSION);
			exit(TOOL_OK);
		default:
			tool_usage_error(NULL);
		}
	}
	if (!img->file)
		tool_usage_error("no image given (-i)");
	if (optind == argc)
		tool_usage_error("missing file operand");
	if (optind == argc - 1)
		tool_usage_error("missing target after '%s'", argv[optind]);
}

int main(int argc, char **argv)
{
	struct image img = { .mem = DEFAULT_MB };
	struct sink sink = { 0 };
	struct walk walk = { 0 };
	int status = TOOL_FAILED;

	tool_init(argv[0]);
	argv[0] = (char *)tool_name;
	umask(0);
	img.readonly = !strcmp(tool_name, "cpfromfs");
	parse_options(argc, argv, &img, &sink);
	walk.paths = argv + optind;
	walk.count = argc - optind - 1;

	if (!image_mount(&img)) {
		walk.fs = img.readonly ? img.fs : fs_host();
		sink.fs = img.readonly ? fs_host() : img.fs;
		if (!img.readonly) {
			walk.skip_dev = img.st.st_dev;
			walk.skip_ino = img.st.st_ino;
		}
		/* writing back to the image may fail late, so always wait */
		copy(&sink, &walk, argv[argc - 1], !img.readonly || img.sync);
		status = tool_status();
	}
	if (image_unmount(&img))
		status = TOOL_PARTIAL;
	free(sink.uids.rules);
	free(sink.gids.rules);
	tool_exit(status);
}
