#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The helpers themselves: what a test leaves behind or gets wrong must be told.
# shellcheck disable=SC2016 # lines for another shell
# shellcheck source=tests/lib/cli.sh
. "$(dirname "$0")/../lib/cli.sh"

# faulty TEXT: runs these lines as a test file of their own.
faulty() {
    printf '#!/bin/bash\n. "%s/cli.sh"\nt "inner"\n%s\n' "$LIB" "$1" >"$T/inner.sh"
    run env -u CLI_NAMESPACE bash "$T/inner.sh"
}

t 'a mount left behind fails a test'
faulty 'mkdir "$T/m" && mount -t tmpfs none "$T/m"'
expect_status 1
expect_out_has 'not ok - inner: left behind: mount '

t 'a process left behind fails a test'
faulty 'sleep 99 & true'
expect_status 1
expect_out_has 'not ok - inner: left behind: process '

t 'a container left behind fails a test and is removed'
faulty 'make_bundle "$T/b" ".process.args = [\"/bin/sleep\", \"99\"]"
    run sublet run --detach -b "$T/b" "$ID-left"'
expect_status 1
expect_out_has 'not ok - inner: left behind: process '
expect_out_match 'left: cgroup .*-left$'
expect_out_match 'left: state .*-left$'

t 'a wrong status fails a test'
faulty 'run false; expect_status 0'
expect_status 1
expect_out_has "not ok - inner: status: got '1', expected '0'"

t 'a command that hangs fails a test'
faulty 'run -t 1 sleep 9'
expect_status 1
expect_out_has 'not ok - inner: not finished after 1 s: sleep 9'

t 'something that does not happen fails a test'
faulty 'until_true 1 false'
expect_status 1
expect_out_has 'not ok - inner: did not become true: false'

t 'a sanitizer report fails a test'
faulty 'run sh -c "echo ERROR: AddressSanitizer: heap >&2"'
expect_status 1
expect_out_has 'not ok - inner: sanitizer: ERROR: AddressSanitizer: heap'

t 'a changed host is told'
faulty 'mkdir "$T/known"; hostdiff_before "$T/known"; : >"$T/known/new"; expect_hostdiff_empty'
expect_status 1
expect_out_match 'not ok - inner: the host changed: .*/known/new'

t 'an unchanged host is no failure'
faulty 'mkdir "$T/known"; hostdiff_before "$T/known"; run true; expect_hostdiff_empty'
expect_status 0
expect_out 'ok - inner'

t 'a skipped test runs nothing more'
faulty 'skip "for a reason"; run touch "$T/../never-made"; expect_status 7'
expect_status 0
expect_out 'skip - inner: for a reason'
