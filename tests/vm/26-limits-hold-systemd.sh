#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same proof where systemd runs the machine: the limits of scopes, and of plain groups beside it.
# long
# limit: 300
# vm: --systemd --disk 64M
exec "$(dirname "$0")/../limits.sh" --tap paths
