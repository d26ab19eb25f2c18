#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A raw wire on an interface without link-layer addresses, whose host has one
# address only: the library shares it, needs no gateway, and can stand before a
# server of the host's as a proxy does.  The other end of the interface is the
# library again.
. "$(dirname "$0")/../common/wires.sh"
needs_root
need nft
space a

cat >venet.py <<'EOF'
import fcntl, os, struct, subprocess, sys
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', b'venet0', 0x1001))
for line in ('addr add 10.6.0.1/32 dev venet0', 'link set venet0 up',
             '-6 addr add fd06::1/128 dev venet0 nodad',
             'route add default dev venet0', '-6 route add default dev venet0'):
    subprocess.run(['ip', *line.split()], check=True)
os.set_inheritable(fd, True)
os.environ['LKL_HIJACK_NET_IFPARAMS'] = str(fd)
os.execv(sys.argv[1], [a.replace('FD', str(fd)) for a in sys.argv[1:]])
EOF
# outside PROGRAM...: what is reached through the interface
outside() {
	in_space_of a
	: >outside.err
	"${RUN[@]}" python3 venet.py "$@" >outside.log 2>outside.err &
	OUTSIDE=$!
	JOBS+=("$OUTSIDE")
}
other=("${NODE[@]}" -w fd:FD -a 10.6.0.2/24 -a fd06::2/64)

# interface: wait for it
interface() {
	local i
	for ((i = 0; i < 300; i++)); do
		! in_space a test -e /sys/class/net/venet0 || return 0
		sleep 0.1
	done
	cat outside.err
	fail "no interface"
}

lkl="-w raw:venet0,80 -a 10.6.0.1/32 -g dev -a fd06::1/64"
outside "${other[@]}" echo 7
await outside.err "$OUTSIDE"
node a ping 10.6.0.2 3
talk a "$lkl" 10.6.0.2
# shellcheck disable=SC2086
node a $lkl rr fd06::2 7 0.2
kill "$OUTSIDE"
wait "$OUTSIDE" || true

# The proxy listens on the host's address in the library's stack, and connects
# to the server through the host's.
outside "${other[@]}" source 10.6.0.1 80 20000000
interface
serve a -c sink 8080
sink=$SERVER
# shellcheck disable=SC2086
node a $lkl proxy 80 127.0.0.1 8080
wait "$sink" || { cat served.err; fail "the server failed"; }
wait "$OUTSIDE" || { cat outside.err; fail "the source failed"; }
grep -q "^bytes=20000000 " served.log || fail "lost bytes"

# The example: haproxy as it is, and as its README says.
if ! command -v haproxy curl >/dev/null; then
	echo "(without haproxy or curl)"
	exit
fi
EXAMPLE=$TOP/examples/venet
mkdir www haproxy
for name in haproxy.cfg lkl-hijack.json; do
	sed 's/192.0.2.10/10.6.0.1/' "$EXAMPLE/$name" >haproxy/$name
done
head -c 8000000 /dev/urandom >www/file
in_space_of a
"${RUN[@]}" python3 -m http.server -b 127.0.0.1 -d www 8080 >/dev/null 2>&1 &
JOBS+=($!)
LKL_HIJACK_NET_IFTYPE=fd LKL_HIJACK_NET_IP=10.6.0.2 \
	LKL_HIJACK_NET_NETMASK_LEN=32 outside "$BIN/lkl-hijack.sh" curl -sS \
	--retry 10 --retry-all-errors --retry-delay 1 http://10.6.0.1/file
interface
(cd haproxy && exec "${RUN[@]}" "$BIN/lkl-hijack.sh" haproxy -db -f haproxy.cfg) \
	>haproxy.log 2>&1 &
JOBS+=($!)
wait "$OUTSIDE" || { cat outside.err haproxy.log; fail "haproxy does not serve"; }
cmp outside.log www/file || fail "haproxy serves something else"
