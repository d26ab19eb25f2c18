// SPDX-License-Identifier: GPL-2.0-only
/* On Linux only, another process is confined; elsewhere this one does the work.
 */
#include "../common/confined.h"
#include "../common/image.h"
#include "../common/tool.h"

bool confined_possible(void)
{
	return false;
}

int confined_run(const struct confined *c)
{
	int status = TOOL_FAILED;

	if (!image_open(c->img) &&
	    !(c->unmounted ? image_look(c->img) : image_start(c->img)))
		status = c->run(c->img, c->arg);
	if (image_unmount(c->img) && status == TOOL_OK)
		status = TOOL_PARTIAL;
	return status;
}
