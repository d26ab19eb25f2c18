/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files that serve requests share.
 *
 * ops.c has the table of operations.  They are in files by their subject:
 * name.c, dir.c, data.c, attr.c and xattr.c.  These stand on worker.c, the
 * threads that serve, view.c, how the image looks to the host, and inode.c, the
 * files that the host's kernel knows.
 */
#ifndef OPS_H
#define OPS_H

#include "inode.h"
#include "lklfuse.h"

/* How long the host's kernel may rely on what it was told, in seconds. */
#define VALID 1e6
/* Size of a worker's buffer. */
#define MAX_READ (1 << 20)
/* Length of a descriptor's name. */
#define FD_NAME 16

/**
 * struct worker - a thread that serves requests, and its identity in the
 * library's kernel
 *
 * @buf: for replies, of MAX_READ bytes
 * @uid: user that new files belong to
 * @gid: their group
 * @mask: umask
 * @set_ids: set-user-ID bits stay when it writes
 */
struct worker {
	char *buf;
	uid_t uid;
	gid_t gid;
	mode_t mask;
	bool set_ids;
};

/**
 * worker_start() - prepare for the first thread
 *
 * Return: 0 or a negative error number
 */
int worker_start(void);

/**
 * worker() - the calling thread, made ready with its first request
 *
 * Return: the worker, or NULL without memory
 */
struct worker *worker(void);

/**
 * may_set_ids() - keep or drop CAP_FSETID
 * @w: the calling thread
 * @may: set-user-ID bits stay when it writes
 */
void may_set_ids(struct worker *w, bool may);

/**
 * is_root() - is the caller root, or the user that owns this private mount?
 * @req: the request
 */
bool is_root(fuse_req_t req);

/**
 * become_caller() - make what the thread does next the caller's
 * @w: the calling thread
 * @req: the request
 */
void become_caller(struct worker *w, fuse_req_t req);

/**
 * become_member() - be in the group of a file if the caller is
 * @w: the calling thread
 * @req: the request
 * @gid: the group
 *
 * Return: whether the caller is in the group
 */
bool become_member(struct worker *w, fuse_req_t req, gid_t gid);

/**
 * change_begin() - contents of a file are about to change
 * @w: the calling thread
 * @req: the request
 * @fd: descriptor of the file
 *
 * Has the library's kernel decide as for the caller whether set-user-ID and
 * set-group-ID bits stay.
 *
 * Return: permissions that may change by that, for change_end(), or 0
 */
mode_t change_begin(struct worker *w, fuse_req_t req, int fd);

/**
 * change_end() - contents have changed: tell the host's kernel if the
 * permissions have, too
 * @ino: the file
 * @fd: descriptor of it
 * @before: what change_begin() returned
 */
void change_end(fuse_ino_t ino, int fd, mode_t before);

/* The mounted image. */
extern const struct lklfuse *view_lf;

/**
 * view_start() - prepare for the first request
 * @lf: the mounted image
 *
 * Return: 0 or a negative error number
 */
int view_start(const struct lklfuse *lf);

/**
 * view_mark() - what tells the inode numbers of a subvolume from others
 * @st: a file in it
 *
 * Return: what is added to its inode numbers, by exclusive or
 */
ino_t view_mark(const struct stat *st);

/**
 * view_attr() - change the attributes of a file to what the host is shown
 * @st: the attributes
 */
void view_attr(struct stat *st);

/**
 * fd_name() - path of an open file
 * @name: for the path
 * @fd: the descriptor
 *
 * Return: @name, a path in the current directory, which is /proc/self/fd
 */
const char *fd_name(char name[FD_NAME], int fd);

/**
 * reply_err() - answer with an error, or that all is well
 * @req: the request
 * @err: negative error number, or 0
 */
void reply_err(fuse_req_t req, long err);

/**
 * entry_at() - look a file up for the host's kernel
 * @parent: the directory
 * @dir: descriptor of it
 * @name: name in it
 * @e: filled in
 *
 * Return: 0 or a negative error number
 */
int entry_at(fuse_ino_t parent, int dir, const char *name,
	     struct fuse_entry_param *e);

/* The operations: see struct fuse_lowlevel_ops. */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups);
void op_forget_multi(fuse_req_t req, size_t count,
		     struct fuse_forget_data *forgets);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	      dev_t dev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		const char *name);
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
	     const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
	       fuse_ino_t newparent, const char *newname, unsigned int flags);

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		 struct fuse_file_info *fi);

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
	      struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
		  off_t len, struct fuse_file_info *fi);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
	      struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t out,
			off_t off_out, struct fuse_file_info *fi_out,
			size_t len, int flags);

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int valid,
		struct fuse_file_info *fi);
void op_statfs(fuse_req_t req, fuse_ino_t ino);
void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in,
	      size_t in_size, size_t out_size);

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *attr, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *attr,
		 const char *value, size_t size, int flags);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *attr);

#endif /* OPS_H */
