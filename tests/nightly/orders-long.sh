#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The virtual CPU in more orders of events than the daily test tries.

MORE=1 exec "$(dirname "$0")/../build/orders.sh"
