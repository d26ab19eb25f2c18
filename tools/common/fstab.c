// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an fstab says of the disks of an image.
 *
 * The names of devices are those that the system of the image gave them: sda1,
 * vda1 and nvme0n1p1 are the first partition of the first disk.
 */
#include <ctype.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fstab.h"
#include "tool.h"

#define LINE_MAX 4096

static char *copy(const char *text)
{
	char *c = strdup(text);

	if (!c)
		tool_no_memory();
	return c;
}

/* Is it about a disk, which has a name, and about a directory? */
static bool is_wanted(const struct mntent *m)
{
	static const char *const specs[] = { "/dev/", "UUID=", "LABEL=",
					     "PARTUUID=", "PARTLABEL=" };

	for (const char *c = m->mnt_fsname; *c; c++) {
		if (iscntrl((unsigned char)*c))
			return false;
	}
	if (*m->mnt_dir != '/' || !strcmp(m->mnt_type, "swap") ||
	    hasmntopt(m, "bind"))
		return false;
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		if (!strncmp(m->mnt_fsname, specs[i], strlen(specs[i])))
			return true;
	}
	return false;
}

static unsigned int depth(const char *path)
{
	unsigned int n = 0;

	for (const char *p = path; *p; p++)
		n += *p == '/' && p[1] && p[1] != '/';
	return n;
}

void fstab_read(struct fstab *f, const char *text, char *crypttab)
{
	FILE *file = fmemopen((char *)text, strlen(text), "r");
	char line[LINE_MAX];
	struct mntent m;

	*f = (struct fstab){ .crypttab = crypttab };
	while (file && getmntent_r(file, &m, line, sizeof(line))) {
		size_t n = f->count;

		if (!is_wanted(&m))
			continue;
		f->list = tool_alloc(f->list, (n + 1) * sizeof(*f->list));
		while (n && depth(f->list[n - 1].path) > depth(m.mnt_dir)) {
			f->list[n] = f->list[n - 1];
			n--;
		}
		f->list[n] = (struct fstab_entry){ copy(m.mnt_fsname),
						   copy(m.mnt_dir),
						   copy(m.mnt_opts) };
		f->count++;
	}
	if (file)
		fclose(file);
}

/* "VG/LV" as the device mapper has it: "VG-LV", with other dashes twice. */
static bool is_mapped(const char *volume, const char *name)
{
	for (; *volume; volume++, name++) {
		if (*name != (*volume == '/' ? '-' : *volume))
			return false;
		if (*volume == '-' && *++name != '-')
			return false;
	}
	return !*name;
}

/* The UUID that crypttab has for a name, or NULL; in @line. */
static const char *crypt_uuid(const struct fstab *f, const char *name,
			      char line[LINE_MAX])
{
	const char *p = f->crypttab;
	char *save, *first, *second;

	while (p && *p) {
		size_t len = strcspn(p, "\n");

		snprintf(line, LINE_MAX, "%.*s",
			 (int)(len < LINE_MAX ? len : LINE_MAX - 1), p);
		p += len + !!p[len];
		first = strtok_r(line, " \t", &save);
		second = first ? strtok_r(NULL, " \t", &save) : NULL;
		if (second && !strcmp(first, name) &&
		    !strncmp(second, "UUID=", 5))
			return second + 5;
	}
	return NULL;
}

/* "sda1", "vdb", "nvme0n1p2": which disk and partition, false if it is none. */
static bool parse_device(const char *name, unsigned int *disk,
			 unsigned int *part)
{
	static const char *const lettered[] = { "sd", "vd", "xvd", "hd" };
	char end;

	*part = 0;
	for (size_t i = 0; i < sizeof(lettered) / sizeof(*lettered); i++) {
		size_t len = strlen(lettered[i]);

		if (strncmp(name, lettered[i], len) ||
		    !islower((unsigned char)name[len]))
			continue;
		*disk = name[len] - 'a';
		return !name[len + 1] ||
		       sscanf(name + len + 1, "%3u%c", part, &end) == 1;
	}
	return sscanf(name, "nvme%3un%*1up%3u%c", disk, part, &end) == 2 ||
	       sscanf(name, "mmcblk%3up%3u%c", disk, part, &end) == 2;
}

static bool is_device(const struct fstab *f, const char *name,
		      const struct source *s)
{
	unsigned int disk, part;
	char line[LINE_MAX];
	const char *uuid;

	if (*s->volume && !strcmp(name, s->volume))
		return true;
	if (!strncmp(name, "mapper/", 7)) {
		name += 7;
		if (*s->volume)
			return is_mapped(s->volume, name);
		uuid = crypt_uuid(f, name, line);
		return uuid && !strcasecmp(uuid, s->holder);
	}
	if (!strncmp(name, "disk/by-uuid/", 13))
		return !strcasecmp(name + 13, s->found.uuid);
	if (!strncmp(name, "disk/by-label/", 14))
		return !strcmp(name + 14, s->found.label);
	if (!strncmp(name, "disk/by-partuuid/", 17))
		return !strcasecmp(name + 17, s->part_uuid);
	return !*s->volume && !*s->holder && parse_device(name, &disk, &part) &&
	       disk == s->disk && part == s->part;
}

/* Without quotes. */
static void unquote(char *text)
{
	size_t len = strlen(text);

	if (len > 1 && *text == '"' && text[len - 1] == '"') {
		memmove(text, text + 1, len - 2);
		text[len - 2] = 0;
	}
}

static bool is_about(const struct fstab *f, const char *tag, const char *value,
		     const struct source *s)
{
	if (!source_mountable(s) || !*value)
		return false;
	if (!strcmp(tag, "UUID"))
		return !strcasecmp(value, s->found.uuid);
	if (!strcmp(tag, "LABEL"))
		return !strcmp(value, s->found.label);
	if (!strcmp(tag, "PARTUUID"))
		return !*s->holder && !strcasecmp(value, s->part_uuid);
	if (!strcmp(tag, "PARTLABEL"))
		return !*s->holder && !strcmp(value, s->part_name);
	return is_device(f, value, s);
}

const struct source *fstab_find(const struct fstab *f,
				const struct fstab_entry *e,
				const struct sources *s)
{
	const struct source *found = NULL;
	char *spec = copy(e->spec), *value = strchr(spec, '=');
	const char *tag = "";

	if (!strncmp(spec, "/dev/", 5)) {
		value = spec + 5;
	} else if (value) {
		*value++ = 0;
		tag = spec;
		unquote(value);
	}
	for (size_t i = 0; value && i < s->count && !found; i++) {
		if (is_about(f, tag, value, &s->list[i]))
			found = &s->list[i];
	}
	free(spec);
	return found;
}

bool fstab_has_option(const struct fstab_entry *e, const char *option)
{
	struct mntent m = { .mnt_opts = e->options };

	return hasmntopt(&m, option);
}

char *fstab_options(const struct fstab_entry *e)
{
	static const char *const kept[] = { "subvol=", "subvolid=", "umask=",
					    "fmask=",  "dmask=",    "uid=",
					    "gid=" };
	char *all = copy(e->options), *list = tool_alloc(NULL, strlen(all) + 2);
	char *save;

	*list = 0;
	for (char *o = strtok_r(all, ",", &save); o;
	     o = strtok_r(NULL, ",", &save)) {
		for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
			if (strncmp(o, kept[i], strlen(kept[i])))
				continue;
			if (*list)
				strcat(list, ",");
			strcat(list, o);
			break;
		}
	}
	free(all);
	return list;
}

void fstab_free(struct fstab *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->list[i].spec);
		free(f->list[i].path);
		free(f->list[i].options);
	}
	free(f->list);
	free(f->crypttab);
	*f = (struct fstab){ 0 };
}
