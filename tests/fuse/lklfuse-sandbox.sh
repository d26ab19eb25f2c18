#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The process that reads the image is confined: it has no capability, gets no
# new privileges, and no call that names a file, makes a socket or a process
# succeeds in it, not even while it mounts.  It can be told not to be.

. "$(dirname "$0")/../common/fuse.sh"

# state PID NAME: from /proc/PID/status
state() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# begin OPTION...: as process $pid, its server being $server
begin() {
	lklfuse -f "$@" img mnt &
	pid=$!
	wait_for mountpoint -q mnt
	server=$(pgrep -P $pid)
}

image img 64M mkfs.ext4 -q
begin
[ "$(state "$server" Seccomp)" = 2 ] || fail "no filter"
[ "$(state "$server" NoNewPrivs)" = 1 ] || fail "may get privileges"
[ "$(state "$server" CapEff)" = 0000000000000000 ] || fail "has capabilities"
for task in /proc/"$server"/task/*; do
	grep -q '^Seccomp:.*2$' "$task/status" || fail "a thread has no filter"
done
cp -r "$TOP/tests" mnt/
unmount img
wait $pid

begin --no-sandbox
[ "$(state "$server" Seccomp)" = "$(state $$ Seccomp)" ] || fail "a filter"
unmount img
wait $pid
check ext4 img

is_root || skip "the rest needs root: strace takes rights from fusermount3"
need strace
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"

# what the confined process does, and may not do; a file for each thread
strace -ff -qq -o trace lklfuse -f img mnt &
wait_for mountpoint -q mnt
cp -r "$TOP/tests" mnt/two
unmount img
wait $!
server=$(grep -l 'SECCOMP_SET_MODE_FILTER, .*len=' trace.*)
sed -i '1,/SECCOMP_SET_MODE_FILTER, .*len=/d' "$server"
# a program of its own has nobody but the supervisor
grep -L '^execve(' trace.* | xargs cat >confined
grep -E '^(open|stat|newfstat|socket|connect|exec|fork|vfork|unlink|mkdir|kill)[a-z0-9]*\(' \
	confined | grep -v '= -1 ENOSYS' >bad || true
[ ! -s bad ] || { cat bad; fail "it is not confined"; }
! grep -q 'PROT_EXEC' confined || fail "new code may be executed"
grep -q '^pwritev2(' confined || fail "not what was to be looked at"
check ext4 img
