#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An image is used by several readers or one writer, never both.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 flock

image img 64M mkfs.ext4 -q
echo x >file
in_use="'img' is in use by another program"
flock -F -x img sleep 60 &
writer=$!
while flock -n -s img true; do :; done
refuses 2 "$in_use" cptofs -i img file /
refuses 2 "$in_use" cpfromfs -i img / out
kill $writer
wait $writer || true
flock -F -s img sleep 60 &
reader=$!
while flock -n -x img true; do :; done
refuses 2 "$in_use" cptofs -i img file /
cpfromfs -i img / out
kill $reader
