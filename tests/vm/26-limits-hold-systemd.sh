#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same proof where systemd runs the machine: the limits of scopes, and of plain groups beside it;
# the disk is the loop device of a host that has none to lose.
# long
# limit: 600
# vm: --systemd
exec "$(dirname "$0")/../limits.sh" --tap paths daemon-reload io-max io-buffered
