#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# As windows-fs.sh, with all file systems.

. "$(dirname "$0")/../windows/windows-fs.sh" all
