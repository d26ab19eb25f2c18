#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A signal ends the tools also while they wait for the other end of a pipe, and
# the image is unmounted properly.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

head -c 5M /dev/urandom >big
echo x >small
tar -cf all.tar small big
image img 64M mkfs.ext4 -q
cptofs -i img big /old

# ends SECONDS COMMAND...: after SIGTERM it is no longer there
ends() {
	local pid status=0 wait=$1
	shift
	"$@" <&0 & # or it would be /dev/null
	pid=$!
	sleep "$wait"
	kill -TERM $pid
	for _ in $(seq 30); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL $pid 2>/dev/null && fail "$*: did not end"
	wait $pid || status=$?
	[ $status = 143 ] || fail "$*: status $status"
}

mkfifo in out
# no process reads
exec 3<>out
ends 0.5 fs2tar img - >out
ends 0.5 lkl cat img /old >out
# an archive that does not begin, and one that does not end
exec 4<>in
ends 0.5 tar2fs - img <in
(head -c 2M all.tar && sleep 5) >in &
writer=$!
ends 1 tar2fs - img /  <in
kill $writer 2>/dev/null || true
check ext4 img
[ "$(lkl ls img)" = $'lost+found\nold\nsmall' ] || fail "$(lkl ls img)"
lkl cat img /small | cmp - small
# a file has its name when it is complete
fs2tar img a.tar &
pid=$!
sleep 0.02
kill -TERM $pid 2>/dev/null || true
wait $pid || true
fs2tar img b.tar
[ ! -e a.tar ] || cmp a.tar b.tar || fail "half an archive"
! ls a.tar.* 2>/dev/null || fail "rubbish is left"
