/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a file, as on Linux. */
#include_next <sys/stat.h>

#ifndef NT_SYS_STAT_H
#define NT_SYS_STAT_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#undef stat
#define stat nt_stat

struct nt_stat {
	uint64_t st_dev;
	uint64_t st_ino;
	uint32_t st_mode;
	uint32_t st_nlink;
	uint32_t st_uid;
	uint32_t st_gid;
	uint64_t st_rdev;
	int64_t st_size;
	int64_t st_blksize;
	int64_t st_blocks;
	struct timespec st_atim;
	struct timespec st_mtim;
	struct timespec st_ctim;
};

#undef st_atime
#undef st_mtime
#undef st_ctime
#define st_atime st_atim.tv_sec
#define st_mtime st_mtim.tv_sec
#define st_ctime st_ctim.tv_sec

/* Of the file at a path, following links; 0, or -1 and errno. */
int nt_stat(const char *path, struct nt_stat *st);
/* The same of an open one. */
int nt_fstat(int fd, struct nt_stat *st);
#undef fstat
#define fstat nt_fstat

/* Files of Windows have no mode but what their folder says. */
static inline int fchmod(int fd, unsigned int mode)
{
	(void)fd;
	(void)mode;
	return 0;
}

#undef S_IFBLK
#undef S_ISBLK
#undef S_IFLNK
#undef S_IFSOCK
#undef S_ISUID
#undef S_ISGID
#undef S_ISVTX
#undef S_ISLNK
#undef S_ISSOCK
#define S_IFBLK 0060000
#define S_ISBLK(m) (((m)&S_IFMT) == S_IFBLK)
#define S_IFLNK 0120000
#define S_IFSOCK 0140000
#define S_ISUID 04000
#define S_ISGID 02000
#define S_ISVTX 01000
#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

/* As the library's kernel has it. */
#define UTIME_OMIT ((1L << 30) - 2)

#endif /* NT_SYS_STAT_H */
