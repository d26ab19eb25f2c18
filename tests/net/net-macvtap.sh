#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A macvtap, of an interface that the host goes on using.
. "$(dirname "$0")/../common/wires.sh"
needs_root
space a
space b
veth a b
ip -n "lkl-$$-a" link add link wire name mv0 type macvtap mode bridge 2>/dev/null ||
	skip "no macvtap here"
ip -n "lkl-$$-a" link set mv0 up
number=$(in_space a sh -c 'cat /sys/class/net/mv0/tap*/dev')
mknod tap c "${number%:*}" "${number#*:}"

lkl="-w macvtap:tap -a 10.7.0.3/24 -a fd07::3/64"
serve b echo 7
talk a "$lkl" 10.7.0.2
talk a "$lkl -o d983" 10.7.0.2 fd07::2
stop_serving
stream "a $lkl -o d983" b 10.7.0.2 40000000
stream b "a $lkl -o d983" 10.7.0.3 40000000
stream b "a $lkl" 10.7.0.3 20000000
