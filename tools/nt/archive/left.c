// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left out of libarchive, and said to be so where it is asked for.
 *
 * It has other programs do what it has no library for: grzip, lrzip and lzop.
 * An archive that somebody made does not start programs here.
 */
#include <errno.h>

#include "archive_platform.h"

#include "archive.h"
#include "archive_private.h"
#include "archive_read_private.h"
#include "archive_write_private.h"
#include "archive_write_set_format_private.h"

int __archive_read_program(struct archive_read_filter *filter,
			   const char *command)
{
	archive_set_error(&filter->archive->archive, EINVAL,
			  "Can't initialize filter; unable to run program "
			  "\"%s\"",
			  command);
	return ARCHIVE_FATAL;
}

static int refuse(struct archive *a, const char *program)
{
	archive_set_error(a, EINVAL, "Can't launch external program: %s",
			  program);
	return ARCHIVE_FATAL;
}

int archive_write_add_filter_grzip(struct archive *a)
{
	return refuse(a, "grzip");
}

int archive_write_add_filter_lrzip(struct archive *a)
{
	return refuse(a, "lrzip");
}

int archive_write_add_filter_lzop(struct archive *a)
{
	return refuse(a, "lzop");
}

/* In libarchive, it is in a file that asks for all formats. */
void __archive_write_entry_filetype_unsupported(struct archive *a,
						struct archive_entry *entry,
						const char *format)
{
	archive_set_error(a, ARCHIVE_ERRNO_FILE_FORMAT,
			  "%s: the format %s has no such type of file",
			  archive_entry_pathname(entry), format);
}
