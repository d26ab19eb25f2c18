#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Limits: a stack without one, after which the host maps libraries elsewhere; an
# address space with one, which is named.  And what lkl-run says of itself.

. "$(dirname "$0")/../common/tools.sh"
need python3 busybox

(
	ulimit -S -s unlimited || skip "the stack has a limit here"
	for way in lkl-run lkl-hijack.sh; do
		out=$($way /usr/bin/python3 -c '
import resource, ssl, socket
s = socket.socket()
print(resource.getrlimit(resource.RLIMIT_STACK)[0])')
		[ "$out" = -1 ] || fail "$way: dynamic, with no limit of the stack: $out"
		out=$($way busybox sh -c 'ulimit -s; ls -d /')
		[ "$out" = "unlimited
/" ] || fail "$way: static, with no limit of the stack: $out"
	done
)
for way in lkl-run lkl-hijack.sh; do
	status=0
	(ulimit -v 8000000 && exec $way true) 2>err || status=$?
	[ $status -gt 124 ] && [ "$(wc -l <err)" = 1 ] && grep -q "ulimit -v" err ||
		fail "$way: a limit of the address space: status $status, $(cat err)"
	status=0
	LKL_HIJACK_BOOT_CMDLINE=mem=8M $way true 2>err || status=$?
	[ $status -gt 124 ] && [ "$(wc -l <err)" = 1 ] && grep -q "16M is needed" err ||
		fail "$way: too little memory: status $status, $(cat err)"
done

lkl-run --help >out
grep -q -e --trace out && grep -q ^Examples out || fail "no help: $(cat out)"
for wrong in "" "--unknown true"; do
	status=0
	# shellcheck disable=SC2086
	lkl-run $wrong 2>err >out || status=$?
	[ $status = 2 ] && [ ! -s out ] && grep -q "lkl-run --help" err ||
		fail "lkl-run $wrong: status $status, $(cat err)"
done
