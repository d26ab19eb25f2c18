// SPDX-License-Identifier: GPL-2.0-only
/*
 * cptofs, cpfromfs - copy files into, or out of, a file system image
 *
 * One program; its name says which way.  One process walks the source and sends
 * it as a stream (common/walk.c), another receives the stream and
 * writes the target (common/sink.c); common/copy.c brings them together.  Which
 * of the two is the host's and which the image's only decides which table of
 * calls (common/fs.h) each of them gets.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/copy.h"
#include "common/image.h"
#include "common/tool.h"

static void help(bool to_image)
{
	if (to_image)
		printf("Usage: %s [OPTION]... -i IMAGE PATH... FS_PATH\n"
		       "Copy files and directories into a file system image.\n",
		       tool_name);
	else
		printf("Usage: %s [OPTION]... -i IMAGE FS_PATH... PATH\n"
		       "Copy files and directories out of a file system "
		       "image.\n",
		       tool_name);
	printf("\n"
	       "  -i, --image=FILE        the image, or a block "
	       "device\n" IMAGE_HELP SANDBOX_HELP
	       "  -o, --owner=UID|MAP     owner of the copies\n"
	       "  -g, --group=GID|MAP     group of the copies; a MAP is "
	       "FROM:TO[,FROM:TO]...\n"
	       "                          where FROM may be * for all others\n"
	       "  -s, --selinux=LABEL     SELinux label of the copies\n"
	       "      --keep-directory-symlink\n"
	       "                          follow links to directories in the "
	       "target\n"
	       "      --escape-names      %s\n"
	       "      --sync              wait until the copies are on the "
	       "host's disk\n"
	       "      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "Examples:\n"
	       "%s"
	       "\n"
	       "Exit status: %d all was copied, %d something was not, %d "
	       "nothing was.\n",
	       to_image ? "undo that of cpfromfs"
			: "write %XX for what Windows cannot have in names",
	       to_image ? "  cptofs -i disk.img -P 2 -o 0 -g 0 rootfs/. /\n"
			  "  cptofs -i root.ext4 sshd_config /etc/ssh/\n"
			: "  cpfromfs -i vm.img -P 1 /etc etc-of-vm\n"
			  "  cpfromfs -i live.squashfs / tree\n",
	       TOOL_OK, TOOL_PARTIAL, TOOL_FAILED);
}

enum { OPT_SYNC = 256, OPT_FOLLOW, OPT_ESCAPE, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	IMAGE_LONG_OPTIONS,
	{ "image", required_argument, NULL, 'i' },
	{ "owner", required_argument, NULL, 'o' },
	{ "group", required_argument, NULL, 'g' },
	{ "selinux", required_argument, NULL, 's' },
	{ "keep-directory-symlink", no_argument, NULL, OPT_FOLLOW },
	{ "escape-names", no_argument, NULL, OPT_ESCAPE },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	SANDBOX_LONG_OPTION,
	{ 0 }
};

static void parse_options(int argc, char **argv, struct image *img,
			  struct sink *s, struct walk *walk)
{
	int opt;

	while ((opt = getopt_long(argc, argv, IMAGE_OPTIONS "i:o:g:s:", options,
				  NULL)) != -1) {
		switch (opt) {
		case 'i':
			img->file = optarg;
			break;
		case 'o':
			idmap_parse(&s->uids, optarg, "owner");
			break;
		case 'g':
			idmap_parse(&s->gids, optarg, "group");
			break;
		case 's':
			s->label = optarg;
			break;
		case OPT_FOLLOW:
			s->follow = true;
			break;
		case OPT_ESCAPE:
			s->escape = img->readonly;
			walk->unescape = !img->readonly;
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
			if (!image_option(img, opt))
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
	struct image img = { 0 };
	struct sink sink = { 0 };
	struct walk walk = { 0 };

	tool_init(argv[0]);
	argv[0] = (char *)tool_name;
	umask(0);
	img.readonly = !strcmp(tool_name, "cpfromfs");
	parse_options(argc, argv, &img, &sink, &walk);
	walk.paths = argv + optind;
	walk.count = argc - optind - 1;
	for (int i = optind; i < argc; i++)
		if (img.readonly == (i == argc - 1))
			argv[i] = fs_host_path(argv[i]);

	if (!img.readonly)
		tool_exit(copy_in(&img, &sink, &walk, argv[argc - 1]));
	sink.fs = fs_host();
	sink.image = &img;
	tool_exit(copy_out(&img, &sink, &walk, argv[argc - 1]));
}
