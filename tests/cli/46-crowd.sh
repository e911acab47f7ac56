#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hundred containers that resist their end; see tests/limits/delete.sh.
# limit: 300
[ -z "${TEST_SANITIZED:-}" ] || rounds=15
exec "$(dirname "$0")/../limits.sh" --tap --rounds "${rounds:-100}" delete
