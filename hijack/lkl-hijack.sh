#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl-hijack.sh PROGRAM [ARGUMENT]...: run a program on a network stack of its
# own; see lkl-hijack(1).  What the dynamic linker cannot take there, lkl-run
# does.

if [ $# = 0 ]; then
	echo "usage: lkl-hijack.sh PROGRAM [ARGUMENT]..." >&2
	exit 2
fi
here=$(dirname "$(readlink -f "$0")")
if [ "${LKL_HIJACK_ZPOLINE:-0}" = 1 ]; then
	exec "$here/lkl-run" -- "$@"
fi
exec "$here/lkl-run" --preload "$here/../lib/liblkl-hijack.so" -- "$@"
