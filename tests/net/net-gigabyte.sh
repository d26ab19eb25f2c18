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

# configure ADDRESS
configure() {
	cat >nginx.conf <<-END
	user root root;
	daemon off;
	master_process off;
	error_log stderr;
	pid $PWD/nginx.pid;
	events {}
	http {
		access_log off;
		sendfile on;
		client_body_temp_path $PWD/body;
		proxy_temp_path $PWD/proxy;
		fastcgi_temp_path $PWD/fastcgi;
		uwsgi_temp_path $PWD/uwsgi;
		scgi_temp_path $PWD/scgi;
		server { listen $1:80; root $PWD; }
	}
	END
}

configure $PEER
nginx -p "$PWD" -c nginx.conf >log 2>&1 &
nginx=$!
up $PEER 80
start=$SECONDS
lkl curl -sS "http://$PEER/file" | cmp - file ||
	fail "the library's curl got something else"
kill $nginx
wait $nginx || true
echo "received in $((SECONDS - start)) s"

configure $LKL
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
