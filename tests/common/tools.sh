# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of the tools share.  Source it first: it makes a temporary
# directory, goes there, and removes it at the end.
#
# BIN is where the tools are, TOP the top of the source tree, COMMON this folder.

set -eu -o pipefail
umask 022
export LC_ALL=C
COMMON=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$COMMON/../.." && pwd)
BIN=$(cd "${BIN:-${BUILD:-$TOP/build}/bin}" && pwd)
PATH=$BIN:$PATH:/usr/sbin:/sbin
# What liblkl.a needs beside it, unless the program reads configuration files.
export LKL_LIBS="-lpthread -ldl -lm -lrt"
TMP=$(mktemp -d)
cd "$TMP"
trap 'cleanup' EXIT

cleanup() {
	cd /
	chmod -R u+rwx "$TMP" 2>/dev/null || true
	rm -rf "$TMP"
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# skip REASON
skip() {
	echo "skip: $*"
	exit 77
}

# need PROGRAM...
need() {
	local program
	for program; do
		command -v "$program" >/dev/null || skip "no $program here"
	done
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# image FILE SIZE MKFS...: make a file system in a file
image() {
	local file=$1 size=$2
	shift 2
	rm -f "$file"
	truncate -s "$size" "$file"
	"$@" "$file" >mkfs.log 2>&1 || { cat mkfs.log; fail "$*"; }
}

# encrypt FILE TO: as LUKS 1, with the passphrase in the file key
encrypt() {
	local i
	# it measures the time of a very short run, which may fail
	for ((i = 0; i < 30; i++)); do
		! qemu-img convert -O luks --object secret,id=s,file=key \
			-o key-secret=s,iter-time=10 "$1" "$2" 2>encrypt.log || return 0
	done
	cat encrypt.log
	fail "qemu-img cannot encrypt"
}

# check TYPE FILE: the host's own check finds nothing
check() {
	local log
	case $1 in
	ext*) log=$(e2fsck -fn "$2" 2>&1) ;;
	xfs) log=$(xfs_repair -n "$2" 2>&1) ;;
	btrfs) log=$(btrfs check --readonly "$2" 2>&1) ;;
	vfat) log=$(fsck.vfat -n "$2" 2>&1) ;;
	exfat) log=$(fsck.exfat -n "$2" 2>&1) ;;
	f2fs) log=$(fsck.f2fs --dry-run "$2" 2>&1) ;;
	*) fail "cannot check $1" ;;
	esac || { echo "$log"; fail "$1 in $2 is damaged"; }
}

# same [-s KINDS] A B: both trees are equal
same() {
	local skip=()
	[ "$1" != -s ] || { skip=(-s "$2"); shift 2; }
	"$COMMON/manifest.py" "${skip[@]}" "$1" >"$TMP/a.manifest"
	"$COMMON/manifest.py" "${skip[@]}" "$2" >"$TMP/b.manifest"
	diff "$TMP/a.manifest" "$TMP/b.manifest" >"$TMP/manifest.diff" ||
		{ cut -c1-300 "$TMP/manifest.diff"; fail "$1 and $2 differ"; }
}

# refuses STATUS PATTERN COMMAND...: it exits with the status, and its only line
# matches the pattern
refuses() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$@" >out.log 2>&1 || status=$?
	[ $status = "$want" ] ||
		{ cat out.log; fail "$*: exit status $status, not $want"; }
	[ "$(wc -l <out.log)" = 1 ] || { cat out.log; fail "$*: not one line"; }
	grep -Eq "^[a-z0-9 ]+: $pattern\$" out.log ||
		{ cat out.log; fail "$*: not '$pattern'"; }
}

# bad_usage TOOL ARGUMENTS...: each string of arguments is refused with a message
bad_usage() {
	local tool=$1 args status
	shift
	for args; do
		status=0
		# shellcheck disable=SC2086
		"$tool" $args >out.log 2>&1 || status=$?
		[ $status = 2 ] || fail "$tool $args: status $status"
		grep -q "^$tool: " out.log || fail "$tool $args: no message"
		grep -q -- "--help' for more" out.log || fail "$tool $args"
	done
}
