#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The process that reads the image is confined: it has no capability, gets no
# new privileges, and no call that names a file, makes a socket or a process
# succeeds in it, not even while it mounts.  It has no descriptor but those it
# needs.  It can be told not to be confined.

. "$(dirname "$0")/../common/fuse.sh"

# state PID NAME: from /proc/PID/status
state() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# only ALLOWED: the descriptors of the server, each /proc/PID/fd/N as a line,
# match one of the patterns
only() {
	local fd
	for fd in /proc/"$server"/fd/*; do
		echo "${fd##*/} $(readlink "$fd")"
	done >fds
	! grep -Ev "^($1)\$" fds || { cat fds; fail "descriptors it does not need"; }
}
NEEDED="0 /dev/null|[12] pipe:.*|[0-9]+ (/memfd:lkl-ram \(deleted\)|$TMP/img|/dev/fuse|socket:.*)"

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

# what the program was started with is nothing to the server
exec 7<>terminal 8<"$TOP" 9>kept
for how in "" --no-sandbox; do
	# shellcheck disable=SC2086
	begin $how <>terminal
	only "$NEEDED"
	unmount img
	wait $pid
done
begin -o log=log,lock=lock
only "$NEEDED|1 $TMP/log|[0-9]+ $TMP/lock"
[ -z "$(find /proc/"$server"/fd -lname "*/lock" -perm /200)" ] ||
	fail "may write to the lock file"
unmount img
wait $pid
lklfuse img mnt
server=$(pgrep -P "$(pgrep -f "lklfuse img mnt" | head -n 1)")
only "$NEEDED"
exec 7>&- 8>&- 9>&-

unmount img

# unlocking needs Landlock, or to be told to do without
if command -v qemu-img >/dev/null; then
	cat >no-landlock <<-'END'
		#!/usr/bin/env python3
		import ctypes, os, struct, sys
		# landlock_create_ruleset() fails with ENOSYS
		code = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, 444,
		                   6, 0, 0, 0x50026, 6, 0, 0, 0x7fff0000)
		buf = ctypes.create_string_buffer(code)
		prog = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buf))
		libc = ctypes.CDLL(None)
		assert libc.prctl(38, 1, 0, 0, 0) == 0
		assert libc.prctl(22, 2, prog) == 0
		os.execvp(sys.argv[1], sys.argv[1:])
	END
	chmod +x no-landlock
	printf secret >key
	encrypt img luks
	refuses 2 "cannot unlock an image in the sandbox: the host has no Landlock .*" \
		./no-landlock lklfuse luks mnt -o keyfile=key
	lklfuse luks mnt -o keyfile=key
	unmount luks
fi

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
# no process but the supervisor executes a program
grep -L '^execve(' trace.* | xargs cat >confined
grep -E '^(open|stat|newfstat|socket|connect|exec|fork|vfork|unlink|mkdir|kill)[a-z0-9]*\(' \
	confined | grep -v '= -1 ENOSYS' >bad || true
[ ! -s bad ] || { cat bad; fail "it is not confined"; }
! grep -q 'PROT_EXEC' confined || fail "new code may be executed"
grep -q '^pwritev2(' confined || fail "not what was to be looked at"
check ext4 img
