#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# source.sh DIRECTORY PACKAGE...: put the newest source that Debian has of each of its source
# packages, with its patches, into DIRECTORY/PACKAGE, unless it is there already.
#
# apt fetches it from where it has the machine's own packages, and checks who made it.  It
# is told of sources in a directory of its own, so that the machine's settings stay as they
# are, and nobody need be root.
set -eu

to=$1
shift
missing=
for package; do
	[ -e "$to/$package" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-source >/dev/null; then
	echo "source: no apt-get or dpkg-source here; please unpack into $to:$missing" >&2
	exit 1
fi

mkdir -p "$to"
work=$(mktemp -d "$(realpath "$to")/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ ! -e $keys ] || signed="[signed-by=$keys] "
# shellcheck disable=SC2016
apt-get indextargets --format "deb-src ${signed:-}"'$(REPO_URI) $(RELEASE) $(COMPONENT)' \
	'Created-By: Packages' 'Origin: Debian' | sort -u >"$work/sources.list"

apt() {
	command=$1
	shift
	"$command" -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

# fetch PACKAGE: into DIRECTORY/PACKAGE.
fetch() {
	# What a mirror lists it may have no more, or not yet.
	for version in $(apt apt-cache madison "$1" | awk '/ Sources$/ { print $3 }'); do
		rm -rf "$work/package"
		mkdir "$work/package"
		(cd "$work/package" && apt apt-get source --only-source --download-only \
			"$1=$version") >>"$work/log" 2>&1 || continue
		dpkg-source -x "$work"/package/*.dsc "$work/package/tree" >>"$work/log" 2>&1 ||
			return 1
		mv "$work/package/tree" "$to/$1"
		echo "  SOURCE  $1 $version"
		return 0
	done
	return 1
}

if ! apt apt-get update >"$work/log" 2>&1; then
	cat "$work/log" >&2
	exit 1
fi
for package in $missing; do
	if ! fetch "$package"; then
		cat "$work/log" >&2
		echo "source: cannot get the source of $package" >&2
		exit 1
	fi
done
