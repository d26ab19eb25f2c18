#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gateway.sh DIR ADDRESS[,ADDRESS]... READY: run by jail.sh on the gateway's stack.
#
# eth0 is the wire to the jail, eth1 the way out.

set -eu
out=$1 allowed=$2 ready=$3

# A socket of the shell's keeps the stack while no other program has one.
exec 9<>/dev/udp/127.0.0.1/9

nft -f - <<END
table inet jail {
	set allowed {
		type ipv4_addr
		elements = { $allowed }
	}
	# how many connections there were to each
	set connections {
		type ipv4_addr
		flags dynamic
		size 1024
		counter
	}
	counter refused { }
	counter from_jail { }
	counter to_jail { }
	chain forward {
		type filter hook forward priority filter; policy drop
		iifname "eth0" counter name from_jail
		oifname "eth0" counter name to_jail
		ct state established,related accept
		# nft monitor trace shows what begins a connection
		iifname "eth0" ct state new meta nftrace set 1
		iifname "eth0" ip daddr @allowed update @connections { ip daddr } accept
		counter name refused reject
	}
	chain input {
		type filter hook input priority filter
		iifname "eth0" icmp type echo-request accept
		iifname "eth0" counter name refused reject
	}
	chain way_out {
		type nat hook postrouting priority srcnat
		oifname "eth1" masquerade
	}
}
END
for interface in eth0 eth1; do
	tc qdisc replace dev $interface root tbf rate 1mbit burst 16kb latency 300ms
done

nft monitor trace >"$out/events" &
monitor=$!
end() {
	kill $monitor
	{
		nft list table inet jail
		tc -s qdisc show
	} >"$out/counters"
	exit
}
trap end TERM INT
touch "$ready"
while :; do
	sleep 1 &
	wait $!
done
