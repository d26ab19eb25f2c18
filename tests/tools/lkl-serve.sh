#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl serve gives an image to programs that know NBD: qemu-io and our own tools read
# and change it; other users cannot use the socket; it ends with its last client or a signal.

. "$(dirname "$0")/../common/tools.sh"
need qemu-nbd qemu-img qemu-io mkfs.ext4

# serve OPTION... : in the background; waits until it is ready
serve() {
	mkfifo ready
	lkl serve "$@" >ready &
	server=$!
	read -r uri <ready || uri=
	rm ready
}

image raw 64M mkfs.ext4 -q
for format in raw qcow2; do
	[ $format = raw ] || qemu-img convert -O qcow2 raw disk.qcow2
	disk=$([ $format = raw ] && echo raw || echo disk.qcow2)

	serve "$disk" "so cket"
	[ "$uri" = "nbd+unix:///?socket=so%20cket" ] || fail "URI is '$uri'"
	[ "$(stat -c %a "so cket")" = 600 ] || fail "others may connect"
	refuses 2 ".*in use by another program.*" lkl ls "$disk"
	echo hello | lkl write "$uri" /file || fail "cannot write"
	wait $server || fail "exit status $?"
	[ ! -e "so cket" ] || fail "the socket is left"
	[ "$(lkl cat "$disk" /file)" = hello ] || fail "not written"

	cksum "$disk" >before
	serve -r "$disk" sock
	if echo x | lkl write "$uri" /file 2>log; then fail "written"; fi
	wait $server || fail "exit status $?"
	cksum "$disk" | cmp - before || fail "changed"

	# another program's reader
	serve -r "$disk" sock
	qemu-io -r -f raw -c 'read -P 0x53 0x438 1' "$uri" | grep -q '^read 1/1' ||
		fail "qemu-io"
	wait $server || fail "exit status $?"
done

# a signal ends it when no client has come
serve disk.qcow2 sock
kill $server
wait $server && fail "a signal is no success"
[ ! -e sock ] || fail "the socket is left"

# and a second one while the server does not answer changes nothing
sockets() {
	find /proc/"$server"/fd -lname 'socket:*' 2>/dev/null | wc -l || true
}
serve raw sock
had=$(sockets)
nbd=$(pgrep -f "^qemu-nbd .*$TMP/raw")
kill -STOP "$nbd"
kill $server
until [ "$(sockets)" -gt "$had" ]; do sleep 0.02; done
sleep 0.1
kill $server
kill -CONT "$nbd"
wait $server && fail "a signal is no success"
[ ! -e sock ] || fail "the socket is left"

# what cannot be served
qemu-img create -q -f qcow2 -b raw -F raw over.qcow2
refuses 2 ".*names.*" lkl serve over.qcow2 sock
[ ! -e sock ] || fail "the socket is left"
serve --trust-image over.qcow2 sock
lkl ls "$uri" / >/dev/null || fail "not trusted"
wait $server || fail "exit status $?"
touch there
refuses 2 ".*Address already in use.*" lkl serve raw there
[ -e there ] || fail "a file of another was removed"
refuses 2 ".*File name too long.*" lkl serve raw "$(printf '%0120d' 0)"
refuses 2 ".*No such file.*" lkl serve none sock
refuses 2 ".*Is a directory.*" lkl serve . sock
if lkl serve raw 2>log; then fail "no socket"; fi
grep -q "an image and a socket are needed" log || fail "not told"
refuses 2 ".*cannot make socket.*No such file.*" lkl serve raw ""

# a name that another server has meanwhile is that one's, and so is the server
serve raw sock
first=$server
rm sock
serve -r disk.qcow2 sock
kill $first
wait $first && fail "a signal is no success"
[ -e sock ] || fail "the socket of another was removed"
lkl ls "$uri" / >/dev/null || fail "another server was ended"
wait $server || fail "exit status $?"

# nobody learns the URI
refuses 2 ".*cannot write to standard output.*" timeout 20 \
	bash -c 'lkl serve raw sock >/dev/full'
[ ! -e sock ] || fail "the socket is left"

# a signal to all while they start leaves no server
for delay in 0.02 0.04 0.06 0.08 0.1 0.12; do
	timeout $delay lkl serve raw sock >log 2>&1 || :
	[ ! -e sock ] || fail "the socket is left"
done
until lkl ls raw / >/dev/null 2>log; do
	[ $((turns += 1)) -lt 100 ] || fail "a server is left: $(cat log)"
	sleep 0.1
done
