#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two library processes at ports of Open vSwitch, which moves frames by DPDK: streams and round
# trips arrive, and the switch knows who has sent them.
. "$(dirname "$0")/../common/wires.sh"
needs_root
VSWITCHD=/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
[ -x $VSWITCHD ] || skip "needs Debian's openvswitch-switch-dpdk"
need ovsdb-server

export OVS_RUNDIR=$PWD OVS_LOGDIR=$PWD OVS_DBDIR=$PWD OVS_SYSCONFDIR=$PWD
vsctl() { timeout 30 ovs-vsctl --db="unix:$PWD/db.sock" "$@"; }
ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema
timeout 120 ovsdb-server conf.db --remote="punix:$PWD/db.sock" >ovsdb.log 2>&1 &
JOBS+=($!)
for ((i = 0; i < 100; i++)); do
	[ ! -S db.sock ] || break
	sleep 0.1
done
vsctl --no-wait init
# Without huge pages, which a test cannot ask for.  It takes 700 MB for a port.
vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true \
	other_config:dpdk-extra="--no-huge -m 2048 --no-pci --no-shconf --legacy-mem" \
	other_config:dpdk-lcore-mask=1 other_config:pmd-cpu-mask=1
timeout 120 $VSWITCHD "unix:$PWD/db.sock" --log-file="$PWD/vs.log" >vs.out 2>&1 &
JOBS+=($!)
vsctl add-br br0 -- set bridge br0 datapath_type=netdev ||
	{ cat vs.log; fail "Open vSwitch does not run"; }
for port in a b; do
	vsctl add-port br0 $port -- set Interface $port type=dpdkvhostuser
	[ -S $port ] || { cat vs.log; fail "no port $port"; }
done

serve - -w "vhost-user:$PWD/a" -m 02:00:00:00:00:01 -a 10.8.0.1/24 -a fd08::1/64 -c sink 9
node - -w "dpdk:$PWD/b" -m 02:00:00:00:00:02 -a 10.8.0.2/24 source 10.8.0.1 9 20000000 >sent.log
served
grep "^bytes=20000000 " served.log || { cat served.log; fail "lost bytes"; }
serve - -w "vhost-user:$PWD/a" -m 02:00:00:00:00:01 -a 10.8.0.1/24 -a fd08::1/64 echo 7
node - -w "vhost-user:$PWD/b" -m 02:00:00:00:00:02 -a fd08::2/64 rr fd08::1 7 0.5
stop_serving
ovs-appctl -t "$PWD"/ovs-vswitchd*.ctl fdb/show br0 >learned
grep -q 02:00:00:00:00:01 learned && grep -q 02:00:00:00:00:02 learned ||
	{ cat learned; fail "the switch has not seen it"; }
