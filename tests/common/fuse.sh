# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of lklfuse share, on top of tools.sh.

. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need mkfs.ext4 fusermount3 flock mountpoint
[ -r /dev/fuse ] && [ -w /dev/fuse ] || skip "no access to /dev/fuse"
mkdir mnt
trap 'fusermount3 -uqz "$TMP/mnt" || true; cleanup' EXIT

# unmount IMAGE: and wait until the image is complete
unmount() {
	fusermount3 -u mnt
	flock "$1" true
}

# wait_for COMMAND...: a minute at most
wait_for() {
	local i
	for ((i = 0; i < 600; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	fail "waited in vain for: $*"
}
