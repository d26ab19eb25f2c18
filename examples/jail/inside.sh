#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# inside.sh PROGRAM [ARGUMENT]...: run by jail.sh in the jail, on its stack.
#
# Each second the program's sockets are written to a file of the host's.

exec 9<>/dev/udp/127.0.0.1/9
"$@" 9>&- &
program=$!
while sleep 1; do
	ss -tuanOi >/run/sockets.new 2>&1 && cat /run/sockets.new >/run/sockets
done &
look=$!
wait $program
status=$?
kill $look
exit $status
