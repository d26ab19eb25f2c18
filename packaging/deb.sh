#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make Debian packages of what was built, as any user: deb.sh TOP BUILD VERSION OUT
#
# They are the same, bit by bit, for the same build and commit.

set -eu
export TOP=$1 BUILD=$2
version=$3 out=$4

for tool in dpkg-buildpackage dh dh_python3 eu-unstrip chrpath; do
	command -v $tool >/dev/null || {
		echo "deb: $tool is missing: install debhelper dh-python elfutils chrpath" >&2
		exit 1
	}
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$TOP" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

rm -rf "$out"
mkdir -p "$out/lkl"
cp -r "$TOP/packaging/debian" "$out/lkl"
cd "$out/lkl"
maintainer=$(sed -n 's/^Maintainer: //p' debian/control)
cat >debian/changelog <<END
lkl ($version) unstable; urgency=medium

  * Made from the source tree.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
umask 022
unset MAKEFLAGS MAKELEVEL
dpkg-buildpackage -b -us -uc >../log 2>&1 || {
	tail -n 30 ../log >&2
	exit 1
}
cd ..
rm -rf lkl
printf '%s\n' "$out"/*.deb
