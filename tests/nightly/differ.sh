#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An hour of random calls, other ones each night, that have to return the same
# under interception as on the host (hijack-differ.c).

seed=$(($(date +%s) / 86400 * 1000000))
echo "DIFFER_SEED=$seed"
DIFFER_SEED=$seed DIFFER_SECONDS=${DIFFER_SECONDS:-3600} "$BUILD/tests/hijack-differ"
