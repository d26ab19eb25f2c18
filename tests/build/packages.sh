#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each file that is installed is in a Debian package, and in one only.  That the
# packages work is a nightly test, as it takes minutes.

. "$(dirname "$0")/../common/tools.sh"
need make dh_install dh_missing
unset MAKEFLAGS MAKELEVEL

mkdir lkl
cp -r "$TOP/packaging/debian" lkl
make -s -C "$TOP" install DESTDIR="$TMP/lkl/debian/tmp" PREFIX=/usr >log 2>&1 ||
	{ tail -20 log; fail "make install"; }
cd lkl
printf 'lkl (0.1) unstable; urgency=medium\n\n  * x\n\n -- %s  %s\n' \
	"$(sed -n 's/^Maintainer: //p' debian/control)" "$(date -R)" >debian/changelog
# deb.sh joins them with what they belong to
find debian/tmp -name '*.debug' -delete
dh_install
dh_missing --fail-missing >../log 2>&1 || { cat ../log; fail "in no package"; }
twice=$(cd debian && find liblkl* lkl* python3-lkl -type f -printf '%P\n' 2>/dev/null |
	grep ^usr/ | sort | uniq -d)
[ -z "$twice" ] || fail "in two packages: $twice"
