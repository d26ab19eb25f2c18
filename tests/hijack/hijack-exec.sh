#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The process with the kernel executes another program, which goes on with the
# sockets that it inherits: a program of ours, haproxy that reloads itself, and an
# nginx that is replaced.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 nginx haproxy curl
PYTHON=/usr/bin/python3

cat >exec.py <<'END'
import os, socket, sys, threading
address = sys.argv[1]
if len(sys.argv) > 2:
    pid, *fds = map(int, sys.argv[2:])
    listener, one, other = (socket.socket(fileno=fd) for fd in fds)
    one.sendall(b"hello")
    got = other.recv(9)
    more = socket.create_connection(listener.getsockname())
    accepted = listener.accept()[0]
    accepted.sendall(b"more")
    child = os.fork()
    if not child:
        os._exit(more.recv(9) != b"more")
    print(os.getpid() == pid, got.decode(), os.waitpid(child, 0)[1])
    try:
        os.waitpid(-1, 0)
        print("a child too many")
    except ChildProcessError:
        pass
    sys.exit(3)
listener = socket.create_server((address, 0))
one = socket.create_connection(listener.getsockname())
other = listener.accept()[0]
closes = listener.dup()
for s in listener, one, other:
    s.set_inheritable(True)
def thread():
    closes.accept()
threading.Thread(target=thread, daemon=True).start()
try:
    os.execv("/nowhere/python", ["python"])
except FileNotFoundError:
    pass
os.execv(sys.executable, [sys.executable, sys.argv[0], address, str(os.getpid())] +
         [str(s.fileno()) for s in (listener, one, other)])
END

for WAY in lkl-hijack.sh lkl-run; do
	for address in 127.0.0.1 $LKL; do
		out=$(lkl $PYTHON exec.py $address 2>&1) && status=0 || status=$?
		[ "$status $out" = "3 True hello 0" ] || fail "$WAY: $address: $status: $out"
	done
done

haproxy_conf 'lf-string "%pid"'

# requests FILE: until there is such a file; how many, or an error
requests() {
	local n=0
	while [ ! -e "$1" ]; do
		curl -sS -m 10 http://$LKL/ >/dev/null || { echo failed; return; }
		n=$((n + 1))
	done
	echo $n
}

for WAY in lkl-hijack.sh lkl-run; do
	serve 80 haproxy -W -f haproxy.cfg
	rm -f enough
	requests enough >made &
	asks=$!
	for ((i = 2; i < 7; i++)); do
		before=$(curl -sS http://$LKL/)
		for ((k = 0; k < 400; k++)); do
			# It loses a signal while it begins.
			((k % 40)) || kill -USR2 $server
			[ "$(grep -c "Loading success" log)" != $i ] || break
			sleep 0.05
		done
		((k < 400)) || fail "$WAY: haproxy does not reload: $(cat log)"
	done
	[ "$(curl -sS http://$LKL/)" != "$before" ] || fail "$WAY: the old haproxy"
	touch enough
	wait $asks || true
	[[ $(cat made) =~ ^[0-9]+$ ]] || fail "$WAY: haproxy: a request failed: $(cat made log)"
	stop
	gone
done

# Another nginx takes the place of the one that runs, which ends.
nginx_conf 'listen 80; location / { return 200 $pid; }' 'worker_processes 2;'
sed -i 's/daemon off;//; s/error_log stderr;/error_log log;/' nginx.conf
for WAY in lkl-hijack.sh lkl-run; do
	rm -f enough nginx.pid* log
	lkl "$(command -v nginx)" -p "$PWD" -c nginx.conf || fail "$WAY: nginx"
	up $LKL 80
	requests enough >made &
	asks=$!
	for round in 1 2; do
		old=$(cat nginx.pid)
		kill -USR2 "$old"
		for ((k = 0; k < 400; k++)); do
			[ ! -s nginx.pid.oldbin ] || [ ! -s nginx.pid ] || break
			sleep 0.05
		done
		((k < 400)) || fail "$WAY: no second nginx: $(cat log)"
		kill -WINCH "$old"
		sleep 0.2
		kill -QUIT "$old"
		for ((k = 0; k < 400; k++)); do
			kill -0 "$old" 2>/dev/null || break
			sleep 0.05
		done
		((k < 400)) || fail "$WAY: the first nginx does not end, round $round: $(cat log)"
	done
	touch enough
	wait $asks || true
	[[ $(cat made) =~ ^[0-9]+$ ]] || fail "$WAY: nginx: a request failed: $(cat made log)"
	kill -QUIT "$(cat nginx.pid)"
	gone
done
