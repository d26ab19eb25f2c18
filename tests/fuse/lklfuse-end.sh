#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# However a mount ends, the image is unmounted properly or a message says that it
# was not, and no dead mount point stays.

. "$(dirname "$0")/../common/fuse.sh"

# begin: mount a fresh image in the foreground, as process $pid
begin() {
	image img 64M mkfs.ext4 -q
	lklfuse -f img mnt 2>log &
	pid=$!
	wait_for mountpoint -q mnt
	echo "before the end" >mnt/file
}

# ended STATUS [PATTERN]: the only message matches the pattern
ended() {
	local status=0
	wait $pid || status=$?
	# libfuse says so if it is unmounted while it reads a request.
	sed -i '/^lklfuse: fuse: reading device: Software caused connection abort$/d' log
	[ $status = "$1" ] || { cat log; fail "status $status, not $1"; }
	if [ $# = 1 ]; then
		[ ! -s log ] || { cat log; fail "not quiet"; }
	else
		[ "$(wc -l <log)" = 1 ] && grep -Eq "^lklfuse: $2\$" log ||
			{ cat log; fail "not '$2'"; }
	fi
	! mountpoint -q mnt 2>/dev/null || fail "still mounted"
	[ -z "$(ls mnt)" ] || fail "something is in the mount point"
}

complete() {
	check ext4 img
	! dumpe2fs -h img 2>/dev/null | grep -q needs_recovery ||
		fail "not unmounted cleanly"
	[ "$(debugfs -R 'cat /file' img 2>/dev/null)" = "before the end" ] ||
		fail "what was written is not there"
}

for signal in TERM HUP; do
	begin
	kill -$signal $pid
	ended 0
	complete
done

begin
fusermount3 -u mnt
ended 0
complete

# in use, also by a mapping whose changes only the host's kernel knows
begin
python3 -c '
import mmap, time
with open("mnt/map", "w+b") as f:
    f.truncate(4096)
    m = mmap.mmap(f.fileno(), 4096)
m[0:6] = b"mapped"
open("mapped", "w")
time.sleep(60)' &
user=$!
wait_for test -e mapped
! fusermount3 -uq mnt || fail "unmounted while in use"
kill $pid
ended 0 "'.*/mnt' is in use; it is taken away all the same"
complete
kill $user
[ "$(debugfs -R 'cat /map' img 2>/dev/null | tr -d '\0')" = mapped ] ||
	fail "what was mapped is lost"

# unmounted lazily: it goes on for processes that have files open
begin
exec 5>mnt/late
fusermount3 -uz mnt
echo late >&5
exec 5>&-
ended 0
complete
[ "$(debugfs -R 'cat /late' img 2>/dev/null)" = late ] || fail "late data lost"

# the server dies
begin
kill -9 "$(pgrep -P $pid)"
ended 1 "the server was killed by signal 9 \(Killed\); 'img' was not unmounted cleanly"

# the supervisor dies: nothing unmounts, but the image is complete
begin
kill -9 $pid
wait $pid 2>/dev/null || true
flock img true
complete
fusermount3 -u mnt

# a daemon too
image img 64M mkfs.ext4 -q
lklfuse img mnt
echo "before the end" >mnt/file
kill "$(pgrep -f "lklfuse img mnt" | head -n 1)"
wait_for sh -c '! mountpoint -q mnt'
flock img true
complete
