// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl mkfs - an image of a directory, an archive, or an OCI image
 *
 * The source is gone through (lkl-mkfs/source.c) to know how large the file
 * system has to be; a program of the host's makes it, empty (format.c,
 * target.c); the library's kernel puts the files into it (fill.c), by the code
 * of cptofs and tar2fs.  What an ext4 file system has by time and chance is
 * taken out at the end (ext4.c).  File systems that cannot be written are made
 * of such an image (pack.c).
 *
 * The image has a temporary name until it is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lkl-mkfs/mkfs.h"

#define MIB (1ULL << 20)

static void help(void)
{
	printf("Usage: lkl mkfs [OPTION]... SOURCE IMAGE\n"
	       "Make an image with a file system that has the files of "
	       "SOURCE,\n"
	       "which is a directory, a tar archive (- for a pipe), or an OCI "
	       "image.\n"
	       "\n"
	       "  -t, --type=TYPE         %s\n"
	       "  -s, --size=SIZE         size of the file system (default: "
	       "what it takes)\n"
	       "      --free=SIZE         room that is left then (default: a "
	       "tenth)\n"
	       "  -L, --label=TEXT        label of the file system\n"
	       "  -U, --uuid=UUID         UUID of the file system\n"
	       "      --gpt               make a partition table\n"
	       "  -o, --owner=UID|MAP     owner of everything\n"
	       "  -g, --group=GID|MAP     group of everything; a MAP is "
	       "FROM:TO[,FROM:TO]...\n"
	       "                          where FROM may be * for all others\n"
	       "      --map=FILE          owners and modes from lines PATH UID "
	       "GID MODE\n"
	       "      --oci               SOURCE is an OCI image, or an "
	       "archive "
	       "of one\n"
	       "      --ref=NAME          which image, if there are several\n"
	       "      --layer             SOURCE is a layer of an OCI image\n"
	       "      --tar               SOURCE is an archive of nothing "
	       "else\n"
	       "      --mkfs-option=ARG   give ARG to the program that makes "
	       "the file system\n"
	       "  -m, --memory=MB         memory for the kernel (default: "
	       "256)\n"
	       "  -p, --printk            show the kernel's messages\n"
	       "      --no-sandbox        do not confine the process that has "
	       "the "
	       "kernel\n"
	       "      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "SOURCE_DATE_EPOCH in the environment is the time of what is "
	       "newer.  With it,\n"
	       "the same SOURCE gives the same ext4 image.\n"
	       "\n"
	       "Examples:\n"
	       "  lkl mkfs rootfs/ disk.img\n"
	       "  lkl mkfs -t xfs --gpt -s 4G rootfs.tar.xz disk.img\n"
	       "  lkl mkfs -L root --map=owners oci-layout/ disk.img\n"
	       "\n"
	       "Exit status: %d all was done, %d something was not, %d nothing "
	       "was.\n",
	       format_list(), TOOL_OK, TOOL_PARTIAL, TOOL_FAILED);
}

enum {
	OPT_FREE = 256,
	OPT_GPT,
	OPT_MAP,
	OPT_OCI,
	OPT_REF,
	OPT_LAYER,
	OPT_TAR,
	OPT_MORE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "type", required_argument, NULL, 't' },
	{ "size", required_argument, NULL, 's' },
	{ "free", required_argument, NULL, OPT_FREE },
	{ "label", required_argument, NULL, 'L' },
	{ "uuid", required_argument, NULL, 'U' },
	{ "gpt", no_argument, NULL, OPT_GPT },
	{ "owner", required_argument, NULL, 'o' },
	{ "group", required_argument, NULL, 'g' },
	{ "map", required_argument, NULL, OPT_MAP },
	{ "oci", no_argument, NULL, OPT_OCI },
	{ "ref", required_argument, NULL, OPT_REF },
	{ "layer", no_argument, NULL, OPT_LAYER },
	{ "tar", no_argument, NULL, OPT_TAR },
	{ "mkfs-option", required_argument, NULL, OPT_MORE },
	{ "memory", required_argument, NULL, 'm' },
	{ "printk", no_argument, NULL, 'p' },
	{ "no-sandbox", no_argument, NULL, 'N' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 }
};

static uint64_t get_size(const char *text)
{
	uint64_t size;

	if (!tool_parse_size(text, &size))
		tool_usage_error("invalid size: '%s'", text);
	return size;
}

static void set_kind(struct options *o, enum unpack_kind kind)
{
	if (o->kind_given && o->kind != kind)
		tool_usage_error("only one of --oci, --layer and --tar can be "
				 "used");
	o->kind = kind;
	o->kind_given = true;
}

static bool is_uuid(const char *text)
{
	size_t n = 0;

	for (; text[n]; n++) {
		bool dash = n == 8 || n == 13 || n == 18 || n == 23;

		if (dash ? text[n] != '-'
			 : !strchr("0123456789abcdefABCDEF", text[n]))
			return false;
	}
	return n == UUID_TEXT - 1;
}

static void take_option(struct options *o, int c)
{
	switch (c) {
	case 't':
		o->format = format_find(optarg);
		if (!o->format)
			tool_usage_error("unknown type '%s'; there are %s",
					 optarg, format_list());
		break;
	case 's':
		o->size = get_size(optarg);
		if (!o->size)
			tool_usage_error("invalid size: '%s'", optarg);
		break;
	case OPT_FREE:
		o->room = get_size(optarg);
		o->room_given = true;
		break;
	case 'L':
		o->label = optarg;
		break;
	case 'U':
		o->uuid = optarg;
		break;
	case OPT_GPT:
		o->gpt = true;
		break;
	case 'o':
		idmap_parse(&o->uids, optarg, "owner");
		break;
	case 'g':
		idmap_parse(&o->gids, optarg, "group");
		break;
	case OPT_MAP:
		o->owners = optarg;
		break;
	case OPT_OCI:
		set_kind(o, UNPACK_OCI);
		break;
	case OPT_REF:
		set_kind(o, UNPACK_OCI);
		o->ref = optarg;
		break;
	case OPT_LAYER:
		set_kind(o, UNPACK_LAYER);
		break;
	case OPT_TAR:
		set_kind(o, UNPACK_TAR);
		break;
	case OPT_MORE:
		if (o->more_count == PROGRAM_ARGS / 2)
			tool_usage_error("too many options for %s",
					 o->format->program);
		o->more[o->more_count++] = optarg;
		break;
	case 'm':
		o->mem = tool_number(optarg, 1 << 20, "memory size");
		break;
	case 'p':
		o->verbose = true;
		break;
	case 'N':
		o->no_sandbox = true;
		break;
	case OPT_HELP:
		help();
		exit(TOOL_OK);
	case OPT_VERSION:
		printf("lkl mkfs (lkl) %s\n", LKL_VERSION);
		exit(TOOL_OK);
	default:
		tool_usage_error(NULL);
	}
}

static time_t get_epoch(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");

	if (!text || !*text)
		return -1;
	return tool_number(text, LONG_MAX / 2, "SOURCE_DATE_EPOCH");
}

static void check_options(const struct options *o)
{
	const struct format *f = o->format;

	if (o->label && strlen(o->label) > f->label_max)
		tool_usage_error(f->label_max
					 ? "a label of %s has no more than %u "
					   "bytes"
					 : "%s has no label",
				 f->name, f->label_max);
	if (o->uuid && !is_uuid(o->uuid))
		tool_usage_error("invalid UUID: '%s'", o->uuid);
	if (o->uuid && !strcmp(f->name, "squashfs"))
		tool_usage_error("squashfs has no UUID");
	if (f->packed && (o->size || o->room_given))
		tool_usage_error(
			"%s cannot be chosen for %s, which is as large "
			"as its content",
			o->size ? "--size" : "--free", f->name);
	if (o->size && o->room_given)
		tool_usage_error("only one of --size and --free can be used");
}

/* A UUID that depends on the source, and on what it is for. */
static void derive(const struct origin *s, const char *what, char *uuid)
{
	struct sha256_ctx ctx = s->total.digest;
	uint8_t d[SHA256_DIGEST_SIZE];

	sha256_update(&ctx, strlen(what), (const uint8_t *)what);
	sha256_digest(&ctx, sizeof(d), d);
	/* one of a kind that is free to be anything */
	d[6] = (d[6] & 0xf) | 0x80;
	d[8] = (d[8] & 0x3f) | 0x80;
	snprintf(uuid, UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x",
		 d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9],
		 d[10], d[11], d[12], d[13], d[14], d[15]);
}

static struct plan make_plan(const struct options *o, const struct origin *s,
			     const struct format *f)
{
	const struct total *t = &s->total;
	struct plan plan = { .format = f, .total = t, .o = o };
	uint64_t room = o->room;

	plan.size = o->size;
	if (!plan.size && f->size) {
		if (!o->room_given)
			room = t->bytes / 10 + MIB;
		plan.size = f->size(t, room) + MIB - 1;
	}
	plan.size = plan.size / MIB * MIB ?: plan.size;
	if (o->epoch >= 0) {
		derive(s, "uuid", plan.uuid);
		derive(s, "seed", plan.seed);
		derive(s, "partition", plan.part_uuid);
		derive(s, "disk", plan.disk_uuid);
	}
	if (o->uuid)
		strcpy(plan.uuid, o->uuid);
	return plan;
}

/* Make the file system and put the files into it; *@tmp is the file. */
static int make(struct plan *plan, struct origin *s, char **tmp)
{
	int fd = target_begin(plan, tmp), status = TOOL_FAILED;

	if (fd < 0)
		return TOOL_FAILED;
	status = fill(plan, s);
	if (status != TOOL_FAILED && plan->o->epoch >= 0 &&
	    !strcmp(plan->format->mount_as, "ext4") && ext4_same(plan))
		status = TOOL_FAILED;
	close(fd);
	return status;
}

/* Make the tree first, and what is asked for of that. */
static int make_packed(struct plan *plan, struct origin *s, char **tmp)
{
	struct plan tree = make_plan(plan->o, s, format_find("ext4"));
	char *tree_file = NULL;
	int status, fd;

	if (!program_is_there(plan->format->program, plan->format->package))
		return TOOL_FAILED;
	status = make(&tree, s, &tree_file);
	if (status != TOOL_FAILED) {
		fd = target_begin(plan, tmp);
		if (fd < 0 || pack(plan, tree_file, *tmp))
			status = TOOL_FAILED;
		if (fd >= 0)
			close(fd);
	}
	if (tree_file)
		unlink(tree_file);
	free(tree_file);
	return status;
}

/* Put what has been made into the only partition of a disk. */
static int add_table(struct plan *plan, char **tmp)
{
	char *whole = NULL;
	struct stat st;
	int from = open(*tmp, O_RDONLY | O_CLOEXEC), ret = -1, fd;

	if (from >= 0 && !fstat(from, &st)) {
		fd = target_begin(plan, &whole);
		plan->size = (st.st_size + MIB - 1) / MIB * MIB;
		if (fd >= 0 && !ftruncate(fd, plan->size + 2 * MIB) &&
		    !target_copy(from, fd, MIB))
			ret = target_partition(plan, whole);
		else
			tool_file_error("error writing", NULL, plan->o->image,
					-errno);
		if (fd >= 0)
			close(fd);
	}
	if (from >= 0)
		close(from);
	unlink(*tmp);
	free(*tmp);
	*tmp = whole;
	return ret;
}

/* Would the image replace what it is made of? */
static bool is_same(const char *file, const struct stat *image)
{
	struct stat st;

	return !stat(file, &st) && st.st_dev == image->st_dev &&
	       st.st_ino == image->st_ino;
}

/* Has another program the image, whose changes would be lost?  It stays locked.
 */
static bool is_in_use(const char *image)
{
	int fd = open(image, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

static int mkfs(const struct options *o)
{
	struct origin s;
	struct plan plan;
	char *tmp = NULL;
	struct stat st;
	int status = TOOL_FAILED;

	if (!stat(o->image, &st)) {
		if (!S_ISREG(st.st_mode)) {
			tool_error("'%s' is no regular file", o->image);
			return TOOL_FAILED;
		}
		if (is_same(o->source, &st) ||
		    (o->owners && is_same(o->owners, &st))) {
			tool_error("'%s' and '%s' are the same file",
				   is_same(o->source, &st) ? o->source
							   : o->owners,
				   o->image);
			return TOOL_FAILED;
		}
		if (is_in_use(o->image)) {
			tool_error("'%s' is in use by another program",
				   o->image);
			return TOOL_FAILED;
		}
	}
	if (!origin_open(&s, o) && !tool_signal) {
		plan = make_plan(o, &s, o->format);
		status = o->format->packed ? make_packed(&plan, &s, &tmp)
					   : make(&plan, &s, &tmp);
		if (status != TOOL_FAILED && o->format->packed && o->gpt &&
		    add_table(&plan, &tmp))
			status = TOOL_FAILED;
	}
	if (status != TOOL_FAILED && !tool_signal && rename(tmp, o->image)) {
		tool_file_error("cannot create", NULL, o->image, -errno);
		status = TOOL_FAILED;
	}
	if (tmp && (status == TOOL_FAILED || tool_signal))
		unlink(tmp);
	free(tmp);
	origin_close(&s);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .format = format_find("ext4") };
	int c;

	tool_init("lkl mkfs");
	argv[0] = (char *)tool_name;
	while ((c = getopt_long(argc, argv, "t:s:L:U:o:g:m:p", long_options,
				NULL)) != -1)
		take_option(&o, c);
	if (argc - optind < 2)
		tool_usage_error(argc == optind ? "missing source and image"
						: "missing operand after '%s'",
				 argv[argc - 1]);
	if (argc - optind > 2)
		tool_usage_error("extra operand '%s'", argv[optind + 2]);
	o.source = argv[optind];
	o.image = program_file(argv[optind + 1]);
	o.epoch = get_epoch();
	check_options(&o);
	tool_exit(mkfs(&o));
}
