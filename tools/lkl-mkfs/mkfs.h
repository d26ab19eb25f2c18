/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of lkl mkfs share.
 */
#ifndef MKFS_H
#define MKFS_H

#include <time.h>

#include "../archive/unpack.h"
#include "../common/idmap.h"
#include "../common/program.h"
#include "../common/walk.h"
#include "total.h"

/* A UUID as text. */
#define UUID_TEXT 37

/**
 * struct options - the command line
 *
 * @source: directory, archive or OCI image
 * @image: the image
 * @format: type of the file system
 * @kind: what @source is if it is no directory
 * @kind_given: the command line says so
 * @ref: which image of several, or NULL
 * @size: of the file system, or 0 to find it out
 * @room: what is left free then, in bytes
 * @room_given: the command line says so
 * @label: label, or NULL
 * @uuid: UUID, or NULL
 * @gpt: make a partition table
 * @uids: renumbering of owners and
 * @gids: of groups
 * @owners: file with owners and modes, or NULL
 * @more: further options of the program that makes the file system
 * @more_count: number of @more
 * @mem: memory of the kernel in MiB, or 0
 * @verbose: show the kernel's messages
 * @no_sandbox: do not confine what runs the kernel
 * @epoch: SOURCE_DATE_EPOCH, or -1
 */
struct options {
	const char *source;
	const char *image;
	const struct format *format;
	enum unpack_kind kind;
	bool kind_given;
	const char *ref;
	uint64_t size;
	uint64_t room;
	bool room_given;
	const char *label;
	const char *uuid;
	bool gpt;
	struct idmap uids;
	struct idmap gids;
	const char *owners;
	const char *more[PROGRAM_ARGS];
	size_t more_count;
	unsigned int mem;
	bool verbose;
	bool no_sandbox;
	time_t epoch;
};

/**
 * struct origin - where the files come from
 *
 * @walk: the walk, if they are in a directory
 * @unpack: the archive, else
 * @is_dir: which of them
 * @total: how much it is
 */
struct origin {
	struct walk walk;
	struct unpack unpack;
	bool is_dir;
	struct total total;
};

/**
 * origin_open() - open a source, and count what is in it
 * @s: filled in
 * @o: the command line
 *
 * Return: 0, or -1 when it has said why not; call origin_close() in any case
 */
int origin_open(struct origin *s, const struct options *o);

/**
 * origin_close() - undo that
 * @s: the source
 */
void origin_close(struct origin *s);

/**
 * struct plan - what is to be made
 *
 * @format: type of the file system
 * @file: the file to make it in
 * @offset: where it begins there
 * @part: number of the partition, 0 for none
 * @size: its size
 * @total: what is to go into it
 * @uuid: UUID, or "" for any
 * @seed: UUID that is as good as random, but the same for the same source, or
 * ""
 * @part_uuid: the same for the partition, and
 * @disk_uuid: for the disk
 * @o: the command line
 */
struct plan {
	const struct format *format;
	const char *file;
	uint64_t offset;
	unsigned int part;
	uint64_t size;
	const struct total *total;
	char uuid[UUID_TEXT];
	char seed[UUID_TEXT];
	char part_uuid[UUID_TEXT];
	char disk_uuid[UUID_TEXT];
	const struct options *o;
};

/**
 * struct format - a type of file system
 *
 * @name: its name
 * @program: what makes one
 * @package: Debian package that has it
 * @mount_as: the kernel's name
 * @mount: options to fill it with, or NULL
 * @mount_same: further ones that give the same each time, or NULL
 * @label_max: bytes of a label at most
 * @part_type: type of its partition
 * @packed: it is made of a tree, and cannot be written
 * @size: how large it has to be, but for the room that is left
 * @add: adds the arguments to @program, but the file
 */
struct format {
	const char *name;
	const char *program;
	const char *package;
	const char *mount_as;
	const char *mount;
	const char *mount_same;
	unsigned int label_max;
	const char *part_type;
	bool packed;
	uint64_t (*size)(const struct total *t, uint64_t room);
	void (*add)(struct program *p, const struct plan *plan);
};

/**
 * format_find() - look a type of file system up
 * @name: its name
 *
 * Return: the format, or NULL
 */
const struct format *format_find(const char *name);

/**
 * format_list() - the names of all types
 *
 * Return: the text
 */
const char *format_list(void);

/**
 * format_make() - make an empty file system
 * @plan: which
 * @fd: the file, open, of the size of @plan and empty
 * @path: its path
 *
 * Return: 0, or -1 when it has said why not
 */
int format_make(const struct plan *plan, int fd, const char *path);

/**
 * target_begin() - make the file, with a partition table, and the file system
 * in it
 * @plan: filled in
 * @tmp: name of the file until it is complete, to be freed, returned
 *
 * Return: descriptor of the file, or -1 when it has said why not
 */
int target_begin(struct plan *plan, char **tmp);

/**
 * target_copy() - copy what is no hole
 * @from: a file
 * @to: another
 * @offset: where it goes there
 *
 * Return: 0, or a negative error number
 */
int target_copy(int from, int to, off_t offset);

/**
 * target_partition() - write a partition table
 * @plan: the plan
 * @file: the file, which has its size
 *
 * Return: 0, or -1 when it has said why not
 */
int target_partition(const struct plan *plan, const char *file);

/**
 * fill() - put the files into the file system
 * @plan: what has been made
 * @s: where they come from
 *
 * Return: exit status
 */
int fill(const struct plan *plan, struct origin *s);

/**
 * ext4_same() - make of an ext4 file system what does not depend on time and
 * chance
 * @plan: the plan
 *
 * Return: 0, or -1 when it has said why not
 */
int ext4_same(const struct plan *plan);

/**
 * pack() - make a file system that cannot be written
 * @plan: the plan, whose @file is empty
 * @tree: plain image with the files
 * @path: file to make it in
 *
 * Return: 0, or -1 when it has said why not
 */
int pack(const struct plan *plan, const char *tree, const char *path);

/**
 * struct owners - owners and modes by path
 *
 * @list: sorted by path
 * @count: number of @list
 * @file: name of the file that they come from
 */
struct owners {
	struct owner *list;
	size_t count;
	const char *file;
};

/**
 * owners_read() - read a file of owners and modes
 * @o: filled in
 * @file: its name, or NULL for none
 *
 * Return: 0, or -1 when it has said what is wrong; call owners_free() in any
 * case
 */
int owners_read(struct owners *o, const char *file);

/**
 * owners_set() - change what a file becomes
 * @o: the owners
 * @path: its path in the image
 * @st: its properties
 */
void owners_set(struct owners *o, const char *path, struct stat *st);

/**
 * owners_check() - report lines that nothing was there for
 * @o: the owners
 */
void owners_check(const struct owners *o);

/**
 * owners_free() - undo owners_read()
 * @o: the owners
 */
void owners_free(struct owners *o);

#endif /* MKFS_H */
