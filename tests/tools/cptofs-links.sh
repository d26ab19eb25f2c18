#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Symbolic links to directories in the image are followed only when asked to.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

mkdir -p base/usr/lib add/lib/modules
ln -s usr/lib base/lib
ln -s ../../../usr/lib base/up
echo x >add/lib/modules/file
chmod 700 add/lib/modules
cp -r add/lib add/up
tar -C add -cf add.tar ./lib/modules/file

for tool in "cptofs -i img" tar2fs; do
	image img 64M mkfs.ext4 -q
	cptofs -i img base/. /
	case $tool in
	tar2fs) args="add.tar img" ;;
	*) args="add/. /" ;;
	esac
	# shellcheck disable=SC2086
	$tool $args 2>log && fail "followed"
	grep -q "cannot open directory 'img:/lib': Not a directory" log ||
		{ cat log; fail "not refused"; }
	# shellcheck disable=SC2086
	$tool --keep-directory-symlink $args
	lkl cat img /usr/lib/modules/file | cmp - add/lib/modules/file
	[ "$(lkl ls img /usr)" = lib ] || fail "went elsewhere"
	lkl ls -l img /lib | grep -q -- '/lib -> usr/lib' || fail "no link"
	check ext4 img
done
