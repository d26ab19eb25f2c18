#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Servers with a process for each client, or several for all, as they are deployed: in
# the background, with files of process numbers, under both ways in.
# PGBENCH_SECONDS says how long postgres works.

# Some of them are an ordinary user, who cannot get at what tests/run makes.
export TMPDIR=/tmp
. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 curl dig
PYTHON=/usr/bin/python3
chmod 711 .
head -c 1000000 /dev/urandom >file

# ended PID: it has ended
ended() {
	local i
	for ((i = 0; i < 800; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	fail "$WAY: $1 does not end: $(cat log)"
}

# written FILE
written() {
	local i
	for ((i = 0; i < 400; i++)); do
		[ ! -s "$1" ] || return 0
		sleep 0.05
	done
	fail "$WAY: no $1: $(cat log)"
}

# background PIDFILE PORT PROGRAM...: it goes there
background() {
	local file=$1 port=$2
	shift 2
	rm -f "$file"
	: >log
	lkl "$@" >>log 2>&1 </dev/null || fail "$WAY: $*: status $?: $(cat log)"
	up $LKL "$port"
	written "$file"
}

# ends PIDFILE
ends() {
	local pid
	pid=$(head -n 1 "$1")
	kill "$pid"
	ended "$pid"
	gone
}

# fetches PORT: so do several at a time
fetches() {
	rm -rf many
	curl -sS -m 30 --no-progress-meter -Z --create-dirs -o 'many/#1' \
		"http://$LKL:$1/file?[1-20]" || fail "$WAY: no file: $(cat log)"
	for copy in many/*; do
		cmp file "$copy" || fail "$WAY: not the file"
	done
}

# Each client has a process; an ordinary user, as it refuses root.
databases() {
	local bin=/usr/lib/postgresql/15/bin user=(setpriv --reuid=nobody --clear-groups)
	local seconds=${PGBENCH_SECONDS:-1} load=("$bin/pgbench" -h "$LKL" -p 5432 -U test)

	[ -x $bin/postgres ] || { echo "no postgres here"; return; }
	is_root && "${user[@]}" true 2>/dev/null || { echo "no user for postgres"; return; }
	ip link delete tap0
	ip tuntap add dev tap0 mode tap vnet_hdr user nobody
	ip address add $PEER/24 dev tap0
	ip link set tap0 up
	mkdir -m 777 db
	"${user[@]}" $bin/initdb -U test -A trust -N -D db/data >log 2>&1 || fail "initdb: $(cat log)"
	echo "host all all $PEER/32 trust" >>db/data/pg_hba.conf
	for WAY in lkl-hijack.sh lkl-run; do
		background db/data/postmaster.pid 5432 "${user[@]}" $bin/pg_ctl -w -D db/data \
			-l db/log -o "-h $LKL -k '' -F" start
		[ "$(psql -h $LKL -U test -At -c 'select 6 * 7' postgres)" = 42 ] ||
			fail "$WAY: psql: $(cat db/log)"
		"${load[@]}" -i -q postgres >log 2>&1 || fail "$WAY: pgbench -i: $(cat log db/log)"
		"${load[@]}" -c 8 -j 2 -T "$seconds" postgres >log 2>&1 ||
			fail "$WAY: pgbench: $(cat log db/log)"
		echo "$WAY: pgbench: $(grep ^tps log)"
		# A connection, and so a process, for each transaction.
		"${load[@]}" -C -c 4 -t 10 -S postgres >>log 2>&1 ||
			fail "$WAY: pgbench -C: $(cat log db/log)"
		! grep -E "^number of failed transactions: [1-9]" log || fail "$WAY: pgbench: $(cat log)"
		ends db/data/postmaster.pid
	done
}

apaches() {
	local modules=/usr/lib/apache2/modules mpm

	[ -f $modules/mod_mpm_event.so ] || { echo "no apache2 here"; return; }
	for mpm in prefork event; do
		cat >apache.conf <<END
ServerRoot $PWD
ServerName x
LoadModule mpm_${mpm}_module $modules/mod_mpm_$mpm.so
LoadModule authz_core_module $modules/mod_authz_core.so
$(is_root && echo "User nobody" && echo "Group nogroup")
PidFile $PWD/apache.pid
ErrorLog $PWD/log
DefaultRuntimeDir $PWD
Listen $LKL:80
StartServers 4
KeepAlive Off
DocumentRoot $PWD
END
		background apache.pid 80 apache2 -f "$PWD/apache.conf" -k start
		fetches 80
		apache2 -f "$PWD/apache.conf" -k graceful
		fetches 80
		ends apache.pid
	done
}

# Answers over TCP are of processes that it forks.
names() {
	background dnsmasq.pid 53 dnsmasq -C /dev/null -u root -a $LKL --bind-interfaces -R -h \
		-A /www.test/10.1.2.3 --pid-file="$PWD/dnsmasq.pid"
	for transport in notcp tcp; do
		same 10.1.2.3 dig +short +time=5 "+$transport" @$LKL www.test
	done
	ends dnsmasq.pid
}

# Processes that share a socket, each of which has others for its clients; they count
# together.
cat >workers.py <<'END'
import multiprocessing, os, signal, socketserver, sys
multiprocessing.set_start_method("fork")
count = multiprocessing.Value("i", 0)
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        with count.get_lock():
            count.value += 1
            self.wfile.write(b"%d\n" % count.value)
socketserver.ForkingTCPServer.allow_reuse_address = True
server = socketserver.ForkingTCPServer((sys.argv[1], 80), Handler)
if os.fork():
    os._exit(0)
workers = [multiprocessing.Process(target=server.serve_forever, daemon=True) for _ in range(3)]
for worker in workers:
    worker.start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with open("workers.pid.new", "w") as file:
    file.write(str(os.getpid()))
os.rename("workers.pid.new", "workers.pid")
signal.pause()
END
workers() {
	local i most=0 n
	rm -f workers.pid
	lkl $PYTHON workers.py $LKL >log 2>&1 || fail "$WAY: workers: $(cat log)"
	written workers.pid
	for ((i = 0; i < 20; i++)); do
		n=$(timeout 10 bash -c "read -r n </dev/tcp/$LKL/80 && echo \$n") ||
			fail "$WAY: workers: $(cat log)"
		((n > most)) || fail "$WAY: workers: $n after $most"
		most=$n
	done
	ends workers.pid
}

# A program for each client, which gets the socket as its standard input.
boxes() {
	lkl busybox httpd -p $LKL:80 -h "$PWD" >log 2>&1 || fail "$WAY: httpd: $(cat log)"
	up $LKL 80
	fetches 80
	kill "$(pgrep --ns $$ --nslist net -x busybox)"
	gone
	serve 80 socat TCP-LISTEN:80,reuseaddr,fork EXEC:"busybox httpd -i -h $PWD",nofork
	fetches 80
	stop
	gone
}

# As systemd has services of Type=forking: the program that is started ends well, the
# file names a process that is its child from then on, and all are gone after the end.
cat >forking.py <<'END'
import ctypes, os, signal, subprocess, sys, time, urllib.request
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
url, pidfile, command = sys.argv[1], sys.argv[2], sys.argv[3:]
subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
main = int(open(pidfile).read())
if os.waitpid(main, os.WNOHANG) != (0, 0):
    sys.exit("it has ended")
urllib.request.urlopen(url, timeout=20).read()
os.kill(main, signal.SIGTERM)
if os.waitpid(main, 0)[1] != 0:
    sys.exit("it has failed")
end = time.monotonic() + 20
while time.monotonic() < end:
    try:
        if os.waitpid(-1, os.WNOHANG) == (0, 0):
            time.sleep(0.02)
    except ChildProcessError:
        sys.exit(0)
sys.exit("others remain: " + subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout)
END
forking() {
	nginx_conf 'listen 80;' 'worker_processes 2;'
	sed -i "s|daemon off;||; s|error_log stderr;|error_log $PWD/log;|" nginx.conf
	$PYTHON forking.py http://$LKL/file nginx.pid "$WAY" nginx -p "$PWD" -c nginx.conf \
		>forking.log 2>&1 || fail "$WAY: Type=forking: $(cat forking.log log)"
	gone
}

for WAY in lkl-hijack.sh lkl-run; do
	apaches
	! command -v dnsmasq >/dev/null || names
	workers
	! command -v busybox socat >/dev/null || boxes
	! command -v nginx >/dev/null || forking
done
# It has the tap, and then others do not.
databases
