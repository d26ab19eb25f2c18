#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is in an image gives no orders to a terminal: names, targets of links,
# attributes, labels, with control characters of ASCII and beyond.  Other letters
# are left as they are.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 script sfdisk setfattr

# ESC ], BEL, CSI in UTF-8 and as a byte; À and 愛 have such bytes, too
mkdir tree
touch tree/$'esc\e]0;evil\a' tree/$'utf\xc2\x9b31m' tree/$'byte\x9b31m' tree/plain \
	tree/$'\xc3\x80' tree/$'\xe6\x84\x9b'
ln -s $'\e[31m\xc2\x9b\x9b' tree/link
setfattr -n user.$'a\e\xc2\x9bb' -v $'\e[1m' tree/plain
image part 16M mkfs.ext4 -q -L $'l\e[1m\xc2\x9bl'
cptofs -i part tree/. /
truncate -s 20M img
printf 'label: gpt\nstart=2048, size=32768, name="n\e[1m\xc2\x9bn"\n' | sfdisk -q img
dd if=part of=img bs=1M seek=1 conv=notrunc status=none

mkdir out.d
# typed COMMAND: what a terminal gets has none of these bytes
typed() {
	script -qec "$1" /dev/null </dev/null >out 2>&1 || true
	# script itself writes lines as a terminal does
	python3 -c '
import re, sys
text = open("out", "rb").read().replace(b"\r\n", b"\n")
for good in b"\xc3\x80", b"\xe6\x84\x9b", b"\r", b"\x1b[K":	# letters; our own progress
    text = text.replace(good, b"")
bad = re.findall(rb"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
sys.exit(f"{sys.argv[1]}: {bad} in {text}" if bad or not text else 0)' "$1" || fail "$1"
}
for verb in "ls img" "ls -l img" "ls -R img" "find img /" "find img / -ls" "du -a img" "sum -r img /" \
	"diff img out.d" "inspect img" "fsck -fn part" "df img" "info img" "info part" \
	"stat img /link" "tree img" "rm -v img /none" \
	"ls img /no$(printf '\e')ne"; do
	lkl ${verb%% *} --help >/dev/null 2>&1 || continue
	typed "lkl $verb"
done
# messages of the kernel quote labels
if command -v mkfs.btrfs >/dev/null; then
	image btrfs 128M mkfs.btrfs -q -L $'l\e[1m\xc2\x9bl'
	for command in "lkl ls -p btrfs" "lkl info -p btrfs" "lkl log btrfs" "cpfromfs -p -i btrfs / out"; do
		typed "$command"
		[ "${command%% log*}" = "$command" ] || continue
		grep -aq "device label l?\[1m?l" out || { cat -v out; fail "$command: no label"; }
		rm -rf out
	done
fi
# errors of the tools, on names of the image
for name in tree/*m; do mkdir -p "out.d/${name#tree/}"; done
typed "cpfromfs -i img /. out.d"
typed "cptofs -i img tree/* /none"
typed "fs2tar img /dev/full"
typed "lkl ls -t \$'x\e[1m' img"
typed "lkl ls -m \$'\xc2\x9b' img"
for verb in "ls img" "find img /"; do
	script -qec "lkl $verb" /dev/null </dev/null >out
	grep -q $'\xc3\x80' out && grep -q $'\xe6\x84\x9b' out || { cat out; fail "letters are lost"; }
done
# where no terminal reads, names are bytes
lkl ls img | grep -qa $'^byte\x9b31m$' || fail "a name is changed"
