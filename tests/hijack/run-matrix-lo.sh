#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs of hijack-matrix.tbl work under lkl-run in children of a process with
# the kernel, and talk to each other on lo.

export HIJACK_BY=lkl-run
WIRE=lo
. "$(dirname "$0")/../common/hijack-matrix.sh"
