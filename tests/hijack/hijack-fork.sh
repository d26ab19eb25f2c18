#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Servers that fork, on the library's stack: for each connection, or beforehand. Other
# tests of programs under interception follow, in forked processes.

. "$(dirname "$0")/../common/hijack-lab.sh"
need curl socat nc nginx dropbear dropbearkey dbclient python3 gcc
PYTHON=/usr/bin/python3

head -c 1000000 /dev/urandom >file
nginx_conf 'listen 80; location = /pid { return 200 $pid; }' 'worker_processes 2;'
dropbear_home

# no_children: but for those of nginx, that of no connection remains
no_children() {
	local i
	for ((i = 0; i < 200; i++)); do
		pgrep -P "$server" >/dev/null || return 0
		sleep 0.05
	done
	fail "children remain: $(pgrep -aP "$server")"
}

for WAY in lkl-hijack.sh lkl-run; do
	serve 7000 socat TCP-LISTEN:7000,reuseaddr,fork OPEN:file
	for i in 1 2 3 4 5 6; do
		nc -d $LKL 7000 >got.$i &
		clients[i]=$!
	done
	wait "${clients[@]}"
	for i in 1 2 3 4 5 6; do
		cmp got.$i file || fail "$WAY: socat: $(cat log)"
	done
	no_children
	stop

	serve 8000 $PYTHON -c '
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())
class Server(socketserver.ForkingTCPServer):
    allow_reuse_address = True
Server(("", 8000), Handler).serve_forever()'
	for i in 1 2 3; do
		[ "$(echo hello $i | nc -N $LKL 8000)" = "HELLO $i" ] ||
			fail "$WAY: ForkingTCPServer: $(cat log)"
	done
	stop

	serve 80 nginx -p "$PWD" -c nginx.conf
	rm -f pids
	for ((i = 0; i < 50; i++)); do
		curl -sS http://$LKL/pid >>pids
		echo >>pids
	done
	curl -sS http://$LKL/file | cmp - file || fail "$WAY: nginx: $(cat log)"
	rm -rf out
	curl -sS --no-progress-meter --parallel --remote-name-all --output-dir out \
		--create-dirs "http://$LKL/file?[1-20]" 2>/dev/null
	for copy in out/*; do
		cmp "$copy" file || fail "$WAY: nginx, in parallel"
	done
	# A worker that is killed is replaced.
	kill -9 "$(head -n 1 pids)"
	sort -u pids >workers
	for ((i = 0; i < 100; i++)); do
		pid=$(curl -sS -m 5 http://$LKL/pid) || fail "$WAY: nginx: $(cat log)"
		[ "$pid" != "$(head -n 1 pids)" ] || fail "$WAY: nginx: a dead worker answers"
		grep -qx "$pid" workers || break
	done
	[ $i -lt 100 ] || fail "$WAY: nginx: no new worker"
	stop

	# The session is a child's, and what it executes is on the host.
	if read -r _ _ ids </proc/self/uid_map && [ "$ids" -gt 1000000 ]; then
		unshare -m sh ssh.sh "$WAY" dropbear -F -E -r host.key -p 22 2>log &
		server=$!
		up $LKL 22
		for i in 1 2 3; do
			dbclient -y -y -i id.key root@$LKL "cat $PWD/file" 2>err | cmp - file ||
				fail "$WAY: dropbear: $(cat log err)"
		done
		no_children
		stop
	fi

	[ ! -s log ] || ! grep -i lkl-hijack log || fail "$WAY: $(cat log)"

	# A kernel after another, each with the same configuration.
	"$WAY" bash -c 'for i in 1 2 3 4; do read l </proc/net/dev; /bin/true; done' \
		>log 2>&1 || fail "$WAY: four kernels: $(cat log)"
	[ ! -s log ] || fail "$WAY: four kernels: $(cat log)"
	(
		unset "${!LKL_HIJACK_@}"
		export HIJACK_BY=$WAY
		[ $WAY = lkl-hijack.sh ] || "$BUILD/tests/hijack-fork"
		[ $WAY = lkl-hijack.sh ] || "$BUILD/tests/hijack-hostile"
		[ $WAY = lkl-hijack.sh ] || "$BUILD/tests/hijack-aio"
		[ $WAY = lkl-hijack.sh ] || "$BUILD/tests/hijack-groups"
		[ $WAY = lkl-hijack.sh ] || "$BUILD/tests/hijack-zerocopy"
		[ $WAY = lkl-hijack.sh ] || "$BUILD/tests/hijack-killed"
		export HIJACK_FORKED=1
		"$BUILD/tests/hijack-descriptors"
		"$BUILD/tests/hijack-wait"
		"$BUILD/tests/hijack-placeholder" names owners requests
		"$BUILD/tests/hijack-aio"
		"$BUILD/tests/hijack-async"
		"$BUILD/tests/hijack-groups"
	)
done
