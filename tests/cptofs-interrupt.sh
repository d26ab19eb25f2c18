#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A signal stops a copy, and the file system is unmounted properly.

. "$(dirname "$0")/tools.sh"
need mkfs.ext4

mkdir tree
for i in $(seq 40); do
	mkdir "tree/$i"
	for j in $(seq 100); do
		echo "$i $j" >"tree/$i/$j"
	done
done
truncate -s 1G tree/big
head -c 300M /dev/zero | tr '\0' x >tree/40/big

for signal in INT TERM HUP; do
	image img 2G mkfs.ext4 -q
	status=0
	# a shell makes its background jobs ignore SIGINT, python does not
	python3 - "$signal" <<'END' || status=$?
import signal, subprocess, sys, time

p = subprocess.Popen(["cptofs", "-i", "img", "tree", "/"])
time.sleep(0.15)
p.send_signal(getattr(signal, "SIG" + sys.argv[1]))
sys.exit(-p.wait())
END
	[ $status = "$(kill -l "$signal")" ] || fail "$signal: status $status"
	check ext4 img
	# complete files only
	cpfromfs -i img / "out.$signal"
	for file in "out.$signal"/tree/*/*; do
		[ -e "$file" ] || continue
		cmp "$file" "tree/${file#out."$signal"/tree/}"
	done
done
