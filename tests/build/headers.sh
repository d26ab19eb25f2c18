#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every header compiles, in C11 and C++17: first of all, twice, and behind the
# host's own headers; the public ones before them, too.

set -eu -o pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
INCLUDE=${INCLUDE:-$TOP/build/include}
[ -d "$INCLUDE/lkl" ] || { echo "FAIL: no headers in $INCLUDE" >&2; exit 1; }

HOST="sys/socket.h linux/if_tun.h sys/stat.h fcntl.h sys/epoll.h netinet/in.h
net/if.h signal.h sys/mman.h sys/un.h netinet/tcp.h arpa/inet.h unistd.h errno.h
poll.h time.h sys/time.h sys/select.h sys/uio.h sys/ioctl.h sys/mount.h
sys/statfs.h sys/resource.h sys/xattr.h sys/types.h stdio.h stdlib.h string.h
dirent.h pthread.h linux/netlink.h linux/rtnetlink.h linux/if_ether.h
linux/if_packet.h linux/fs.h linux/io_uring.h sys/eventfd.h sys/inotify.h
sys/timerfd.h sys/signalfd.h sys/utsname.h sys/sysinfo.h sys/wait.h termios.h
sys/quota.h sys/sysmacros.h netinet/ip.h netinet/ip6.h netinet/icmp6.h netdb.h
ifaddrs.h sys/msg.h sys/sem.h sys/shm.h mqueue.h linux/bpf.h linux/filter.h
linux/capability.h sched.h ucontext.h linux/if_link.h sys/prctl.h sys/ptrace.h"

# Not meant to be included directly, in no user space.
parts='^(asm-generic/.*|linux/(hdlc/ioctl|patchkey).h)$'

cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT

for header in $HOST; do
	echo "#include <$header>"
done >host.h
# This one is not for C++.
printf '#ifndef __cplusplus\n#include <linux/virtio_net.h>\n#endif\n' >>host.h

# compile LANGUAGE ARGUMENT...
compile() {
	local std=c11 language=$1
	shift
	[ "$language" = c++ ] && std=c++17
	gcc -x "$language" "-std=$std" -D_GNU_SOURCE "-I$INCLUDE" "-I$TOP/include" \
		-I/usr/include/libnl3 -I. "$@"
}

# try LANGUAGE HEADER
try() {
	local before=()
	[ "${2%%/*}" = lkl ] || before=(-include host.h)
	compile "$1" -fsyntax-only -include "$2" -include "$2" "${before[@]}" /dev/null &&
		compile "$1" -fsyntax-only -include precompiled.h -include "$2" /dev/null
}

cp host.h precompiled.h
mkdir precompiled.h.gch
gcc -x c-header -std=c11 -D_GNU_SOURCE host.h -o precompiled.h.gch/c
g++ -x c++-header -std=c++17 -D_GNU_SOURCE host.h -o precompiled.h.gch/c++
export -f compile try
export INCLUDE TOP

{
	(cd "$INCLUDE/lkl" && find . -name '*.h' -printf '%P\n' | grep -Ev "$parts" |
		sort | sed 's|^|lkl/|')
	(cd "$TOP/include" && ls -- *.h)
} >all
[ "$(wc -l <all)" -gt 500 ]
sed 's/^/c /; p; s/^c /c++ /' all |
	xargs -P "$(nproc)" -n 2 bash -c 'try "$@" || { echo "FAIL: $*"; exit 255; }' try
