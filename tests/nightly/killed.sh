#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# After a writer was killed all that was fsynced is there, and the journal's
# replay is all the repair it takes; killed.c says what the writer does.
#
# usage: killed.sh [ROUNDS [SEED]]

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.f2fs
rounds=${1:-50} seed=${2:-20261121}

make_image() {
	case $1 in
	ext4) image img 128M mkfs.ext4 -q ;;
	xfs) image img 320M mkfs.xfs -q ;;
	btrfs) image img 256M mkfs.btrfs -q ;;
	f2fs) image img 128M mkfs.f2fs -q ;;
	esac
}

status=0
for type in ext4 xfs btrfs f2fs; do
	damaged=0
	for ((round = 0; round < rounds; round++)); do
		make_image $type
		"$BUILD/tests/killed" $type img $((seed + round)) >>$type.log 2>&1 ||
			echo "round failed" >>$type.log
		(check $type img) >fsck.log 2>&1 || {
			tail -n 5 fsck.log
			damaged=$((damaged + 1))
		}
	done
	grep -E '^lost:|failed|killed\.c' $type.log | head -n 5 || true
	awk -v fs=$type -v rounds=$rounds -v damaged=$damaged '
		/ there, / { done++; there += $1; lost += $3 }
		END {
			printf "%s: %d rounds, %d fsynced files there, %d lost, %d damaged\n",
				fs, done, there, lost, damaged
			exit done != rounds || lost || damaged || !there
		}' $type.log || status=1
done
exit $status
