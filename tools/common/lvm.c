// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metadata of LVM2 is a text:
 *
 *	vg0 {
 *		seqno = 4
 *		extent_size = 8192
 *		physical_volumes {
 *			pv0 {
 *				id = "..."
 *				pe_start = 2048
 *			}
 *		}
 *		logical_volumes {
 *			root {
 *				status = ["READ", "WRITE", "VISIBLE"]
 *				segment_count = 1
 *				segment1 {
 *					extent_count = 25
 *					type = "striped"
 *					stripe_count = 1
 *					stripes = [ "pv0", 0 ]
 *				}
 *			}
 *		}
 *	}
 *
 * Each physical volume has a label in one of its first sectors, which leads to
 * its metadata areas.  An area begins with a header that says where the current
 * text is in it; the text may go on at the start.  Several physical volumes may
 * have the text, the one with the highest seqno is right.
 *
 * Volumes that are linear or striped become devices.  Others take a hierarchy
 * of hidden volumes, and are refused.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lvm.h"
#include "tool.h"

#define SECTOR 512
#define LABEL_SECTORS 4
#define TEXT_MAX (4 << 20)
#define AREAS_MAX 16
#define NAME 128
#define STRIPES_MAX 128

struct label {
	char id[8];
	uint64_t sector;
	uint32_t crc;
	uint32_t offset;
	char type[8];
} __attribute__((packed));

struct area {
	uint64_t offset;
	uint64_t size;
} __attribute__((packed));

struct area_header {
	uint32_t crc;
	char magic[16];
	uint32_t version;
	uint64_t start;
	uint64_t size;
	struct {
		uint64_t offset;
		uint64_t size;
		uint32_t crc;
		uint32_t flags;
	} text;
} __attribute__((packed));

/* NAME = VALUE, or NAME { VALUE } */
struct entry {
	struct lvm_text name;
	struct lvm_text value;
	bool section;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct lvm_text *t)
{
	while (t->at < t->end && (is_space(*t->at) || *t->at == '#')) {
		if (*t->at == '#') {
			while (t->at < t->end && *t->at != '\n')
				t->at++;
		} else {
			t->at++;
		}
	}
}

/* Skip a character, or the string or comment that it begins. */
static void skip_one(struct lvm_text *t)
{
	if (*t->at == '#') {
		skip_space(t);
		return;
	}
	if (*t->at++ != '"')
		return;
	while (t->at < t->end && *t->at != '"')
		t->at += *t->at == '\\' && t->at + 1 < t->end ? 2 : 1;
	if (t->at < t->end)
		t->at++;
}

static bool next_entry(struct lvm_text *t, struct entry *e)
{
	int depth = 1;

	skip_space(t);
	e->name.at = t->at;
	while (t->at < t->end && !is_space(*t->at) && !strchr("=#{}\"", *t->at))
		t->at++;
	e->name.end = t->at;
	skip_space(t);
	if (e->name.at == e->name.end || t->at == t->end ||
	    !strchr("={", *t->at)) {
		t->at = t->end;
		return false;
	}
	e->section = *t->at++ == '{';
	if (e->section) {
		e->value.at = t->at;
		while (t->at < t->end && depth) {
			depth += (*t->at == '{') - (*t->at == '}');
			e->value.end = t->at;
			skip_one(t);
		}
		if (depth)
			e->value.end = t->at;
		return true;
	}
	skip_space(t);
	e->value.at = t->at;
	if (t->at < t->end && *t->at == '[') {
		while (t->at < t->end && *t->at != ']')
			skip_one(t);
		if (t->at < t->end)
			t->at++;
	} else if (t->at < t->end && *t->at == '"') {
		skip_one(t);
	} else {
		while (t->at < t->end && !is_space(*t->at) && *t->at != '#')
			t->at++;
	}
	e->value.end = t->at;
	return true;
}

/* A name without control characters: the text is not trusted. */
static const char *show(struct lvm_text t, char buf[NAME])
{
	size_t len = 0;

	for (; t.at < t.end && len < NAME - 1; t.at++)
		buf[len++] = *t.at > ' ' && *t.at < 127 ? *t.at : '?';
	buf[len] = 0;
	return buf;
}

static bool equal(struct lvm_text t, const char *text, size_t len)
{
	return (size_t)(t.end - t.at) == len && !memcmp(t.at, text, len);
}

static bool find(struct lvm_text in, const char *name, size_t len,
		 struct entry *e)
{
	while (next_entry(&in, e)) {
		if (equal(e->name, name, len))
			return true;
	}
	return false;
}

static bool get_section(struct lvm_text in, const char *name,
			struct lvm_text *value)
{
	struct entry e;

	if (!find(in, name, strlen(name), &e) || !e.section)
		return false;
	*value = e.value;
	return true;
}

static unsigned long long to_number(struct lvm_text t)
{
	unsigned long long n = 0;

	while (t.at < t.end && (*t.at >= '0' && *t.at <= '9'))
		n = n * 10 + *t.at++ - '0';
	return n;
}

/* 0 where there is none */
static unsigned long long get_number(struct lvm_text in, const char *name)
{
	struct entry e;

	return find(in, name, strlen(name), &e) ? to_number(e.value) : 0;
}

/* The next string or number of a list. */
static bool next_item(struct lvm_text *list, struct lvm_text *item)
{
	while (list->at < list->end &&
	       (is_space(*list->at) || *list->at == ',' || *list->at == '[' ||
		*list->at == ']'))
		list->at++;
	if (list->at == list->end)
		return false;
	item->at = list->at;
	if (*list->at == '"') {
		skip_one(list);
		item->at++;
		item->end = list->at > item->at ? list->at - 1 : item->at;
		return true;
	}
	while (list->at < list->end && !is_space(*list->at) &&
	       *list->at != ',' && *list->at != ']')
		list->at++;
	item->end = list->at;
	return true;
}

static bool get_string(struct lvm_text in, const char *name,
		       struct lvm_text *value)
{
	struct entry e;

	return find(in, name, strlen(name), &e) && next_item(&e.value, value);
}

static bool has_item(struct lvm_text in, const char *name, const char *wanted)
{
	struct lvm_text item;
	struct entry e;

	if (!find(in, name, strlen(name), &e))
		return false;
	while (next_item(&e.value, &item)) {
		if (equal(item, wanted, strlen(wanted)))
			return true;
	}
	return false;
}

static uint32_t checksum(const void *data, size_t len)
{
	uint32_t crc = 0xf597a6cf;

	for (const unsigned char *p = data; len--; p++) {
		crc ^= *p;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

/* The text in a metadata area, or NULL. */
static char *read_area(struct device *d, const struct area *area, size_t *len)
{
	uint64_t start = le64toh(area->offset), offset, room;
	struct area_header h;
	char *text;

	if (!device_read(d, &h, sizeof(h), start) ||
	    memcmp(h.magic, " LVM2 x[5A%r0N*>", sizeof(h.magic)))
		return NULL;
	*len = le64toh(h.text.size);
	offset = le64toh(h.text.offset);
	room = le64toh(h.size);
	/* The area is a ring but for its first sector, which has the header. */
	if (!*len || *len > TEXT_MAX || room < SECTOR || *len > room - SECTOR ||
	    offset < SECTOR || offset >= room)
		return NULL;
	room -= offset;
	if (room > *len)
		room = *len;
	text = tool_alloc(NULL, *len);
	if (device_read(d, text, room, start + offset) &&
	    device_read(d, text + room, *len - room, start + SECTOR) &&
	    checksum(text, *len) == le32toh(h.text.crc))
		return text;
	free(text);
	return NULL;
}

/* Take a text if it is newer. */
static int take_text(struct lvm *vg, char *buf, size_t len)
{
	struct lvm_text text = { buf, buf + len };
	unsigned long long seqno;
	char name[NAME];
	struct entry e;

	do {
		if (!next_entry(&text, &e)) {
			free(buf);
			return -1;
		}
	} while (!e.section);
	show(e.name, name);
	seqno = get_number(e.value, "seqno");
	if (vg->buf && (seqno <= vg->seqno || strcmp(name, vg->name))) {
		free(buf);
		return strcmp(name, vg->name) ? 1 : 0;
	}
	free(vg->buf);
	vg->buf = buf;
	vg->seqno = seqno;
	vg->extent = get_number(e.value, "extent_size");
	vg->lv_list = vg->pv_list = (struct lvm_text){ 0 };
	get_section(e.value, "logical_volumes", &vg->lv_list);
	get_section(e.value, "physical_volumes", &vg->pv_list);
	strcpy(vg->name, name);
	return 0;
}

/* Find the label; returns where its sector begins in @buf, or NULL. */
static const char *find_label(struct device *d, char buf[], size_t size)
{
	const struct label *label;

	if (!device_read(d, buf, size, 0))
		return NULL;
	for (size_t pos = 0; pos < size; pos += SECTOR) {
		label = (const struct label *)(buf + pos);
		if (!memcmp(label->id, "LABELONE", sizeof(label->id)) &&
		    !memcmp(label->type, "LVM2 001", sizeof(label->type)))
			return buf + pos;
	}
	return NULL;
}

int lvm_add(struct lvm *vg, struct device *d)
{
	char buf[LABEL_SECTORS * SECTOR];
	const char *sector = find_label(d, buf, sizeof(buf));
	struct area areas[AREAS_MAX];
	size_t offset, count = 0, len;
	struct lvm_pv *pv;
	char *text;
	int ret = 0;

	if (!sector)
		return -1;
	offset = le32toh(((const struct label *)sector)->offset);
	/* UUID, size, data areas and a zero, metadata areas and a zero */
	if (offset > SECTOR - LVM_ID - 8)
		return -1;
	vg->pvs = tool_alloc(vg->pvs, (vg->count + 1) * sizeof(*vg->pvs));
	pv = &vg->pvs[vg->count++];
	pv->dev = d->dev;
	memcpy(pv->id, sector + offset, LVM_ID);
	offset += LVM_ID + 8;
	for (int lists = 0; lists < 2; lists++) {
		for (;; offset += sizeof(*areas)) {
			if (offset + sizeof(*areas) > SECTOR ||
			    count == AREAS_MAX)
				return -1;
			memcpy(&areas[count], sector + offset, sizeof(*areas));
			if (!areas[count].offset)
				break;
			count += lists;
		}
		offset += sizeof(*areas);
	}
	for (size_t i = 0; i < count && !ret; i++) {
		text = read_area(d, &areas[i], &len);
		if (text)
			ret = take_text(vg, text, len);
	}
	return ret;
}

bool lvm_next(const struct lvm *vg, struct lvm_text *list, struct lvm_lv *lv)
{
	struct lvm_text segments;
	struct entry e, segment;
	char name[NAME];

	if (!list->at)
		*list = vg->lv_list;
	do {
		if (!next_entry(list, &e))
			return false;
	} while (!e.section || !has_item(e.value, "status", "VISIBLE"));
	lv->body = segments = e.value;
	lv->size = 0;
	snprintf(lv->name, sizeof(lv->name), "%s/%s", vg->name,
		 show(e.name, name));
	while (next_entry(&segments, &segment)) {
		if (segment.section)
			lv->size += get_number(segment.value, "extent_count") *
				    vg->extent * SECTOR;
	}
	return true;
}

/* Find a physical volume by its name in the text; its data area. */
static const struct lvm_pv *find_pv(const struct lvm *vg, struct lvm_text name,
				    unsigned long long *start)
{
	struct lvm_text id;
	char bare[LVM_ID];
	struct entry e;
	size_t len = 0;

	if (!find(vg->pv_list, name.at, name.end - name.at, &e) || !e.section ||
	    !get_string(e.value, "id", &id))
		return NULL;
	for (; id.at < id.end && len < LVM_ID; id.at++) {
		if (*id.at != '-')
			bare[len++] = *id.at;
	}
	*start = get_number(e.value, "pe_start");
	for (size_t i = 0; i < vg->count && len == LVM_ID; i++) {
		if (!memcmp(vg->pvs[i].id, bare, LVM_ID))
			return &vg->pvs[i];
	}
	return NULL;
}

/* "8:1 2048 8:17 2048" for the stripes of a segment, or NULL. */
static char *stripes(const struct lvm *vg, struct lvm_text segment,
		     unsigned int *count, char *reason, size_t size)
{
	struct lvm_text name, extent;
	unsigned long long start;
	const struct lvm_pv *pv;
	char *text = NULL, buf[NAME];
	struct entry e;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		tool_no_memory();
	*count = 0;
	*reason = 0;
	if (find(segment, "stripes", 7, &e)) {
		while (*count < STRIPES_MAX && next_item(&e.value, &name) &&
		       next_item(&e.value, &extent)) {
			pv = find_pv(vg, name, &start);
			if (!pv) {
				snprintf(reason, size,
					 "the disk of physical volume %s is "
					 "missing",
					 show(name, buf));
				break;
			}
			fprintf(f, "%s%u:%u %llu", (*count)++ ? " " : "",
				DEV_MAJOR(pv->dev), DEV_MINOR(pv->dev),
				start + to_number(extent) * vg->extent);
		}
	}
	if (!*reason && (!*count || next_item(&e.value, &name)))
		snprintf(reason, size, "the metadata is damaged");
	fclose(f);
	if (!*reason)
		return text;
	free(text);
	return NULL;
}

bool lvm_table(const struct lvm *vg, const struct lvm_lv *lv, struct table *t,
	       char *reason, size_t size)
{
	struct lvm_text segments = lv->body, type;
	char *text, buf[NAME];
	unsigned int count;
	struct entry e;
	unsigned long long sectors;

	while (next_entry(&segments, &e)) {
		if (!e.section)
			continue;
		type = (struct lvm_text){ 0 };
		get_string(e.value, "type", &type);
		if (!equal(type, "striped", 7)) {
			snprintf(reason, size,
				 "it is of type %s; only linear and striped "
				 "volumes can be used",
				 show(type, buf));
			return false;
		}
		text = stripes(vg, e.value, &count, reason, size);
		if (!text)
			return false;
		sectors = get_number(e.value, "extent_count") * vg->extent;
		if (count == 1)
			table_add(t, "linear", sectors, "%s", text);
		else
			table_add(t, "striped", sectors, "%u %llu %s", count,
				  get_number(e.value, "stripe_size"), text);
		free(text);
	}
	if (t->count)
		return true;
	snprintf(reason, size, "the metadata is damaged");
	return false;
}

void lvm_free(struct lvm *vg)
{
	free(vg->buf);
	free(vg->pvs);
}
