#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Under both ways in, the kernel starts from a snapshot if that is wanted: the tap works,
# and so do children, whose kernel outlives the first process.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 curl busybox
PYTHON=/usr/bin/python3
export LKL_SNAPSHOT=yes XDG_CACHE_HOME=$PWD/cache
mkdir -m 700 cache
head -c 3000000 /dev/urandom >file

cat >maps.py <<'END'
import socket
socket.create_server(("127.0.0.1", 80)).close()
print(".snapshot" in open("/proc/self/maps").read())
END

cat >server.py <<'END'
import http.server, os
server = http.server.ThreadingHTTPServer(("", 80), http.server.SimpleHTTPRequestHandler)
if os.fork():
    os._exit(0)
os.setsid()
null = os.open("/dev/null", os.O_RDWR)
for fd in range(3):
    os.dup2(null, fd)
open("pid", "w").write(str(os.getpid()))
server.serve_forever()
END

for WAY in lkl-hijack.sh "$BIN/../lib/lkl-fixed/lkl-run"; do
	rm -rf cache/lkl
	same False lkl $PYTHON maps.py
	for ((i = 0; i < 3; i++)); do
		same True lkl $PYTHON maps.py
	done
	LKL_SNAPSHOT=no same False lkl $PYTHON maps.py
	same "10.9.0.2/24" lkl busybox sh -c "ip -4 address show dev eth0 |
		sed -n 's/.*inet \([^ ]*\).*/\1/p'"
	same "" lkl $PYTHON server.py
	up $LKL 80
	for ((i = 0; i < 5; i++)); do
		curl -sS http://$LKL/file | cmp - file || fail "$WAY: $i"
	done
	kill "$(cat pid)"
	gone
done
lkl-run $PYTHON maps.py >out 2>err || fail "lkl-run: $(cat err)"
[ "$(cat out)" = False ] || fail "lkl-run: $(cat out)"
grep -q "not at a fixed address" err || fail "lkl-run: $(cat err)"
