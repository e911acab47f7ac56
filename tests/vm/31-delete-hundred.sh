#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hundred containers that resist their end, where every controller is; see tests/limits/delete.sh.
# long
# limit: 540
exec "$(dirname "$0")/../limits.sh" --tap --rounds "${TEST_ROUNDS:-100}" delete
