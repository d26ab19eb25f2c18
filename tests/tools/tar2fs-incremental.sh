#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tar2fs unpacks GNU tar's incremental archives, and says once that it deletes
# nothing; for other archives it does not, whatever their names contain.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 tar bsdtar zstd

# told ARCHIVE [FILE]: there is one line about it, and FILE is what tar2fs read
told() {
	image img 64M mkfs.ext4 -q
	tar2fs "$1" img 2>log <"${2:-/dev/null}" || { cat log; fail "$1: exit status $?"; }
	[ "$(cat log)" = "tar2fs: warning: '$1' is incremental; what was deleted since the archive before is kept" ] ||
		{ cat log; fail "$1: not told, or not once"; }
}

for format in gnu pax; do
	mkdir -p "$format"/inc/{sub,empty}
	cd "$format"
	touch inc/a inc/b inc/sub/f
	tar --format=$format -cf full.tar -g state inc
	rm inc/a
	touch inc/c
	tar --format=$format -cf next.tar -g state inc
	told full.tar
	tar2fs next.tar img 2>log
	[ "$(wc -l <log)" = 1 ] || { cat log; fail "told not once"; }
	[ "$(lkl ls img /inc | tr '\n' ' ')" = "a b c empty sub " ] || fail "$format: $(lkl ls img /inc)"
	zstd -q full.tar
	told full.tar.zst
	told - <(cat full.tar)
	# a list of names that is longer than what is read at a time, far from the beginning
	mkdir first many
	head -c 3000001 /dev/urandom >first/file
	(cd many && printf "%0200d\n" $(seq 4000) | xargs touch)
	tar --format=$format -cf long.tar first
	tar --format=$format -cf many.tar -g state2 many
	tar -Af long.tar many.tar
	[ $format = gnu ] || grep -aq "[0-9]\{6\} GNU.dumpdir=" long.tar || fail "a short list"
	told long.tar
	lkl ls img /many | wc -l | grep -qx 4000 || fail "$format: files of many"
	cpfromfs -i img /first/file out
	cmp first/file out
	# names are no contents, nor are contents headers
	mkdir "28 GNU.dumpdir=x"
	tar -cf "28 GNU.dumpdir=x/full.tar" full.tar
	tar --format=$format -cf plain.tar "28 GNU.dumpdir=x"
	image img 64M mkfs.ext4 -q
	tar2fs plain.tar img 2>log
	[ ! -s log ] || { cat log; fail "$format: a warning"; }
	cd ..
done
