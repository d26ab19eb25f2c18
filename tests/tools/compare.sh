#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A few rounds of nightly/copies.sh.

exec "$(dirname "$0")/../nightly/copies.sh" 3
