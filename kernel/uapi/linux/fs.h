/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */

/* What name_to_handle_at() makes and open_by_handle_at() takes. */
struct file_handle {
	__u32		handle_bytes;
	int		handle_type;
	unsigned char	f_handle[];
};
