#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gdb on programs with the shared and the static library: backtraces go from the
# kernel to the application, and scripts/lkl-gdb.py shows the other tasks.

. "$(dirname "$0")/../common/tools.sh"
need gdb gcc
BUILD=$(cd "$BIN/.." && pwd)

# expect PATTERN...: lines of out.log, in this order
expect() {
	local pattern line=0
	for pattern; do
		line=$(PATTERN=$pattern awk -v "line=$line" \
			'NR > line && $0 ~ ENVIRON["PATTERN"] { print NR; exit }' out.log)
		[ "$line" ] || { cat out.log; fail "$program: no '$pattern'"; }
	done
}

# debug COMMAND...: until a thread sleeps in the kernel, then the commands
debug() {
	local command args=()
	for command in 'set debuginfod enabled off' 'set width 0' \
			"source $BUILD/lib/liblkl.so-gdb.py" \
			'set breakpoint pending on' 'break hrtimer_nanosleep' run "$@"; do
		args+=(-ex "$command")
	done
	gdb -nx -batch "${args[@]}" "$program" >out.log 2>&1
}

gcc -g -I"$TOP/include" -I"$BUILD/include" "$COMMON/debuggee.c" \
	"$BUILD/lib/liblkl.a" $LKL_LIBS -o static
for program in "$BUILD/tests/debuggee" ./static; do
	debug bt 'info threads' lkl-tasks
	expect '^#0 .*hrtimer_nanosleep .* at .*/kernel/time/hrtimer.c:[0-9]+' \
		'^#.* __do_sys_nanosleep .*hrtimer.c:[0-9]+' \
		'^#.* lkl_fiber_start .*fiber.S:[0-9]+' \
		'^#.* lkl_task_syscall .*call.c:[0-9]+' \
		'^#.* lkl_syscall' '^#.* readers .*debuggee.c:[0-9]+' '^#.* main '
	expect 'PID S COMMAND ' ' 0 R swapper/0 ' ' R init +\* hrtimer_nanosleep' \
		' S init +(anon_)?pipe_read .*fs/pipe.c:[0-9]+' \
		' 2 S kthreadd .* kthreadd .*kernel/kthread.c:[0-9]+'
	reader=$(awk '/pipe_read/ { print $1; exit }' out.log)

	debug "lkl-bt $reader" 'lkl-bt 2' 'lkl-bt 99999' lkl-dmesg
	expect '^#.*pipe_read .*fs/pipe.c:[0-9]+' '^#.*vfs_read .*fs/read_write.c' \
		'^#.*lkl_host_task .*serve.c' '^#.*lkl_fiber_start' \
		'^#.* kthreadd .*kthread.c' '^#.* lkl_fiber_start'
	expect '^no task 99999' '^\[ *[0-9]+\.[0-9]+\] Linux version 6'

	# Faults that the kernel handles do not stop the program, others do.
	debug 'delete 2' continue
	expect 'exited normally'
	debug 'set var $rip = 0' continue bt
	expect 'received signal SIGSEGV|hit Catchpoint' '^#0 +0x0000000000000000'
done
