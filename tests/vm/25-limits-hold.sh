#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The proofs that users run on their own host, tests/limits.sh, where every controller is and a disk
# to lose. Most of the table comes out as comments; see there and tests/limits.
# long
# limit: 600
# vm: --disk 64M
exec "$(dirname "$0")/../limits.sh" --tap --disk /dev/vda --rounds 2
