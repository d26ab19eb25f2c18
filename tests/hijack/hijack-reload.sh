#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# haproxy and nginx in the background take a new configuration again and again, and nginx
# another binary, while they serve requests: none fails, under both ways in.
# RELOADS and REQUESTS say how often and how many.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 nginx haproxy curl
RELOADS=${RELOADS:-4}
REQUESTS=${REQUESTS:-1000}

# ended PID...: they have ended
ended() {
	local i pid
	for pid; do
		for ((i = 0; i < 1200; i++)); do
			kill -0 "$pid" 2>/dev/null || continue 2
			sleep 0.05
		done
		fail "$WAY: $pid does not end: $(cat log)"
	done
}

# other [SIGNAL PID]: the answers come of another process than $worker, which is that
# from now on.  haproxy loses signals, on the host, too, that come soon after one.
other() {
	local end=$((SECONDS + 60)) again=$SECONDS answer
	while [ $SECONDS -lt $end ]; do
		if [ $# != 0 ] && [ $SECONDS -ge $again ]; then
			kill "-$1" "$2"
			again=$((SECONDS + 2))
		fi
		answer=$(curl -sS -m 20 http://$LKL/pid) || fail "$WAY: no answer: $(cat log)"
		if [[ " $worker " != *" $answer "* ]]; then
			worker=$answer
			return
		fi
	done
	fail "$WAY: still $worker: $(cat log)"
}

# loaded FUNCTION: it is done while there are requests
loaded() {
	local load
	rm -f stop
	/usr/bin/python3 "$COMMON/load.py" $LKL "$REQUESTS" stop >load 2>&1 &
	load=$!
	"$1"
	touch stop
	wait $load || fail "$WAY: $1: $(cat load): $(cat log)"
	echo "$WAY: $1: $(cat load)"
}

# background PROGRAM...: it goes there
background() {
	rm -f ./*.pid
	: >log
	lkl "$@" >>log 2>&1 </dev/null || fail "$WAY: $*: status $?: $(cat log)"
	up $LKL 80
	worker=none
	other
}

nginx_reload() {
	local i
	for ((i = 0; i < RELOADS; i++)); do
		# All of them: the other one may answer next.
		worker=$(pgrep -d ' ' -P "$(cat nginx.pid)")
		other HUP "$(cat nginx.pid)"
	done
}

# A new master beside the old one, whose workers end first.
nginx_upgrade() {
	local old new i
	old=$(cat nginx.pid)
	worker=$(pgrep -d ' ' -P "$old")
	kill -USR2 "$old"
	for ((i = 0; i < 1200; i++)); do
		[ ! -s nginx.pid.oldbin ] || [ ! -s nginx.pid ] || break
		sleep 0.05
	done
	other
	kill -WINCH "$old"
	new=$(cat nginx.pid)
	[ "$new" != "$old" ] || fail "$WAY: no new master: $(cat log)"
	# shellcheck disable=SC2046
	ended $(pgrep -P "$old" -f 'worker process' || true)
	kill -QUIT "$old"
	ended "$old"
}

haproxy_reload() {
	local i
	for ((i = 0; i < RELOADS; i++)); do
		other USR2 "$(cat haproxy.pid)"
	done
}

# A process of the family starts each of them, as a service's script does.
haproxy_daemons() {
	local i
	for ((i = 0; i < RELOADS; i++)); do
		echo >want
		other
	done
}

nginx_conf 'listen 80; location = /pid { return 200 $pid; }' 'worker_processes 2;'
sed -i "s|daemon off;||; s|error_log stderr;|error_log $PWD/log;|" nginx.conf
haproxy_conf 'lf-string "%pid"' "pidfile $PWD/haproxy.pid" \
	"stats socket $PWD/haproxy.sock mode 600 level admin expose-fd listeners"
cat >daemons.sh <<'END'
haproxy -D -f haproxy.cfg
mkfifo want
while read -r _ <want && [ ! -e end ]; do
	haproxy -D -f haproxy.cfg -x "$PWD/haproxy.sock" -sf $(cat haproxy.pid)
done
END

for WAY in lkl-hijack.sh lkl-run; do
	background "$(command -v nginx)" -p "$PWD" -c nginx.conf
	loaded nginx_reload
	loaded nginx_upgrade
	pid=$(cat nginx.pid)
	kill -QUIT "$pid"
	ended "$pid"
	gone

	background haproxy -W -D -f haproxy.cfg
	loaded haproxy_reload
	pid=$(cat haproxy.pid)
	kill "$pid"
	ended "$pid"
	gone

	rm -f ./*.pid want end
	"$WAY" bash daemons.sh >log 2>&1 </dev/null &
	script=$!
	up $LKL 80
	worker=none
	other
	loaded haproxy_daemons
	touch end
	echo >want
	kill "$(cat haproxy.pid)"
	wait $script || fail "$WAY: daemons: $(cat log)"
	gone
done
