#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The libraries show lkl_* and nothing else, and work in a program that has
# functions of its own by the names of the kernel's and the C library's.

. "$(dirname "$0")/../common/tools.sh"
need gcc nm
BUILD=$(cd "$BIN/.." && pwd)
LIB=$BUILD/lib
INCLUDES=(-I"$TOP/include" -I"$BUILD/include")

nm -D --defined-only "$LIB/liblkl.so" | awk '{ print $3 }' | sed 's/@.*//' |
	sort -u >shared
nm -g --defined-only "$LIB/liblkl.a" | awk 'NF == 3 { print $3 }' | sort -u >static
for list in shared static; do
	! grep -v -e '^lkl_' -e '^LKL_0\.' "$list" || fail "$list library: not ours"
	[ "$(grep -c '^lkl_' "$list")" -gt 20 ] || fail "$list library: too few"
done
# Both offer the same, which is what the headers declare.  lkl_config_* are for
# the object of liblkl.a that needs json-c.
sed -i '/^lkl_config_/d' static
diff <(grep -v LKL_ shared) <(grep -v LKL_ static) || fail "the libraries differ"

cat >functions.c <<'END'
#include <stdio.h>
#include <lkl.h>
int main(void)
{
	return 0;
}
END
gcc "${INCLUDES[@]}" -fsyntax-only -aux-info declared functions.c
sed -n 's/^.*\(lkl\.h\|lkl_host\.h\|host_ops\.h\|syscalls\.h\):.*extern[^(]*[ *]\(lkl_[a-z0-9_]*\) (.*/\2/p' \
	declared | sort -u >public
[ "$(wc -l <public)" -gt 20 ] || fail "too few declarations found"
internal='lkl_kernel_|lkl_task_|lkl_page_fault'
! grep -Ev "$internal" public | comm -23 - static | grep . ||
	fail "declared, but not in the library"

# A program with names of its own, all of which the kernel has, too.
cat >own.c <<'END'
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <lkl.h>

static int bad;

#define OWN(name) int name(void); int name(void) { bad = 1; return -1; }
OWN(schedule)
OWN(kmalloc)
OWN(kfree)
OWN(panic)
OWN(printk)
OWN(start_kernel)
OWN(init_task)
OWN(jiffies)
OWN(vfs_read)
OWN(virtio_init)
OWN(host)
OWN(crc32)
OWN(simple_strtoul)

int printf(const char *format, ...)
{
	bad = 2;
	return (int)strlen(format);
}

int main(void)
{
	char buf[8] = "";
	int fds[2];

	lkl_host_ops.print = NULL;
	if (lkl_init(&lkl_host_ops) || lkl_start_kernel("mem=64M"))
		return 10;
	if (lkl_sys_pipe(fds) || lkl_sys_write(fds[1], "hello", 5) != 5 ||
	    lkl_sys_read(fds[0], buf, 8) != 5 || strcmp(buf, "hello"))
		return 11;
	if (lkl_sys_halt())
		return 12;
	lkl_cleanup();
	return bad;
}
END
# These the library itself takes from the C library, and the program's are used
# as any program's would be: they must work, and the kernel must not call them.
cat >libc.c <<'END'
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

static unsigned long copied;

__attribute__((optimize("no-tree-loop-distribute-patterns")))
void *memcpy(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)to)[i] = ((const char *)from)[i];
	copied += n;
	return to;
}

__attribute__((destructor)) static void check(void)
{
	/* A boot copies megabytes. */
	if (copied > 1 << 16)
		_exit(3);
}
END
gcc -fno-builtin -w "${INCLUDES[@]}" -o static-own own.c libc.c "$LIB/liblkl.a" $LKL_LIBS
gcc -fno-builtin -w "${INCLUDES[@]}" -o shared-own own.c libc.c -L"$LIB" -llkl \
	-Wl,-rpath,"$LIB" -pthread
gcc -fno-builtin -w -static "${INCLUDES[@]}" -o all-static own.c "$LIB/liblkl.a" $LKL_LIBS
for program in static-own shared-own all-static; do
	status=0
	"./$program" || status=$?
	[ $status = 0 ] || fail "$program: exit status $status"
done

# A program that reads configuration files needs json-c, and no other does.
cat >reads.c <<'END'
#include <lkl.h>
#include <lkl_config.h>
int main(void)
{
	struct lkl_config cfg = { 0 };

	if (lkl_load_config_json(&cfg, "{\"debug\": \"1\"}") || *cfg.debug != '1')
		return 1;
	return lkl_unload_config(&cfg);
}
END
for mode in -no-pie -static; do
	gcc $mode "${INCLUDES[@]}" reads.c "$LIB/liblkl.a" -ljson-c $LKL_LIBS -o reads
	./reads || fail "reading a configuration ($mode)"
	! gcc $mode "${INCLUDES[@]}" reads.c "$LIB/liblkl.a" $LKL_LIBS -o reads 2>log ||
		fail "json-c is not needed ($mode)"
	grep -q json_tokener log || { cat log; fail "another error ($mode)"; }
done
