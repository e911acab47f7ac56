#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limit: 300
# A sample of tests/torture/run.sh: every 7th system call, one errno.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
table=$("$here/run.sh" 7 1 2>&1)
status=$?
printf '%s\n' "$table" | sed 's/^not ok - /#   /; s/^/# /'
if [ "$status" -eq 0 ]; then
    printf 'ok - torture: %s\n' "$(printf '%s\n' "$table" | tail -n 1)"
else
    printf 'not ok - torture: %s\n' "$(printf '%s\n' "$table" | grep 'not ok' | head -n 1)"
fi
