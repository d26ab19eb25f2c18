#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Go programs, built with the standard toolchain: HTTP server and clients with
# garbage collection and preemption, static under lkl-run, with libc under both
# ways in; a relay and its memory, netlink.

. "$(dirname "$0")/../common/tools.sh"
GO=$BUILD/tests

out=$(lkl-run --stats "$GO/run-http" 2>stats) || { cat stats; fail "http"; }
[ "$out" = "1800 answers, a helper
$(realpath "$GO/run-http")" ] || fail "http: $out"
read -r library < <(sed -n 's/lkl-run: \([0-9]*\) calls of the library.*/\1/p' stats)
[ "$library" -gt 10000 ] || fail "http: $library calls of the library"
read -r sites signals < <(sed -n \
	's/.* \([0-9]*\) sites rewritten.*), 0 not; \([0-9]*\) sig.*/\1 \2/p' stats)
[ "$signals" -le $((sites + 30)) ] || fail "http: $signals signals for $sites sites"

# The stack of a goroutine has no room for anything of ours.
for way in lkl-hijack.sh lkl-run; do
	out=$($way "$GO/run-http-cgo") || fail "http with libc, $way"
	[ "$out" = "1800 answers, a helper
$(realpath "$GO/run-http-cgo")" ] || fail "http with libc, $way: $out"
done

# Resident memory: 1.3 times the host's, beside what the library takes when
# nothing happens, and its RAM with the page structures, 64 bytes for 4 KiB each.
read -r _ host_idle _ < <("$GO/run-relay" 0)
read -r _ idle idle_ram < <(lkl-run "$GO/run-relay" 0)
read -r host_rate host _ < <("$GO/run-relay" 40)
# The median of some runs: it depends on when garbage is collected.
read -r rate own ram < <(for ((i = 0; i < 5; i++)); do
	lkl-run "$GO/run-relay" 40
done | sort -n -k 2 | sed -n 3p)
echo "relay: host $host_rate MB/s, $host KiB;" \
	"lkl-run $rate MB/s, $own KiB, of them $((idle - host_idle)) the library; RAM $ram KiB"
[ -n "$own" ] || fail "relay"
own=$((own - (idle - host_idle) - (ram - idle_ram) / 64))
[ $own -le $((host * 13 / 10)) ] || fail "relay: $own KiB of its own"

out=$(lkl-run "$GO/run-netlink") || fail "netlink"
[ "$out" = "192.0.2.0/24 192.0.2.1" ] || fail "netlink: $out"
