#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What goes by on a wire is in the file that was asked for, as tcpdump reads it: on a
# wire whose frames are copied, and on one whose buffers are lent.
. "$(dirname "$0")/../common/wires.sh"
need tcpdump
mkfifo a b

# count FILE FILTER NUMBER: so many packets are what the filter says
count() {
	local n
	n=$(tcpdump -nr "$1" "$2" 2>tcpdump.err | wc -l)
	[ "$n" = "$3" ] || { cat tcpdump.err; tcpdump -nr "$1"; fail "$1: $n of '$2', not $3"; }
}

# pair WIRE WIRE
pair() {
	serve - -w "$1" -p one.pcap -a 10.8.0.1/24 echo 7
	node - -w "$2" -p two.pcap -a 10.8.0.2/24 ping 10.8.0.1 5
	node - -w "$2" -p three.pcap -o 9983 -a 10.8.0.2/24 udp 10.8.0.1 7 9000 10
	stop_serving
	count two.pcap "icmp[0] = 8 and src 10.8.0.2" 5
	count two.pcap "icmp[0] = 0 and src 10.8.0.1" 5
	count one.pcap "icmp[0] = 8 and src 10.8.0.2" 5
	count one.pcap "icmp[0] = 0 and src 10.8.0.1" 5
	# Both ends have seen the same: 10 datagrams each way, in 7 fragments.
	count three.pcap "ip proto 17" 140
	count one.pcap "ip proto 17" 140
	tcpdump -tnr one.pcap "ip proto 17" 2>/dev/null | sort >one
	tcpdump -tnr three.pcap "ip proto 17" 2>/dev/null | sort >three
	diff one three || fail "the two ends differ"
	[ "$(stat -c %a one.pcap)" = 600 ] || fail "others can read the file"
}

pair "vhost-user-server:$PWD/s" "vhost-user:$PWD/s"
# Frames that are copied.
serve - -w "pipe:a|b" -p one.pcap -a 10.8.0.1/24 echo 7
node - -w "pipe:b|a" -p two.pcap -a 10.8.0.2/24 ping 10.8.0.1 5
stop_serving
count two.pcap "icmp[0] = 0 and src 10.8.0.1" 5
count one.pcap "icmp[0] = 8 and src 10.8.0.2" 5

# A file that may not grow is left, with a line, and what runs goes on.
serve - -w "pipe:a|b" -a 10.8.0.1/24 echo 7
(
	ulimit -S -f 4
	node - -w "pipe:b|a" -p small.pcap -a 10.8.0.2/24 udp 10.8.0.1 7 1000 20 2>err
)
stop_serving
grep -qx "lkl: pcap: not all was written" err || { cat err; fail "not told"; }
tcpdump -nr small.pcap >/dev/null 2>tcpdump.err || { cat tcpdump.err; fail "not whole"; }

status=0
"${NODE[@]}" -w "pipe:a|b" -p nowhere/file idle 0 2>err || status=$?
[ $status = 1 ] || fail "no error"
grep -qx "lkl: pcap: nowhere/file: No such file or directory" err || { cat err; fail "not told"; }
status=0
"${NODE[@]}" -w "pipe:a|b" -p /dev/full idle 0 2>err || status=$?
[ $status = 1 ] || fail "no error"
grep -qx "lkl: pcap: /dev/full: No space left on device" err || { cat err; fail "not told"; }
