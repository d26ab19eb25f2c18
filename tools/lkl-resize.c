// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl resize - change the size of a file system, and of what it is in
 *
 * To grow, the image and the partition become larger first
 * (lkl-resize/place.c), then the file system (lkl-resize/fs.c); to shrink, the
 * other way round.  What was changed first is undone if the rest fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "common/program.h"
#include "common/tool.h"
#include "lkl-resize/resize.h"

#define MIB (1ULL << 20)
/* Sizes are in whole units of this. */
#define UNIT 4096

static void help(void)
{
	printf("Usage: lkl resize [OPTION]... IMAGE [+|-]SIZE\n"
	       "  or:  lkl resize [OPTION]... --minimum IMAGE\n"
	       "Change the size of a file system, its partition, and the "
	       "image.\n"
	       "\n"
	       "      --minimum           make it as small as it can be\n"
	       "  -P, --partition=N       partition to use (default: the only "
	       "one with a\n"
	       "                          file system), 0 or none for the "
	       "whole "
	       "disk\n"
	       "  -K, --key-file=FILE     passphrase of LUKS (default: ask)\n"
	       "  -m, --memory=MB         memory for the kernel (default: "
	       "256)\n"
	       "  -p, --printk            show the kernel's messages\n"
	       "      --trust-image       let the image name other files and "
	       "servers\n"
	       "%s"
	       "      --help              show this help\n"
	       "      --version           show the version\n"
	       "\n"
	       "Examples:\n"
	       "  lkl resize disk.img 20G\n"
	       "  lkl resize -P 2 disk.img +512M\n"
	       "  lkl resize --minimum disk.img\n"
	       "\n"
	       "Exit status: %d it was done, %d it was not.\n",
	       SANDBOX_HELP, TOOL_OK, TOOL_FAILED);
}

static int grow(struct image *img, struct place *p, const char *type,
		uint64_t size)
{
	uint64_t old = p->size;
	struct place before = *p;
	bool begun;

	if (size > p->size && !p->last) {
		tool_error("another partition is behind partition %u of '%s'",
			   p->part, p->file);
		return TOOL_FAILED;
	}
	if (size > p->size && place_set(p, size))
		return TOOL_FAILED;
	if (!fs_resize(img, type, &size, &begun))
		return TOOL_OK;
	before.file_size = p->file_size;
	if (begun) {
		/* cut off, it would lack what it counts on */
		tool_error("'%s' stays larger, as its file system is so in "
			   "part",
			   p->file);
	} else if (p->size != old) {
		before.size = p->size;
		place_set(&before, old);
	}
	return TOOL_FAILED;
}

static int shrink(struct image *img, struct place *p, const char *type,
		  uint64_t size)
{
	uint64_t place;
	bool begun;

	if (fs_resize(img, type, &size, &begun))
		return TOOL_FAILED;
	place = p->part ? (size + MIB - 1) / MIB * MIB : size;
	if (place >= p->size)
		return TOOL_OK;
	return place_set(p, place) ? TOOL_FAILED : TOOL_OK;
}

/*
 * It is opened for each step, so keep others away from the first to the last.
 * What cannot be opened is told by the first step.
 */
static bool lock(struct image *img)
{
	int fd = open(img->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return true;
	img->locked = !flock(fd, LOCK_EX | LOCK_NB);
	if (img->locked || errno != EWOULDBLOCK)
		return true;
	tool_error("'%s' is in use by another program", img->file);
	return false;
}

static int resize(struct image *img, const char *text)
{
	uint64_t size = 0, change = 0;
	struct place p;
	char type[32];
	bool smaller;

	if (text &&
	    !tool_parse_size(text + (*text == '+' || *text == '-'), &change))
		tool_usage_error("invalid size: '%s'", text);
	/* which may be a pipe, that is read once */
	if (img->key.file && key_get(&img->key, img->file, "-K"))
		return TOOL_FAILED;
	img->key.file = NULL;
	if (!lock(img) || place_find(&p, img, type))
		return TOOL_FAILED;
	if (text)
		size = *text == '+'   ? p.size + change
		       : *text == '-' ? p.size - change
				      : change;
	if (text && (!(size / UNIT) || (*text == '-' && change >= p.size)))
		tool_usage_error("invalid size: '%s'", text);
	size = size / UNIT * UNIT;
	smaller = !text || size < p.size;
	if (smaller ? !fs_can_shrink(type) : !fs_can_grow(type)) {
		tool_error("'%s' contains %s, which cannot be made %s",
			   img->file, type, smaller ? "smaller" : "larger");
		return TOOL_FAILED;
	}
	return smaller ? shrink(img, &p, type, size)
		       : grow(img, &p, type, size);
}

enum { OPT_MINIMUM = 256, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "minimum", no_argument, NULL, OPT_MINIMUM },
	{ "partition", required_argument, NULL, 'P' },
	{ "key-file", required_argument, NULL, 'K' },
	{ "memory", required_argument, NULL, 'm' },
	{ "printk", no_argument, NULL, 'p' },
	{ "trust-image", no_argument, NULL, 'T' },
	SANDBOX_LONG_OPTION,
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 }
};

int main(int argc, char **argv)
{
	struct image img = { 0 };
	bool minimum = false;
	int c;

	tool_init("lkl resize");
	argv[0] = (char *)tool_name;
	/* a size may begin with a dash */
	while ((c = getopt_long(argc, argv, "+P:K:m:p", long_options, NULL)) !=
	       -1) {
		switch (c) {
		case OPT_MINIMUM:
			minimum = true;
			break;
		case OPT_HELP:
			help();
			return TOOL_OK;
		case OPT_VERSION:
			printf("lkl resize (lkl) %s\n", LKL_VERSION);
			return TOOL_OK;
		default:
			if (!image_option(&img, c))
				tool_usage_error(NULL);
		}
	}
	if (argc - optind > 0 && argc - optind < 3 - minimum &&
	    !(argc - optind == 1 && !minimum)) {
		img.file = program_file(argv[optind]);
		c = resize(&img, argv[optind + 1]);
		key_forget(&img.key);
		tool_exit(c);
	}
	if (argc == optind)
		tool_usage_error("missing image");
	if (!minimum && argc - optind == 1)
		tool_usage_error("missing size after '%s'", argv[optind]);
	tool_usage_error("extra operand '%s'", argv[optind + 2 - minimum]);
}
