#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A forked process that writes garbage into all that it shares with its parent,
# for a minute under each way in.

for way in lkl-hijack.sh lkl-run; do
	HIJACK_BY=$way HOSTILE_SECONDS=55 "$BUILD/tests/hijack-hostile" || exit
done
