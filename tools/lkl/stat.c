// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl stat - the properties of files
 *
 * What is shown without a format is a format, too.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../common/tool.h"
#include "ids.h"
#include "json.h"
#include "path.h"
#include "stat.h"
#include "text.h"

#define ITEM 8192

/* The words of GNU's stat. */
static const char *type_text(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return st->st_size ? "regular file" : "regular empty file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symbolic link";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFBLK:
		return "block special file";
	case S_IFCHR:
		return "character special file";
	}
	return "weird file";
}

static const char *quoted(const struct stat_file *f, char *text)
{
	char target[PATH_MAX];

	if (S_ISLNK(f->st.st_mode) && !text_link(f->s, f->dir, f->name, target))
		snprintf(text, ITEM, "'%s' -> '%s'", f->path, target);
	else
		snprintf(text, ITEM, "'%s'", f->path);
	return text;
}

/* The time that a file was made, where the file system keeps it. */
static bool birth(const struct stat_file *f, struct timespec *ts)
{
	struct lkl_statx sx;

	if (lkl_sys_statx(f->dir, f->name,
			  LKL_AT_SYMLINK_NOFOLLOW | LKL_AT_EMPTY_PATH,
			  LKL_STATX_BTIME, &sx) ||
	    !(sx.stx_mask & LKL_STATX_BTIME))
		return false;
	*ts = (struct timespec){ sx.stx_btime.tv_sec, sx.stx_btime.tv_nsec };
	return true;
}

static void put_time(char letter, const struct timespec *ts, char *text,
		     char *kind)
{
	if (islower((unsigned char)letter)) {
		text_time(ts, "full-iso", text);
	} else {
		snprintf(text, ITEM, "%lld", (long long)ts->tv_sec);
		*kind = 'd';
	}
}

/* The value of a letter of the format, and how printf() is to take it. */
static bool item(const struct stat_file *f, char letter, char *text, char *kind)
{
	const struct stat *st = &f->st;
	unsigned long long n = 0;
	struct timespec ts;
	const char *name;
	const char *form = "%llu";

	*kind = 's';
	switch (letter) {
	case 'a':
		n = st->st_mode & 07777;
		form = "%llo";
		break;
	case 'b':
		n = st->st_blocks;
		break;
	case 'B':
		n = 512;
		break;
	case 'd':
		n = st->st_dev;
		break;
	case 'D':
		n = st->st_dev;
		form = "%llx";
		break;
	case 'f':
		n = st->st_mode;
		form = "%llx";
		break;
	case 'g':
		n = st->st_gid;
		break;
	case 'h':
		n = st->st_nlink;
		break;
	case 'i':
		n = st->st_ino;
		break;
	case 'o':
		n = st->st_blksize;
		break;
	case 's':
		n = st->st_size;
		break;
	case 't':
		n = major(st->st_rdev);
		form = "%llx";
		break;
	case 'T':
		n = minor(st->st_rdev);
		form = "%llx";
		break;
	case 'u':
		n = st->st_uid;
		break;
	case 'A':
		text_mode(st->st_mode, text);
		return true;
	case 'C':
		text_label(f->s, f->dir, f->name, text, ITEM);
		return true;
	case 'F':
		strcpy(text, type_text(st));
		return true;
	case 'G':
		name = ids_name(f->s, IDS_GROUPS, st->st_gid);
		snprintf(text, ITEM, "%s", name ?: "UNKNOWN");
		return true;
	case 'U':
		name = ids_name(f->s, IDS_USERS, st->st_uid);
		snprintf(text, ITEM, "%s", name ?: "UNKNOWN");
		return true;
	case 'n':
		snprintf(text, ITEM, "%s", f->path);
		return true;
	case 'N':
		quoted(f, text);
		return true;
	case 'w':
	case 'W':
		if (birth(f, &ts))
			put_time(letter, &ts, text, kind);
		else
			strcpy(text, letter == 'w' ? "-" : "0");
		return true;
	case 'x':
	case 'X':
		put_time(letter, &st->st_atim, text, kind);
		return true;
	case 'y':
	case 'Y':
		put_time(letter, &st->st_mtim, text, kind);
		return true;
	case 'z':
	case 'Z':
		put_time(letter, &st->st_ctim, text, kind);
		return true;
	default:
		return false;
	}
	*kind = 'd';
	snprintf(text, ITEM, form, n);
	return true;
}

/* "%-10.3X": flags and width are printf()'s, the letter is ours. */
static const char *put_item(const struct stat_file *f, const char *p)
{
	char *text = tool_alloc(NULL, ITEM), kind;
	const char *start = p;
	bool left = false, zeros = false;
	int width = 0, precision = -1, len;

	for (; *p && strchr("-0+ #'", *p); p++) {
		left |= *p == '-';
		zeros |= *p == '0';
	}
	while (isdigit((unsigned char)*p) && width < 10000)
		width = 10 * width + *p++ - '0';
	if (*p == '.') {
		precision = 0;
		for (p++; isdigit((unsigned char)*p) && precision < 10000; p++)
			precision = 10 * precision + *p - '0';
	}
	if (*p == '%') {
		putchar('%');
	} else if (*p && item(f, *p, text, &kind)) {
		len = strlen(text);
		if (kind == 's' && precision >= 0 && precision < len)
			text[len = precision] = 0;
		if (!left && width > len)
			for (int i = width - len; i; i--)
				putchar(zeros && kind == 'd' ? '0' : ' ');
		put_name(text);
		if (left && width > len)
			printf("%*s", width - len, "");
	} else {
		printf("?%.*s", (int)(p - start), start);
		if (!*p)
			p--;
	}
	free(text);
	return p + 1;
}

const char *stat_escape(const char *p)
{
	static const char from[] = "abefnrtv\\\"",
			  to[] = "\a\b\033\f\n\r\t\v\\\"";
	const char *at = *p ? strchr(from, *p) : NULL;
	unsigned int value = 0;

	if (at) {
		putchar(to[at - from]);
		return p + 1;
	}
	if (*p >= '0' && *p <= '7') {
		for (int i = 0; i < 3 && *p >= '0' && *p <= '7'; i++)
			value = 8 * value + *p++ - '0';
		putchar(value);
		return p;
	}
	putchar('\\');
	return p;
}

void stat_put(const struct stat_file *f, const char *format, bool escapes)
{
	for (const char *p = format; *p;) {
		if (*p == '%')
			p = put_item(f, p + 1);
		else if (*p == '\\' && escapes)
			p = stat_escape(p + 1);
		else
			putchar(*p++);
	}
}

static void put_default(const struct stat_file *f)
{
	bool device = S_ISBLK(f->st.st_mode) || S_ISCHR(f->st.st_mode);
	char text[64], target[PATH_MAX];

	printf("  File: ");
	put_name(f->path);
	if (S_ISLNK(f->st.st_mode) &&
	    !text_link(f->s, f->dir, f->name, target)) {
		printf(" -> ");
		put_name(target);
	}
	putchar('\n');
	stat_put(f, "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n", false);
	printf("Device: %u,%u\t", major(f->st.st_dev), minor(f->st.st_dev));
	stat_put(f,
		 device ? "Inode: %-11i Links: %-5h Device type: "
			: "Inode: %-11i Links: %h",
		 false);
	if (device)
		printf("%u,%u", major(f->st.st_rdev), minor(f->st.st_rdev));
	snprintf(text, sizeof(text), "%04o", f->st.st_mode & 07777);
	printf("\nAccess: (%s/", text);
	stat_put(f, "%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n", false);
	if (f->label)
		stat_put(f, "Context: %C\n", false);
	stat_put(f, "Access: %x\nModify: %y\nChange: %z\n Birth: %w\n", false);
}

static void stat_one(const struct session *s, const struct args *a,
		     const char *path)
{
	const char *format = a->value['c'], *raw = a->value[OPT_PRINTF];
	struct stat_file f = { .s = s, .path = path, .name = "" };
	struct walk_path wp = { .dir = -1 };
	char label[64];
	int err, fd = -1;

	if (a->given[OPT_DEREFERENCE]) {
		err = fd = path_open(s, path, LKL_O_PATH);
		f.dir = fd;
	} else {
		err = path_split(s, path, &wp);
		f.dir = wp.dir;
		f.name = wp.open;
	}
	if (err >= 0)
		err = s->fs->stat(f.dir, f.name, &f.st);
	if (err < 0) {
		path_error(s, "cannot stat", path, err);
	} else if (a->given[OPT_JSON]) {
		json_item(json_file(s, f.dir, f.name, path, &f.st));
	} else if (raw) {
		stat_put(&f, raw, true);
	} else if (format) {
		stat_put(&f, format, false);
		putchar('\n');
	} else {
		f.label = strcmp(
			text_label(s, f.dir, f.name, label, sizeof(label)),
			"?");
		put_default(&f);
	}
	if (fd >= 0)
		s->fs->close(fd);
	if (wp.open)
		walk_split_free(s->fs, &wp);
}

int stat_run(struct session *s, const struct args *a)
{
	if (a->given[OPT_JSON])
		json_begin();
	for (char **path = a->operand; *path && !tool_signal; path++)
		stat_one(s, a, *path);
	if (a->given[OPT_JSON])
		json_end();
	return session_status();
}
