#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Twenty reloads of haproxy and of nginx each, under 10,000 requests, a minute of pgbench,
# scp of 100 MB, and a process with the kernel that is killed 200 times.

set -e
HERE=$(cd "$(dirname "$0")/../hijack" && pwd)
RELOADS=20 REQUESTS=10000 "$HERE/hijack-reload.sh"
PGBENCH_SECONDS=60 "$HERE/hijack-servers.sh"
SCP_BYTES=100000000 "$HERE/hijack-sshd.sh"
for way in lkl-hijack.sh lkl-run; do
	HIJACK_BY=$way KILLED_ROUNDS=200 "${BUILD:-$HERE/../../build}/tests/hijack-killed"
done
