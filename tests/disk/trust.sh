#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An image that names other files or servers is refused, and qemu can reach none
# of them.

. "$(dirname "$0")/../common/tools.sh"
need qemu-nbd qemu-img mkfs.ext4 python3

echo secret >secret
truncate -s 1M secret
cksum <secret >before
echo hello >file
image base 16M mkfs.ext4 -q
qemu-img convert -O qcow2 base base.qcow2

# names PATTERN IMAGE [TOOL...]: they do not use it, and say what it names
names() {
	local tool pattern=$1 image=$2
	shift 2
	for tool in "lkl cat IMAGE /x" "$@"; do
		# shellcheck disable=SC2086
		refuses 2 "image '$image' names '($pattern)': not used without --trust-image" \
			${tool/IMAGE/$image}
	done
	cksum <secret | cmp - before || fail "changed"
}

cat >flat.vmdk <<-END
	# Disk DescriptorFile
	version=1
	CID=12345678
	parentCID=ffffffff
	createType="monolithicFlat"

	# Extent description
	RW 2048 FLAT "$TMP/secret" 0

	ddb.adapterType = "ide"
END
names "$TMP/secret" flat.vmdk "lkl info IMAGE" "cptofs -i IMAGE file /" \
	"cpfromfs -i IMAGE / out" "fs2tar IMAGE out.tar"
sed "s|$TMP/secret|secret|" flat.vmdk >relative.vmdk
names "$TMP/secret|secret" relative.vmdk
sed "s|$TMP/secret|/etc/passwd|" flat.vmdk >passwd.vmdk
names /etc/passwd passwd.vmdk
sed "s|$TMP/secret|/usr/bin/env|" flat.vmdk >usr.vmdk
names /usr/bin/env usr.vmdk
qemu-img create -q -f qcow2 -o data_file=secret,data_file_raw=on data.qcow2 1M
echo secret | dd of=secret conv=notrunc status=none
cksum <secret >before
names "$TMP/secret|secret" data.qcow2
qemu-img create -q -f qcow2 -b secret -F raw back.qcow2 1M
names "$TMP/secret|secret" back.qcow2
qemu-img create -q -u -f qcow2 -b 'json:{"driver":"raw","file":{"filename":"secret"}}' \
	-F raw json.qcow2 1M
names 'json:.*' json.qcow2

# no connection is made
mkfifo port
python3 - >port <<'END' &
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
s.settimeout(60)
try:
    s.accept()
    open("connected", "w")
except OSError:
    pass
END
server=$!
read -r number <port
qemu-img create -q -u -f qcow2 -b "nbd://127.0.0.1:$number/x" -F raw net.qcow2 1M
names "nbd://127.0.0.1:$number/x" net.qcow2 "lkl info IMAGE"
[ ! -e connected ] || fail "connected"
kill $server

# with the option they are used
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 top.qcow2
names "$TMP/base.qcow2|base.qcow2" top.qcow2
cptofs --trust-image -i top.qcow2 file /new
cmp <(lkl cat --trust-image top.qcow2 /new) file
lkl cat base.qcow2 /new 2>/dev/null && fail "written to the base"
if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	mkdir mnt
	trap 'fusermount3 -uqz "$TMP/mnt" || true; cleanup' EXIT
	refuses 2 "image 'top.qcow2' names .*base.qcow2.: not used without --trust-image" \
		lklfuse top.qcow2 mnt
	lklfuse top.qcow2 mnt -o trust_image
	cmp mnt/new file
	fusermount3 -u mnt
fi

# A qemu that is taken over has the image and nothing else.
mkdir bin
cat >bin/qemu-img <<'END'
#!/usr/bin/python3
import os, socket, sys
image = sys.argv[-1]
beside = os.path.dirname(image) + "/"
def read(path):
    open(path, "rb").read(1)
def write(path):
    open(path, "ab").write(b"x")
print("got:", end="", file=sys.stderr)
for name, attempt in (("image", lambda: read(image)),
                      ("secret", lambda: read(beside + "secret")),
                      ("passwd", lambda: read("/etc/passwd")),
                      ("write", lambda: write(image)),
                      ("make", lambda: write(beside + "made")),
                      ("unix", lambda: socket.socket(socket.AF_UNIX)),
                      ("inet", lambda: socket.socket(socket.AF_INET)),
                      ("fork", lambda: os.fork() or os._exit(0)),
                      ("kill", lambda: os.kill(os.getppid(), 0))):
    try:
        attempt()
        print("", name, end="", file=sys.stderr)
    except OSError:
        pass
sys.exit(1)
END
chmod +x bin/qemu-img
refuses 2 "cannot open 'base.qcow2': got: image" env PATH="$TMP/bin:$PATH" lkl ls base.qcow2
