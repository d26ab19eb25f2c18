#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh PACKAGE...: install those Debian packages that are missing.
set -eu

missing=
for package; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
		grep -q ' installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "deps: this is no Debian system; please install:$missing" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	if ! command -v sudo >/dev/null; then
		echo "deps: neither root nor sudo here; please install:$missing" >&2
		exit 1
	fi
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo apt-get install -q -y --no-install-recommends $missing
