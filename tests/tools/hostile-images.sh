#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Some of the damaged images of nightly/hostile.sh.

exec "$(dirname "$0")/../nightly/hostile.sh" 256
