#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two library processes are connected by DPDK's testpmd, which forwards between
# two vhost-user ports, with one pair of queues and with two; the one comes again.
. "$(dirname "$0")/../common/wires.sh"
need dpdk-testpmd

export XDG_RUNTIME_DIR=$PWD
mkfifo commands
exec 8<>commands

# switch NAME QUEUES: with ports NAMEa and NAMEb
switch() {
	local i
	# What the one before has said is none of this one's.
	: >pmd.log
	# Frames are lost while another program has its processor.
	nice -n -15 timeout 100 dpdk-testpmd --no-huge -m 128 --no-pci --no-shconf --no-telemetry \
		--vdev "net_vhost0,iface=$PWD/$1a,queues=$2" \
		--vdev "net_vhost1,iface=$PWD/$1b,queues=$2" -l 0-1 -- --forward-mode=io \
		--auto-start --total-num-mbufs=4096 --rxq="$2" --txq="$2" -i <&8 >pmd.log 2>&1 &
	PMD=$!
	JOBS+=("$PMD")
	for ((i = 0; i < 300; i++)); do
		! grep -q "testpmd>" pmd.log || return 0
		kill -0 "$PMD" || { cat pmd.log; fail "testpmd does not run"; }
		sleep 0.1
	done
	fail "testpmd does not begin"
}

# try COMMAND...: frames are lost, and testpmd does not answer in time, while others have its
# processor
try() {
	local i
	for ((i = 0; i < 3; i++)); do
		! ("$@") || return 0
	done
	fail "$*"
}

switch "" 1
serve - -w "vhost-user:$PWD/a" -m 02:00:00:00:00:01 -a 10.8.0.1/24 -a fd08::1/64 echo 7
try talk - "-w dpdk:$PWD/b -m 02:00:00:00:00:02 -a 10.8.0.2/24 -a fd08::2/64" 10.8.0.1 fd08::1
stop_serving
serve - -w "vhost-user:$PWD/a" -m 02:00:00:00:00:01 -a 10.8.0.1/24 -c sink 9
node - -w "vhost-user:$PWD/b" -m 02:00:00:00:00:02 -a 10.8.0.2/24 \
	source 10.8.0.1 9 20000000 >sent.log
served
grep "^bytes=20000000 " served.log || { cat served.log; fail "lost bytes"; }
echo quit >&8
wait "$PMD"

# By two pairs of queues, of each of which both kernels have received something.
switch q 2
timeout 90 "${BUILD:-$TOP/build}/tests/net-queues" "$PWD/qa" "$PWD/qb" ||
	{ tail -n 50 pmd.log; fail "two pairs of queues"; }
# What it says at its end.
echo quit >&8
wait "$PMD" || true
for port in 0 1; do
	for queue in 0 1; do
		grep -A1 "RX Port= $port/Queue= $queue" pmd.log | grep -q "RX-packets: [1-9]" ||
			{ tail -n 50 pmd.log; fail "nothing by queue $queue of port $port"; }
	done
done
