#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A signal stops a copy, and the file system is unmounted properly.

. "$(dirname "$0")/../common/tools.sh"
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

# A shell makes its background jobs ignore SIGINT, python does not.
cat >interrupted.py <<'END'
import signal, subprocess, sys, time

p = subprocess.Popen(["cptofs", "-i", "img", "tree", "/"])
time.sleep(float(sys.argv[2]))
p.send_signal(getattr(signal, "SIG" + sys.argv[1]))
sys.exit(-p.wait())
END

for signal in INT TERM HUP; do
	# not so late that there is nothing left to interrupt
	for delay in 0.2 0.1 0.05 0.02; do
		image img 2G mkfs.ext4 -q
		status=0
		python3 interrupted.py $signal $delay || status=$?
		[ $status = 0 ] || break
	done
	[ "$status" = "$(kill -l $signal)" ] || fail "$signal: status $status"
	check ext4 img
	# complete files only
	cpfromfs -i img / "out.$signal"
	if [ -d "out.$signal/tree" ]; then
		diff -rq "out.$signal/tree" tree >diff.log || true
		! grep -v '^Only in tree' diff.log || fail "$signal: half a file"
	fi
	rm -rf "out.$signal"
done
