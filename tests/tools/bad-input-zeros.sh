#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An image without a file system is refused with one line that says so.

. "$(dirname "$0")/../common/tools.sh"
echo x >file
truncate -s 64M zeros
refuses 2 "no file system found in 'zeros'" cptofs -i zeros file /
refuses 2 "no file system found in 'zeros'" cpfromfs -i zeros / out
for type in ext4 xfs btrfs vfat; do
	refuses 2 "cannot mount 'zeros' as $type: no file system found in it" \
		cptofs -i zeros -t $type file /
done
: >empty
refuses 2 "'empty' is empty" cptofs -i empty file /
head -c 10M /dev/urandom >random
refuses 2 "no file system found in 'random'" cptofs -i random file /
refuses 2 "cannot mount 'random' as ext4: no file system found in it" \
	cptofs -i random -t ext4 file /
refuses 2 "'empty' is empty" lkl serve empty sock
[ ! -e sock ] || fail "the socket is left"
