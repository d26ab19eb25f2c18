#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A bug in the kernel, made with gdb: the kernel says what happened where, and the
# process ends by SIGSEGV.

. "$(dirname "$0")/../common/tools.sh"
need gdb
# What the kernel says is wanted.
unset KERNEL_SAYS

gdb -nx -batch -ex 'set debuginfod enabled off' \
	-ex 'handle SIGSEGV nostop noprint pass' -ex 'set breakpoint pending on' \
	-ex 'break hrtimer_nanosleep' -ex run -ex 'break *vfs_read' -ex continue \
	-ex 'set var $rdi = 0x10' -ex 'delete' -ex continue \
	"$BIN/../tests/debuggee" >out.log 2>&1 || { cat out.log; fail gdb; }
for text in 'BUG: kernel read at address 0x[0-9a-f]{2}$' \
		'Task init, pid [0-9]+, at vfs_read\+0x' 'Call trace:' \
		' ksys_read\+0x' ' lkl_host_task\+0x' \
		'Program terminated with signal SIGSEGV'; do
	grep -Eq "$text" out.log || { cat out.log; fail "no '$text'"; }
done
