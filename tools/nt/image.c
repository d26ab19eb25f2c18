// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images on Windows: files and raw disks.  There are no other processes that
 * could be confined, no NBD servers, and what lies between a disk and a file
 * system is not opened.
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
#include "nt_file.h"
/* After windows.h. */
#include <winioctl.h>

#define LOCK_STEP_MS 20

/* Formats that take qemu to read, by how they begin. */
static const struct {
	const char *name;
	const char *word;
	size_t len;
} formats[] = {
	{ "qcow2", "QFI\xfb", 4 },
	{ "vmdk", "KDMV", 4 },
	{ "vdi", "<<< ", 4 },
	{ "vhdx", "vhdxfile", 8 },
};

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
	char head[16] = "";
	wchar_t *path;
	int err;

	(void)trust;
	if (!strncmp(d->file, "nbd", 3) && strstr(d->file, "://")) {
		tool_error("cannot open '%s': there is no NBD on Windows",
			   d->file);
		return -1;
	}
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
	if (d->st.st_size && pread(d->fd, head, sizeof(head), 0) < 0) {
		tool_file_error("error reading", NULL, d->file, -EIO);
		return -1;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (memcmp(head, formats[i].word, formats[i].len))
			continue;
		tool_error("cannot open '%s': it has the format %s of qemu, "
			   "which is not read on Windows",
			   d->file, formats[i].name);
		return -1;
	}
	return 0;
}

int disk_look(struct disk *d)
{
	(void)d;
	return 0;
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

/* Only the types are known. */
bool layers_known(const struct probe *found)
{
	return !strcmp(found->type, "crypto_LUKS") ||
	       !strcmp(found->type, "LVM2_member") ||
	       !strcmp(found->type, "linux_raid_member");
}

bool layers_open(struct layers *l, struct probe *found)
{
	(void)found;
	tool_error("'%s' has encryption, logical volumes or RAID, which cannot "
		   "be opened on Windows",
		   l->image);
	return false;
}

struct volume *layers_list(struct layers *l, size_t *count)
{
	*count = 0;
	layers_open(l, NULL);
	return NULL;
}

void layers_close(struct layers *l)
{
	(void)l;
}

/* What would ask for it is not opened. */
int key_get(struct key *k, const char *image, const char *option)
{
	(void)k;
	tool_error("'%s': %s cannot be used on Windows", image, option);
	return -1;
}

void key_copy(struct key *to, const struct key *from)
{
	*to = *from;
}

void key_forget(struct key *k)
{
	(void)k;
}

int inspect_open(struct inspect *in, const char *where)
{
	(void)in;
	(void)where;
	tool_error("--inspect cannot be used on Windows");
	return -1;
}

long inspect_close(struct inspect *in)
{
	(void)in;
	return 0;
}

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
