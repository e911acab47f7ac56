/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "private.h"

#define DEVICE_NAME_MAX 63 /* IB_DEVICE_NAME_MAX with its NUL is 64 */

static bool is_device_name(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char) name[i] <= ' ' || name[i] == 0x7f)
            return false;
    return length >= 1 && length <= DEVICE_NAME_MAX;
}

int cg_rdma_rows(struct cg_rows *rows, const char *where, const char *device,
                 const struct cg_rdma_limits *limits, struct sub_err *err)
{
    if (!is_device_name(device))
        return sub_fail(err, EINVAL, where, "'%.80s' is not the name of an RDMA device", device);
    if (!limits->handles_set && !limits->objects_set)
        return sub_fail(err, EINVAL, where, "one of hcaHandles and hcaObjects is needed");

    const char *handles =
        limits->handles_set ? arena_printf(rows->arena, " hca_handle=%u", limits->handles) : "";
    const char *objects =
        limits->objects_set ? arena_printf(rows->arena, " hca_object=%u", limits->objects) : "";
    if (handles == NULL || objects == NULL)
        return sub_fail(err, ENOMEM, where, "out of memory");
    return cg_rows_put(
        rows,
        (struct cg_row){.file = "rdma.max",
                        .text = arena_printf(rows->arena, "%s%s%s", device, handles, objects),
                        .path = where,
                        .controller = CG_RDMA},
        err);
}
