#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example: a program without rights in a jail reaches the two addresses that
# it may, no other, and no faster; its connections are counted, and its traffic is
# recorded.

if [ -z "${JAIL_LAB:-}" ]; then
	export JAIL_LAB=1
	if [ "$(id -u)" = 0 ]; then
		unshare -n true 2>/dev/null && exec unshare -n "$0" "$@"
	else
		unshare -rn true 2>/dev/null && exec unshare -rn "$0" "$@"
	fi
	echo "skip: no network namespaces here"
	exit 77
fi
# where any user finds the way to
export TMPDIR=/tmp
. "$(dirname "$0")/../common/tools.sh"
need ip bwrap nft tc ss tcpdump curl setpriv
PYTHON=/usr/bin/python3
trap 'jobs -p | xargs -r kill -9 2>/dev/null || true; wait 2>/dev/null || true; cleanup' EXIT

# A user without rights, if there is one here, who may read the program.
chmod 755 .
user=()
if setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
	user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chmod 777 .
fi
cp "$BIN/lkl-run" .
cp -r "$TOP/examples/jail" jail
PATH=$TMP:$PATH
HOME=/
"${user[@]}" bwrap --unshare-all --ro-bind / / true 2>bwrap.err || skip "no jails here: $(cat bwrap.err)"

ip link set lo up
mkdir www
echo hello >www/x
head -c 500000 /dev/urandom >www/file
for i in 1 2 3; do
	ip address add 192.0.2.$i/24 dev lo
	$PYTHON -m http.server -b 192.0.2.$i -d www 8000 >/dev/null 2>&1 &
done
for ((i = 0; i < 300; i++)); do
	(: </dev/tcp/192.0.2.1/8000 && : </dev/tcp/192.0.2.2/8000 && : </dev/tcp/192.0.2.3/8000) 2>/dev/null && break
	sleep 0.1
done

jail() {
	"${user[@]}" timeout 100 jail/jail.sh "$@"
}

# The sockets are written each second, and the last time there may be none.
for ((i = 0; i < 2000; i++)); do
	grep -qs '192.0.2.1:8000.*bytes_received' out/sockets && touch seen && break
	sleep 0.05
done &
watcher=$!
jail out 192.0.2.1,192.0.2.2 bash -c '
	curl -s http://192.0.2.2:8000/x
	curl -s -m 20 http://192.0.2.3:8000/x; echo "refused: $?"
	curl -s -m 20 http://10.77.0.1:8000/x; echo "gateway: $?"
	start=$(date +%s%N)
	curl -s http://192.0.2.1:8000/file | cksum
	echo "ms: $((($(date +%s%N) - start) / 1000000))"
	for f in /root /home /tmp/* /var; do [ ! -e $f ] || echo "there: $f"; done
	nft list ruleset
	exit 5' >said && status=0 || status=$?
[ $status = 5 ] || fail "status $status: $(cat said)"
grep -qx hello said && grep -qx 'refused: 7' said && grep -qx 'gateway: 7' said || fail "$(cat said)"
grep -qx "$(cksum <www/file)" said || fail "another file: $(cat said)"
! grep -q 'there:\|jail' said || fail "not a jail: $(cat said)"
# 500 kB in less than two seconds are more than 1 Mbit/s
[ "$(sed -n 's/^ms: //p' said)" -gt 2000 ] || fail "too fast: $(cat said)"

grep -q '192.0.2.1 counter packets 1 ' out/counters && grep -q '192.0.2.2 counter packets 1 ' out/counters ||
	fail "connections: $(cat out/counters)"
grep -A 1 'counter refused' out/counters | grep -q 'packets 2 ' || fail "refused: $(cat out/counters)"
kill $watcher 2>/dev/null || true
[ -e seen ] || fail "sockets: $(cat out/sockets)"
grep -q 'ip daddr 192.0.2.3.*tcp flags == syn' out/events || fail "events: $(cat out/events)"
syns=$(tcpdump -nr out/traffic.pcap 'tcp[tcpflags] == tcp-syn and dst net 192.0.2.0/24' 2>/dev/null | wc -l)
[ "$syns" = 3 ] || fail "$syns connections are recorded"

# What a program does past its stack leads nowhere: the host's network is not there.
jail past 192.0.2.1 readlink /proc/1/ns/net >said || fail "past: $(cat said)"
grep -q '^net:' said && [ "$(cat said)" != "$(readlink /proc/self/ns/net)" ] ||
	fail "the host's network: $(cat said)"

# Errors are lines, and nothing remains.
! jail bad 192.0.2.x true >said 2>&1 || fail "a wrong address"
[ "$(wc -l <said)" -lt 6 ] && grep -q 192.0.2.x said || fail "a wrong address: $(cat said)"
! jail bad >said 2>&1 && grep -qx 'usage: .*' said || fail "usage: $(cat said)"
for ((i = 0; i < 100; i++)); do
	pgrep -f "$TMP/lkl-run" >/dev/null || break
	sleep 0.1
done
! pgrep -af "$TMP/lkl-run" || fail "processes remain"
