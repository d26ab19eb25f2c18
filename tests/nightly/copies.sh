#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Random trees and archives through the tools, beside what cp -a, GNU tar, bsdtar
# and the host's own mount make of them: copies.py says how.
#
# usage: copies.sh [ROUNDS [SEED]]

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.f2fs tar bsdtar setfattr setfacl python3
is_root || skip "only root can make devices and owners"

python3 "$COMMON/copies.py" "${1:-300}" "${2:-20261121}"
