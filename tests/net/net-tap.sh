#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tap, with all masks of offloads that people use: ping, UDP, TCP, and streams
# both ways that arrive as they were; existing, new and multiqueue taps; whose they are.
. "$(dirname "$0")/../common/wires.sh"
needs_root
need python3

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

# Who has a tap is told, and not who has one of the same name in another namespace, be it
# that it has moved here since.
cat >hold.py <<'END'
import ctypes, fcntl, os, struct, sys, time
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", b"tap5", 0x5002))
if len(sys.argv) > 1:
    ctypes.CDLL(None).setns(os.open(sys.argv[1], os.O_RDONLY), 0)
print("ready", os.getpid(), flush=True)
time.sleep(60)
END
# hold SPACE FILE [NAMESPACE]
hold() {
	in_space_of "$1"
	"${RUN[@]}" python3 hold.py "${@:3}" >"$2" 2>&1 </dev/null &
	JOBS+=($!)
	await "$2" $!
}
space b
space c
hold b other
hold c moved "/run/netns/lkl-$$-a"
hold a user
! in_space a "${NODE[@]}" -w tap:tap5 idle 0 2>user.err || fail "a tap that is in use"
grep -q "tap tap5: in use by process $(sed 's/ready //' user) (python3" user.err ||
	{ cat user.err other moved user; fail "who has the tap"; }

# An idle interface needs no processor, but for some wake-ups on a slow host.
idle=$(node a -w tap:tap0 -o d983 -a 10.9.0.2/24 idle 2)
echo "$idle"
awk -v c="${idle##*cpu=}" 'BEGIN { exit c > 0.1 }' || fail "idle, but busy"
