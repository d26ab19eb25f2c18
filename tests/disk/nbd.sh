#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Disks that an NBD server has, and images that qemu-nbd reads.

. "$(dirname "$0")/../common/tools.sh"
need qemu-nbd qemu-img qemu-io nbdkit mkfs.ext4 sfdisk flock

# No qemu-nbd of ours is left, and no socket.
gone() {
	[ "$(pgrep -f "^qemu-nbd .*$TMP" -r R,S,D)" = "${own-}" ] || fail "qemu-nbd still runs"
	[ "$(compgen -G '/tmp/lkl-??????/nbd')" = "$sockets" ] || fail "a socket is left"
}
sockets=$(compgen -G '/tmp/lkl-??????/nbd' || true)

mkdir tree
seq 300000 >tree/big
for i in $(seq 50); do echo "$i" >"tree/$i"; done
image raw 64M mkfs.ext4 -q

# All formats, and partitions in them
for format in qcow2 vmdk vhdx vdi; do
	qemu-img convert -O $format raw disk.$format
	cptofs -i disk.$format tree /
	gone
	cpfromfs -i disk.$format /tree out
	gone
	diff -r tree out
	rm -rf out
	qemu-img convert -O raw disk.$format back
	check ext4 back
done
truncate -s 100M parts
sfdisk -q parts <<-END
	label: dos
	1 : size=10M, type=83
	2 : size=80M, type=5
	5 : size=70M, type=83
END
start=$(sfdisk -q -l -o Device,Start parts | awk '$1 == "parts5" { print $2 }')
dd if=raw of=parts bs=1M seek=$((start * 512)) oflag=seek_bytes conv=notrunc,sparse status=none
qemu-img convert -O qcow2 parts parts.qcow2
cptofs -i parts.qcow2 -P 5 tree /

# The content tells the format, whatever the name, and which partition it is.
mv parts.qcow2 named.img
lkl ls named.img | grep -qx tree || fail "the format has to be in the name"
mv named.img parts.qcow2
cp raw raw.vmdk
lkl ls raw.vmdk | grep -qx lost+found || fail "a raw image with another name"
rm raw.vmdk
lkl info parts.qcow2 | grep -Eq '^ +5 .* ext4 ' || fail "info sees no partition"

head -c 30000000 /dev/urandom >big
cptofs -i disk.qcow2 big /

# To read does not write.
cksum disk.qcow2 >before
chmod a-w disk.qcow2
cpfromfs -i disk.qcow2 /big out
cmp big out
cksum disk.qcow2 | cmp - before
chmod u+w disk.qcow2

# A server of another program
qemu-nbd --fork -t -e 8 -k "$TMP/sock" -f raw --pid-file=pid raw
own=$(cat pid)
trap 'kill "$own"; cleanup' EXIT
uri="nbd+unix:///?socket=$TMP/sock"
cptofs --sync -i "$uri" tree /
# Its URI has colons of its own.
lkl diff "$uri:/tree" tree || fail "a path behind a URI"
lkl cp "$uri:/tree" here
diff -r tree here
lkl cp here "$uri:/"
lkl rm -r "$uri" /here
cpfromfs -i "$uri" /tree out2
diff -r tree out2
check ext4 raw
nbdkit -U - --filter=delay file raw rdelay=1ms --run 'cpfromfs -i "$uri" /tree/big out3'
cmp tree/big out3

# The confined server may work with a connection it has, but not make one.
if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	mkdir mnt
	lklfuse disk.qcow2 mnt
	cmp big mnt/big
	cp -r tree mnt/copy
	sync mnt/copy/1
	fusermount3 -u mnt
	flock disk.qcow2 true
	gone
	cpfromfs -i disk.qcow2 /copy out4
	diff -r tree out4
fi

# Mistakes are told in a line.
echo nonsense >bad.qcow2
truncate -s 1M bad.qcow2
refuses 2 "no file system found in 'bad.qcow2'" cptofs -i bad.qcow2 tree /
printf 'QFI\373nonsense' | dd of=bad.qcow2 conv=notrunc status=none
refuses 2 "cannot open 'bad.qcow2': .*" cptofs -i bad.qcow2 tree /
refuses 2 "cannot open 'no.qcow2': No such file or directory" cptofs -i no.qcow2 tree /
refuses 2 "cannot connect to 'nbd\+unix:///\?socket=none': No such file or directory" \
	cptofs -i 'nbd+unix:///?socket=none' tree /
mkdir bin
for tool in bash cptofs; do ln -s "$(command -v $tool)" bin; done
refuses 2 "'disk.qcow2' needs qemu-img, which is not installed \(package qemu-utils\)" \
	env PATH="$TMP/bin" "$BIN/cptofs" -i disk.qcow2 tree /
mkfifo locked
stdbuf -oL qemu-io -f qcow2 -c 'read 0 512' -c 'sleep 60000' disk.qcow2 >locked &
read -r <locked
refuses 2 "cannot open 'disk.qcow2': Failed to get .write. lock.*" \
	cptofs -i disk.qcow2 tree /
kill $!
gone

turns=0
# a tool that is killed while it starts leaves no server: not before it is connected either
for tool in "lkl ls disk.qcow2" "lkl write --no-sandbox disk.qcow2 /x" "lkl serve disk.qcow2 sock"; do
	for delay in 0.01 0.02 0.03 0.04 0.05 0.06 0.08 0.1 0.15 0.2; do
		rm -f sock
		# shellcheck disable=SC2086
		{ timeout -s KILL $delay $tool </dev/zero; } >/dev/null 2>&1 || true
		until [ "$(pgrep -f "^qemu-(nbd|img) .*$TMP" -r R,S,D)" = "${own-}" ]; do
			[ $((turns += 1)) -lt 500 ] || fail "a server is left by $tool after $delay s"
			sleep 0.02
		done
	done
done
