// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl fsck - check the file system of an image, and repair it
 *
 * The host's programs do it.  They see the partition, or what the layers have,
 * as a file, which the library's kernel serves from a confined process
 * (lkl-fsck/view.h), and nothing else of the user's.  All that
 * is written stays in memory until the file system has been found good: a
 * repair that fails, or is interrupted, leaves the image as it was.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/image.h"
#include "common/program.h"
#include "common/tool.h"
#include "lkl-fsck/list.h"
#include "lkl-fsck/view.h"

/* Exit statuses of fsck(8). */
#define FSCK_OK 0
#define FSCK_CORRECTED 1
#define FSCK_LEFT 4
#define FSCK_FAILED 8

#define MAX_MORE 16
/* Where the super block of ext4 is, in it the features, and one of them. */
#define EXT_SUPER 1024
#define EXT_INCOMPAT 96
#define EXT_RECOVER 4

/*
 * A type of file system: how to check and to repair it.
 *
 * @failed: exit statuses of @program from this one on mean that it failed, not
 *	that it found errors
 * @journal: arguments that only replay the journal, or NULL
 * @replay: the kernel replays it
 */
struct checker {
	const char *types;
	const char *program;
	const char *package;
	int failed;
	const char *check[3];
	const char *repair[3];
	const char *journal[3];
	bool replay;
};

static const struct checker checkers[] = {
	{
		.types = "ext2 ext3 ext4",
		.program = "e2fsck",
		.package = "e2fsprogs",
		.failed = 16,
		.check = { "-fn" },
		.repair = { "-fy" },
		.journal = { "-y", "-E", "journal_only" },
	},
	{
		.types = "xfs",
		.program = "xfs_repair",
		.package = "xfsprogs",
		.failed = 3,
		.check = { "-f", "-n" },
		.repair = { "-f" },
		.replay = true,
	},
	{
		.types = "btrfs",
		.program = "btrfs",
		.package = "btrfs-progs",
		.failed = 128,
		.check = { "check", "--readonly" },
		.repair = { "check", "--repair", "--force" },
	},
	{
		.types = "f2fs",
		.program = "fsck.f2fs",
		.package = "f2fs-tools",
		.failed = 128,
		.check = { "--dry-run" },
		.repair = { "-f", "-y" },
	},
	{
		.types = "vfat",
		.program = "fsck.vfat",
		.package = "dosfstools",
		.failed = 2,
		.check = { "-n" },
		.repair = { "-a" },
	},
	{
		.types = "exfat",
		.program = "fsck.exfat",
		.package = "exfatprogs",
		.failed = 8,
		.check = { "-n" },
		.repair = { "-y" },
	},
};

/*
 * @img: the image
 * @check: nothing is to be changed
 * @changed: what is in memory only may be other than it was
 * @more: further arguments for the program
 * @name: by which the program knows the file system
 * @device: where that is
 * @status: exit status
 */
struct work {
	struct image img;
	const struct checker *checker;
	bool check;
	bool changed;
	const char *more[MAX_MORE];
	size_t more_count;
	const char *name;
	struct view *device;
	int status;
};

/* The image's options, but for those that say how to mount it. */
static void put_image_options(void)
{
	char text[] = IMAGE_HELP SANDBOX_HELP;
	bool show = true;

	for (char *l = strtok(text, "\n"); l; l = strtok(NULL, "\n")) {
		if (strstr(l, " --"))
			show = !strstr(l, "--options") &&
			       !strstr(l, "--inspect");
		if (show)
			puts(l);
	}
}

static void help(void)
{
	printf("Usage: lkl fsck [OPTION]... IMAGE...\n"
	       "Check file systems in images, and repair them, with the host's "
	       "programs.\n"
	       "\n"
	       "  -A, --all               all file systems in partitions and "
	       "layers\n"
	       "  -n, --dry-run           change nothing\n"
	       "      --fsck-option=ARG   give ARG to the program that "
	       "checks\n");
	put_image_options();
	printf("      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "Examples:\n"
	       "  lkl fsck -n disk.img\n"
	       "  lkl fsck -L vg0/root disk.qcow2\n"
	       "  lkl fsck -A *.img\n"
	       "\n"
	       "Exit status: %d no errors, %d errors were corrected, %d errors "
	       "are left,\n"
	       "%d it could not be done; of several the sum of what there "
	       "was.\n",
	       FSCK_OK, FSCK_CORRECTED, FSCK_LEFT, FSCK_FAILED);
}

/* One of the words of a text. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; len && (text = strstr(text, word)); text += len) {
		if (text[len] == ' ' || !text[len])
			return true;
	}
	return false;
}

static const struct checker *find_checker(const char *type)
{
	for (size_t i = 0; i < sizeof(checkers) / sizeof(*checkers); i++) {
		if (has_word(checkers[i].types, type))
			return &checkers[i];
	}
	return NULL;
}

/* Run the program on the device; its exit status, or -1 when it has said why.
 */
static int run_program(const struct work *w, const char *const args[3],
		       bool show, bool readonly)
{
	const char *dir = view_show(w->device, w->name, readonly);
	struct program p;
	char *name;
	int status;

	if (!dir)
		return -1;
	program_begin(&p, w->checker->program, w->checker->package);
	for (int i = 0; i < 3 && args[i]; i++)
		program_add(&p, args[i]);
	for (size_t i = 0; i < w->more_count; i++)
		program_add(&p, w->more[i]);
	name = program_file(w->name);
	program_add(&p, name);
	p.dir = dir;
	p.file = w->img.no_sandbox ? NULL : w->name;
	p.file_readonly = readonly;
	p.show = show;
	p.server = view_pid(w->device);
	/* what the journal is good for, the check will tell */
	p.dead = args == w->checker->journal ? 256 : w->checker->failed;
	status = program_run(&p);
	free(p.said);
	free(name);
	return view_hide(w->device) ? -1 : status;
}

/* Has an ext4 file system a journal that is to be replayed? */
static bool needs_recovery(const struct work *w)
{
	uint8_t super[512];

	return view_read(w->device, super, sizeof(super), EXT_SUPER) &&
	       super[EXT_INCOMPAT] & EXT_RECOVER;
}

/* The first of all: what the file system would do itself at the next mount. */
static int prepare(struct work *w)
{
	w->changed = !w->checker->replay || view_replay(w->device);
	if (*w->checker->journal && needs_recovery(w) &&
	    run_program(w, w->checker->journal, false, false) < 0)
		return -1;
	return 0;
}

static int commit(struct work *w)
{
	int changed = view_changed(w->device);

	if (changed > 0 && view_commit(w->device))
		changed = -1;
	return changed < 0 ? FSCK_FAILED : changed ? FSCK_CORRECTED : FSCK_OK;
}

static int check(struct work *w)
{
	const struct checker *c = w->checker;
	int status;

	if (prepare(w))
		return FSCK_FAILED;
	status = run_program(w, c->check, w->check, true);
	if (status < 0)
		return FSCK_FAILED;
	if (w->check)
		return status ? FSCK_LEFT : FSCK_OK;
	if (!status)
		return w->changed ? commit(w) : FSCK_OK;
	if (run_program(w, c->repair, true, false) < 0)
		return FSCK_FAILED;
	status = run_program(w, c->check, false, true);
	if (!status)
		return commit(w);
	if (status > 0)
		tool_error("'%s' still has errors, and is left as it was",
			   w->img.file);
	return status < 0 ? FSCK_FAILED : FSCK_LEFT;
}

static void check_device(struct view *d, const char *type, unsigned int disks,
			 void *arg)
{
	struct work *w = arg;

	w->device = d;
	w->checker = find_checker(type);
	if (disks > 1)
		tool_error("a file system on several disks cannot be checked");
	else if (!w->checker)
		tool_error("'%s' contains %s, for which there is no check",
			   w->img.file, type);
	else if (program_is_there(w->checker->program, w->checker->package))
		w->status = check(w);
}

/* One file system, which the program knows by @name. */
static int fsck(struct work *w, const struct image *how, const char *name)
{
	w->name = name;
	w->img = image_copy(how);
	w->status = FSCK_FAILED;
	if (view_run(&w->img, check_device, w))
		w->status = FSCK_FAILED;
	return w->status;
}

static const char *last_part(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

/* All of an image; the names are like those of partitions and volumes. */
static int fsck_all(struct work *w, const struct image *how)
{
	struct places *p = list_places(how);
	int status = FSCK_OK;
	size_t done = 0;

	if (!p)
		return FSCK_FAILED;
	for (size_t n = 0; n < p->count && !tool_signal; n++) {
		struct image img = *how;
		char part[16] = "", *name;

		if (!find_checker(p->at[n].type))
			continue;
		img.part = p->at[n].part;
		img.whole = !img.part;
		img.lv = *p->at[n].lv ? p->at[n].lv : NULL;
		if (img.part)
			snprintf(part, sizeof(part), "%u", img.part);
		if (asprintf(&name, "%s%s%s%s", last_part(how->file), part,
			     img.lv ? "-" : "", img.lv ?: "") < 0)
			tool_no_memory();
		for (char *c = strchr(name, '/'); c; c = strchr(c, '/'))
			*c = '-';
		status |= fsck(w, &img, name);
		free(name);
		done++;
	}
	list_free(p);
	if (!done && !tool_signal) {
		tool_error("nothing in '%s' can be checked", how->file);
		return FSCK_FAILED;
	}
	return status;
}

static int fsck_images(struct work *w, struct image *how, char **files,
		       bool all)
{
	int status = FSCK_OK;

	/* which may be a pipe, that is read once */
	if (how->key.file && key_get(&how->key, *files, "-K"))
		return FSCK_FAILED;
	how->key.file = NULL;
	how->readonly = w->check;
	for (; *files && !tool_signal; files++) {
		how->file = *files;
		status |= all ? fsck_all(w, how)
			      : fsck(w, how, last_part(*files));
	}
	key_forget(&how->key);
	return status;
}

enum { OPT_MORE = 256, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	DISK_LONG_OPTIONS,
	SANDBOX_LONG_OPTION,
	{ "all", no_argument, NULL, 'A' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "fsck-option", required_argument, NULL, OPT_MORE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 }
};

/* As tool_usage_error(), with the exit status that fsck has for it. */
static int bad_usage(void)
{
	fprintf(stderr, "Try 'lkl fsck --help' for more information.\n");
	return FSCK_FAILED;
}

int main(int argc, char **argv)
{
	struct work w = { 0 };
	struct image how = { 0 };
	bool all = false;
	int c;

	tool_init("lkl fsck");
	tool_failed = FSCK_FAILED;
	argv[0] = (char *)tool_name;
	while ((c = getopt_long(argc, argv, "AD:t:P:L:K:m:pn", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'A':
			all = true;
			break;
		case 'n':
			w.check = true;
			break;
		case OPT_MORE:
			if (w.more_count == MAX_MORE)
				tool_error("too many options"),
					exit(FSCK_FAILED);
			w.more[w.more_count++] = optarg;
			break;
		case OPT_HELP:
			help();
			return FSCK_OK;
		case OPT_VERSION:
			printf("lkl fsck (lkl) %s\n", LKL_VERSION);
			return FSCK_OK;
		default:
			if (!image_option(&how, c))
				return bad_usage();
		}
	}
	if (argc == optind) {
		tool_error("missing image");
		return bad_usage();
	}
	if (all && (how.part || how.whole || how.lv || how.type)) {
		tool_error("--all cannot be used with what selects one file "
			   "system");
		return bad_usage();
	}
	tool_exit(fsck_images(&w, &how, argv + optind, all));
}
