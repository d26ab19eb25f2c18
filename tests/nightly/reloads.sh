#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Twenty reloads of haproxy and of nginx each, under 10,000 requests, and a minute of pgbench.

set -e
HERE=$(cd "$(dirname "$0")/../hijack" && pwd)
RELOADS=20 REQUESTS=10000 "$HERE/hijack-reload.sh"
PGBENCH_SECONDS=60 "$HERE/hijack-servers.sh"
