#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Network namespaces under interception are those of the library's kernel: each
# sequence of ip-netns(8), unshare(1) and nsenter(1) gives what it gives on the
# host's kernel, and nothing of it is done to the host.

. "$(dirname "$0")/../common/tools.sh"
need ip unshare nsenter ping nc pgrep
is_root || skip "the host's kernel makes namespaces for root"
unshare -mn true 2>/dev/null || skip "no namespaces of the host here"

# What a namespace is called differs from kernel to kernel.
cat >sequences.sh <<'END_SH'
# The kernel stays while this is open.
exec 9<>/dev/udp/127.0.0.1/9
try() {
	local status=0
	echo "# ${*//${pid:-none}/PID}"
	"$@" 2>&1 || status=$?
	[ $status = 0 ] || echo "status $status"
}
links() {
	# Kernels differ in devices that all namespaces have.
	ip -o link | sed -n 's/^[0-9]*: \(lo\|v[^:@]*\)[:@].*[<,]UP[,>].*/\1 up/p
		t; s/^[0-9]*: \(lo\|v[^:@]*\)[:@].*/\1 down/p' | sort
}
names() {
	ip netns list | cut -d " " -f 1 | sort
}
same() {
	[ "$(stat -Lc %d:%i "$1")" = "$(stat -Lc %d:%i "$2")" ] && echo same || echo differs
}
export -f links names

try names
try ip netns add blue
try ip netns add blue
try ip netns add red
try names
try ls /run/netns
try ls /var/run/netns
(cd /run && try ls netns)
(cd /run/netns && try stat -c %F blue)
try same /run/netns/blue /run/netns/red
try same /proc/self/ns/net /run/netns/blue
try ip netns exec blue bash -c links
try ip netns exec blue true
try ip netns exec blue false
try ip netns exec nothing true
try ip netns exec blue readlink /run/netns/blue

# A pair, and what goes through it
try ip link add v0 netns blue type veth peer name v1 netns red
try links
try ip -n blue address add 10.8.0.1/24 dev v0
try ip -n blue link set v0 up
try ip netns exec red ip address add 10.8.0.2/24 dev v1
try ip netns exec red ip link set v1 up
try ip netns exec red bash -c links
ip netns exec blue ping -c 1 -W 5 10.8.0.2 | grep -o "1 received"
try ip netns exec blue ping -c 1 -W 1 10.8.0.3 >/dev/null
ip netns exec red timeout 20 nc -l 10.8.0.2 7 >got &
for ((i = 0; i < 100; i++)); do
	echo hello | ip netns exec blue nc -N -w 1 10.8.0.2 7 2>/dev/null && break
	kill -0 $! 2>/dev/null || break
	sleep 0.05
done
wait $!
cat got
ip link add v2 type veth peer name v3
try ip link set v3 netns blue
try ip link set v2 netns nothing
try links
try ip netns exec blue bash -c links
try ip netns exec blue ip link set v3 netns red
try ip netns exec red bash -c links
try ip -n red link delete v3
try links

# In and out by other commands
try unshare -n bash -c links
try nsenter --net=/run/netns/red bash -c links
try nsenter --net=/run/netns/blue unshare -n bash -c links
try nsenter --net=/dev/null true
try nsenter --net=/run/netns/nothing true
try unshare -n bash -c 'ip link add v8 type veth peer name v9; links'
try links
exec 8</run/netns/blue
try nsenter --net=/proc/self/fd/8 bash -c links
exec 8<&-

# A name made by hand
touch /run/netns/green
try mount --bind /run/netns/red /run/netns/green
try same /run/netns/green /run/netns/red
try ip netns exec green bash -c links
try umount /run/netns/green
try same /run/netns/green /run/netns/red
try rm /run/netns/green
unshare -n bash -c 'ip link add v8 type veth peer name v9; touch /run/netns/green
mount --bind /proc/self/ns/net /run/netns/green'
try ip netns exec green bash -c links

# By a process that is there; and it is there as long as that.
mkfifo hold
ip netns exec green bash -c 'echo >ready; read -r _ <hold' &
pid=$!
until [ -s ready ]; do sleep 0.02; done
rm ready
try nsenter -n -t $pid bash -c links
try same /proc/$pid/ns/net /run/netns/green
[ "$(ip netns pids green)" = $pid ] && echo pids
try ip netns identify $pid
try ip netns attach yellow $pid
try same /run/netns/yellow /run/netns/green
try ip netns delete yellow
ip link add v4 type veth peer name v5
try ip link set v5 netns $pid
try ip netns delete green
try ip netns delete green
try names
try ls /run/netns
try nsenter -n -t $pid bash -c links
kill $pid
wait $pid 2>/dev/null
rm hold
for ((i = 0; i < 250; i++)); do
	ip link show v4 >/dev/null 2>&1 || break
	sleep 0.02
done
try links
try ip netns delete blue
try ip netns delete red
try ls -A /run/netns
END_SH

unshare -mn bash -c '
	mkdir -p /run/netns
	mount -t tmpfs none /run/netns
	ip link set lo up
	bash sequences.sh
	"$BUILD/tests/run-netns"' >host 2>&1
grep -q "1 received" host || fail "the host's kernel: $(cat host)"
# A program on its own gets a kernel that it can execute something with.
cat >alone.sh <<'END_SH'
for namespaces in -n -rn -r -nm -nfp; do
	echo "unshare $namespaces" $("$@" unshare $namespaces ip -o link |
		grep -o "^[0-9]*: lo: .*[<,]UP[,>]\|^[0-9]*: lo:") $("$@" unshare $namespaces id -u)
done
END_SH
unshare -mn bash -c '
	ip link set lo up
	bash alone.sh' >host.alone 2>&1
before=$(readlink /proc/self/ns/net)
names=$(ls /run/netns 2>/dev/null) || true
for way in lkl-hijack.sh lkl-run; do
	$way bash sequences.sh >$way.out 2>&1 || true
	$way "$BUILD/tests/run-netns" >>$way.out 2>&1 || true
	diff host $way.out || fail "$way differs from the host"
	unshare -pfm --mount-proc bash -c "bash alone.sh $way >$way.alone 2>&1
		for ((i = 0; i < 250; i++)); do
			pgrep -x lkl-kernel >/dev/null || exit 0
			sleep 0.02
		done
		exit 1" || fail "$way: a kernel remains that is not used"
	diff host.alone $way.alone || fail "$way differs from the host, alone"
	[ "$(ls /run/netns 2>/dev/null)" = "$names" ] ||
		fail "$way: a namespace of the host's was made"
done
[ "$(readlink /proc/self/ns/net)" = "$before" ] || fail "the host's namespace"
NETNS_HOST=1 unshare -n "$BUILD/tests/hijack-namespace" >log 2>&1 ||
	fail "the host's kernel: $(cat log)"
for forked in "" 1; do
	HIJACK_BY=lkl-run HIJACK_FORKED=$forked "$BUILD/tests/hijack-namespace" \
		>log 2>&1 || fail "lkl-run: $(cat log)"
done
