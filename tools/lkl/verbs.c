// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of verbs.
 */
#include "run.h"
#include "verb.h"

/* Options that several verbs have. */
#define JSON                                                                   \
	{                                                                      \
		OPT_JSON, "json", NULL, "print JSON; see lkl(1)"               \
	}
#define VERBOSE                                                                \
	{                                                                      \
		'v', "verbose", NULL, "say what is done"                       \
	}
#define HUMAN                                                                  \
	{                                                                      \
		'h', "human-readable", NULL, "sizes with units of 1024: 1.5K"  \
	}

static const struct verb_option ls_options[] = {
	{ 'a', "all", NULL, "names that begin with a dot, too" },
	{ 'A', "almost-all", NULL, "the same without . and .." },
	{ 'd', "directory", NULL,
	  "directories themselves, not what is in them" },
	{ 'F', "classify", NULL, "append one of */=>@| to names" },
	HUMAN,
	{ 'i', "inode", NULL, "numbers of inodes" },
	{ 'l', NULL, NULL, "type, mode, links, owner, group, size and time" },
	{ 'n', "numeric-uid-gid", NULL, "as -l, with numbers of owners" },
	{ 'r', "reverse", NULL, "in reverse order" },
	{ 'R', "recursive", NULL, "directories in directories, too" },
	{ 's', "size", NULL, "the space that files take" },
	{ 'S', NULL, NULL, "largest files first" },
	{ OPT_SORT, "sort", "WORD", "in the order of name, size or time" },
	{ OPT_TIME_STYLE, "time-style", "STYLE",
	  "full-iso, long-iso (default), iso, locale or +FORMAT" },
	{ OPT_FULL_TIME, "full-time", NULL, "as -l --time-style=full-iso" },
	{ 'Z', "context", NULL, "SELinux labels" },
	JSON,
	{ 0 },
};

static const struct verb_option serve_options[] = {
	{ 'r', "read-only", NULL, "do not change the image" },
	{ 0 },
};

static const struct verb_option sh_options[] = {
	{ 'c', "command", "TEXT", "run this" },
	{ 'r', "read-only", NULL, "do not change the image" },
	{ OPT_HOSTDIR, "hostdir", "DIR:PATH[:ro]",
	  "show DIR of the host in the directory PATH of the image" },
	{ 0 },
};

static const struct verb_option stat_options[] = {
	{ 'c', "format", "FORMAT", "print this, as stat(1) has it" },
	{ OPT_PRINTF, "printf", "FORMAT",
	  "the same with backslashes, and no newline" },
	{ OPT_DEREFERENCE, "dereference", NULL, "follow links" },
	JSON,
	{ 0 },
};

static const struct verb_option find_options[] = {
	JSON,
	{ 0 },
};

static const struct verb_option info_options[] = {
	JSON,
	{ 0 },
};

static const struct verb_option inspect_options[] = {
	JSON,
	{ 0 },
};

static const struct verb_option df_options[] = {
	HUMAN,
	{ 'H', "si", NULL, "sizes with units of 1000" },
	{ 'i', "inodes", NULL, "inodes instead of blocks" },
	{ 'T', "print-type", NULL, "the type of the file system" },
	JSON,
	{ 0 },
};

static const struct verb_option diff_options[] = {
	{ OPT_ATTRIBUTES, "attributes", NULL,
	  "owners, permissions and extended attributes, too" },
	{ OPT_LV2, "lv2", "VG/LV", "logical volume of the second image" },
	{ OPT_PARTITION2, "partition2", "N", "partition of the second image" },
	{ 's', "report-identical-files", NULL, "tell what is the same, too" },
	{ OPT_TIMES, "times", NULL, "times of change, too" },
	{ 'x', "exclude", "PATTERN", "leave out names like this" },
	{ 0 },
};

static const struct verb_option du_options[] = {
	{ '0', "null", NULL, "end lines with a 0 byte" },
	{ 'a', "all", NULL, "files, too, not directories only" },
	{ OPT_APPARENT, "apparent-size", NULL, "sizes, not the space taken" },
	{ 'b', "bytes", NULL, "as --apparent-size, in bytes" },
	{ 'c', "total", NULL, "a total at the end" },
	{ 'd', "max-depth", "N", "directories no deeper than this" },
	HUMAN,
	{ OPT_SI, "si", NULL, "sizes with units of 1000" },
	{ 'l', "count-links", NULL, "count each name of a file" },
	{ 's', "summarize", NULL, "only what was named" },
	{ 'S', "separate-dirs", NULL, "without the directories in them" },
	{ 'x', "one-file-system", NULL, "leave out other file systems" },
	JSON,
	{ 0 },
};

static const struct verb_option sum_options[] = {
	{ 'a', "algorithm", "NAME",
	  "md5, sha1, sha224, sha256 (default), sha384, sha512, b2" },
	{ 'r', "recursive", NULL, "all files in directories" },
	{ 'z', "zero", NULL, "end lines with a 0 byte, escape nothing" },
	{ 0 },
};

static const struct verb_option log_options[] = {
	{ 'w', "warnings", NULL, "warnings and worse only" },
	{ 0 },
};

static const struct verb_option write_options[] = {
	{ 'a', "append", NULL, "append to what is in the file" },
	{ OPT_MODE, "mode", "MODE", "permissions, as chmod has them" },
	{ 0 },
};

static const struct verb_option mkdir_options[] = {
	{ 'm', "mode", "MODE", "permissions, as chmod has them" },
	{ 'p', "parents", NULL,
	  "directories on the way, too; no error if it is there" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option rm_options[] = {
	{ 'd', "dir", NULL, "empty directories, too" },
	{ 'f', "force", NULL, "no error if a file is not there" },
	{ 'r', "recursive", NULL, "directories and all that is in them" },
	{ 'R', NULL, NULL, "as -r" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option mv_options[] = {
	{ 'n', "no-clobber", NULL, "replace nothing" },
	{ 'T', "no-target-directory", NULL, "the target is a name" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option ln_options[] = {
	{ 'f', "force", NULL, "replace what is there" },
	{ 'n', "no-dereference", NULL,
	  "a target that is a link to a directory is a name" },
	{ 's', "symbolic", NULL, "symbolic links" },
	{ 'T', "no-target-directory", NULL, "the target is a name" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option chmod_options[] = {
	{ 'R', "recursive", NULL, "what is in directories, too" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option chown_options[] = {
	{ 'h', "no-dereference", NULL, "links themselves" },
	{ 'R', "recursive", NULL, "what is in directories, too" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option touch_options[] = {
	{ 'a', NULL, NULL, "the time of access only" },
	{ 'c', "no-create", NULL, "make no files" },
	{ 'd', "date", "TIME",
	  "this time: @SECONDS, now, YYYY-MM-DD[ HH:MM[:SS]][Z]" },
	{ 'h', "no-dereference", NULL, "links themselves" },
	{ 'r', "reference", "FS_PATH", "the times of this file" },
	{ OPT_TIME, "time", "WORD", "atime or mtime only" },
	{ 0 },
};

static const struct verb_option trim_options[] = {
	{ OPT_MINIMUM, "minimum", "SIZE", "leave smaller ranges as they are" },
	VERBOSE,
	{ 0 },
};

static const struct verb_option truncate_options[] = {
	{ 'c', "no-create", NULL, "make no files" },
	{ 'r', "reference", "FS_PATH", "the size of this file" },
	{ 's', "size", "SIZE", "[+-<>/%]BYTES, with units as 10M or 3kB" },
	{ 0 },
};

const struct verb verbs[] = {
	{
		.name = "cat",
		.args = "FS_PATH...",
		.what = "print files",
		.examples = "-P 2 disk.img /etc/os-release\n",
		.min = 1,
		.max = -1,
		.run = cat_run,
	},
	{
		.name = "chmod",
		.args = "MODE FS_PATH...",
		.what = "change permissions",
		.examples = "disk.img 755 /usr/bin/tool\n"
			    "disk.img -R go-w,+X /srv\n",
		.options = chmod_options,
		.min = 2,
		.max = -1,
		.flags = VERB_CHANGES | VERB_MODE,
		.run = chmod_run,
	},
	{
		.name = "chown",
		.args = "OWNER[:GROUP] FS_PATH...",
		.what = "change owners, by the image's own users",
		.examples = "disk.img -R 1000:1000 /home/me\n"
			    "disk.img www-data: /srv/www\n",
		.options = chown_options,
		.min = 2,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = chown_run,
	},
	{
		.name = "cp",
		.args = "PATH... IMAGE:FS_PATH|IMAGE:FS_PATH... PATH",
		.what = "copy files into an image, or out of it",
		.more = "Options are those of cptofs(1) and cpfromfs(1).\n",
		.examples = "-P 2 disk.img:/var/log ./logs\n"
			    "-o '*:0' ./etc disk.img:/\n",
		.min = 2,
		.max = -1,
		.flags = VERB_SHELL,
		.main = cp_main,
		.run = cp_run,
	},
	{
		.name = "df",
		.args = "",
		.what = "show the space in a file system",
		.examples = "-h disk.img\n",
		.options = df_options,
		.run = df_run,
	},
	{
		.name = "diff",
		.args = "IMAGE[:FS_PATH] IMAGE[:FS_PATH]|IMAGE[:FS_PATH] PATH|"
			"PATH IMAGE[:FS_PATH]",
		.what = "compare images, or an image with files of the host",
		.more = "Prints what diff -rq does, and has its exit "
			"statuses.\n",
		.examples = "old.img new.img\n"
			    "-x lost+found disk.img rootfs/\n"
			    "disk.img:/etc/fstab fstab\n",
		.options = diff_options,
		.min = 2,
		.max = 2,
		.status = "0 no difference, 1 some difference, 2 trouble",
		.main = diff_main,
	},
	{
		.name = "du",
		.args = "[FS_PATH]...",
		.what = "show the space that directories take",
		.examples = "-h -d 1 disk.img /\n",
		.options = du_options,
		.max = -1,
		.run = du_run,
	},
	{
		.name = "edit",
		.args = "FS_PATH...",
		.what = "change files with $VISUAL or $EDITOR",
		.examples = "disk.img /etc/fstab\n",
		.min = 1,
		.max = -1,
		.flags = VERB_CHANGES | VERB_IMAGE | VERB_SHELL,
		.main = edit_main,
	},
	{
		.name = "find",
		.args = "[FS_PATH]... [EXPRESSION]",
		.what = "look for files",
		.more = "Options go before the image; an EXPRESSION is as "
			"find(1) has it.\n",
		.examples = "disk.img / -name '*.conf' -newer /etc/fstab\n"
			    "disk.img /usr -type f -perm /6000 -print0\n",
		.options = find_options,
		.max = -1,
		.flags = VERB_RAW,
		.run = find_run,
	},
	{
		.name = "fsck",
		.args = "IMAGE...",
		.what = "check file systems, and repair them",
		.program = "lkl-fsck",
	},
	{
		.name = "fuse",
		.args = "IMAGE DIRECTORY",
		.what = "mount an image, as lklfuse",
		.program = "lklfuse",
	},
	{
		.name = "info",
		.args = "IMAGE",
		.what = "show partitions and file systems",
		.examples = "disk.img\n",
		.options = info_options,
		/* all that is on the disk is shown */
		.no_image_options = "ILPt",
		.main = info_main,
	},
	{
		.name = "inspect",
		.args = "",
		.what = "show which system is in an image, and what belongs to "
			"it",
		.more = "Other verbs use all of that with --inspect.\n",
		.examples = "disk.qcow2\n",
		.options = inspect_options,
		.no_image_options = "It",
		.flags = VERB_INSPECT,
		.run = inspect_run,
	},
	{
		.name = "ln",
		.args = "FS_PATH... TARGET",
		.what = "make links",
		.examples = "-s disk.img ../lib/tool /usr/bin/tool\n",
		.options = ln_options,
		.min = 1,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = ln_run,
	},
	{
		.name = "log",
		.args = "",
		.what = "show what the kernel says of an image",
		.examples = "-w disk.img\n",
		.options = log_options,
		.run = log_run,
	},
	{
		.name = "ls",
		.args = "[FS_PATH]...",
		.what = "list files",
		.examples = "-l disk.img /etc\n-L vg0/root disk.qcow2 /home\n",
		.options = ls_options,
		.max = -1,
		.run = ls_run,
	},
	{
		.name = "mkdir",
		.args = "FS_PATH...",
		.what = "make directories",
		.examples = "-p disk.img /srv/www/html\n",
		.options = mkdir_options,
		.min = 1,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = mkdir_run,
	},
	{
		.name = "mkfs",
		.args = "SOURCE IMAGE",
		.what = "make an image of a directory, an archive or OCI "
			"layers",
		.program = "lkl-mkfs",
	},
	{
		.name = "mv",
		.args = "FS_PATH... TARGET",
		.what = "rename files, or move them",
		.examples = "disk.img /etc/old.conf /etc/new.conf\n",
		.options = mv_options,
		.min = 2,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = mv_run,
	},
	{
		.name = "resize",
		.args = "IMAGE SIZE",
		.what = "change the size of a file system",
		.program = "lkl-resize",
	},
	{
		.name = "rm",
		.args = "FS_PATH...",
		.what = "remove files",
		.examples = "-r disk.img /var/cache/apt\n",
		.options = rm_options,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = rm_run,
	},
	{
		.name = "run",
		.args = "PROGRAM [ARGUMENT]...",
		.what = "run a program on lkl's network",
		.program = "lkl-run",
	},
	{
		.name = "serve",
		.args = "IMAGE SOCKET",
		.what = "give the disk to programs that know NBD",
		.more = "It prints its URI, and ends when the last client has "
			"left.\n",
		.examples = "disk.qcow2 /run/user/1000/disk\n",
		.options = serve_options,
		/* the disk is given as it is */
		.no_image_options = "DtPLKOmpZN",
		.main = serve_main,
	},
	{
		.name = "sh",
		.args = "IMAGE [FILE]",
		.what = "run many verbs on one mounted image",
		.more = "Verbs come from FILE, from -c, or are typed.\n",
		.examples = "disk.img\n"
			    "disk.img -c 'mkdir -p /srv; write /srv/x <x'\n"
			    "--hostdir=src:/mnt:ro disk.img -c 'du -h /mnt'\n",
		.options = sh_options,
		.main = sh_main,
	},
	{
		.name = "stat",
		.args = "FS_PATH...",
		.what = "show properties of files",
		.examples = "-c '%a %U %n' disk.img /etc/shadow\n",
		.options = stat_options,
		.min = 1,
		.max = -1,
		.run = stat_run,
	},
	{
		.name = "sum",
		.args = "FS_PATH...",
		.what = "print checksums, as sha256sum does",
		.examples = "disk.img /boot/vmlinuz\n"
			    "-r -a sha512 disk.img /usr\n",
		.options = sum_options,
		.min = 1,
		.max = -1,
		.run = sum_run,
	},
	{
		.name = "tar",
		.args = "IMAGE ARCHIVE",
		.what = "make an archive, as fs2tar",
		.program = "fs2tar",
	},
	{
		.name = "touch",
		.args = "FS_PATH...",
		.what = "set times, or make empty files",
		.examples = "-d @0 disk.img /etc/machine-id\n",
		.options = touch_options,
		.min = 1,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = touch_run,
	},
	{
		.name = "trim",
		.args = "",
		.what = "give the host the space back that is free",
		.examples = "-v disk.img\n",
		.options = trim_options,
		.flags = VERB_CHANGES,
		.run = trim_run,
	},
	{
		.name = "truncate",
		.args = "FS_PATH...",
		.what = "set sizes of files",
		.examples = "-s 1G disk.img /swapfile\n",
		.options = truncate_options,
		.min = 1,
		.max = -1,
		.flags = VERB_CHANGES,
		.run = truncate_run,
	},
	{
		.name = "untar",
		.args = "ARCHIVE IMAGE",
		.what = "unpack an archive, as tar2fs",
		.program = "tar2fs",
	},
	{
		.name = "write",
		.args = "FS_PATH",
		.what = "put the standard input into a file, all or nothing",
		.examples = "disk.img /etc/hostname <<<box\n",
		.options = write_options,
		.min = 1,
		.max = 1,
		.flags = VERB_CHANGES | VERB_INPUT,
		.run = write_run,
	},
};

const size_t verb_count = sizeof(verbs) / sizeof(*verbs);
