#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs of hijack-matrix.tbl work under lkl-run with the kernel in their own
# process, and talk to a program of the host on a tap.

export HIJACK_BY=lkl-run
WIRE=tap
. "$(dirname "$0")/../common/hijack-matrix.sh"
