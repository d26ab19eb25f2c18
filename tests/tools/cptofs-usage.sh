#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Help, version and mistakes on the command line are what they should be.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

for tool in cptofs cpfromfs; do
	"$tool" --help | grep -q "^Usage: $tool " || fail "$tool --help"
	"$tool" --version | grep -Eq "^$tool \(lkl\) [0-9]" || fail "--version"
	bad_usage "$tool" "" "-i img" "-i img a" "--none" "-i img -m x a b" \
		"-i img -o 1:x a b" "-i img -P -1 a b" "a b"
done
