// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs2tar, tar2fs - a file system image as a tar archive, and back
 *
 * One program; its name says which way.  Both are half of cptofs: fs2tar has a
 * process walk the image (common/walk.c) and writes the stream as an archive
 * (fs2tar/write.c), tar2fs turns the archive into a stream (archive/unpack.c),
 * which another process writes into the image (common/sink.c).  The
 * format is pax, through libarchive.
 *
 * What tar has no place for goes where GNU tar and bsdtar look for it: ACLs
 * and attributes into SCHILY keywords, holes into GNU's sparse format 1.0.
 * Sockets, which no tar knows, become FIFOs with an attribute that says so.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/tool.h"
#include "fs2tar/fs2tar.h"

static void help(bool to_image)
{
	if (to_image)
		printf("Usage: %s [OPTION]... ARCHIVE IMAGE [FS_PATH]\n"
		       "Unpack a tar archive into a file system image.\n",
		       tool_name);
	else
		printf("Usage: %s [OPTION]... IMAGE ARCHIVE [FS_PATH]...\n"
		       "Write a file system image, or parts of it, as a tar "
		       "archive.\n",
		       tool_name);
	printf("\n"
	       "ARCHIVE may be - for a pipe.  %s\n"
	       "\n" IMAGE_HELP SANDBOX_HELP
	       "  -o, --owner=UID|MAP     owner of everything\n"
	       "  -g, --group=GID|MAP     group of everything; a MAP is "
	       "FROM:TO[,FROM:TO]...\n"
	       "                          where FROM may be * for all others\n"
	       "  -s, --selinux=FILE      %s\n"
	       "      --mtime=@SECONDS    time of everything, since 1970\n"
	       "%s"
	       "      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "Examples:\n"
	       "%s"
	       "\n"
	       "Exit status: %d all was done, %d something was not, %d nothing "
	       "was.\n",
	       to_image ? "It may be compressed."
			: "Its suffix tells how to compress it.",
	       to_image ? "take SELinux labels from FILE"
			: "write SELinux labels to FILE, too",
	       to_image ? "      --keep-directory-symlink\n"
			  "                          follow links to "
			  "directories in the target\n"
			  "      --oci               ARCHIVE is an OCI image, "
			  "or an "
			  "archive of one\n"
			  "      --ref=NAME          which image, if there "
			  "are several\n"
			  "      --layer             ARCHIVE is a layer of an "
			  "OCI image\n"
			  "      --sync              wait until all is on the "
			  "host's disk\n"
			: "",
	       to_image ? "  tar2fs rootfs.tar.xz root.img\n"
			  "  docker export box | tar2fs - root.img\n"
			: "  fs2tar -P 2 disk.img rootfs.tar.zst\n"
			  "  fs2tar disk.img - /etc | ssh backup 'cat > "
			  "etc.tar'\n",
	       TOOL_OK, TOOL_PARTIAL, TOOL_FAILED);
}

enum {
	OPT_MTIME = 256,
	OPT_FOLLOW,
	OPT_HELP,
	OPT_VERSION,
	OPT_SYNC,
	OPT_OCI,
	OPT_REF,
	OPT_LAYER,
};

/* The first are for tar2fs only. */
#define ONLY_IN 5

static const struct option long_options[] = {
	{ "keep-directory-symlink", no_argument, NULL, OPT_FOLLOW },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ "oci", no_argument, NULL, OPT_OCI },
	{ "ref", required_argument, NULL, OPT_REF },
	{ "layer", no_argument, NULL, OPT_LAYER },
	IMAGE_LONG_OPTIONS,
	{ "owner", required_argument, NULL, 'o' },
	{ "group", required_argument, NULL, 'g' },
	{ "selinux", required_argument, NULL, 's' },
	{ "mtime", required_argument, NULL, OPT_MTIME },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	SANDBOX_LONG_OPTION,
	{ 0 }
};

int main(int argc, char **argv)
{
	struct options opt = { 0 };
	bool to_image;
	int c;

	tool_init(argv[0]);
	argv[0] = (char *)tool_name;
	to_image = !strcmp(tool_name, "tar2fs");
	/*
	 * Names are bytes to us.  Archives want to be told that they are UTF-8,
	 * but libarchive would compose letters when it reads such a name, and
	 * in the C locale it leaves the bytes as they are.
	 */
	if (!to_image)
		setlocale(LC_CTYPE, "C.UTF-8");
	while ((c = getopt_long(argc, argv, IMAGE_OPTIONS "o:g:s:",
				long_options + (to_image ? 0 : ONLY_IN),
				NULL)) != -1) {
		switch (c) {
		case 'o':
			idmap_parse(&opt.uids, optarg, "owner");
			break;
		case 'g':
			idmap_parse(&opt.gids, optarg, "group");
			break;
		case 's':
			opt.labels = optarg;
			break;
		case OPT_MTIME:
			if (*optarg != '@')
				tool_usage_error("invalid time: '%s'", optarg);
			opt.fixed_time = true;
			opt.time.tv_sec =
				tool_number(optarg + 1, INT64_MAX, "time");
			break;
		case OPT_FOLLOW:
			opt.follow = true;
			break;
		case OPT_SYNC:
			opt.img.sync = true;
			break;
		case OPT_OCI:
			opt.kind = UNPACK_OCI;
			break;
		case OPT_REF:
			opt.kind = UNPACK_OCI;
			opt.ref = optarg;
			break;
		case OPT_LAYER:
			opt.kind = UNPACK_LAYER;
			break;
		case OPT_HELP:
			help(to_image);
			return TOOL_OK;
		case OPT_VERSION:
			printf("%s (lkl) %s\n", tool_name, LKL_VERSION);
			return TOOL_OK;
		default:
			if (!image_option(&opt.img, c))
				tool_usage_error(NULL);
		}
	}
	if (argc - optind < 2)
		tool_usage_error(argc == optind ? "missing image and archive"
						: "missing operand after '%s'",
				 argv[argc - 1]);
	opt.img.file = argv[optind + to_image];
	opt.archive = argv[optind + !to_image];
	opt.paths = argv + optind + 2;
	opt.count = argc - optind - 2;
	if (to_image && opt.count > 1)
		tool_usage_error("extra operand '%s'", opt.paths[1]);
	tool_exit(to_image ? tar2fs(&opt) : fs2tar(&opt));
}
