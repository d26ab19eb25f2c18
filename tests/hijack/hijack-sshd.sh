#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# OpenSSH's server, which has a filter for system calls, serves ssh and scp under
# both ways in.  SCP_BYTES says how much scp copies.

. "$(dirname "$0")/../common/hijack-lab.sh"
[ "$(id -u)" = 0 ] || skip "only root has sshd's users"
sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip "no sshd here"
need ssh scp ssh-keygen
[ -d /run/sshd ] || skip "no /run/sshd here"
ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f id
options=(-F none -i id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
	-o LogLevel=ERROR -o BatchMode=yes)
head -c "${SCP_BYTES:-300000}" /dev/urandom >file
for WAY in lkl-run lkl-hijack.sh; do
	serve 22 "$sshd" -D -e -f /dev/null -o HostKey="$PWD/host" -o StrictModes=no \
		-o AuthorizedKeysFile="$PWD/id.pub" -o PidFile=none \
		-o Subsystem="sftp internal-sftp"
	same inside timeout 30 ssh "${options[@]}" root@$LKL echo inside
	timeout 120 scp -q "${options[@]}" file root@$LKL:"$PWD/copy" || fail "$WAY: scp: $(cat log)"
	cmp file copy || fail "$WAY: scp"
	rm copy
	stop
	gone
done
