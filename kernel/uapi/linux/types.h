/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */

/* The traditional names of the types that system calls take. */
typedef __kernel_fd_set		fd_set;
typedef __u32			dev_t;
typedef __kernel_ulong_t	ino_t;
typedef __kernel_mode_t		mode_t;
typedef unsigned short		umode_t;
typedef __u32			nlink_t;
typedef __kernel_size_t		size_t;
typedef __kernel_ssize_t	ssize_t;
typedef __kernel_off_t		off_t;
typedef __kernel_loff_t		loff_t;
typedef __kernel_pid_t		pid_t;
typedef __kernel_uid32_t	uid_t;
typedef __kernel_gid32_t	gid_t;
typedef __kernel_key_t		key_t;
typedef __kernel_old_time_t	time_t;
typedef __kernel_clock_t	clock_t;
typedef __kernel_suseconds_t	suseconds_t;
typedef __kernel_timer_t	timer_t;
typedef __kernel_clockid_t	clockid_t;
typedef __kernel_mqd_t		mqd_t;
typedef __kernel_caddr_t	caddr_t;
