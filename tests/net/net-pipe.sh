#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two library processes talk through a pair of FIFOs, with offloads and without;
# one comes again, also after it was killed in the middle.
. "$(dirname "$0")/../common/wires.sh"
mkfifo -m 600 a b

for mask in 0 d983; do
	one="-w pipe:a|b -o $mask -m 02:00:00:00:00:01 -a 10.8.0.1/24 -a fd08::1/64"
	two="-w pipe:b|a -o $mask -m 02:00:00:00:00:02 -a 10.8.0.2/24 -a fd08::2/64"
	# shellcheck disable=SC2086
	serve - $one echo 7
	talk - "$two" 10.8.0.1 fd08::1
	# shellcheck disable=SC2086
	timeout -s KILL 0.7 "${NODE[@]}" $two rr 10.8.0.1 7 5 >/dev/null 2>&1 || true
	# shellcheck disable=SC2086
	node - $two ping 10.8.0.1 3
	stop_serving
	stream "- $one" "- $two" 10.8.0.2 40000000
	stream "- $two" "- $one" fd08::1 40000000
done
