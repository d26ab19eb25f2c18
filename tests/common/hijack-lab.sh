# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of intercepted programs share.  Source it first: it goes on in
# a network namespace of its own, in which 10.9.0.1 is the host, and programs
# started by `lkl` are 10.9.0.2 on a tap.

if [ -z "${HIJACK_LAB:-}" ]; then
	export HIJACK_LAB=1
	if [ "$(id -u)" = 0 ]; then
		unshare -n true 2>/dev/null && exec unshare -n "$0" "$@"
	else
		unshare -rn true 2>/dev/null && exec unshare -rn "$0" "$@"
	fi
	echo "skip: no network namespaces here"
	exit 77
fi
. "$(dirname "$0")/../common/tools.sh"
need ip curl
[ -w /dev/net/tun ] || skip "no /dev/net/tun here"
WAY=${HIJACK_BY:-lkl-hijack.sh}
PEER=10.9.0.1
LKL=10.9.0.2

trap 'jobs -p | xargs -r kill -9 2>/dev/null || true; wait 2>/dev/null || true; cleanup' EXIT
ip link set lo up
ip tuntap add dev tap0 mode tap vnet_hdr
ip address add $PEER/24 dev tap0
ip link set tap0 up

export LKL_HIJACK_NET_IFTYPE=tap LKL_HIJACK_NET_IFPARAMS=tap0
export LKL_HIJACK_NET_IP=$LKL LKL_HIJACK_NET_NETMASK_LEN=24
export LKL_HIJACK_NET_GATEWAY=$PEER

# lkl PROGRAM...: on the library's stack
lkl() {
	timeout 60 "$WAY" "$@"
}

# same TEXT PROGRAM...: the program prints the text
same() {
	local want=$1 got
	shift
	got=$("$@" 2>&1) || fail "$*: $got"
	[ "$got" = "$want" ] || fail "$*: $got"
}

# nginx_conf SERVER [LINE...]: write nginx.conf for a server that serves this folder;
# SERVER is what else stands in its block, the lines in the main one
nginx_conf() {
	local server=$1
	shift
	cat >nginx.conf <<-END
		daemon off;
		user root root;
		pid $PWD/nginx.pid;
		error_log stderr;
		$(printf '%s\n' "$@")
		events { }
		http {
			access_log off;
			sendfile on;
			client_body_temp_path $PWD/body;
			proxy_temp_path $PWD/proxy;
			fastcgi_temp_path $PWD/fastcgi;
			uwsgi_temp_path $PWD/uwsgi;
			scgi_temp_path $PWD/scgi;
			server { root $PWD; $server }
		}
	END
}

# haproxy_conf ANSWER [LINE...]: write haproxy.cfg for a server that answers by itself;
# the lines stand in the global section
haproxy_conf() {
	local answer=$1
	shift
	{
		printf 'global\n'
		printf '\t%s\n' "$@"
		cat <<-END
			defaults
				mode http
				timeout client 5s
				timeout connect 5s
				timeout server 5s
			listen in
				bind $LKL:80
				http-request return status 200 content-type text/plain $answer
		END
	} >haproxy.cfg
}

# up ADDRESS PORT: wait until a server listens
up() {
	local end=$((SECONDS + 30))
	while [ $SECONDS -lt $end ]; do
		timeout 1 bash -c ": >/dev/tcp/$1/$2" 2>/dev/null && return
		sleep 0.05
	done
	fail "no server at $1 port $2: $(cat log 2>/dev/null)"
}

# measures N: iperf3, whose output is in ./log, listens for its Nth client; it
# does so anew for each, and resets whoever connected meanwhile, us included
measures() {
	local end=$((SECONDS + 30))
	while [ $SECONDS -lt $end ]; do
		[ "$(grep -c 'Server listening' log)" -ge "$1" ] && return
		sleep 0.05
	done
	fail "iperf3 does not listen: $(cat log)"
}

# serve PORT PROGRAM...: start a server on the library's stack
serve() {
	local port=$1
	shift
	"$WAY" "$@" >log 2>&1 &
	server=$!
	up $LKL "$port"
}

# stop: end it, if it has not ended, which ends its tap
stop() {
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
}

# gone: the process that has the tap ends; by itself, when nobody uses its kernel
gone() {
	local end=$((SECONDS + 20))
	while [ $SECONDS -lt $end ]; do
		! ip link show tap0 | grep -q NO-CARRIER || return 0
		sleep 0.05
	done
	fail "$WAY: a kernel remains: $(pgrep -a lkl-kernel)"
}

# dropbear_home: keys of a host and of root, and ssh.sh, which runs a program with them
dropbear_home() {
	dropbearkey -t ed25519 -f host.key >/dev/null 2>&1
	dropbearkey -t ed25519 -f id.key 2>/dev/null | grep ^ssh- >id.pub
	mkdir -p -m 700 home/.ssh
	cp id.pub home/.ssh/authorized_keys
	cat >ssh.sh <<END
mount --bind $PWD/home \$(getent passwd root | cut -d: -f6)
exec "\$@"
END
}
