#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# As fs-matrix-write.sh, for file systems that Unix did not bring forth.

. "$(dirname "$0")/fs-matrix-write.sh" foreign
