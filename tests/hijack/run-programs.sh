#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl-run with static programs, which LD_PRELOAD cannot reach; the programs of
# hijack-programs.sh follow at the end.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 busybox musl-gcc gcc node
export HIJACK_BY=lkl-run WAY=lkl-run

head -c 3000000 /dev/urandom >file
python3 -m http.server -b $PEER 80 >/dev/null 2>&1 &
up $PEER 80
lkl busybox wget -q -O - http://$PEER/file | cmp - file || fail "busybox wget"
# The script's other name for it.
LKL_HIJACK_ZPOLINE=1 lkl-hijack.sh busybox wget -q -O - http://$PEER/file |
	cmp - file || fail "lkl-hijack.sh with ZPOLINE"
lkl busybox ip -o address show >ip
grep -q "eth0 .*$LKL/24" ip && ! grep tap0 ip || fail "busybox ip: $(cat ip)"

# A client: threads, raw system calls of its own, and its text read back.
cat >client.c <<'END_C'
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long sum;

static long raw(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return ret;
}

static void *get(void *arg)
{
	static const char request[] = "GET /file HTTP/1.0\r\n\r\n";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
	char buf[65536];
	long n, total = 0;
	int fd = raw(SYS_socket, AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, arg, &to.sin_addr);
	if (raw(SYS_connect, fd, (long)&to, sizeof(to)) ||
	    raw(SYS_write, fd, (long)request, strlen(request)) < 0)
		exit(2);
	while ((n = raw(SYS_read, fd, (long)buf, sizeof(buf))) > 0)
		total += n;
	__atomic_add_fetch(&sum, total, __ATOMIC_RELAXED);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[8];
	extern char __executable_start[], etext[];
	FILE *self = fopen("/proc/self/exe", "r");
	char *copy = malloc(etext - __executable_start);
	size_t n;

	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, get, argv[argc - 1]);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	if (!self)
		return 3;
	n = fread(copy, 1, etext - __executable_start, self);
	/* The code is the file's, but for instructions that were executed. */
	for (size_t i = 0, bad = 0; i < n; i++)
		if (copy[i] != __executable_start[i] && ++bad > 1000)
			return 4;
	/* What getaddrinfo() and others use. */
	printf("%d\n", sum > 8 * 3000000);
	return 0;
}
END_C
for cc in "gcc -static" "gcc -static-pie -fPIE" "musl-gcc -static"; do
	$cc -O2 -pthread -o client client.c
	same 1 lkl ./client $PEER
done
cat >client.rs <<'END_RS'
use std::io::{Read, Write};
fn main() {
    let to = std::env::args().nth(1).unwrap();
    let all: Vec<_> = (0..4).map(|_| { let to = to.clone(); std::thread::spawn(move || {
        let mut s = std::net::TcpStream::connect((to.as_str(), 80)).unwrap();
        s.write_all(b"GET /file HTTP/1.0\r\n\r\n").unwrap();
        let mut v = Vec::new();
        s.read_to_end(&mut v).unwrap()
    })}).collect();
    println!("{}", all.into_iter().map(|t| t.join().unwrap()).min().unwrap() > 3000000);
}
END_RS
if command -v rustc >/dev/null; then
	rustc -O -C target-feature=+crt-static -o client client.rs
	same true lkl ./client $PEER
fi
# Code made at run time, many times over, while sockets are busy.
same 60 lkl node -e '
const http = require("http");
let n = 0, f = i => new Function("a", "let s = 0; for (let i = 0; i < 3e4; i++) s += a + " + i + "; return s");
const next = () => { if (++n > 60) return; f(n)(n);
  http.get("http://'$PEER'/", r => { r.resume(); r.on("end", n == 60 ? () => console.log(n) : next); }); };
next()'

env -u HIJACK_LAB "$TOP/tests/hijack/hijack-programs.sh"
unset "${!LKL_HIJACK_@}"
"$BUILD/tests/hijack-descriptors"
"$BUILD/tests/hijack-wait"
"$BUILD/tests/hijack-epoll"
"$BUILD/tests/hijack-decide"
"$BUILD/tests/hijack-namespace"
