#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# jail.sh DIR ADDRESS[,ADDRESS]... PROGRAM [ARGUMENT]...
#
# Runs PROGRAM without rights and with no network but one that leads to the IPv4
# ADDRESSes, at 1 Mbit/s.  DIR gets what there is to see: see README.md.
#
# The program is in a jail of bwrap(1), on a network stack of its own (lkl-run),
# whose only wire is a socket in the jail.  The other end of the wire is a second
# stack outside, the gateway, which has the rules.
#
# GATEWAY_WIRE is the gateway's way out in terms of lkl-config(5), by default the
# host's network without any privilege.

set -eu
here=$(dirname "$(realpath "$0")")
run=$(realpath "$(command -v lkl-run)")

[ $# -ge 3 ] || {
	echo "usage: jail.sh DIR ADDRESS[,ADDRESS]... PROGRAM [ARGUMENT]..." >&2
	exit 2
}
way_out='{ "type": "user" }'
way_out=${GATEWAY_WIRE:-$way_out}
mkdir -p "$1"
out=$(realpath "$1")
allowed=$2
shift 2
rm -f "$out"/{traffic.pcap,events,sockets,counters}
wire=$(mktemp -d)
trap 'kill $gateway 2>/dev/null; wait $gateway; rm -rf "$wire"' EXIT

cat >"$wire/gateway.json" <<END
{ "interfaces": [
	{ "type": "vhost-user-server", "param": "$wire/jail/socket",
	  "ip": "10.77.0.1", "masklen": "24", "pcap": "$out/traffic.pcap" },
	$way_out
  ],
  "sysctl": "net.ipv4.ip_forward=1", "boot_cmdline": "mem=64M" }
END
mkdir "$wire/jail"
LKL_HIJACK_CONFIG_FILE=$wire/gateway.json "$run" bash "$here/gateway.sh" "$out" "$allowed" \
	"$wire/ready" &
gateway=$!
until [ -e "$wire/ready" ]; do
	kill -0 $gateway 2>/dev/null || exit 1
	sleep 0.05
done

export LKL_HIJACK_NET_IFTYPE=vhost-user LKL_HIJACK_NET_IFPARAMS=/run/wire/socket
export LKL_HIJACK_NET_IP=10.77.0.2 LKL_HIJACK_NET_NETMASK_LEN=24
export LKL_HIJACK_NET_GATEWAY=10.77.0.1 LKL_HIJACK_BOOT_CMDLINE=mem=128M
touch "$out/sockets"
jail=(bwrap --unshare-all --die-with-parent --new-session --proc /proc --dev /dev
	--tmpfs /tmp --ro-bind /usr /usr --ro-bind /etc /etc
	--ro-bind "$run" /run/lkl-run --ro-bind "$here/inside.sh" /run/inside.sh
	--bind "$wire/jail" /run/wire --bind "$out/sockets" /run/sockets)
for link in /bin /sbin /lib /lib64; do
	jail+=(--symlink "usr$link" "$link")
done
"${jail[@]}" /run/lkl-run bash /run/inside.sh "$@"
