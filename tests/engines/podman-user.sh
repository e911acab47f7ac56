#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# podman of an ordinary user with cgroupfs in a group given to him, over the life of a container.
# limit: 7200
# vm: --memory 3072 --disk 1024M
# shellcheck source=tests/engines/lib/rows.sh
. "$(dirname "$0")/lib/rows.sh"
# shellcheck source=tests/engines/lib/podman.sh
. "$ENGINES/lib/podman.sh"
engines_world
podman_user_world "${TEST_DISK:-/dev/vda}"
# shellcheck source=tests/engines/lib/life.sh
. "$ENGINES/lib/life.sh"
# shellcheck source=tests/engines/lib/podman-only.sh
. "$ENGINES/lib/podman-only.sh"

play_podman 'podman of a user'
