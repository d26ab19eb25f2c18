#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A virtual machine of QEMU's, which is emulated, is at the other side of a vhost-user-server:
# its network boot by iPXE gets an address and files from a dnsmasq in the library's kernel.
# The machine is killed and another one comes; the library is killed and another one comes,
# and the machine goes on. What it gets last is a program that looks whether all of itself is
# there.
. "$(dirname "$0")/../common/wires.sh"
is_root || skip "needs root, as dnsmasq does"
need qemu-system-x86_64 dnsmasq as objcopy
[ -e /usr/lib/ipxe/qemu/pxe-virtio.rom ] || skip "needs Debian's ipxe-qemu"

# The exit status of the machine, from which QEMU makes its own: twice that and one.
RIGHT=16 WRONG=17
PARAGRAPHS=12000

# The program is at 0x7c00, in 16-bit mode. Its words have the sum 0.
make_program() {
	as -o program.o - <<-END
		.code16
		mov \$0x7c0, %ax
		mov \$$PARAGRAPHS, %cx
		xor %edx, %edx
	1:	mov %ax, %ds
		xor %si, %si
		add (%si), %edx
		add 4(%si), %edx
		add 8(%si), %edx
		add 12(%si), %edx
		inc %ax
		loop 1b
		mov \$$RIGHT, %al
		test %edx, %edx
		jz 2f
		mov \$$WRONG, %al
	2:	mov \$0xf4, %dx
		out %al, %dx
	3:	hlt
		jmp 3b
	END
	objcopy -O binary -j .text program.o program
	head -c $((PARAGRAPHS * 16 - 4 - $(stat -c %s program))) "$BIN/lkl" >>program
	local word i
	word=$(od -An -v -tu4 -w4 program | awk '{ s += $1 } END { printf "%d", 4294967296 - s % 4294967296 }')
	for i in 0 8 16 24; do
		printf "\\x$(printf %02x $((word >> i & 255)))" >>program
	done
}

# server LOG
server() {
	LKL_HIJACK_NET_IFTYPE=vhost-user-server LKL_HIJACK_NET_IFPARAMS="$PWD/s" \
		LKL_HIJACK_NET_IP=10.9.0.1 LKL_HIJACK_NET_NETMASK_LEN=24 \
		LKL_HIJACK_NET_MAC=02:00:00:00:00:01 LKL_HIJACK_OFFLOAD=0x8000 \
		"$BIN/lkl-hijack.sh" dnsmasq -k -C /dev/null -u "$(id -un)" -p 0 \
		--interface=eth0 --dhcp-range=10.9.0.10,10.9.0.20,255.255.255.0 \
		--dhcp-boot=script --enable-tftp --tftp-root="$PWD/files" --leasefile-ro \
		--pid-file="$PWD/$1.pid" --log-facility=- >"$1" 2>&1 &
	SERVER=$!
	JOBS+=("$SERVER")
	expect "$1" "TFTP root is" "$SERVER"
}

machine() {
	qemu-system-x86_64 -accel tcg -m 64 -nodefaults -display none \
		-object memory-backend-memfd,id=m,size=64M,share=on \
		-machine memory-backend=m,graphics=off -serial file:screen \
		-chardev socket,id=c,path="$PWD/s",reconnect=1 -netdev vhost-user,id=n,chardev=c \
		-device virtio-net-pci,netdev=n,vectors=0,disable-legacy=on,bootindex=0 \
		-device isa-debug-exit,iobase=0xf4,iosize=1 >machine.log 2>&1 &
	MACHINE=$!
	JOBS+=("$MACHINE")
}

# expect LOG TEXT JOB
expect() {
	local i
	for ((i = 0; i < 1200; i++)); do
		! grep -q "$2" "$1" || return 0
		kill -0 "$3" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 20 "$1" machine.log screen
	fail "$1: no '$2'"
}

mkdir files
make_program
printf '#!ipxe\n:again\nchain tftp://10.9.0.1/program || goto again\n' >files/script
touch machine.log screen first second
server first
machine
expect first DHCPDISCOVER "$MACHINE"
kill -KILL "$MACHINE"
wait "$MACHINE" || true
machine
# It has its address and the script, and there is no program yet.
expect first "files/program not found" "$MACHINE"
kill -KILL "$SERVER"
wait "$SERVER" || true
cp program files/program.new
mv files/program.new files/program
server second
status=0
wait "$MACHINE" || status=$?
[ $status = $((RIGHT * 2 + 1)) ] || {
	tail -n 20 second machine.log screen
	fail "the machine ends with $status"
}
grep -q "sent .*files/program to 10.9.0" second
