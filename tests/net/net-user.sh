#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The wire that needs no privilege: out to the host, in through forwarded ports,
# and an address by DHCP.
. "$(dirname "$0")/../common/wires.sh"
if is_root; then
	need setpriv
	chmod 711 "$TMP"
	NODE=(setpriv --reuid 65534 --regid 65534 --clear-groups "${NODE[@]}")
fi
out=$("${NODE[@]}" -w user idle 0 2>&1) || case $out in
*"Debian's package"*) skip "no libslirp here" ;;
*) echo "$out"; fail "user" ;;
esac
port=$((20000 + $$ % 10000))
while ss -Hltun "sport = :$port" | grep -q .; do
	port=$((port + 1))
done
lkl=(-a 10.0.2.15/24 -g 10.0.2.2)

serve - echo $port
node - -w user "${lkl[@]}" ping 10.0.2.2 3
node - -w user "${lkl[@]}" udp 10.0.2.2 $port 1400 200
node - -w user "${lkl[@]}" udp 10.0.2.2 $port 60000 20
node - -w user "${lkl[@]}" rr 10.0.2.2 $port 0.2
stop_serving
serve - -w "user:tcp:127.0.0.1:$port:7,udp:$port:7" "${lkl[@]}" echo 7
node - udp 127.0.0.1 $port 1400 200
node - rr 127.0.0.1 $port 0.2
stop_serving

out=$(V=1 "${NODE[@]}" -w user -b "mem=64M ip=dhcp" idle 0)
[[ $out == *"my address is 10.0.2.15"* ]] || fail "no address by DHCP"
