#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A file of 1 GiB from nginx to curl and iperf3 both ways, the library at one end
# and the host's kernel at the other: what arrives is what was sent.

. "$(dirname "$0")/../common/hijack-lab.sh"
need nginx iperf3 openssl
export LKL_HIJACK_OFFLOAD=0xd983 LKL_HIJACK_BOOT_CMDLINE=mem=256M

head -c 1G /dev/zero | openssl enc -aes-128-ctr -nosalt -iv 00 \
	-K 00112233445566778899aabbccddeeff >file 2>/dev/null

nginx_conf "listen $PEER:80;" "master_process off;"
nginx -p "$PWD" -c nginx.conf >log 2>&1 &
nginx=$!
up $PEER 80
start=$SECONDS
lkl curl -sS "http://$PEER/file" | cmp - file ||
	fail "the library's curl got something else"
kill $nginx
wait $nginx || true
echo "received in $((SECONDS - start)) s"

nginx_conf "listen $LKL:80;" "master_process off;"
serve 80 nginx -p "$PWD" -c nginx.conf
start=$SECONDS
curl -sS "http://$LKL/file" | cmp - file ||
	fail "the library's nginx sent something else"
stop
echo "sent in $((SECONDS - start)) s"

iperf3 -s --forceflush -B $PEER >log 2>&1 &
n=0
for direction in "" -R; do
	measures $((++n))
	# shellcheck disable=SC2086
	lkl iperf3 -c $PEER -t 1 $direction >iperf || fail "iperf3: $(cat iperf)"
	grep receiver iperf
done
