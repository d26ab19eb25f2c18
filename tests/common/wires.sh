# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of network wires share.  Source it first.
#
# A test makes network namespaces of its own with `space`, where the host's
# stack is the peer, and runs netnode on the library's stack or on the host's.

. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
NODE=("$(cd "${BUILD:-$TOP/build}/tests" && pwd)/netnode")
SPACES=()
JOBS=()

cleanup() {
	local one
	for one in "${JOBS[@]}"; do
		kill "$one" 2>/dev/null || true
	done
	for one in "${SPACES[@]}"; do
		ip netns del "$one" 2>/dev/null || true
	done
	cd /
	rm -rf "$TMP"
}

needs_root() {
	is_root || skip "needs root"
	need ip
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	ip netns add "lkl-$$-probe" 2>/dev/null || skip "no network namespaces here"
	ip netns del "lkl-$$-probe"
}

# space NAME: make a namespace
space() {
	ip netns add "lkl-$$-$1"
	SPACES+=("lkl-$$-$1")
	ip -n "lkl-$$-$1" link set lo up
}

# in_space NAME COMMAND...; the namespace "-" is the one we are in
in_space() {
	in_space_of "$1"
	shift
	"${RUN[@]}" "$@"
}

# Set RUN, which a signal to a background job goes through.
in_space_of() {
	RUN=(timeout 60)
	[ "$1" = - ] || RUN=(ip netns exec "lkl-$$-$1" "${RUN[@]}")
}

# serve SPACE NODE-ARGUMENT...: in the background, until it is ready; what it
# prints goes to served.log
serve() {
	in_space_of "$1"
	shift
	: >served.err
	"${RUN[@]}" "${NODE[@]}" "$@" >served.log 2>served.err </dev/null &
	SERVER=$!
	JOBS+=("$SERVER")
	await served.err "$SERVER"
}

# await FILE JOB: until the file says that the job is ready
await() {
	local i
	for ((i = 0; i < 300; i++)); do
		! grep -q ^ready "$1" || return 0
		kill -0 "$2" 2>/dev/null || break
		sleep 0.1
	done
	cat "$1"
	fail "a server does not begin"
}

served() {
	wait "$SERVER" || { cat served.err; fail "the server failed"; }
}

stop_serving() {
	kill "$SERVER"
	wait "$SERVER" || true
}

# node SPACE ARGUMENT...
node() {
	local space=$1
	shift
	in_space "$space" "${NODE[@]}" "$@" || fail "netnode $*"
}

# talk SPACE NODE-ARGUMENTS ADDRESS...: with the echo server at each address
talk() {
	local space=$1 arguments=$2 address
	shift 2
	for address; do
		# shellcheck disable=SC2086
		{
			node "$space" $arguments ping "$address" 3
			node "$space" $arguments udp "$address" 7 1400 200
			node "$space" $arguments udp "$address" 7 20000 20
			node "$space" $arguments rr "$address" 7 0.2
		}
	done
}

# veth A B: connect two namespaces by interfaces named wire, 10.7.0.1 and .2,
# fd07::1 and ::2
veth() {
	ip -n "lkl-$$-$1" link add wire type veth peer name wire netns "lkl-$$-$2"
	address "$1" wire 10.7.0.1/24 fd07::1/64
	address "$2" wire 10.7.0.2/24 fd07::2/64
}

# address SPACE INTERFACE IPV4 IPV6
address() {
	ip -n "lkl-$$-$1" addr add "$3" dev "$2"
	ip -n "lkl-$$-$1" addr add "$4" dev "$2" nodad
	ip -n "lkl-$$-$1" link set "$2" up
}

# stream FROM TO ADDRESS BYTES: both are "SPACE NODE-ARGUMENTS"; what arrives is
# compared
stream() {
	# shellcheck disable=SC2086
	serve $2 -c sink 9
	# shellcheck disable=SC2086
	node $1 source "$3" 9 "$4" >sent.log
	served
	grep -q "^bytes=$4 " served.log || { cat served.log; fail "lost bytes"; }
}
