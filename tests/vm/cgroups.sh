#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The unit tests of the cgroups library, where the controllers are that most build machines lack.
# limit: 300
# vm: --disk 64M
set -u
# shellcheck source=tests/lib/stages.sh
. "$(dirname "$0")/../lib/stages.sh"
: "${SUBLET_BUILD:?}"
[ ! -x "$SUBLET_BUILD/tests/test_cgroups" ] || run_unit_binary "$SUBLET_BUILD/tests/test_cgroups"
