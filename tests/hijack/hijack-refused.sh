#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No program is on the host's network unasked: what the dynamic linker cannot take
# to the library's, lkl-run does, and what neither can is refused with a line; at
# the start, and whenever a program executes another one, by whatever call.

. "$(dirname "$0")/../common/tools.sh"
need ip busybox python3 setpriv setcap gcc

# A setting tells the networks apart.
export LKL_HIJACK_SYSCTL=net.ipv4.tcp_fin_timeout=17
seen='cat /proc/sys/net/ipv4/tcp_fin_timeout'

# Others do not get to where the test runs.
open=$(mktemp -d /tmp/refused.XXXXXX)
trap 'rm -rf "$open"; cleanup' EXIT
chmod 755 "$open"
here=$PWD
for way in lkl-hijack.sh lkl-run; do
	cd "$here"
	same() {
		local want=$1 got
		shift
		got=$("$@" 2>"$here/err") || true
		[ "$got" = "$want" ] || fail "$way: $*: $got, $(cat "$here/err")"
	}
	# Static programs
	same 17 $way busybox $seen
	same 17 $way sh -c "busybox $seen; true"
	same 17 $way /usr/bin/python3 -c "
import socket, subprocess
s = socket.socket()
subprocess.run(['busybox', *'$seen'.split()])"
	# By descriptor, with a name and without
	cat >fexec.py <<-'END'
		import os, sys
		fd = os.open(sys.argv[1], os.O_RDONLY)
		if len(sys.argv) > 2:
		    copy = os.memfd_create("copy", os.MFD_CLOEXEC)
		    os.sendfile(copy, fd, 0, 1 << 26)
		    fd = copy
		os.execve(fd, ["cat", "/proc/sys/net/ipv4/tcp_fin_timeout"], dict(os.environ))
	END
	same 17 $way /usr/bin/python3 fexec.py /bin/cat
	same 17 $way /usr/bin/python3 fexec.py /bin/busybox
	[ $way != lkl-run ] || same 17 $way /usr/bin/python3 fexec.py /bin/busybox nameless
	[ "$(id -u)" = 0 ] || continue

	# Privileges that are lost, and those that would not be.
	cd "$open"
	install -m 755 /bin/cat capable
	install -m 4755 /bin/cat setuid
	if ! setcap cap_net_admin+ep capable; then
		echo "(no file capabilities here)"
		continue
	fi
	user="setpriv --reuid 4242 --regid 4242 --clear-groups"
	same 17 $user $way ./capable /proc/sys/net/ipv4/tcp_fin_timeout
	same 17 $user $way sh -c './capable /proc/sys/net/ipv4/tcp_fin_timeout; true'
	same 17 $way ./setuid /proc/sys/net/ipv4/tcp_fin_timeout
	for command in "./setuid /etc/passwd" "sh -c './setuid /etc/passwd'"; do
		status=0
		eval "$user $way $command" >out 2>err || status=$?
		[ $status = 126 ] && [ ! -s out ] && grep -q "setuid: would be on the host's network" err ||
			fail "$way: $command: status $status, $(cat out err)"
	done
done
