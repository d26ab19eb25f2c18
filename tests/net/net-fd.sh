#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Descriptors that another program has opened: socket pairs of all types between
# two library processes, and as root a packet socket and a tap.
. "$(dirname "$0")/../common/wires.sh"

cat >pair.py <<'EOF'
import socket, subprocess, sys
node, kind, offload = sys.argv[1:]
pair = socket.socketpair(socket.AF_UNIX, getattr(socket, kind))

def start(n, *command):
    fd = pair[n].fileno()
    return subprocess.Popen(
        ['timeout', '60', node, '-w', f'fd:{fd}', '-o', offload, '-c',
         '-m', f'02:00:00:00:00:0{n}', '-a', f'fd08::{n}/64', *command],
        pass_fds=[fd], stderr=subprocess.PIPE if not n else None)

sink = start(0, 'sink', '7')
if sink.stderr.readline() != b'ready\n':
    sys.exit(sink.stderr.read().decode())
source = start(1, 'source', 'fd08::', '7', '40000000')
sys.exit(source.wait() or sink.wait())
EOF
for kind in SOCK_DGRAM SOCK_SEQPACKET SOCK_STREAM; do
	for offload in 0 d983; do
		echo "$kind, offload 0x$offload"
		python3 pair.py "${NODE[@]}" $kind $offload || fail "$kind"
	done
done

is_root || exit 0
needs_root
space a
space b
veth a b
cat >open.py <<'EOF'
import fcntl, os, socket, struct, sys
what, *command = sys.argv[1:]
if what == 'packet':
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind(('wire', 0))
    fd = s.detach()
else:
    fd = os.open('/dev/net/tun', os.O_RDWR)
    flags = 0x1002 if what == 'plain' else 0x5002
    fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', b'tap0', flags))
os.set_inheritable(fd, True)
os.execv(command[0], [a.replace('FD', str(fd)) for a in command])
EOF
in_space a python3 open.py packet "${NODE[@]}" -w fd:FD \
	-a 10.7.0.3/24 ping 10.7.0.2 3 || fail "packet socket"

ip -n "lkl-$$-a" tuntap add tap0 mode tap
address a tap0 10.9.0.1/24 fd09::1/64
in_space a python3 open.py plain "${NODE[@]}" -w fd:FD -a 10.9.0.2/24 \
	ping 10.9.0.1 3 || fail "tap without offloads"
in_space a python3 open.py vnet "${NODE[@]}" -w fd:FD -o d983 -a 10.9.0.2/24 \
	ping 10.9.0.1 3 || fail "tap"
