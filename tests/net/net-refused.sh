#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Wires that cannot be made: one line that says which and why, and no crash.
. "$(dirname "$0")/../common/wires.sh"

# refused PATTERN NODE-ARGUMENT...
refused() {
	local pattern=$1 status=0
	shift
	timeout 60 "${NODE[@]}" "$@" idle 0 >out.log 2>&1 || status=$?
	[ $status = 1 ] || { cat out.log; fail "$*: exit status $status"; }
	grep -Eq "^lkl: $pattern\$" out.log ||
		{ cat out.log; fail "$*: not '$pattern'"; }
	[ "$(grep -c ^lkl: out.log)" = 1 ] || { cat out.log; fail "$*: not one line"; }
}

refused "dpdk \(vhost-user\) eth0: No such file or directory" -w dpdk:eth0
refused "vhost-user : a path has 1 to 107 characters" -w vhost-user:
refused "vhost-user \.: Connection refused" -w vhost-user:.
refused "vhost-user-server nowhere/s: No such file or directory" \
	-w vhost-user-server:nowhere/s
need python3
# Programs at the socket that are no back ends.
listens() {
	rm -f s
	python3 -c 'if True:
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind("s")
		s.listen()
		while True:
			c = s.accept()[0]
			'"$1" &
	JOBS+=($!)
	while [ ! -S s ]; do sleep 0.1; done
}
listens "c.close()"
refused "vhost-user s: (it has closed the connection|Broken pipe|Connection reset by peer)" -w vhost-user:s
listens "c.send(bytes(12)); c.recv(100); c.recv(1)"
refused "vhost-user s: it does not speak vhost-user" -w vhost-user:s
listens "keep = c; c.recv(100)"
refused "vhost-user s: it does not answer" -w vhost-user:s
refused "fd 99: Bad file descriptor" -w fd:99
refused "fd 0: neither a socket nor .*" -w fd:0
refused "macvtap /dev/null: not the device of a macvtap: .*" -w macvtap:/dev/null
refused "macvtap nowhere: No such file or directory" -w macvtap:nowhere
refused "pipe: not RX\|TX: a" -w pipe:a
refused "pipe: not RX\|TX: \|b" -w "pipe:|b"
refused "pipe: /dev/null: not a FIFO" -w "pipe:/dev/null|b"
refused "pipe: nowhere: No such file or directory" -w "pipe:nowhere|b"
refused "vde nowhere: .*" -w vde:nowhere
refused "user: not tcp.*: tcp:18" -w user:tcp:18
refused "user: not tcp.*: tcp:0:1" -w user:tcp:0:1
refused "user: not tcp.*: sctp:1:1" -w user:sctp:1:1
refused "tap averyveryverylongname: a name has 1 to 15 characters" \
	-w tap:averyveryverylongname
mkfifo a b
refused "pipe: offload 0x8800: segmentation .* needs CSUM 0" -w "pipe:a|b" -o 8800
refused "pipe: offload 0x80: receiving segments .* needs GUEST_CSUM 1" \
	-w "pipe:a|b" -o 80
refused "pipe: offload 0x28001: unknown bits 0x20000" -w "pipe:a|b" -o 28001
refused "netdev: no address of an interface: 01:00:00:00:00:00" \
	-w "pipe:a|b" -m 01:00:00:00:00:00
is_root || exit 0
refused "tap lo: there is such an interface, but it is no tap" -w tap:lo
refused "raw nowhere: No such device" -w raw:nowhere
refused "raw lo,0: not NAME,PORT,PORT-PORT,\.\.\." -w raw:lo,0
refused "raw lo,5-4: not NAME,PORT,PORT-PORT,\.\.\." -w raw:lo,5-4
