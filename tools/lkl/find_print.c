// SPDX-License-Identifier: GPL-2.0-only
/*
 * What find prints.
 */
#include <limits.h>
#include <string.h>

#include "find.h"
#include "ids.h"
#include "json.h"
#include "stat.h"
#include "text.h"

char find_type(mode_t mode)
{
	static const char types[] = "?pc?d?b?f?l?s???";

	return types[mode >> 12 & 15];
}

const char *find_name(const struct tree_entry *e)
{
	const char *slash;

	if (e->depth)
		return e->name;
	slash = strrchr(e->path, '/');
	return slash && slash[1] ? slash + 1 : e->path;
}

static void put_format_time(const char *form, const struct timespec *ts)
{
	char text[TIME_TEXT], format[4] = { '%', *form };
	struct tm tm;

	if (*form == '@') {
		printf("%lld.%09ld0", (long long)ts->tv_sec, ts->tv_nsec);
	} else if (*form == '+') {
		if (!localtime_r(&ts->tv_sec, &tm))
			return;
		strftime(text, sizeof(text), "%Y-%m-%d+%H:%M:%S", &tm);
		printf("%s.%09ld0", text, ts->tv_nsec);
	} else if (localtime_r(&ts->tv_sec, &tm) &&
		   strftime(text, sizeof(text), format, &tm)) {
		fputs(text, stdout);
	}
}

/* A directive of -printf; where it goes on. */
static const char *put_directive(const struct find *f,
				 const struct tree_entry *e, const char *p)
{
	const struct stat *st = &e->st;
	char text[PATH_MAX];
	const char *name, *slash;

	switch (*p) {
	case '%':
		putchar('%');
		break;
	case 'p':
		put_name(e->path);
		break;
	case 'P':
		name = e->path + (e->depth ? f->start_len : strlen(e->path));
		put_name(name + (*name == '/'));
		break;
	case 'f':
		put_name(find_name(e));
		break;
	case 'h':
		slash = strrchr(e->path, '/');
		snprintf(text, sizeof(text), "%.*s",
			 slash ? (int)(slash - e->path) : 1,
			 slash ? e->path : ".");
		put_name(text);
		break;
	case 'l':
		if (S_ISLNK(st->st_mode) &&
		    !text_link(f->s, e->dir, e->name, text))
			put_name(text);
		break;
	case 's':
		printf("%lld", (long long)st->st_size);
		break;
	case 'b':
		printf("%lld", (long long)st->st_blocks);
		break;
	case 'k':
		printf("%lld", (long long)(st->st_blocks + 1) / 2);
		break;
	case 'm':
		printf("%o", st->st_mode & 07777);
		break;
	case 'M':
		fputs(text_mode(st->st_mode, text), stdout);
		break;
	case 'U':
		printf("%u", st->st_uid);
		break;
	case 'G':
		printf("%u", st->st_gid);
		break;
	case 'u':
	case 'g':
		name = ids_name(f->s, *p == 'u' ? IDS_USERS : IDS_GROUPS,
				*p == 'u' ? st->st_uid : st->st_gid);
		if (name)
			put_name(name);
		else
			printf("%u", *p == 'u' ? st->st_uid : st->st_gid);
		break;
	case 'i':
		printf("%llu", (unsigned long long)st->st_ino);
		break;
	case 'n':
		printf("%lu", (unsigned long)st->st_nlink);
		break;
	case 'y':
		putchar(find_type(st->st_mode));
		break;
	case 'd':
		printf("%u", e->depth);
		break;
	case 'T':
	case 'A':
	case 'C':
		if (!p[1])
			return p;
		put_format_time(p + 1, *p == 'T'   ? &st->st_mtim
				       : *p == 'A' ? &st->st_atim
						   : &st->st_ctim);
		return p + 2;
	default:
		printf("%%%c", *p);
	}
	return p + 1;
}

void find_printf(const struct find *f, const struct tree_entry *e,
		 const char *format)
{
	for (const char *p = format; *p;) {
		if (*p == '%' && p[1])
			p = put_directive(f, e, p + 1);
		else if (*p == '\\' && p[1])
			p = stat_escape(p + 1);
		else
			putchar(*p++);
	}
}

void find_print(const struct find *f, const struct tree_entry *e)
{
	if (f->json) {
		json_item(json_file(f->s, e->dir, e->name, e->path, &e->st));
		return;
	}
	put_name(e->path);
	putchar('\n');
}
