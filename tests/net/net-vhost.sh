#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two library processes talk through shared memory (vhost-user), the one as the
# device, the other as the driver; each goes and comes again, also killed.
. "$(dirname "$0")/../common/wires.sh"

for mask in 0 8000 9983; do
	device="-w vhost-user-server:$PWD/s -o $mask -m 02:00:00:00:00:01 -a 10.8.0.1/24 -a fd08::1/64"
	driver="-w vhost-user:$PWD/s -o $mask -m 02:00:00:00:00:02 -a 10.8.0.2/24 -a fd08::2/64"
	# shellcheck disable=SC2086
	serve - $device echo 7
	talk - "$driver" 10.8.0.1 fd08::1
	# shellcheck disable=SC2086
	timeout -s KILL 0.7 "${NODE[@]}" $driver rr 10.8.0.1 7 5 >/dev/null 2>&1 || true
	# shellcheck disable=SC2086
	node - $driver ping 10.8.0.1 3
	stop_serving
done

# The device goes and comes again: the driver finds it.
device="-w vhost-user-server:$PWD/s -a 10.8.0.1/24"
# shellcheck disable=SC2086
"${NODE[@]}" $device echo 7 2>first.err &
FIRST=$!
JOBS+=("$FIRST")
await first.err "$FIRST"
serve - -w "vhost-user:$PWD/s" -m 02:00:00:00:00:02 -a 10.8.0.2/24 echo 7
kill -KILL "$FIRST"
wait "$FIRST" || true
for ((i = 0; i < 100; i++)); do
	! grep -q "it has closed the connection; trying" served.err || break
	sleep 0.1
done
# shellcheck disable=SC2086
for ((i = 0; i < 10; i++)); do
	! "${NODE[@]}" $device ping 10.8.0.2 3 || break
done
[ $i != 10 ] || fail "the driver does not come back"
grep -q "connected again" served.err || fail "and does not say so"
stop_serving

for mask in 8000 9983; do
	device="-w vhost-user-server:$PWD/s -o $mask -a 10.8.0.1/24"
	driver="-w vhost-user:$PWD/s -o $mask -m 02:00:00:00:00:02 -a 10.8.0.2/24"
	# Memory of the application, too, which the device has not mapped.
	for how in "" -z; do
		# shellcheck disable=SC2086
		serve - $device -c sink 9
		# shellcheck disable=SC2086
		node - $driver $how source 10.8.0.1 9 400000000 >sent.log
		served
		grep "^bytes=400000000 " served.log || { cat served.log; fail "lost bytes"; }
	done
done

# Many short frames, more than the rings have room for: the wire goes on.
# shellcheck disable=SC2086
serve - $device count 9
# shellcheck disable=SC2086
node - $driver blast 10.8.0.1 9 0.5 >sent.log
served
grep -q " seconds=0\.[3-9]" served.log || { cat served.log; fail "the wire stands still"; }
