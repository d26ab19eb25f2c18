#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules with the matches and targets of iptables-extensions(8) are taken, from
# both of its programs, and ebtables' and nft's.

. "$(dirname "$0")/../common/tools.sh"
need iptables-legacy-restore iptables-nft-restore ip6tables-nft-restore nft

cat >rules4 <<'END_RULES'
*raw
-A PREROUTING -p udp --dport 53 -j NOTRACK
-A PREROUTING -p udp --dport 54 -j CT --notrack
-A PREROUTING -p tcp --dport 21 -j CT --helper ftp
-A PREROUTING -i lo -j CT --zone 7
-A OUTPUT -p tcp --dport 7777 -j TRACE
COMMIT
*mangle
-A PREROUTING -m connmark --mark 0x1/0xff -j CONNMARK --restore-mark
-A PREROUTING -m connbytes --connbytes 1000: --connbytes-dir both --connbytes-mode bytes -j MARK --set-mark 3
-A POSTROUTING -m realm --realm 4 -j CLASSIFY --set-class 1:2
-A POSTROUTING -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A POSTROUTING -j IDLETIMER --timeout 30 --label idle
COMMIT
*filter
-A INPUT -m comment --comment "what people write" -j ACCEPT
-A INPUT -p tcp -m string --string "GET /secret" --algo bm -j DROP
-A INPUT -p tcp -m string --hex-string "|00 ff|" --algo kmp -j DROP
-A OUTPUT -m owner --uid-owner 1000 -j DROP
-A INPUT -m cpu --cpu 0 -j ACCEPT
-A INPUT -p sctp --dport 5 -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -m state --state NEW -m recent --name seen --set
-A INPUT -p tcp -m multiport --dports 80,443 -m limit --limit 5/min -j LOG
-A INPUT -m hashlimit --hashlimit-above 5/sec --hashlimit-mode srcip --hashlimit-name h -j DROP
-A INPUT -p tcp -m connlimit --connlimit-above 10 -j REJECT --reject-with tcp-reset
-A INPUT -m u32 --u32 "0&0xF=5" -j ACCEPT
-A INPUT -m bpf --bytecode "1,6 0 0 1" -j ACCEPT
-A INPUT -m time --timestart 01:00 --timestop 02:00 -j DROP
-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT
-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j DROP
-A INPUT -m addrtype --dst-type BROADCAST -j DROP
-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9 -m ttl --ttl-lt 2 -m length --length 0:100 -j DROP
COMMIT
*nat
-A POSTROUTING -s 10.1.0.0/16 -j MASQUERADE
-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
-A PREROUTING -d 10.2.0.1 -j DNAT --to-destination 10.2.0.2
COMMIT
END_RULES
sed -n '/^\*raw/,/^\*nat/{/ttl\|u32\|realm\|CT --helper/d;/^\*nat/d;p}' rules4 |
	sed 's/10\.0\.0\./fd00::/g; s/BROADCAST/MULTICAST/' >rules6

# The library is whole: what it lacks would be said here.
for program in iptables-legacy-restore iptables-nft-restore; do
	lkl-run $program <rules4 >out 2>&1 || fail "$program: $(cat out)"
done
for program in ip6tables-legacy-restore ip6tables-nft-restore; do
	lkl-run $program <rules6 >out 2>&1 || fail "$program: $(cat out)"
done

# nft shows what it has been told.
lkl-run nft -i >out <<'END_RULES' || fail "nft: $(cat out)"
add table ip t
add chain ip t out { type filter hook output priority raw; }
add rule ip t out meta skuid 0 udp dport 9 counter comment "the owner"
add rule ip t out udp dport 9 notrack
list ruleset
END_RULES
grep -q 'comment "the owner"' out && grep -q 'dport 9 notrack' out || fail "nft: $(cat out)"
