#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tap.sh up|down: the way from the world to haproxy's own network stack.
#
# TAP names the tap, NET its network (a /24; .1 is the host, .2 is haproxy), and
# PORTS, a comma-separated list, what goes there.

set -eu
TAP=${TAP:-lkl0}
NET=${NET:-10.100.0}
PORTS=${PORTS:-80,443}

down() {
	nft delete table ip "lkl_$TAP" 2>/dev/null || true
	ip link delete "$TAP" 2>/dev/null || true
}

up() {
	down
	ip tuntap add dev "$TAP" mode tap vnet_hdr ${OWNER:+user "$OWNER"}
	ip address add "$NET.1/24" dev "$TAP"
	ip link set "$TAP" up
	sysctl -q -w net.ipv4.ip_forward=1
	nft -f - <<END
table ip lkl_$TAP {
	chain prerouting {
		type nat hook prerouting priority dstnat
		iifname != "$TAP" fib daddr type local tcp dport { $PORTS } dnat to $NET.2
	}
}
END
}

case ${1:-} in
up) up ;;
down) down ;;
*)
	echo "usage: tap.sh up|down" >&2
	exit 2
	;;
esac
