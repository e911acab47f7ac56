#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container of podman in a tenant. podman chooses the cgroup of its containers, so it is told the
# tenant's. Needs podman.conf (beside this) and a tenant: sublet tenant set shop --cpu 'elastic 0.5'
# usage: podman-tenant.sh TENANT [OPTION...] IMAGE [COMMAND...]
set -euo pipefail

tenant=${1:?the name of a tenant}
shift
group=$(sublet tenant show "$tenant" | sed -n 's/^cgroup: *//p')
exec podman --runtime sublet run --rm --cgroup-parent "$group" \
    --annotation "org.sublet.tenant=$tenant" "$@"
