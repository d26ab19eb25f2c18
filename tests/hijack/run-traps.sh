#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl-run on hosts that trap system calls with a filter only, on ones that do
# not at all, and without changing the program.

. "$(dirname "$0")/../common/tools.sh"
need strace busybox bash python3
export UNDER_LKL_RUN=1

for test in run-code hijack-signals run-threads; do
	lkl-run --seccomp "$BUILD/tests/$test" || fail "$test with seccomp"
done
out=$(lkl-run --seccomp "$BUILD/tests/run-http") || fail "run-http: $out"
for how in --seccomp --no-rewrite "--seccomp --no-rewrite"; do
	# shellcheck disable=SC2086
	out=$(lkl-run $how bash -c 'lkl-run true; (busybox echo x; exit 3) | cat; echo ${PIPESTATUS[0]}')
	[ "$out" = "x
3" ] || fail "$how: $out"
	# shellcheck disable=SC2086
	lkl-run $how --stats busybox sh -c 'echo >/dev/null; sleep 0' 2>stats
	read -r sites signals < <(sed -n 's/.* \([0-9]*\) sites rewritten.*; \([0-9]*\) sig.*/\1 \2/p' stats)
	case $how in
	*no-rewrite) [ "$sites" = 0 ] || fail "$how: $(cat stats)" ;;
	*) [ "$sites" -gt 5 ] || fail "$how: $(cat stats)" ;;
	esac
	[ "$signals" -gt 5 ] || fail "$how: $(cat stats)"
done

# A filter stays with what a program that has sockets executes: that is on the
# library's network all the same, which a setting tells from the host's.
seen='cat /proc/sys/net/ipv4/tcp_fin_timeout'
# A script may be shorter than an ELF header.
echo "$seen" >s
printf '#!/bin/sh\n. ./s\n' >short
chmod +x short
for how in "" --seccomp; do
	# shellcheck disable=SC2086
	out=$(LKL_HIJACK_SYSCTL=net.ipv4.tcp_fin_timeout=17 lkl-run $how python3 -c '
import socket, subprocess, sys
s = socket.socket()
subprocess.run(["./short"], check=True)
subprocess.run(["busybox", "sh", "-c", "busybox " + sys.argv[1] + "; exit 0"], check=True)' "$seen")
	[ "$out" = "17
17" ] || fail "$how: executed with sockets: $out"
done

# A host of before Linux 5.11: prctl(59) is what it does not know.
strace -f -o log -e inject=prctl:error=EINVAL:when=1 lkl-run --stats busybox ls / >out 2>stats ||
	fail "no syscall user dispatch: $(cat stats)"
grep -q SECCOMP_MODE_FILTER log || fail "no filter"
[ "$(cat out)" = "$(ls /)" ] || fail "$(cat out)"
status=0
strace -f -o log -e inject=prctl:error=EINVAL lkl-run busybox true 2>err || status=$?
[ $status = 125 ] && [ "$(wc -l <err)" = 1 ] && grep -q "neither.*seccomp" err ||
	fail "no traps: status $status, $(cat err)"
