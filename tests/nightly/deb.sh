#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages: made without root, twice the same, without errors for lintian; in a
# fresh root they install, run, and leave nothing when they are removed.

. "$(dirname "$0")/../common/tools.sh"
need make dpkg-buildpackage dh dh_python3 eu-unstrip chrpath lintian mmdebstrap
unset MAKEFLAGS MAKELEVEL
# the files for gdb take minutes
export DEB_BUILD_OPTIONS=noautodbgsym

for n in 1 2; do
	"$TOP/packaging/deb.sh" "$TOP" "$BUILD" 0.1 "$TMP/$n" >list || fail "make deb"
	[ "$(grep -c '\.deb$' list)" = 7 ] || fail "$(wc -l <list) packages"
done
(cd 1 && sha256sum ./*.deb) >sums
(cd 2 && sha256sum --quiet -c -) <sums || fail "not the same twice"

lintian --allow-root --fail-on error 1/*.deb >log 2>&1 ||
	{ grep ^E: log; fail "lintian"; }

# Where there is no mirror, there is no fresh root.
is_root || skip "a fresh root needs root here"
sources=(/etc/apt/sources.list)
[ -s "${sources[0]}" ] || sources=(/etc/apt/sources.list.d/*.sources)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mmdebstrap --quiet --variant=apt "$suite" root "${sources[@]}" >log 2>&1 || {
	tail -n 3 log
	skip "no fresh root can be made"
}
# In the root, with /proc.
run() {
	unshare -m sh -c 'mount -t proc proc root/proc && exec chroot root "$@"' sh \
		env -u TMPDIR DEBIAN_FRONTEND=noninteractive "$@"
}
files() { (cd root && find . -xdev \( -path ./var -o -path ./tmp -o -path ./etc/apt \
	-o -path ./etc/ld.so.cache \) -prune -o -print | sort); }
mkdir root/tmp/debs
cp 1/*.deb root/tmp/debs
# What they depend on is not theirs: it is there before.
run sh -c 'apt-get -qq update && apt-get install -qq -y --no-install-recommends \
	e2fsprogs python3 $(for deb in /tmp/debs/*.deb; do dpkg-deb -f $deb Depends; done |
	tr "," "\n" | sed "s/[(|].*//" | sort -u | grep -v lkl)' >log 2>&1 ||
	{ tail log; skip "what they depend on cannot be installed"; }
files >before
run sh -c 'dpkg -i /tmp/debs/*.deb' >log 2>&1 || { grep -A2 "^dpkg: " log; fail "not installed"; }

run sh -ec '
	truncate -s 64M disk.img
	mkfs.ext4 -q disk.img
	cptofs -i disk.img /usr/lib/os-release /
	lkl cat disk.img /os-release | cmp - /etc/os-release
	python3 -c "
import lkl
with lkl.image(\"disk.img\") as fs:
    assert fs.open(\"/os-release\").read() == open(\"/etc/os-release\").read()"
	lkl-run cat /proc/net/dev | grep -q lo:
	lkl-hijack.sh cat /proc/net/dev | grep -q lo:
	lklfuse --version
	! lkl-run --trace true 2>&1 | grep -q "cannot"
	rm disk.img' >log 2>&1 || { tail log; fail "they do not run"; }

run sh -c 'dpkg -P $(for deb in /tmp/debs/*.deb; do dpkg-deb -f $deb Package; done)' \
	>log 2>&1 || { tail log; fail "not removed"; }
files >after
diff before after || fail "something is left"
