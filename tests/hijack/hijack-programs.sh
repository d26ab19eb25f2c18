#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs as they are, clients and servers, on the library's stack over a tap.

. "$(dirname "$0")/../common/hijack-lab.sh"
need openssl python3 wget dig nc socat iperf3 nginx redis-server redis-cli \
	dropbear dropbearkey dbclient ping ss tc nft nl-link-list nl-addr-list haproxy gcc
PYTHON=/usr/bin/python3

# The peer: names, HTTP and HTTPS.
head -c 1000000 /dev/urandom >file
echo hello >hello
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 \
	-subj /CN=www.test -addext subjectAltName=DNS:www.test 2>/dev/null
cat >peer.py <<'END'
import http.server, socket, socketserver, ssl, threading
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass
def serve(port, context=None):
    server = socketserver.ThreadingTCPServer(("10.9.0.1", port), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert", "key")
serve(443, context)
dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dns.bind(("10.9.0.1", 53))
serve(80)
while True:
    query, who = dns.recvfrom(512)
    question = query[12:]
    end = question.index(0) + 5
    a = question[end - 4:end - 2] == b"\0\1" and question[:end].startswith(b"\3www\4test")
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x0a\x09\0\1" if a else b""
    dns.sendto(query[:2] + b"\x81\x80\0\1" + (b"\0\1" if a else b"\0\0") +
               b"\0\0\0\0" + question[:end] + answer, who)
END
$PYTHON peer.py &
up $PEER 80
echo '{ "nameserver": "10.9.0.1", }' >lkl-hijack.json

# Tools see the library's kernel.
lkl ip -brief address show >ip
grep -q "^eth0 .*$LKL/24" ip && ! grep tap0 ip || fail "ip: $(cat ip)"
lkl ip route >route
grep -q "^default via $PEER dev eth0" route || fail "ip route: $(cat route)"
lkl ping -q -c 2 -i 0.1 $PEER >ping || fail "$(cat ping)"
lkl ping -6 -q -c 1 ::1 >ping || fail "$(cat ping)"
lkl sh -c "ping -q -c 1 $PEER >/dev/null; true"
lkl tc -s qdisc show dev eth0 | grep -q qdisc || fail tc
same "" lkl nft list ruleset
lkl nl-link-list | grep -q ^eth0 || fail nl-link-list
lkl nl-addr-list | grep -q ^$LKL/24 || fail nl-addr-list
ss -Hltn | grep -q "$PEER:80" || fail "the host's ss"
same "" lkl ss -Hltin
same "" lkl ip neigh
same "['lo', 'eth0']" lkl $PYTHON -c '
from pyroute2 import IPRoute
print([l.get_attr("IFLA_IFNAME") for l in IPRoute().get_links()][:2])'

# Signal handlers that send, while epoll_wait() receives for the network.
cat >storm.c <<'END'
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/time.h>
static const char query[] = "id\1\0\0\1\0\0\0\0\0\0\3www\4test\0\0\1\0\1";
static int out;
static volatile int handled;
static void on_alarm(int sig)
{
	(void)sig;
	handled++;
	send(out, "", 1, MSG_DONTWAIT);
}
static int to(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr.s_addr = inet_addr("10.9.0.1") };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) ? -1 : fd;
}
int main(void)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } };
	int in = to(53), ep = epoll_create1(0), answers = 0;
	struct epoll_event e = { .events = EPOLLIN };
	char buf[512];
	out = to(9);
	epoll_ctl(ep, EPOLL_CTL_ADD, in, &e);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	while (answers < 1000 || handled < 100) {
		send(in, query, sizeof(query) - 1, 0);
		if (epoll_wait(ep, &e, 1, 1000) > 0)
			answers += recv(in, buf, sizeof(buf), MSG_DONTWAIT) > 0;
	}
	puts("through");
}
END
gcc -o storm storm.c
same through lkl ./storm

# Clients
for url in http://www.test/file "https://www.test/file --cacert cert"; do
	# shellcheck disable=SC2086
	lkl curl -sS $url | cmp - file || fail "curl $url"
done
lkl wget -q -O - http://www.test/file | cmp - file || fail wget
same $PEER lkl dig +short www.test
same hello lkl $PYTHON -c '
import urllib.request
print(urllib.request.urlopen("http://www.test/hello").read().decode(), end="")'
nc -l -p 7000 >got &
until ss -Hltn 'sport = :7000' | grep -q .; do
	sleep 0.05
done
lkl nc -N $PEER 7000 <file
wait $!
cmp got file || fail nc
# A session of a secure shell, both ways; the server is started for each, as by
# inetd.
if read -r _ _ ids </proc/self/uid_map && [ "$ids" -gt 1000000 ]; then
	dropbear_home
	unshare -m sh ssh.sh dropbear -F -E -r host.key -p $PEER:22 2>log &
	up $PEER 22
	lkl dbclient -y -y -i id.key root@$PEER cat "$PWD/file" 2>/dev/null | cmp - file || fail dbclient
	unshare -m sh ssh.sh "$WAY" socat TCP-LISTEN:22 EXEC:"dropbear -i -r host.key" 2>>log &
	server=$!
	for ((i = 0; i < 600; i++)); do
		got=$(dbclient -y -y -i id.key root@$LKL "echo session" 2>err) && break
		kill -0 $server 2>>err || break
		sleep 0.05
	done
	[ "$got" = session ] || fail "dropbear: $got $(cat log err)"
	wait $server
fi
! command -v node >/dev/null || same hello lkl node -e '
require("http").get("http://www.test/hello", r => r.pipe(process.stdout))'

# Servers
nginx_conf 'listen 80;' 'master_process off;'
serve 80 nginx -p "$PWD" -c nginx.conf
curl -sS http://$LKL/file | cmp - file || fail nginx
curl -sS --no-progress-meter --parallel --remote-name-all --output-dir out --create-dirs "http://$LKL/file?[1-20]" 2>/dev/null
for copy in out/*; do
	cmp "$copy" file || fail nginx, in parallel
done
stop

cat >haproxy.cfg <<END
defaults
	timeout connect 20s
	timeout client 20s
	timeout server 20s
listen all
	bind $LKL:80
	server peer $PEER:80
END
serve 80 haproxy -db -f haproxy.cfg
curl -sS http://$LKL/file | cmp - file || fail haproxy
stop

serve 6379 redis-server --bind $LKL --protected-mode no --save ''
same OK redis-cli -h $LKL set key value
same value redis-cli -h $LKL get key
stop

"$WAY" iperf3 -s --forceflush -B $LKL >log 2>&1 &
server=$!
n=0
for how in "" "-u -b 50M -R"; do
	measures $((++n))
	# shellcheck disable=SC2086
	iperf3 -c $LKL -t 1 $how >iperf 2>&1 || fail "iperf3 $how: $(cat iperf)"
done
stop

# It takes one connection.
"$WAY" socat -u TCP-LISTEN:7000,reuseaddr OPEN:received,creat >log 2>&1 &
server=$!
until nc -N $LKL 7000 <file 2>err; do
	kill -0 $server || fail "socat: $(cat log err)"
	sleep 0.05
done
wait $server
cmp received file || fail socat

serve 8080 $PYTHON -c '
import asyncio
async def upper(reader, writer):
    data = await reader.read(100)
    writer.write(data.upper())
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(upper, "0.0.0.0", 8080)
    async with server:
        await server.serve_forever()
asyncio.run(main())'
same HELLO nc -N -w 30 $LKL 8080 <hello
stop

serve 8081 $PYTHON -m http.server -b $LKL 8081
curl -sS http://$LKL:8081/file | cmp - file || fail http.server
stop

# Programs without sockets are as they were.
same "$(ls /)" lkl ls /
same "$(sort peer.py)" lkl sort peer.py
echo 'int main(void) { return 7; }' >seven.c
lkl gcc -o seven seven.c || fail gcc
for code in 0 7 255; do
	status=0
	lkl sh -c "exit $code" || status=$?
	[ $status = $code ] || fail "exit status $status, not $code"
done
status=0
lkl sh -c 'kill -TERM $$' || status=$?
[ $status = 143 ] || fail "killed, and exit status $status"
