#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# podman with cgroupfs over the life of a container.
# limit: 4800
# vm: --memory 3072 --disk 512M
# shellcheck disable=SC2016 # for the shell of the row
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
# shellcheck source=tests/engines/lib/podman.sh
. "$ENGINES/lib/podman.sh"
engines_world
podman_world
# shellcheck source=tests/engines/lib/life.sh
. "$ENGINES/lib/life.sh"
# shellcheck source=tests/engines/lib/podman-only.sh
. "$ENGINES/lib/podman-only.sh"

for runtime in ${TEST_RUNTIMES:-sublet crun}; do
    R=$runtime play podman "$runtime"
    R=$runtime e rm -af -t 0 >/dev/null 2>&1
done
verdicts podman crun
