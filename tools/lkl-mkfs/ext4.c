// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes out of an ext4 file system what the kernel has put there by time and by
 * chance: times of creation and change, generation numbers of inodes, when and
 * where it was mounted, and what removed files have left in the tables.
 *
 * Checksums of directories and of extents depend on the generation of their
 * inode, so they are computed again.
 */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/confine.h"
#include "../common/progress.h"
#include "../common/tool.h"
#include "mkfs.h"

#define STEP_MS 200

/* The bits of the time that do not fit into 32, in the field of nanoseconds. */
static uint32_t extra(time_t t)
{
	return ((uint64_t)t - (int32_t)t) >> 32 & 3;
}

/* What mke2fs has made. */
static bool is_own(ext2_ino_t ino, const struct ext2_inode_large *in)
{
	return (ino < EXT2_GOOD_OLD_FIRST_INO && ino != EXT2_ROOT_INO) ||
	       (ino == EXT2_GOOD_OLD_FIRST_INO && S_ISDIR(in->i_mode));
}

static void set_inode(ext2_ino_t ino, struct ext2_inode_large *in, time_t t)
{
	in->i_generation = 0;
	in->osd1.linux1.l_i_version = 0;
	in->i_version_hi = 0;
	in->i_ctime = in->i_crtime = t;
	in->i_ctime_extra = in->i_crtime_extra = extra(t);
	if (is_own(ino, in)) {
		in->i_mtime = t;
		in->i_mtime_extra = extra(t);
	}
	in->i_atime = in->i_mtime;
	in->i_atime_extra = in->i_mtime_extra;
}

/* Write a block of a directory again, with its checksum. */
static int rewrite(ext2_filsys fs, blk64_t *block, e2_blkcnt_t count,
		   blk64_t ref, int ref_offset, void *arg)
{
	struct {
		ext2_ino_t ino;
		char *buf;
		errcode_t err;
	} *w = arg;

	(void)count;
	(void)ref;
	(void)ref_offset;
	w->err = ext2fs_read_dir_block4(fs, *block, w->buf, 0, w->ino);
	if (!w->err)
		w->err = ext2fs_write_dir_block4(fs, *block, w->buf, 0, w->ino);
	return w->err ? BLOCK_ABORT : 0;
}

static errcode_t set_checksums(ext2_filsys fs, ext2_ino_t ino,
			       struct ext2_inode_large *in, char *buf)
{
	struct {
		ext2_ino_t ino;
		char *buf;
		errcode_t err;
	} w = { ino, buf, 0 };
	errcode_t err = 0;

	if (!ext2fs_has_feature_metadata_csum(fs->super) ||
	    !ext2fs_inode_has_valid_blocks2(fs, (struct ext2_inode *)in))
		return 0;
	if (in->i_flags & EXT4_EXTENTS_FL)
		err = ext2fs_fix_extents_checksums(fs, ino,
						   (struct ext2_inode *)in);
	if (!err && S_ISDIR(in->i_mode))
		err = ext2fs_block_iterate3(fs, ino, BLOCK_FLAG_DATA_ONLY, NULL,
					    rewrite, &w);
	return err ?: w.err;
}

static bool is_zero(const char *p, size_t size)
{
	return !size || (!*p && !memcmp(p, p + 1, size - 1));
}

static errcode_t set_inodes(ext2_filsys fs, time_t t)
{
	size_t size = EXT2_INODE_SIZE(fs->super);
	struct ext2_inode_large *in = tool_alloc(NULL, size);
	char *buf = tool_alloc(NULL, fs->blocksize);
	ext2_inode_scan scan;
	ext2_ino_t ino;
	errcode_t err = ext2fs_open_inode_scan(fs, 0, &scan);

	while (!err) {
		err = ext2fs_get_next_inode_full(scan, &ino,
						 (struct ext2_inode *)in, size);
		if (err || !ino)
			break;
		if (!ext2fs_test_inode_bitmap2(fs->inode_map, ino)) {
			if (is_zero((char *)in, size))
				continue;
			memset(in, 0, size);
			err = ext2fs_write_inode_full(
				fs, ino, (struct ext2_inode *)in, size);
			continue;
		}
		if (!in->i_mode)
			continue;
		set_inode(ino, in, t);
		err = ext2fs_write_inode_full(fs, ino, (struct ext2_inode *)in,
					      size);
		if (!err)
			err = set_checksums(fs, ino, in, buf);
	}
	ext2fs_close_inode_scan(scan);
	free(buf);
	free(in);
	return err;
}

static void set_super(struct ext2_super_block *sb, time_t t)
{
	sb->s_mtime = sb->s_wtime = sb->s_lastcheck = sb->s_mkfs_time = t;
	sb->s_mtime_hi = sb->s_wtime_hi = sb->s_lastcheck_hi =
		sb->s_mkfs_time_hi = (uint64_t)t >> 32;
	sb->s_mnt_count = 0;
	sb->s_kbytes_written = 0;
	memset(sb->s_last_mounted, 0, sizeof(sb->s_last_mounted));
}

static int make_same(const struct plan *plan)
{
	time_t t = plan->o->epoch;
	char where[64];
	ext2_filsys fs;
	errcode_t err, end;

	snprintf(where, sizeof(where), "offset=%llu",
		 (unsigned long long)plan->offset);
	err = ext2fs_open2(plan->file, where,
			   EXT2_FLAG_RW | EXT2_FLAG_64BITS |
				   EXT2_FLAG_IGNORE_CSUM_ERRORS,
			   0, 0, unix_io_manager, &fs);
	if (!err) {
		fs->now = t;
		err = ext2fs_read_bitmaps(fs);
		if (!err)
			err = set_inodes(fs, t);
		set_super(fs->super, t);
		ext2fs_mark_super_dirty(fs);
		end = ext2fs_close_free(&fs);
		err = err ?: end;
	}
	if (err)
		tool_error("cannot make '%s' the same each time: %s",
			   plan->o->image, error_message(err));
	return err ? -1 : 0;
}

/* With nothing but the image: what the kernel wrote may be meant for this. */
static int make_same_confined(const struct plan *plan)
{
	int fd = open(plan->file, O_PATH | O_CLOEXEC);
	int err = fd < 0 ? -errno : confine(fd, true, NULL);

	if (!err || err == -ENOSYS)
		return make_same(plan);
	tool_error("cannot enter the sandbox: %s (--no-sandbox does without)",
		   strerror(-err));
	return -1;
}

int ext4_same(const struct plan *plan)
{
	int status, ended;
	pid_t child;

	if (plan->o->no_sandbox)
		return make_same(plan);
	fflush(NULL);
	child = fork();
	if (!child)
		_exit(make_same_confined(plan) ? TOOL_FAILED : TOOL_OK);
	ended = child < 0 ? -1 : syscall(SYS_pidfd_open, child, 0);
	if (child < 0)
		tool_error("cannot start a process: %s", strerror(errno));
	progress_watch("mkfs");
	while (ended >= 0 && !tool_wait_some(ended, STEP_MS))
		progress_wait(child);
	progress_done();
	if (ended >= 0)
		close(ended);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	if (WIFSIGNALED(status))
		tool_error("the process that worked on '%s' was ended by "
			   "signal %d (%s)",
			   plan->o->image, WTERMSIG(status),
			   strsignal(WTERMSIG(status)));
	return status ? -1 : 0;
}
