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
case $1 in
--help)
	cat <<-END
	Usage: lkl-hijack.sh PROGRAM [ARGUMENT]...
	Run a program on a network stack of its own, that of a Linux kernel in the
	same process; see lkl-hijack(1) and lkl-config(5).

	  --help                    show this help
	  --version                 show the version

	Examples:
	  lkl-hijack.sh ip address show
	  LKL_HIJACK_NET_IFTYPE=user lkl-hijack.sh curl https://example.org/
	END
	exit
	;;
--version)
	"$here/lkl-run" --version | sed 's/^lkl-run/lkl-hijack.sh/'
	exit
	;;
esac
lib=$here/../lib run=$here/lkl-run
if [ "${LKL_SNAPSHOT:-no}" = yes ]; then
	lib=$lib/lkl-fixed
	run=$lib/lkl-run
fi
if [ "${LKL_HIJACK_ZPOLINE:-0}" = 1 ]; then
	exec "$run" -- "$@"
fi
exec "$run" --preload "$lib/liblkl-hijack.so" -- "$@"
