#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl-hijack.sh PROGRAM [ARGUMENT]...: run a program on a network stack of its
# own; see lkl-hijack(1).

if [ $# = 0 ]; then
	echo "usage: lkl-hijack.sh PROGRAM [ARGUMENT]..." >&2
	exit 2
fi
here=$(dirname "$(readlink -f "$0")")
if [ "${LKL_HIJACK_ZPOLINE:-0}" = 1 ]; then
	exec "$here/lkl-run" "$@"
fi
export LD_PRELOAD="$here/../lib/liblkl-hijack.so${LD_PRELOAD:+:$LD_PRELOAD}"
exec "$@"
