/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "counters.h"

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

#define ROW(member, file, key, kind) CG_FIELD(struct cg_rdma_counters, member, file, key, kind)
static const struct cg_field rdma_rows[] = {
    ROW(handles, RDMA_CURRENT, "hca_handle", LEVEL),
    ROW(objects, RDMA_CURRENT, "hca_object", LEVEL),
    ROW(handle_limit, RDMA_MAX, "hca_handle", LIMIT),
    ROW(object_limit, RDMA_MAX, "hca_object", LIMIT),
};
#undef ROW
const struct cg_fields cg_rdma_fields = CG_FIELDS(rdma_rows);

static int entry_of(struct cgroup_sample *sample, const char *name, size_t length,
                    struct cg_rdma_counters **ret_entry)
{
    struct cg_rdma_counters *entry = sample->rdma;

    if (length == 0 || length >= CG_NAME_TEXT)
        return -EINVAL;
    for (; entry < sample->rdma + sample->rdma_count; entry++) {
        if (strncmp(entry->name, name, length) == 0 && entry->name[length] == '\0') {
            *ret_entry = entry;
            return 0;
        }
    }
    if (sample->rdma_count == CG_RDMA_MAX)
        return -E2BIG;
    *entry = (struct cg_rdma_counters){.present = 0};
    memcpy(entry->name, name, length);
    sample->rdma_count++;
    *ret_entry = entry;
    return 0;
}

/* " hca_handle=2": one of the pairs behind the name. */
static int parse_pair(const char **at, enum cg_file file, struct cg_rdma_counters *entry)
{
    size_t length = strcspn(*at, "= \n");
    const char *key = *at;
    uint64_t value;

    *at += length;
    if (**at != '=')
        return -EINVAL;
    (*at)++;
    SUBLET_TRY(cg_take_limit(at, &value));
    for (size_t i = 0; i < CG_COUNT_OF(rdma_rows); i++) {
        const struct cg_field *field = &rdma_rows[i];

        if (field->file == file && strncmp(field->key, key, length) == 0 &&
            field->key[length] == '\0')
            cg_field_set(field, entry, value);
    }
    return 0;
}

int cg_parse_rdma(const struct cg_place *place, const char *text)
{
    for (; *text != '\0'; text += *text == '\n') {
        size_t length = strcspn(text, " \n");
        struct cg_rdma_counters *entry;

        SUBLET_TRY(entry_of(place->sample, text, length, &entry));
        text += length;
        for (;;) {
            text += strspn(text, " ");
            if (*text == '\0' || *text == '\n')
                break;
            SUBLET_TRY(parse_pair(&text, place->file, entry));
        }
    }
    return 0;
}
