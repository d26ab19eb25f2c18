#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tap, with all masks of offloads that people use: ping, UDP, TCP, and streams
# both ways that arrive as they were; existing, new and multiqueue taps.
. "$(dirname "$0")/../common/wires.sh"
needs_root

space a
ip -n "lkl-$$-a" tuntap add tap0 mode tap
address a tap0 10.9.0.1/24 fd09::1/64
lkl="-w tap:tap0 -a 10.9.0.2/24 -a fd09::2/64"

serve a echo 7
talk a "$lkl" 10.9.0.1 fd09::1
stop_serving
# shellcheck disable=SC2086
serve a $lkl -o d983 echo 7
talk a "" 10.9.0.2 fd09::2
stop_serving

for mask in 0 8883 c803 d903 d983 883 1 8000; do
	stream "a $lkl -o $mask" a 10.9.0.1 60000000
	stream a "a $lkl -o $mask" 10.9.0.2 60000000
	stream a "a $lkl -o $mask" fd09::2 20000000
	echo "offload 0x$mask"
done

# One that is made and goes with the program, and one for several queues.
node a -w tap:tap7 -a 10.9.1.2/24 idle 0.1
! ip -n "lkl-$$-a" link show tap7 2>/dev/null || fail "tap7 stayed"
ip -n "lkl-$$-a" tuntap add tap1 mode tap multi_queue
address a tap1 10.9.2.1/24 fd19::1/64
node a -w tap:tap1 -o d983 -a 10.9.2.2/24 ping 10.9.2.1 3

# The same with both of its queues in use.
queues=(-w tap:tap1,queues=2 -b "mem=256M maxcpus=2" -o d983 -a 10.9.2.2/24)
serve a -c sink 9
node a "${queues[@]}" source 10.9.2.1 9 60000000 >sent.log
served
grep -q "^bytes=60000000 " served.log || { cat served.log; fail "lost bytes"; }
serve a "${queues[@]}" -c sink 9
node a source 10.9.2.2 9 60000000 >sent.log
served
grep -q "^bytes=60000000 " served.log || { cat served.log; fail "lost bytes"; }
! in_space a "${NODE[@]}" -w tap:tap0,queues=2 idle 0 2>queues.err || fail "tap0 has one queue"
grep -q "no tap for several queues" queues.err || { cat queues.err; fail "and it is not said"; }

# An idle interface needs no processor, but for some wake-ups on a slow host.
idle=$(node a -w tap:tap0 -o d983 -a 10.9.0.2/24 idle 2)
echo "$idle"
awk -v c="${idle##*cpu=}" 'BEGIN { exit c > 0.1 }' || fail "idle, but busy"
