/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in the file of a snapshot (snapshot.c). */
#ifndef POSIX_SNAPSHOT_FILE_H
#define POSIX_SNAPSHOT_FILE_H

#include <stdint.h>

#include <lkl/asm/areas.h>
#include <lkl/asm/host_ops.h>

#define PAGE 4096UL

/* No snapshot is larger, with its holes, and no head. */
#define SIZE_MAX_FILE (256UL << 20)
#define SIZE_MAX_HEAD (1UL << 20)

#define SNAPSHOT_MAGIC "LKLSNAP"

#define AREA_ALIASES (LKL_AREA_START + 0x010000000000UL)

enum snapshot_kind { RAM, PAGES, OWN, PRISTINE, ALIAS };

/**
 * struct snapshot_run - a part of the address space
 * @addr: where it is; of RAM, from the beginning of that
 * @size: its size
 * @offset: where its bytes are in the file; of an alias, in RAM
 * @kind: what it is
 * @prot: PROT_*
 */
struct snapshot_run {
	uint64_t addr;
	uint64_t size;
	uint64_t offset;
	uint32_t kind;
	uint32_t prot;
};

/**
 * struct snapshot_head - the beginning of the file
 * @magic: see there
 * @size: of the head, with the key and the runs
 * @runs: how many
 * @key_size: bytes of the key, which follows the runs
 * @sum: over all of the head, with 0 here
 * @file_size: of the file
 * @seconds: its time of modification
 * @nanoseconds: and the rest of that
 * @state: of the kernel
 * @run: the runs
 */
struct snapshot_head {
	char magic[8];
	uint64_t size;
	uint32_t runs;
	uint32_t key_size;
	uint64_t sum;
	uint64_t file_size;
	int64_t seconds;
	int64_t nanoseconds;
	struct lkl_state state;
	struct snapshot_run run[];
};

/* What @sum of a head must be. */
uint64_t linux_snapshot_sum(const struct snapshot_head *head);

#endif /* POSIX_SNAPSHOT_FILE_H */
