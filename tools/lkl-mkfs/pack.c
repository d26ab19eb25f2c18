// SPDX-License-Identifier: GPL-2.0-only
/*
 * File systems that are made of a tree and cannot be written afterwards.
 *
 * The tree with its owners, modes and layers is an image itself, so that nobody
 * has to be root, and lklfuse mounts it for the program.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/control.h"
#include "mkfs.h"

/* What it prints although it was told to be quiet: what it cannot keep. */
static void repeat(const char *program, char *said)
{
	const char *last = "";
	char *save;

	for (char *line = strtok_r(said, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		control_hide(line);
		if (strcmp(line, last))
			tool_warn("%s: %s", program, line);
		last = line;
	}
}

static int make(const struct plan *plan, const char *dir, const char *path)
{
	bool squashfs = !strcmp(plan->format->name, "squashfs");
	struct program p;
	int status;

	program_begin(&p, plan->format->program, plan->format->package);
	if (squashfs)
		program_add2(&p, dir, path);
	plan->format->add(&p, plan);
	for (size_t i = 0; i < plan->o->more_count; i++)
		program_add(&p, plan->o->more[i]);
	if (!squashfs)
		program_add2(&p, path, dir);
	status = program_run(&p);
	/* the other cannot be told to be quiet */
	if (!status && squashfs)
		repeat(plan->format->program, p.said);
	free(p.said);
	return status;
}

static bool is_mounted(const char *dir, const struct stat *before)
{
	struct stat st;

	/* of a file system that has ended nothing is known */
	return stat(dir, &st) || st.st_dev != before->st_dev;
}

static int unmount(const char *dir)
{
	struct program p;
	int status;

	program_begin(&p, "fusermount3", "fuse3");
	program_add(&p, "-u");
	program_add(&p, dir);
	p.finish = true;
	status = program_run(&p);
	free(p.said);
	return status;
}

int pack(const struct plan *plan, const char *tree, const char *path)
{
	char *lklfuse = program_beside("lklfuse"), *dir;
	struct program p;
	int status = -1;
	struct stat st;

	if (asprintf(&dir, "%s.dir", path) < 0)
		tool_no_memory();
	if (mkdir(dir, 0700) || stat(dir, &st)) {
		tool_file_error("cannot create", NULL, dir, -errno);
		goto out;
	}
	program_begin(&p, lklfuse, "lkl");
	program_add2(&p, tree, dir);
	program_add2(&p, "-o", "ro");
	status = program_run(&p);
	free(p.said);
	if (!status)
		status = make(plan, dir, path);
	/* an interrupted lklfuse may have mounted it all the same */
	if (is_mounted(dir, &st) && unmount(dir))
		status = -1;
	rmdir(dir);
out:
	free(dir);
	free(lklfuse);
	return status;
}
