#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# As fs-matrix-write.sh, for file systems that are not from Unix.

. "$(dirname "$0")/fs-matrix-write.sh" foreign
