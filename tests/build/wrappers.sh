#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# There is a function lkl_sys_NAME for each system call in the kernel's table,
# and for the classic names; it passes number and parameters on as they are.

. "$(dirname "$0")/../common/tools.sh"
need gcc
BUILD=$(cd "$BIN/.." && pwd)
TABLE=$BUILD/linux/arch/x86/entry/syscalls/syscall_64.tbl

awk '!/^#/ && ($2 == "common" || $2 == "64") && NF >= 4 && $4 != "sys_ni_syscall" { print $3 }' "$TABLE" >names
[ "$(wc -l <names)" -gt 350 ]
classic="open creat access chown chmod link unlink symlink readlink rename mkdir
rmdir mknod pipe send recv select poll epoll_create epoll_wait stat lstat fstat
fstatat statfs fstatfs lseek mmap mmap2 getpid gettid dup2 accept getdents umount
halt"

{
	echo '#include <lkl.h>'
	echo 'void *functions[] = {'
	# shellcheck disable=SC2086
	printf '\t(void *)lkl_sys_%s,\n' $(cat names) $classic
	echo '};'
} >all.c
gcc -fsyntax-only -I"$TOP/include" -I"$BUILD/include" all.c 2>errors ||
	{ grep error errors | head -20; fail "missing"; }

cat >calls.c <<'END'
#include <stdio.h>
#include <string.h>

/* What the wrappers call is replaced. */
#define lkl_syscall lkl_syscall_seen
#include <lkl.h>
#undef lkl_syscall

static long seen, given[6];

long lkl_syscall_seen(long no, long *params)
{
	seen = no;
	memcpy(given, params, sizeof(given));
	return 77;
}

static int check(const char *what, long ret, long no, long a, long b, long c,
		 long d, long e, long f)
{
	long want[6] = { a, b, c, d, e, f };

	if (ret == 77 && seen == no && !memcmp(want, given, sizeof(want)))
		return 0;
	printf("%s: %ld calls %ld(%lx, %lx, %lx, %lx, %lx, %lx)\n", what, ret,
	       seen, given[0], given[1], given[2], given[3], given[4],
	       given[5]);
	return 1;
}

#define CHECK(call, ...) bad += check(#call, call, __VA_ARGS__)

int main(void)
{
	char *p = (char *)0x1234567890L, *q = (char *)0x2345678901L;
	int bad = 0;

	CHECK(lkl_sys_read(3, p, 5), __lkl__NR_read, 3, (long)p, 5, 0, 0, 0);
	CHECK(lkl_sys_pread64(9, p, 1UL << 40, 1L << 50), __lkl__NR_pread64,
	      9, (long)p, 1L << 40, 1L << 50, 0, 0);
	CHECK(lkl_sys_openat(LKL_AT_FDCWD, p, LKL_O_RDWR, 0600),
	      __lkl__NR_openat, LKL_AT_FDCWD, (long)p, LKL_O_RDWR, 0600, 0, 0);
	CHECK(lkl_sys_mmap(p, 1L << 33, 3, 2, -1, 1L << 34), __lkl__NR_mmap,
	      (long)p, 1L << 33, 3, 2, -1, 1L << 34);
	CHECK(lkl_sys_mmap2(p, 4096, 3, 2, 5, 1L << 34), __lkl__NR_mmap,
	      (long)p, 4096, 3, 2, 5, 1L << 46);
	CHECK(lkl_sys_getpid(), __lkl__NR_getpid, 0, 0, 0, 0, 0, 0);
	CHECK(lkl_sys_mount(p, q, p, 5, q), __lkl__NR_mount, (long)p, (long)q,
	      (long)p, 5, (long)q, 0);
	CHECK(lkl_sys_lseek(3, -5, 1), __lkl__NR_lseek, 3, -5, 1, 0, 0, 0);
	CHECK(lkl_sys_fallocate(3, 1, 1L << 40, 1L << 41), __lkl__NR_fallocate,
	      3, 1, 1L << 40, 1L << 41, 0, 0);
	CHECK(lkl_sys_send(3, p, 4, 5), __lkl__NR_sendto, 3, (long)p, 4, 5, 0,
	      0);
	CHECK(lkl_sys_umount(p, 3), __lkl__NR_umount2, (long)p, 3, 0, 0, 0, 0);
	return bad;
}
END
gcc -Wall -Wextra -Werror -I"$TOP/include" -I"$BUILD/include" calls.c \
	-o calls -L"$BUILD/lib" -llkl -Wl,-rpath,"$BUILD/lib"
./calls || fail "parameters go astray"
