#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The configuration: a wrong one starts nothing, the file overrides the environment,
# and settings for the start and the end take effect; daemons; time.

. "$(dirname "$0")/../common/tools.sh"
need python3 gcc
PYTHON=$(readlink -f /usr/bin/python3)

for way in lkl-hijack.sh lkl-run; do
	code=127
	[ $way = lkl-hijack.sh ] || code=125
	# bad TEXT REASON: nothing happens but a line
	bad() {
		local status=0
		echo "$1" >lkl-hijack.json
		$way bash -c 'touch started' >out 2>err || status=$?
		rm lkl-hijack.json
		[ $status = $code ] && [ ! -e started ] && [ "$(wc -l <err)" = 1 ] &&
			grep -q "$2" err || fail "$way: $1: status $status, $(cat out err)"
	}
	bad '{ "gateway": "1.2.3.4" ' 'lkl-hijack.json:'
	bad '{ "gatway": "1.2.3.4" }' gatway
	bad '{ "policy": "connect|nowhere|host" }' "policy 'connect|nowhere|host'"
	bad '{ "interfaces": [ { "type": "tap", "param": "no/such" } ] }' 'no/such'
	bad '{ "interfaces": [ { "type": "wet" } ] }' 'wet'
	bad '{ "boot_cmdline": "mem=1" }' 'too little to boot'
	bad '{ "hostdir": "no/such|/here" }' "hostdir 'no/such|/here': No such file"

	cat >lkl-hijack.json <<'END_JSON'
{ "debug": "0x100", "dump": "/proc/sys/net/ipv4/ip_default_ttl,/proc/sys/net/core/somaxconn,/here/shared",
  "hostdir": ".|/here|ro",
  "delay_main": "300000", "sysctl": "net.ipv4.ip_default_ttl=77;net.core.somaxconn=99",
  "boot_cmdline": "mem=128M loglevel=3", "singlecpu": "1", "mount": "proc,sysfs",
}
END_JSON
	echo of the host >shared
	mkfifo enter
	exec 3<>enter
	start=$(date +%s%N)
	# The file wins; Enter is awaited at the end.
	LKL_HIJACK_SYSCTL=net.ipv4.ip_default_ttl=55 $way bash -c \
		'read ttl </proc/sys/net/ipv4/ip_default_ttl; echo $ttl' <enter >out 2>err 3>&- &
	for ((i = 0; i < 600; i++)); do
		grep -q 'press Enter' err 2>/dev/null && break
		sleep 0.05
	done
	[ "$(cat out)" = 77 ] || fail "$way: $(cat out err)"
	[ $(($(date +%s%N) - start)) -gt 300000000 ] || fail "$way: no delay"
	kill -0 $! || fail "$way: ended without Enter"
	echo >&3
	wait $! || fail "$way: status $?"
	exec 3>&-
	grep -qx 77 err && grep -qx 99 err && grep -qx 'of the host' err || fail "$way: dump: $(cat err)"
	rm enter lkl-hijack.json

	# The first rule that fits says which stack it is: the library's has another
	# size of buffers.
	rules='listen|tcp:127.0.0.2:17000-17010|host;listen|udp:127.0.0.0/30:17005|host'
	rules+=';connect|[::1]:9|host;listen|127.0.0.64/27|lkl;any|127.0.0.64/26|host'
	LKL_HIJACK_SYSCTL="net.core.rmem_default=54321;net.ipv4.tcp_rmem=4096 54321 600000" LKL_HIJACK_POLICY=$rules $way $PYTHON -c '
import socket
size = 54321
def check(host, way, type, address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, type)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    getattr(s, way)((address, port))
    got = s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) != size
    assert got == host, (host, way, type, address, port)
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
check(1, "bind", TCP, "127.0.0.2", 17000)
check(1, "bind", TCP, "127.0.0.2", 17010)
check(0, "bind", TCP, "127.0.0.2", 17011)
check(0, "bind", UDP, "127.0.0.2", 17000)
check(1, "bind", TCP, "::ffff:127.0.0.2", 17001)
check(1, "bind", UDP, "127.0.0.3", 17005)
check(0, "bind", UDP, "127.0.0.4", 17005)
check(0, "bind", TCP, "127.0.0.3", 17005)
check(1, "connect", UDP, "::1", 9)
check(0, "connect", UDP, "127.0.0.1", 9)
check(0, "bind", TCP, "127.0.0.65", 17000)
check(1, "bind", TCP, "127.0.0.100", 17000)
check(1, "connect", UDP, "127.0.0.65", 9)' || fail "$way: policy"

	# A daemon that forks before it has sockets has a network.
	$way $PYTHON -c '
import os, socket
r, w = os.pipe()
if os.fork():
    os._exit(os.read(r, 1) != b"1")
os.setsid()
l = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(l.getsockname())
os.write(w, b"1")' || fail "$way: daemon"
done

# Time comes from the vDSO: it is cheaper than any system call.
cat >time.c <<'END_C'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double best(int call)
{
	struct timespec a, b, c;
	double least = 1e9;

	for (int i = 0; i < 200; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		for (int k = 0; k < 100; k++)
			call ? syscall(SYS_getppid) : clock_gettime(CLOCK_REALTIME, &c);
		clock_gettime(CLOCK_MONOTONIC, &b);
		double took = (b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec;
		if (took < least)
			least = took;
	}
	return least;
}

int main(void)
{
	return best(0) >= best(1);
}
END_C
gcc -o timed time.c
gcc -static -o timed-static time.c
for program in ./timed ./timed-static; do
	if $program; then
		lkl-run $program || fail "$program: no vDSO"
	fi
done
