/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LVM2: the metadata of volume groups.
 */
#ifndef LVM_H
#define LVM_H

#include "device.h"
#include "dm.h"

#define LVM_ID 32

/**
 * struct lvm_pv - a physical volume that is there
 *
 * @id: its UUID
 * @dev: number of its device
 */
struct lvm_pv {
	char id[LVM_ID];
	uint32_t dev;
};

/**
 * struct lvm_text - part of the metadata
 *
 * @at: where it begins
 * @end: where it ends
 */
struct lvm_text {
	const char *at;
	const char *end;
};

/**
 * struct lvm - a volume group
 *
 * @buf: the metadata
 * @name: its name
 * @seqno: which state of it that is
 * @extent: size of an extent in sectors
 * @lv_list: its logical volumes
 * @pv_list: its physical volumes
 * @pvs: what is there of it
 * @count: number of these
 */
struct lvm {
	char *buf;
	char name[128];
	unsigned long long seqno;
	unsigned long long extent;
	struct lvm_text lv_list;
	struct lvm_text pv_list;
	struct lvm_pv *pvs;
	size_t count;
};

/**
 * struct lvm_lv - a logical volume
 *
 * @name: VG/LV
 * @size: its size
 * @body: what is said about it
 */
struct lvm_lv {
	char name[256];
	unsigned long long size;
	struct lvm_text body;
};

/**
 * lvm_add() - read a physical volume
 * @vg: the volume group, all 0 at first
 * @d: the device
 *
 * Return: 0, -1 if it cannot be read, or 1 if it belongs to another group
 */
int lvm_add(struct lvm *vg, struct device *d);

/**
 * lvm_next() - enumerate the logical volumes
 * @vg: the volume group
 * @list: NULL in @at and @end at first
 * @lv: filled in
 *
 * Return: false at the end
 */
bool lvm_next(const struct lvm *vg, struct lvm_text *list, struct lvm_lv *lv);

/**
 * lvm_table() - what makes a device of a logical volume
 * @vg: the volume group
 * @lv: the logical volume
 * @t: gets it
 * @reason: why not
 * @size: size of that
 *
 * Return: whether it is possible
 */
bool lvm_table(const struct lvm *vg, const struct lvm_lv *lv, struct table *t,
	       char *reason, size_t size);

/**
 * lvm_free() - forget it
 * @vg: the volume group
 */
void lvm_free(struct lvm *vg);

#endif /* LVM_H */
