/* SPDX-License-Identifier: Apache-2.0 */
/* misc.*: resources that only some machines have, by name ("sev 3", "sev.max 0"). */
#include <errno.h>
#include <string.h>

#include "counters.h"

#define ROW(member, file, key, kind) CG_FIELD(struct cg_misc_counters, member, file, key, kind)
static const struct cg_field misc_rows[] = {
    ROW(current, MISC_CURRENT, NULL, LEVEL),
    ROW(peak, MISC_PEAK, NULL, PEAK),
    ROW(limit, MISC_MAX, NULL, LIMIT),
    ROW(limit_events, MISC_EVENTS, "max", TOTAL),
    ROW(local_limit_events, MISC_EVENTS_LOCAL, "max", TOTAL),
};
#undef ROW
const struct cg_fields cg_misc_fields = CG_FIELDS(misc_rows);

static int entry_of(struct cgroup_sample *sample, const char *name, size_t length,
                    struct cg_misc_counters **ret_entry)
{
    struct cg_misc_counters *entry = sample->misc;

    if (length == 0 || length >= CG_NAME_TEXT)
        return -EINVAL;
    for (; entry < sample->misc + sample->misc_count; entry++) {
        if (strncmp(entry->name, name, length) == 0 && entry->name[length] == '\0') {
            *ret_entry = entry;
            return 0;
        }
    }
    if (sample->misc_count == CG_MISC_MAX)
        return -E2BIG;
    *entry = (struct cg_misc_counters){.present = 0};
    memcpy(entry->name, name, length);
    sample->misc_count++;
    *ret_entry = entry;
    return 0;
}

int cg_parse_misc(const struct cg_place *place, const char *text)
{
    const struct cg_field *field = cg_field_of(&cg_misc_fields, place->file);

    for (; *text != '\0'; text += *text == '\n') {
        size_t length = strcspn(text, " \n"),
               tail = field->key == NULL ? 0 : strlen(field->key) + 1;
        const char *name = text;
        struct cg_misc_counters *entry;
        uint64_t value;

        if (text[length] != ' ')
            return -EINVAL;
        text += length + 1;
        SUBLET_TRY(field->kind == CG_LIMIT ? cg_take_limit(&text, &value)
                                           : cg_take_u64(&text, &value));
        if ((*text != '\n' && *text != '\0') || length <= tail)
            return -EINVAL;
        if (tail > 0 && (name[length - tail] != '.' ||
                         strncmp(name + length - tail + 1, field->key, tail - 1) != 0))
            continue; /* another event than the one known */
        SUBLET_TRY(entry_of(place->sample, name, length - tail, &entry));
        cg_field_set(field, entry, value);
    }
    return 0;
}
