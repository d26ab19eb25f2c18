#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A program with a wire, of each kind, is killed with SIGKILL: nothing that it
# made is left on the host, neither interfaces nor rules, files or processes, and
# the next one can have the same.
. "$(dirname "$0")/../common/wires.sh"
# What libraries make elsewhere is to be seen.
export TMPDIR=$TMP/tmp
mkdir tmp

# state: what there is
state() {
	find . ! -name '*.log' ! -name '*.err' ! -name 'state.*' | sort
	[ $in = - ] || {
		in_space $in ip -o link 2>/dev/null | sed 's/ state .* mode / mode /'
		in_space $in nft list ruleset 2>/dev/null
	}
}

# gone COMMAND...: there is no change any more
gone() {
	local i
	for ((i = 0; i < 300; i++)); do
		state >state.after
		! "$@" || return 0
		sleep 0.1
	done
	diff state.before state.after || true
	fail "something is left"
}

# kill_one MADE PROGRAM...: MADE is seen while it runs, which takes a while
kill_one() {
	local made=$1 i
	shift
	in_space_of $in
	for i in 1 2; do
		state >state.before
		setsid "${RUN[@]}" "$@" >one.log 2>one.err &
		for ((i = 0; i < 300; i++)); do
			! state | grep -q "$made" || ! grep -q ready one.log || break
			sleep 0.1
		done
		[ $i -lt 300 ] || { cat one.log one.err; fail "no $made: $*"; }
		pkill -KILL -P $!
		wait $! 2>/dev/null || true
		gone cmp -s state.before state.after
		! pgrep -a -s $! || fail "a process is left"
	done
}

kill_node() {
	local made=$1
	shift
	echo "$*"
	kill_one "$made" bash -c 'exec 2>&1 "$@"' netnode "${NODE[@]}" "$@" echo 7
}

in=-
kill_node . -w user
mkfifo a b
kill_node . -w "pipe:a|b"
if command -v vde_switch >/dev/null; then
	vde_switch -s switch -d -p "$TMP/pid" </dev/null
	for ((i = 0; i < 300; i++)); do
		[ ! -s pid ] || break
		sleep 0.1
	done
	JOBS+=("$(cat pid)")
	kill_node . -w vde:switch
fi
is_root || exit 0
needs_root
need nft
space a
space b
veth a b
in=a
kill_node tap7 -w tap:tap7 -o d983
kill_node lkl_ -w raw:wire,9 -a 10.7.0.1/24
kill_node . -w raw:wire -m 02:00:00:00:00:03
export LKL_HIJACK_NET_IFTYPE=tap LKL_HIJACK_NET_IFPARAMS=tap7 LKL_HIJACK_NET_IP=10.9.0.2 \
	LKL_HIJACK_NET_NETMASK_LEN=24
for way in lkl-hijack.sh lkl-run; do
	echo $way
	kill_one tap7 $way /usr/bin/python3 -c '
import socket, time
s = socket.create_server(("10.9.0.2", 80))
print("ready", flush=True)
time.sleep(100)'
done
