#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example: haproxy listens on the library's stack with BBR and fq, connects
# to its backend through the host's, and is faster than the host's on a path
# that loses packets.  Its script leaves nothing behind.

. "$(dirname "$0")/../common/hijack-lab.sh"
need haproxy nft tc nsenter sysctl
PYTHON=/usr/bin/python3
EXAMPLE=$TOP/examples/haproxy
is_root || skip "ip_forward is root's"
ip link delete tap0

# A client behind a router that delays and loses what it sends there: a program
# on the library's stack, too, because that has netem.
unshare -n sleep 110 &
client=$!
while [ /proc/$client/ns/net -ef /proc/self/ns/net ]; do
	sleep 0.01
done
at() { nsenter -t $client -n "$@"; }
ip tuntap add dev out mode tap vnet_hdr
ip link add wire type veth peer name in netns $client || skip "no veth here"
ip link set wire up
cat >router.json <<'END'
{ "interfaces": [
	{ "type": "raw", "param": "wire", "ip": "10.1.0.1", "masklen": "24" },
	{ "type": "tap", "param": "out", "ip": "10.2.0.1", "masklen": "24" }
  ], "sysctl": "net.ipv4.ip_forward=1" }
END
env -u LKL_HIJACK_NET_IFTYPE -u LKL_HIJACK_NET_IFPARAMS -u LKL_HIJACK_NET_IP \
	-u LKL_HIJACK_NET_NETMASK_LEN -u LKL_HIJACK_NET_GATEWAY \
	LKL_HIJACK_CONFIG_FILE=router.json "$WAY" $PYTHON -c '
import time
from pyroute2 import IPRoute
ip = IPRoute()
ip.tc("add", "netem", ip.link_lookup(ifname="eth0")[0], "1:", delay=10000, loss=8, limit=10000)
open("ready", "w").close()
time.sleep(100)' &
for ((i = 0; i < 300; i++)); do
	[ -e ready ] && break
	sleep 0.1
done
[ -e ready ] || fail "no router"
at ip address add 10.1.0.2/24 dev in
at ip link set in up
at ip route add default via 10.1.0.1
ip address add 10.2.0.2/24 dev out
ip link set out up
ip route add 10.1.0.0/24 via 10.2.0.1
at ping -q -c 2 -i 0.2 10.2.0.2 >ping || fail "router: $(cat ping)"

mkdir www
head -c 8000000 /dev/urandom >www/file
$PYTHON -m http.server -b 127.0.0.1 -d www 8080 >/dev/null 2>&1 &
up 127.0.0.1 8080

"$EXAMPLE/tap.sh" up || skip "no NAT here"
"$EXAMPLE/tap.sh" up

# As systemd would: one assignment a line, quotes within quotes.
while read -r line; do
	eval "export $(sed "s/^\([A-Z_]*=\)\(\".*\)/\1'\2'/" <<<"$line")"
done < <(sed -n 's/^Environment=//p' "$EXAMPLE/haproxy-bbr.service")
[ "$LKL_HIJACK_OFFLOAD" = '"0x8883"' ] || fail "OFFLOAD is $LKL_HIJACK_OFFLOAD"

# The stack is what the unit asks for.
lkl tc qdisc show dev eth0 >qdisc
grep -q 'qdisc fq .* root' qdisc || fail "qdisc: $(cat qdisc)"
env -u LKL_HIJACK_POLICY "$WAY" $PYTHON -c '
import socket
l = socket.create_server(("10.100.0.2", 81))
c = socket.create_connection(("10.100.0.2", 81))
a, _ = l.accept()
print(a.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16))' >cc
grep -q "b'bbr" cc || fail "congestion control: $(cat cc)"

# Any kernel has this one.
sysctl -q -w net.ipv4.tcp_congestion_control=reno
sed "s/10.100.0.2:80/10.2.0.2:8081/" "$EXAMPLE/haproxy.cfg" >native.cfg
LKL_HIJACK_DUMP=/proc/sys/net/ipv4/tcp_congestion_control \
	"$WAY" haproxy -db -f "$EXAMPLE/haproxy.cfg" >log 2>&1 &
server=$!
haproxy -db -f native.cfg >/dev/null 2>&1 &
up 10.100.0.2 80
up 10.2.0.2 8081

# seconds PORT: how long the file takes
seconds() {
	at curl -sS -m 60 -o got -w '%{time_total}' "http://10.2.0.2:$1/file"
	cmp got www/file >&2 || fail "not the file"
}
# What is lost are bursts, and few of them: one good round of so many is enough.
for ((round = 0; round < 5; round++)); do
	bbr=$(seconds 80)
	native=$(seconds 8081)
	echo "8 MB at 8 % loss: $bbr s with BBR, $native s with the host's reno"
	awk "BEGIN { exit !($bbr * 1.3 < $native) }" && break
done
((round < 5)) || fail "no gain"
kill -USR1 $server
wait $server || fail "exit status $?"
grep -q '^bbr' log || fail "not dumped: $(cat log)"

"$EXAMPLE/tap.sh" down
! ip link show lkl0 2>/dev/null || fail "tap left"
[ -z "$(nft list tables)" ] || fail "rules left: $(nft list tables)"
