// SPDX-License-Identifier: GPL-2.0-only
/* Symbolic links and hard links of Windows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/escape.h"
#include "../common/tool.h"
#include "nt_fs.h"
/* After windows.h. */
#include <winioctl.h>

/* What a reparse point of a link holds. */
struct link_data {
	DWORD tag;
	WORD size, unused;
	WORD name, name_size, shown, shown_size;
	wchar_t text[MAXIMUM_REPARSE_DATA_BUFFER_SIZE / sizeof(wchar_t)];
};

static int read_link(HANDLE handle, char *buf, size_t size)
{
	struct link_data *data = tool_alloc(NULL, sizeof(*data));
	const wchar_t *text = data->text;
	DWORD got = 0;
	int n = -EINVAL;

	if (!DeviceIoControl(handle, FSCTL_GET_REPARSE_POINT, NULL, 0, data,
			     sizeof(*data), &got, NULL))
		n = nt_error(GetLastError());
	else if (data->tag == IO_REPARSE_TAG_SYMLINK)
		text += 2; /* flags */
	else if (data->tag != IO_REPARSE_TAG_MOUNT_POINT)
		got = 0;
	if (got) {
		n = nt_narrow(text + data->shown / sizeof(*text),
			      data->shown_size / sizeof(*text), buf, size);
		for (int i = 0; i < n; i++)
			if (buf[i] == '\\')
				buf[i] = '/';
		if (n < 0)
			n = -ENAMETOOLONG;
	}
	free(data);
	return n;
}

long nt_readlink(int dir, const char *name, char *buf, size_t size)
{
	return WITH(dir, name, FILE_READ_ATTRIBUTES, fd,
		    read_link(nt_handle(fd), buf, size));
}

/* By default only administrators may make them. */
int nt_symlink(const char *target, int dir, const char *name)
{
	wchar_t *to = nt_wide(target), *wide = nt_wide(name);
	wchar_t *path = wide ? nt_path_in(dir, wide) : NULL;
	DWORD flags = SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE;
	int err = 0;

	if (!to || !wide)
		err = -EILSEQ;
	else if (!escape_is_none(name) || strchr(target, '\\'))
		err = -EINVAL;
	else if (!path)
		err = -EIO;
	if (!err) {
		for (wchar_t *p = to; *p; p++)
			if (*p == '/')
				*p = '\\';
		if (!CreateSymbolicLinkW(path, to, flags))
			err = nt_error(GetLastError());
		/* Wine says that it has made one */
		else if (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
			err = -EPERM;
	}
	free(path);
	free(wide);
	free(to);
	return err;
}

int nt_link(int from_dir, const char *from, int dir, const char *name)
{
	wchar_t *old_name = nt_wide(from), *new_name = nt_wide(name);
	wchar_t *old = old_name ? nt_path_in(from_dir, old_name) : NULL;
	wchar_t *new = new_name ? nt_path_in(dir, new_name) : NULL;
	int err = 0;

	if (!old_name || !new_name)
		err = -EILSEQ;
	else if (!escape_is_none(name))
		err = -EINVAL;
	else if (!old || !new)
		err = -EIO;
	else if (!CreateHardLinkW(new, old, NULL))
		err = nt_error(GetLastError());
	free(old_name);
	free(new_name);
	free(old);
	free(new);
	return err;
}
