// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl serve - give an image to programs that know raw disks and NBD only
 *
 * qemu-nbd does it, as for the tools themselves: confined to the image, after a
 * look at what else the image names.  No kernel is involved.
 */
#include "../common/disk.h"
#include "../common/tool.h"
#include "run.h"

int serve_main(const struct verb *v, int argc, char **argv)
{
	struct disk d = { .fd = -1 };
	struct image img = { 0 };
	struct args a;
	int status, err = args_read(v, argc, argv, &img, &a);

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (a.count != 2)
		return args_bad(a.count ? "an image and a socket are needed"
					: "missing image");
	img.readonly = a.given['r'];
	d.file = a.operand[0];
	status = disk_serve(&d, img.readonly, img.trust, a.operand[1]);
	if (disk_close(&d, !img.readonly))
		status = -1;
	args_free(&a);
	return status ? TOOL_FAILED : TOOL_OK;
}
