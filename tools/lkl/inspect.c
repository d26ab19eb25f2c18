// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl inspect - which system is in an image, and what belongs to it
 */
#include <blkid/blkid.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/inspect.h"
#include "../common/tool.h"
#include "json.h"
#include "path.h"
#include "run.h"

#define TEXT 256

/*
 * What a system says about itself.
 *
 * @name: its name and version, for people
 * @id: the distribution
 * @version: its version
 */
struct os {
	char name[TEXT];
	char id[TEXT];
	char version[TEXT];
	char host[TEXT];
	const char *arch;
};

/* Copy a value as a shell would understand it: quotes, and backslashes. */
static void unquote(char *to, const char *from, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < TEXT - 1; i++) {
		if (from[i] == '"' || from[i] == '\'')
			continue;
		if (from[i] == '\\' && i + 1 < len)
			i++;
		to[n++] = from[i];
	}
	to[n] = 0;
}

static void get_value(const char *text, const char *key, char *to)
{
	size_t len = strlen(key);

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (n > len && !strncmp(line, key, len) && line[len] == '=')
			unquote(to, line + len + 1, n - len - 1);
		line += n + !!line[n];
	}
}

/* For which machines a program is; NULL if that is not known. */
static const char *get_arch(int root)
{
	static const char *const programs[] = { "bin/sh", "usr/bin/sh",
						"sbin/init", "usr/sbin/init",
						"bin/busybox" };
	static const struct {
		unsigned int machine;
		const char *name;
	} names[] = {
		{ EM_X86_64, "x86_64" },
		{ EM_AARCH64, "aarch64" },
		{ EM_386, "i686" },
		{ EM_ARM, "arm" },
		{ EM_RISCV, "riscv" },
		{ EM_PPC64, "ppc64" },
		{ EM_S390, "s390x" },
		{ EM_MIPS, "mips" },
		{ EM_LOONGARCH, "loongarch" },
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		unsigned char *elf =
			(unsigned char *)inspect_read(root, programs[i]);
		unsigned int machine = 0;

		if (elf && !memcmp(elf, ELFMAG, SELFMAG))
			machine = elf[EI_DATA] == ELFDATA2MSB
					  ? elf[18] << 8 | elf[19]
					  : elf[19] << 8 | elf[18];
		free(elf);
		for (size_t n = 0;
		     machine && n < sizeof(names) / sizeof(*names); n++) {
			if (names[n].machine == machine)
				return names[n].name;
		}
	}
	return NULL;
}

static void look(int root, struct os *os)
{
	char *text = inspect_read(root, "etc/os-release")
			     ?: inspect_read(root, "usr/lib/os-release");

	*os = (struct os){ 0 };
	if (text) {
		get_value(text, "PRETTY_NAME", os->name);
		get_value(text, "ID", os->id);
		get_value(text, "VERSION_ID", os->version);
	}
	free(text);
	text = inspect_read(root, "etc/hostname");
	if (text)
		snprintf(os->host, TEXT, "%.*s", (int)strcspn(text, "\n"),
			 text);
	free(text);
	os->arch = get_arch(root);
}

static void add_text(json_object *o, const char *key, const char *text)
{
	if (text && *text)
		json_add_name(o, key, text);
}

static void put_json(const struct session *s, const struct os *os)
{
	const struct inspect *in = &s->img.system;
	json_object *o = json_object_new_object();
	json_object *mounts = json_object_new_array();
	json_object *missing = json_object_new_array();

	json_add_name(o, "image", s->img.file);
	add_text(o, "os", os->id);
	add_text(o, "version", os->version);
	add_text(o, "name", os->name);
	add_text(o, "hostname", os->host);
	add_text(o, "architecture", os->arch);
	for (size_t i = 0; i < in->mount_count; i++) {
		const struct inspect_mount *m = &in->mounts[i];
		json_object *one = json_object_new_object();

		json_add_name(one, "path", m->path);
		if (in->sources.disk_count > 1)
			json_add_name(one, "disk",
				      s->img.disks[m->source->disk].file);
		if (m->source->part)
			json_object_object_add(
				one, "partition",
				json_object_new_int(m->source->part));
		add_text(one, "volume", m->source->volume);
		add_text(one, "type", m->source->found.type);
		add_text(one, "label", m->source->found.label);
		add_text(one, "uuid", m->source->found.uuid);
		add_text(one, "options", m->options);
		json_object_array_add(mounts, one);
	}
	for (size_t i = 0; i < in->missing_count; i++) {
		json_object *one = json_object_new_object();

		json_add_name(one, "path", in->missing[i].path);
		json_add_name(one, "spec", in->missing[i].spec);
		json_add_name(one, "reason", in->missing[i].reason);
		json_object_array_add(missing, one);
	}
	json_object_object_add(o, "mounts", mounts);
	json_object_object_add(o, "missing", missing);
	json_begin();
	json_item(o);
	json_end();
}

static void put_fact(const char *what, const char *text)
{
	if (!text || !*text)
		return;
	printf("  %-13s ", what);
	put_name(text);
	putchar('\n');
}

static void put_text(const struct session *s, const struct os *os)
{
	const struct inspect *in = &s->img.system;
	char label[FACT], uuid[FACT];

	printf("%s: ", s->img.file);
	put_name(*os->name ? os->name : *os->id ? os->id : "unknown system");
	putchar('\n');
	put_fact("distribution", os->id);
	put_fact("version", os->version);
	put_fact("architecture", os->arch);
	put_fact("host name", os->host);
	printf("%-20s  %-16s  %-8s  %-16s  %s\n", "MOUNTED ON", "WHERE", "TYPE",
	       "LABEL", "UUID");
	for (size_t i = 0; i < in->mount_count; i++) {
		const struct inspect_mount *m = &in->mounts[i];
		int room = 20 - (int)strlen(m->path);

		put_name(m->path);
		printf("%*s  %-16s  %-8s  %-16s  %s\n", room > 0 ? room : 0, "",
		       source_name(m->source), m->source->found.type,
		       output_fact(m->source->found.label, label),
		       output_fact(m->source->found.uuid, uuid));
	}
	for (size_t i = 0; i < in->missing_count; i++) {
		put_name(in->missing[i].path);
		printf(": ");
		put_name(in->missing[i].spec);
		printf(": ");
		put_name(in->missing[i].reason);
		putchar('\n');
	}
}

int inspect_run(struct session *s, const struct args *a)
{
	struct os os;

	if (!s->img.inspect) {
		tool_error("the image was not opened with --inspect");
		return TOOL_FAILED;
	}
	look(s->img.root, &os);
	if (a->given[OPT_JSON])
		put_json(s, &os);
	else
		put_text(s, &os);
	return session_status();
}
