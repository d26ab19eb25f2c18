// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images on Windows: files and raw disks.  ../elsewhere/ has
 * what is not done with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <lkl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/contents.h"
#include "../common/disk.h"
#include "../common/image.h"
#include "../common/tool.h"
#include "../elsewhere/elsewhere.h"
#include "nt_file.h"
/* After windows.h. */
#include <winioctl.h>

#define LOCK_STEP_MS 20

static bool is_device(const wchar_t *path)
{
	return !wcsncmp(path, L"\\\\.\\", 4);
}

static int open_error(const struct disk *d, bool device, DWORD error)
{
	if (error == ERROR_SHARING_VIOLATION || error == ERROR_LOCK_VIOLATION)
		tool_error("'%s' is in use by another program", d->file);
	else if (device && error == ERROR_ACCESS_DENIED)
		tool_file_reason("cannot open", NULL, d->file,
				 "only an administrator may open disks");
	else
		tool_file_error("cannot open", NULL, d->file, nt_error(error));
	return -1;
}

/* What a raw disk says of itself, as the library asks for it. */
static int ask_device(struct disk *d)
{
	struct lkl_disk disk = { .fd = d->fd };
	struct lkl_blk_limits limits = { .block_size = DISK_SECTOR };
	unsigned long long size = 0;
	int err = lkl_dev_blk_ops.get_capacity(disk, &size);

	if (!err)
		err = lkl_dev_blk_ops.get_limits(disk, &limits);
	if (err) {
		tool_file_error("cannot open", NULL, d->file, err);
		return err;
	}
	d->size = size;
	if (!d->sector)
		d->sector = limits.block_size;
	return 0;
}

/* Nobody else has it open meanwhile, or else only to read, too. */
static int open_wide(struct disk *d, const wchar_t *path, bool readonly,
		     unsigned int ms)
{
	DWORD access = GENERIC_READ | (readonly ? 0 : GENERIC_WRITE);
	bool device = is_device(path);
	DWORD attributes = device ? 0 : GetFileAttributesW(path);
	HANDLE file;

	if (attributes != INVALID_FILE_ATTRIBUTES &&
	    attributes & FILE_ATTRIBUTE_DIRECTORY) {
		tool_file_error("cannot open", NULL, d->file, -EISDIR);
		return -1;
	}
	while ((file = CreateFileW(path, access, readonly ? FILE_SHARE_READ : 0,
				   NULL, OPEN_EXISTING, 0, NULL)) ==
		       INVALID_HANDLE_VALUE &&
	       GetLastError() == ERROR_SHARING_VIOLATION &&
	       ms >= LOCK_STEP_MS) {
		Sleep(LOCK_STEP_MS);
		ms -= LOCK_STEP_MS;
	}
	if (file == INVALID_HANDLE_VALUE)
		return open_error(d, device, GetLastError());
	d->fd = _open_osfhandle((intptr_t)file,
				_O_BINARY | (readonly ? _O_RDONLY : _O_RDWR));
	if (d->fd < 0) {
		tool_error("'%s' is no disk", d->file);
		CloseHandle(file);
		return -1;
	}
	if (device)
		return ask_device(d);
	if (!nt_stat_handle(file, &d->st))
		d->size = d->st.st_size;
	return 0;
}

int disk_open(struct disk *d, bool readonly, bool trust, unsigned int lock_ms)
{
	wchar_t *path;
	int err;

	(void)trust;
	if (refuse_server(d))
		return -1;
	path = nt_path(d->file);
	err = path ? open_wide(d, path, readonly, lock_ms)
		   : open_error(d, false, ERROR_NO_UNICODE_TRANSLATION);
	free(path);
	if (err)
		return err;
	if (d->size < DISK_SECTOR) {
		tool_error("'%s' is empty", d->file);
		return -1;
	}
	return d->st.st_size && refuse_format(d) ? -1 : 0;
}

int disk_close(struct disk *d, bool sync)
{
	int err = 0;

	disk_free(d);
	if (d->fd >= 0 && sync &&
	    !FlushFileBuffers((HANDLE)_get_osfhandle(d->fd))) {
		err = nt_error(GetLastError());
		tool_file_error("cannot sync", NULL, d->file, err);
	}
	if (d->fd >= 0)
		close(d->fd);
	return err;
}
