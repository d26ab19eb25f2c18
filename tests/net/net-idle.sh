#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Wires by which nothing comes wake nobody: what wakes the process a few times a minute are
# timers of the kernel's network.
. "$(dirname "$0")/../common/wires.sh"
NAMES=() SECONDS_IDLE=3

# idle NAME SPACE NODE-ARGUMENT...: in the background, for SECONDS_IDLE
idle() {
	local name=$1
	in_space_of "$2"
	shift 2
	"${RUN[@]}" "${NODE[@]}" "$@" idle "$SECONDS_IDLE" >"$name.log" 2>"$name.err" </dev/null &
	JOBS+=($!)
	NAMES+=("$name")
}

mkfifo x y
idle pipe - -w "pipe:x|y" -a 10.1.0.1/24
idle other-pipe - -w "pipe:y|x" -a 10.1.0.2/24
! "${NODE[@]}" -w user idle 0 >/dev/null 2>&1 || idle user - -w user
for queues in 1 2; do
	# Longer than the other side, which would try to connect again.
	SECONDS_IDLE=5
	idle "server-$queues" - -b "mem=64M maxcpus=2" -a 10.1.1.1/24 \
		-w "vhost-user-server:$PWD/s$queues,queues=$queues"
	while [ ! -S "s$queues" ]; do
		sleep 0.1
	done
	SECONDS_IDLE=3
	idle "driver-$queues" - -b "mem=64M maxcpus=2" -a 10.1.1.2/24 \
		-w "vhost-user:$PWD/s$queues,queues=$queues"
done
if is_root && [ -c /dev/net/tun ] && ip netns add "lkl-$$-a" 2>/dev/null; then
	SPACES+=("lkl-$$-a")
	ip -n "lkl-$$-a" tuntap add t0 mode tap
	ip -n "lkl-$$-a" link add wire type veth peer name other
	ip netns exec "lkl-$$-a" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	for name in t0 wire other; do
		ip -n "lkl-$$-a" link set $name up
	done
	idle tap a -w tap:t0 -a 10.1.2.1/24
	idle raw a -w raw:wire -a 10.1.3.1/24
fi

for i in "${!NAMES[@]}"; do
	name=${NAMES[i]}
	wait "${JOBS[i]}" || { cat "$name.err"; fail "$name"; }
	echo "$name: $(cat "$name.log")"
	# Seven or more, when an interface's watchdog did.
	awk -F'[= ]' '{ exit !($2 <= 10) }' "$name.log" || fail "$name is woken too often"
	awk -v c="$(sed 's/.*cpu=//' "$name.log")" 'BEGIN { exit c > 0.15 }' ||
		fail "$name is busy"
done
