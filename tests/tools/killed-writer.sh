#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A few rounds of nightly/killed.sh.

exec "$(dirname "$0")/../nightly/killed.sh" 3
