#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A queue of a host's interface is the library's (AF_XDP): traffic with the host's
# stack and with another library, the program that goes with the process, an interface
# that goes away, one of several queues, and what is missing is said.
. "$(dirname "$0")/../common/wires.sh"
needs_root
need setpriv
[ -e /usr/include/linux/if_xdp.h ] && python3 -c 'import socket; socket.socket(44, socket.SOCK_RAW)' \
	2>/dev/null || skip "no AF_XDP here"
space a
space b
veth a b
# What receives from a veth has to compute checksums otherwise (ETHTOOL_STXCSUM).
in_space b python3 - <<'END'
import array, fcntl, socket, struct
value = array.array("B", struct.pack("II", 0x17, 0))
fcntl.ioctl(socket.socket(), 0x8946,
            struct.pack("16sP", b"wire", value.buffer_info()[0]) + bytes(16))
END

# attached SPACE: is there a program?
attached() { in_space "$1" ip -d link show wire | grep -q prog/xdp; }

own="-w xdp:wire -a 10.7.0.1/24 -a fd07::1/64"
other="-w xdp:wire,0 -a 10.7.0.2/24 -a fd07::2/64"

# The host's stack is the other side.
ip -n "lkl-$$-a" addr flush dev wire
serve b echo 7
talk a "$own" 10.7.0.2 fd07::2
stop_serving
! attached a || fail "the program has stayed"
# shellcheck disable=SC2086
serve a $own echo 7
grep -q "queue 0 of the host's wire, which copies" served.err || fail "it does not say what it does"
attached a || fail "no program"
talk b "" 10.7.0.1 fd07::1
refused() {
	local expected=$1
	shift
	! in_space a "$@" 2>refused.err || fail "it works: $*"
	[ "$(wc -l <refused.err)" = 1 ] && grep -q -- "$expected" refused.err ||
		{ cat refused.err; fail "not '$expected'"; }
}
# shellcheck disable=SC2086
refused "another program has" "${NODE[@]}" $own ping 10.7.0.2 1
pkill -KILL -P "$SERVER" netnode
wait "$SERVER" || true
for ((i = 0; i < 100; i++)); do
	attached a || break
	sleep 0.1
done
! attached a || fail "the program has stayed"
stream "a $own" b 10.7.0.2 40000000
stream b "a $own" 10.7.0.1 40000000

# Another library is.
ip -n "lkl-$$-b" addr flush dev wire
# shellcheck disable=SC2086
serve b $other echo 7
talk a "$own" 10.7.0.2 fd07::2
stop_serving
stream "a $own" "b $other" 10.7.0.2 40000000

# What cannot be.
ping=(ping 10.7.0.2 1)
refused "No such device" "${NODE[@]}" -w xdp:none "${ping[@]}"
refused "no such queue" "${NODE[@]}" -w xdp:wire,99 "${ping[@]}"
for bad in , wire, wire,x wire,-1 wire,99999 averylongnameofaninterface; do
	refused "not INTERFACE or INTERFACE,QUEUE" "${NODE[@]}" -w "xdp:$bad" "${ping[@]}"
done
# shellcheck disable=SC2086
for cap in net_raw:CAP_NET_RAW net_admin,-sys_admin:CAP_NET_ADMIN bpf,-sys_admin:CAP_BPF; do
	refused "no permission (needs.*${cap#*:}" setpriv --bounding-set "-${cap%:*}" \
		--inh-caps "-${cap%:*}" "${NODE[@]}" $own "${ping[@]}"
done
ip -n "lkl-$$-a" link set wire mtu 9000
# shellcheck disable=SC2086
refused "an MTU of 9000" "${NODE[@]}" $own "${ping[@]}"
ip -n "lkl-$$-a" link set wire mtu 1500

# An interface that goes away.
# shellcheck disable=SC2086
serve a $own echo 7
ip -n "lkl-$$-a" link del wire
for ((i = 0; i < 100; i++)); do
	! grep -q "the interface has gone" served.err || break
	sleep 0.1
done
grep -q "the interface has gone" served.err || fail "it does not say that the interface has gone"
kill -0 "$SERVER" || fail "the library has ended"
stop_serving

# The second queue of an interface, by which the host has all frames come.
space c
space d
ip -n "lkl-$$-c" link add wire numrxqueues 2 type veth \
	peer name wire netns "lkl-$$-d" numtxqueues 2
address d wire 10.7.0.2/24 fd07::2/64
ip -n "lkl-$$-c" link set wire up
in_space d sh -c "cd /sys/class/net/wire/queues && echo 0 >tx-0/xps_cpus &&
	printf %x $(((1 << $(nproc --all)) - 1)) >tx-1/xps_cpus" 2>/dev/null || exit 0
serve c -w xdp:wire,1 -a 10.7.0.1/24 -a fd07::1/64 echo 7
in_space d "${NODE[@]}" ping 10.7.0.1 3 || fail "nothing comes by the second queue"
stop_serving
