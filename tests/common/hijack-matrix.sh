# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Run each program of hijack-matrix.tbl on the library's stack, with traffic, on the
# wire WIRE, under lkl-hijack.sh or what HIJACK_BY says.  Names of programs as
# arguments: those only.

. "$(dirname "$0")/../common/hijack-lab.sh"
need awk openssl
TABLE=$TOP/tests/hijack/hijack-matrix.tbl

# The manual says what the table says.
awk -f "$TOP/scripts/matrix-man.awk" "$TABLE" >fails
sed -n '/^; From hijack-matrix.tbl/,/^; End/p' "$TOP/docs/man/lkl-hijack.1.scd" |
	sed '1d;$d' | diff - fails || fail "docs/man/lkl-hijack.1.scd is not what scripts/matrix-man.awk prints"

chmod 755 .
head -c 1000000 /dev/urandom >file
echo hello >hello
git init -q repository 2>/dev/null && cp hello repository &&
	git -C repository add hello &&
	git -C repository -c user.name=a -c user.email=a commit -qm a

# configuration ADDRESS: write what the servers read, for an address of their own
configuration() {
	local a=$1
	nginx_conf "listen $a:8080;" "master_process off;"
	cat >app.py <<-'END'
		async def app(scope, receive, send):
		    if scope["type"] != "http":
		        return
		    await send({"type": "http.response.start", "status": 200, "headers": []})
		    await send({"type": "http.response.body", "body": b"hello"})
	END
	cat >wsgi.py <<-'END'
		def app(environ, start):
		    start("200 OK", [])
		    return [b"hello"]
	END
	cat >server.pl <<-'END'
		use IO::Socket::INET;
		my $s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1],
			Listen => 5, ReuseAddr => 1) or die;
		while (my $c = $s->accept) {
			my $line = <$c>;
			print $c "HTTP/1.0 200 OK\r\n\r\nhello\n";
			close $c;
		}
	END
	cat >server.tcl <<-'END'
		proc accept {c args} {
			fconfigure $c -blocking 0
			fileevent $c readable [list copy $c]
		}
		proc copy c {
			puts -nonewline $c [read $c]
			flush $c
			if {[eof $c]} { close $c }
		}
		socket -server accept -myaddr [lindex $argv 0] [lindex $argv 1]
		vwait forever
	END
	cat >ntp.py <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(1)
		s.sendto(b"\x23" + bytes(47), (sys.argv[1], int(sys.argv[2])))
		print("stratum", s.recv(100)[1])
	END
	cat >stun.py <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(1)
		s.sendto(bytes.fromhex("000100002112a442") + b"0123456789ab", (sys.argv[1], int(sys.argv[2])))
		print("stun" if s.recv(1000)[:2] == b"\1\1" else "no")
	END
	cat >lighttpd.conf <<-END
		server.document-root = "$PWD"
		server.bind = "$a"
		server.port = 8012
	END
	cat >haproxy.cfg <<-END
		defaults
			mode http
			timeout connect 5s
			timeout client 5s
			timeout server 5s
		frontend all
			bind $a:8015
			http-request return status 200 content-type text/plain string hello
	END
	cat >tinyproxy.conf <<-END
		User root
		Group root
		Port 8016
		Listen $a
		Timeout 20
		StatHost "tinyproxy.stats"
	END
	cat >stunnel.conf <<-END
		foreground = yes
		pid =
		[all]
		accept = $a:8017
		connect = $a:9
		cert = $PWD/cert.pem
	END
	cat >mosquitto.conf <<-END
		listener 8020 $a
		allow_anonymous true
		user root
	END
	cat >unbound.conf <<-END
		server:
			interface: $a@8021
			access-control: 0.0.0.0/0 allow
			chroot: ""
			username: ""
			pidfile: ""
			directory: "$PWD"
			use-syslog: no
			module-config: iterator
			local-zone: "test." static
			local-data: "www.test. A 10.1.2.3"
	END
	cat >named.conf <<-END
		options {
			directory "$PWD";
			pid-file none;
			session-keyfile none;
			managed-keys-directory "$PWD";
			listen-on port 8023 { $a; };
			listen-on-v6 { none; };
			recursion no;
			dnssec-validation no;
			allow-query { any; };
		};
		controls { };
		zone "test" { type primary; file "$PWD/zone"; };
	END
	cat >zone <<-'END'
		$TTL 60
		@ SOA ns.test. a.test. 1 60 60 60 60
		@ NS ns.test.
		ns A 10.1.2.3
		www A 10.1.2.3
	END
	cat >snmpd.conf <<-'END'
		rocommunity public default
	END
	cat >chrony.conf <<-END
		port 8028
		cmdport 0
		bindaddress $a
		local stratum 5
		allow all
		pidfile $PWD/chrony.pid
		bindcmdaddress /
	END
	cat >exim.conf <<-END
		exim_user = root
		exim_group = root
		never_users =
		spool_directory = $PWD/spool
		log_file_path = $PWD/exim-%s.log
		local_interfaces = $a
		primary_hostname = test
		begin acl
	END
	cat >slapd.conf <<-END
		include /etc/ldap/schema/core.schema
		pidfile $PWD/slapd.pid
		modulepath /usr/lib/ldap
		moduleload back_mdb
		database mdb
		suffix dc=test
		directory $PWD/ldap
	END
	mkdir -p ldap spool
	cat >ngircd.conf <<-END
		[Global]
			Name = irc.test
			Info = test
			Listen = $a
			Ports = 8031
			ServerUID = root
			ServerGID = root
			MotdPhrase = "hello"
		[Options]
			DNS = no
			Ident = no
			PAM = no
	END
	cat >vsftpd.conf <<-END
		listen=YES
		background=NO
		listen_address=$a
		listen_port=8032
		anonymous_enable=YES
		anon_root=$PWD/ftp
		ftp_username=root
		run_as_launching_user=YES
		pasv_min_port=8040
		pasv_max_port=8060
	END
	mkdir -p ftp
	cp hello ftp
	cat >rsyncd.conf <<-END
		address = $a
		port = 8035
		use chroot = no
		uid = root
		gid = root
		lock file = $PWD/rsyncd.lock
		reverse lookup = no
		[all]
			path = $PWD
	END
	cat >squid.conf <<-END
		http_port $a:8038
		http_access allow all
		pid_filename none
		cache_log /dev/null
		access_log none
		cache deny all
		cache_mem 8 MB
		coredump_dir /tmp
		visible_hostname test
		shutdown_lifetime 0 seconds
		pinger_enable off
	END
	mkdir -p varnish dovecot
	cat >varnish.vcl <<-END
		vcl 4.0;
		backend default none;
		sub vcl_recv { return (synth(200, "hello")); }
	END
	cat >apache.conf <<-END
		ServerName test
		Listen $a:8061
		PidFile $PWD/apache.pid
		ErrorLog $PWD/apache.log
		LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
		LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
		User www-data
		Group www-data
		Mutex file:$PWD default
		DocumentRoot /usr/share/common-licenses
		<Directory />
			Require all granted
		</Directory>
	END
	cat >dovecot.conf <<-END
		base_dir = $PWD/dovecot
		state_dir = $PWD/dovecot
		protocols = imap
		ssl = no
		log_path = $PWD/dovecot.log
		listen = $a
		service imap-login {
			inet_listener imap {
				port = 8062
			}
			inet_listener imaps {
				port = 0
			}
		}
		passdb {
			driver = static
			args = nopassword=y
		}
		userdb {
			driver = static
			args = uid=1000 gid=1000 home=/tmp
		}
	END
	cat >bird.conf <<-END
		router id 10.0.0.1;
		protocol device { scan time 1; }
		protocol kernel { ipv4 { export all; }; }
		protocol static { ipv4; route 10.55.0.0/16 unreachable; }
	END
}

cat >server.go <<'END'
package main

import (
	"net/http"
	"os"
)

func main() {
	panic(http.ListenAndServe(os.Args[1], http.FileServer(http.Dir("."))))
}
END
cat >Server.java <<'END'
import com.sun.net.httpserver.*;
import java.net.*;
import java.nio.file.*;
public class Server {
	public static void main(String[] args) throws Exception {
		var to = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
		var server = HttpServer.create(to, 0);
		server.createContext("/", e -> {
			byte[] all = Files.readAllBytes(Path.of("file"));
			e.sendResponseHeaders(200, all.length);
			e.getResponseBody().write(all);
			e.close();
		});
		server.start();
	}
}
END
! command -v javac >/dev/null || javac Server.java
! command -v go >/dev/null || GOFLAGS=-mod=mod GO111MODULE=off go build -o go-server server.go
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=test 2>/dev/null
cat key.pem >>cert.pem

# One program that serves, one that asks until it is told what it wants.
cat >both.sh <<'END'
# On lo it has the kernel: the others end when they like.
[ -n "$BY_SERVER$BY_CLIENT" ] || exec 9<>/dev/udp/127.0.0.1/9
bash -c "exec $BY_SERVER $SERVER" >log 2>&1 &
server=$!
end=$((SECONDS + ${PATIENCE:-60}))
while [ $SECONDS -lt $end ]; do
	timeout 60 $BY_CLIENT bash -c "$CLIENT" >out 2>err
	grep -qF -e "$WANT" out && break
	kill -0 $server 2>/dev/null || break
	sleep 0.05
done
kill $server 2>/dev/null
wait $server
grep -qF -e "$WANT" out
END

# one PATIENCE: run the row for so long; returns whether it works
one() {
	(
		export PATIENCE=$1 A BY_SERVER='' BY_CLIENT='' SERVER CLIENT WANT
		case $WIRE-$side in
		lo-*) A=127.0.0.1 ;;
		tap-server) A=$LKL BY_SERVER=$WAY ;;
		tap-client) A=$PEER BY_CLIENT=$WAY ;;
		esac
		configuration "$A"
		SERVER=$server CLIENT=$client WANT=${want//'$A'/$A}
		[ "$WIRE" = tap ] || {
			unset "${!LKL_HIJACK_@}"
			exec timeout -k 5 90 "$WAY" bash both.sh
		}
		exec timeout -k 5 90 bash both.sh
	) </dev/null >said 2>&1
}

# row: run what has been read of the table
tried=0 bad=0
declare -A seen
row() {
	local fails_here='' program
	for program in $programs; do
		command -v "$program" >/dev/null || { echo "no $program here: $name"; return 0; }
	done
	# There is no other side on lo.
	[ "$WIRE" = tap ] || [ -z "${seen[$server$client]:-}" ] || return 0
	seen[$server$client]=1
	tried=$((tried + 1))
	case " $fails" in
	*" $WAY $WIRE "* | *" * $WIRE "* | *" $WAY * "* | *" * * "*) fails_here=1 ;;
	esac
	if one "${fails_here:+5}"; then
		[ -z "$fails_here" ] || { echo "$name: $WAY: works, and the table says that it does not"; bad=1; }
	elif [ -z "$fails_here" ]; then
		echo "$name: $WAY: $(tail -n 5 said log err out 2>/dev/null)"
		bad=1
	fi
}

name=
while IFS= read -r line; do
	case $line in
	'#'* | '') ;;
	$'\tserver '*) server=${line#?server } ;;
	$'\tclient '*) client=${line#?client } ;;
	$'\twant '*) want=${line#?want } ;;
	$'\tfails '*)
		line=${line#?fails }
		fails+="${line%%:*} "
		;;
	*)
		[ -z "$name" ] || case " ${*:-$name} " in *" $name "*) row ;; esac
		read -r name side programs <<<"$line"
		fails=
		;;
	esac
done < <(cat "$TABLE"; echo end)
echo "$tried programs"
[ $bad = 0 ]
