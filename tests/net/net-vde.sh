#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two library processes at a virtual switch.
. "$(dirname "$0")/../common/wires.sh"
need vde_switch
vde_switch -s "$TMP/switch" -d -p "$TMP/pid" </dev/null
for ((i = 0; i < 300; i++)); do
	[ ! -s pid ] || break
	sleep 0.1
done
JOBS+=("$(cat pid)")

one="-w vde:$TMP/switch -m 02:00:00:00:00:01 -a 10.5.0.1/24 -a fd05::1/64"
two="-w vde:$TMP/switch -m 02:00:00:00:00:02 -a 10.5.0.2/24 -a fd05::2/64"
# shellcheck disable=SC2086
serve - $one echo 7
talk - "$two" 10.5.0.1 fd05::1
stop_serving
stream "- $one" "- $two" 10.5.0.2 10000000
