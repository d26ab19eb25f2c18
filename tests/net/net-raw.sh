#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A raw wire on an Ethernet: with an address of its own, and sharing the host's,
# where the host must not reset our connections and still has its own; nothing
# of the rule remains, however the program ends.
. "$(dirname "$0")/../common/wires.sh"
needs_root
need nft
space a
space b
veth a b

own="-w raw:wire -m 02:00:00:00:00:03 -a 10.7.0.3/24 -a fd07::3/64"
serve b echo 7
talk a "$own" 10.7.0.2 fd07::2
stop_serving
# shellcheck disable=SC2086
serve a $own echo 7
talk b "" 10.7.0.3 fd07::3
stop_serving
stream "a $own" b 10.7.0.2 40000000
stream b "a $own" 10.7.0.3 40000000
# small frames, of which the host gives several at a time
in_space b ip link set wire gso_max_segs 1
stream b "a $own" 10.7.0.3 20000000
in_space b ip link set wire gso_max_segs 64

shared="-w raw:wire,9,2000-2010 -a 10.7.0.1/24 -a fd07::1/64"
stream "a $shared" b 10.7.0.2 40000000
stream b "a $shared" 10.7.0.1 40000000
stream b "a $shared" fd07::1 40000000
# shellcheck disable=SC2086
serve a $shared echo 2005
grep -q "the host ignores what comes for TCP and UDP ports 9-9, 2000-2010, 61000-65535" \
	served.err || fail "it does not say what it does"
node b rr 10.7.0.1 2005 0.2
in_space_of a
"${RUN[@]}" "${NODE[@]}" echo 7 2>host.err &
JOBS+=($!)
await host.err $!
node b rr 10.7.0.1 7 0.2
in_space a nft list tables | grep -q lkl_ || fail "no rule"
pkill -KILL -P "$SERVER" netnode
wait "$SERVER" || true
! in_space a nft list tables | grep lkl_ || fail "the rule has stayed"
