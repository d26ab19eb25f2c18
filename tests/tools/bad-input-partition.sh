#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A partition that is not there is refused with a line that names those that are.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 sfdisk

echo x >file
image img 64M mkfs.ext4 -q
refuses 2 "'img' has no partition 2 and no partition table" \
	cptofs -P 2 -i img file /
truncate -s 64M disk
printf 'label: gpt\n,10M,L\n,20M,L\n' | sfdisk -q disk
refuses 2 "'disk' has no partition 3; it has: 1, 2" cptofs -P 3 -i disk file /
refuses 2 "no file system found in partition 2 of 'disk'" \
	cptofs -P 2 -i disk file /
refuses 2 "'disk' is partitioned, choose one with -P: 1, 2" \
	cpfromfs -i disk / out
