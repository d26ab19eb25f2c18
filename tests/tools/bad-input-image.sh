#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is not an image at all is refused with one line that says so.

. "$(dirname "$0")/../common/tools.sh"
mkdir directory
mkfifo fifo
echo x >file
for tool in cptofs cpfromfs; do
	refuses 2 "cannot open 'directory': Is a directory" \
		$tool -i directory file /
	refuses 2 "cannot open 'none': No such file or directory" \
		$tool -i none file /
	refuses 2 "'/dev/null' is neither a file nor a block device" \
		$tool -i /dev/null file /
	refuses 2 "'fifo' is neither a file nor a block device" \
		$tool -i fifo file /
done
is_root || {
	truncate -s 1M mine
	chmod 444 mine
	refuses 2 "cannot open 'mine': Permission denied" cptofs -i mine file /
}
