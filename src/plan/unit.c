/* SPDX-License-Identifier: Apache-2.0 */
/* The container's scope, where systemd makes the groups: its name, its place, its properties. */
#include <errno.h>
#include <string.h>

#include "sublet/base/num.h"
#include "sublet/base/path.h"
#include "sublet/cgroups/systemd.h"

#include "planning.h"

#define CGROUP_FIELD    "linux.cgroupsPath"
#define PROPERTY_PREFIX "org.systemd.property."
#define SUBGROUP_NAME   "run.oci.systemd.subgroup"

/* '+' is a letter of container IDs and none of unit names (systemd.unit(5), "String escaping"). */
static const char *escape(struct planning *p, const char *id)
{
    const char *text = "";

    for (size_t length; *id != '\0' && text != NULL; id += length + (id[length] == '+')) {
        length = strcspn(id, "+");
        text = arena_printf(p->arena, "%s%.*s%s", text, (int) length, id,
                            id[length] == '+' ? "\\x2b" : "");
    }
    return text;
}

/* The group in the scope that the processes live in. systemd keeps its hands off what is below a
 * delegated unit, so limits stay there to the letter; and the scope itself holds no process, as a
 * group must that gives controllers to others. */
static const char *subgroup(struct planning *p)
{
    const char *name = plan_annotation(p, SUBGROUP_NAME);

    if (name == NULL)
        return "container";
    if (name[0] != '\0' && !path_is_component(name))
        plan_error(p, "annotations['" SUBGROUP_NAME "']",
                   "'%.80s' is not the name of a cgroup; an empty one asks for none", name);
    return name;
}

void plan_decide_scope(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;
    const char *given = p->linux_->cgroups_path;
    const char *slice = p->host->rootless ? "user.slice" : "system.slice";
    const char *prefix = "sublet", *name = escape(p, p->options->id);

    if (given != NULL && given[0] != '\0') {
        char *fields = arena_strdup(p->arena, given);
        char *second = fields == NULL ? NULL : strchr(fields, ':');
        char *third = second == NULL ? NULL : strchr(second + 1, ':');

        if (third == NULL || strchr(third + 1, ':') != NULL) {
            plan_error(p, CGROUP_FIELD, "'%s' is not of the form slice:prefix:name", given);
            return;
        }
        *second = *third = '\0';
        slice = fields[0] == '\0' ? slice : fields;
        prefix = second + 1;
        name = third + 1;
    }

    if (name == NULL)
        return;

    const char *place = cg_slice_path(p->arena, slice);
    if (place == NULL) {
        plan_error(p, CGROUP_FIELD, "'%.80s' is not the name of a slice, as 'system.slice'", slice);
        return;
    }
    cgroup->slice = slice;
    cgroup->unit =
        arena_printf(p->arena, "%s%s%s.scope", prefix, prefix[0] == '\0' ? "" : "-", name);
    if (cgroup->unit == NULL)
        return;
    if (name[0] == '\0' || !cg_unit_is_name(cgroup->unit, ".scope")) {
        plan_error(p, CGROUP_FIELD,
                   "'%.80s' is not the name of a unit of systemd: at most 255 letters, digits and "
                   ":-_.\\@ are allowed",
                   cgroup->unit);
        return;
    }

    const char *below = subgroup(p);
    cgroup->user_manager = p->host->rootless;
    cgroup->scope_path =
        arena_printf(p->arena, "%s%s%s", place, place[0] == '\0' ? "" : "/", cgroup->unit);
    cgroup->path = below[0] == '\0' ? cgroup->scope_path
                                    : arena_printf(p->arena, "%s/%s", cgroup->scope_path, below);
}

/* ---- properties from annotations ---- */

/* Engines copy labels of images into annotations: nothing here runs a program, starts or stops
 * another unit, moves the scope or loosens a limit (CVE-2024-3154). */
enum kind { KIND_TEXT, KIND_MODE, KIND_TRUTH, KIND_DURATION, KIND_UNITS };

static const struct allowed {
    const char *name, *type;
    enum kind kind;
} allowed[] = {
    {"After",               "as", KIND_UNITS   },
    {"Before",              "as", KIND_UNITS   },
    {"CollectMode",         "s",  KIND_MODE    },
    {"DefaultDependencies", "b",  KIND_TRUTH   },
    {"Description",         "s",  KIND_TEXT    },
    {"RuntimeMaxUSec",      "t",  KIND_DURATION},
    {"SendSIGHUP",          "b",  KIND_TRUTH   },
    {"TimeoutStopUSec",     "t",  KIND_DURATION},
};

/* "TimeoutStopSec" is "TimeoutStopUSec" in seconds. */
static const struct allowed *find_allowed(const char *name, bool *ret_seconds)
{
    size_t length = strlen(name);
    bool seconds = length > 3 && strcmp(name + length - 3, "Sec") == 0 && name[length - 4] != 'U';

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        const char *row = allowed[i].name;

        *ret_seconds = seconds && allowed[i].kind == KIND_DURATION;
        if (strcmp(row, name) == 0 ||
            (*ret_seconds && strlen(row) == length + 1 && strncmp(row, name, length - 3) == 0))
            return &allowed[i];
    }
    return NULL;
}

/* A string of GVariant's text form, without escapes; *at moves behind it. */
static char *parse_string(struct planning *p, const char **at)
{
    const char *text = *at;
    const char *end = text[0] == '\'' || text[0] == '"' ? strchr(text + 1, text[0]) : NULL;

    if (end == NULL)
        return NULL;
    *at = end + 1;
    for (const char *c = text + 1; c < end; c++) {
        if ((unsigned char) *c < ' ' || *c == '\\' || *c == 0x7f)
            return NULL;
    }
    return arena_strndup(p->arena, text + 1, (size_t) (end - text - 1));
}

static const char *whole_string(struct planning *p, const char *text)
{
    const char *string = parse_string(p, &text);

    return string != NULL && *text == '\0' ? string : NULL;
}

static const char *parse_units(struct planning *p, const char *text)
{
    const char *units = "";

    if (strncmp(text, "@as ", 4) == 0)
        text += 4;
    if (*text++ != '[')
        return NULL;
    while (*text != ']') {
        const char *unit = parse_string(p, &text);

        if (unit == NULL || !cg_unit_is_name(unit, ""))
            return NULL;
        units = arena_printf(p->arena, "%s%s%s", units, units[0] == '\0' ? "" : " ", unit);
        if (units == NULL || (*text != ',' && *text != ']'))
            return NULL;
        text += *text == ',';
        text += strspn(text, " ");
    }
    return text[1] == '\0' ? units : NULL;
}

static const char *parse_duration(struct planning *p, const char *text, bool seconds)
{
    static const char *const types[] = {"uint64 ", "int64 ", "uint32 ", "int32 ",
                                        "uint16 ", "int16 ", "double "};
    uint64_t value;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strncmp(text, types[i], strlen(types[i])) == 0) {
            text += strlen(types[i]);
            break;
        }
    }
    if (!seconds)
        return num_parse_u64(text, UINT64_MAX, &value) < 0 ? NULL : text;
    if (num_parse_milli(text, UINT64_MAX / 1000, &value) < 0)
        return NULL;
    return arena_printf(p->arena, "%llu", (unsigned long long) value * 1000);
}

static const char *parse_value(struct planning *p, const struct allowed *row, const char *text,
                               bool seconds)
{
    const char *mode;

    switch (row->kind) {
    case KIND_TEXT:
        return whole_string(p, text);
    case KIND_MODE:
        mode = whole_string(p, text);
        return mode != NULL &&
                       (strcmp(mode, "inactive") == 0 || strcmp(mode, "inactive-or-failed") == 0)
                   ? mode
                   : NULL;
    case KIND_TRUTH:
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ? text : NULL;
    case KIND_DURATION:
        return parse_duration(p, text, seconds);
    case KIND_UNITS:
        return parse_units(p, text);
    }
    return NULL;
}

static void add_annotation(struct planning *p, struct cg_properties *properties,
                           const struct spec_pair *pair)
{
    const char *name = pair->key + strlen(PROPERTY_PREFIX);
    const char *path = arena_printf(p->arena, "annotations['%.100s']", pair->key);
    bool seconds;
    const struct allowed *row = find_allowed(name, &seconds);

    if (row == NULL) {
        plan_error(p, path,
                   "not a property that a container may have; those are After, Before, "
                   "CollectMode, DefaultDependencies, Description, RuntimeMaxUSec, SendSIGHUP and "
                   "TimeoutStopUSec");
        return;
    }

    const char *value = parse_value(p, row, pair->value, seconds);
    if (value == NULL) {
        static const char *const forms[] = {
            [KIND_TEXT] = "a text in quotes",
            [KIND_MODE] = "'inactive' or 'inactive-or-failed', with the quotes",
            [KIND_TRUTH] = "true or false",
            [KIND_DURATION] = "a number",
            [KIND_UNITS] = "a list of units, as ['a.service', 'b.service']",
        };

        plan_error(p, path, "'%.80s' is not %s", pair->value, forms[row->kind]);
        return;
    }
    (void) cg_property_set(properties, row->name, row->type, value, NULL);
}

/* ---- all properties ---- */

void plan_decide_unit(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;
    struct cg_properties properties = {.arena = p->arena};
    const struct cg_property always[] = {
        {"Description",         "s", arena_printf(p->arena, "container %s", p->options->id)},
        {"Slice",      "s",         cgroup->slice                       },
        {"Delegate",        "b",   "true"},
        {"DefaultDependencies",               "b",                "false"                         },
        {"CollectMode",              "s",  "inactive-or-failed"},
        {"CPUAccounting", "b",   "true"                        },
        {"MemoryAccounting",               "b",                "true"},
        {"IOAccounting",               "b",   "true"               },
        {"TasksAccounting",               "b",                "true"     },
 /* systemd's default is 15 % of what the host can run; ours is what the config says */
        {"TasksMax",               "t",   "18446744073709551615"         },
    };
    struct sub_err err = {.code = 0};

    if (cgroup->manager != PLAN_CGROUP_SYSTEMD || cgroup->unit == NULL)
        return;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        (void) cg_property_set(&properties, always[i].name, always[i].type, always[i].value, NULL);

    int rc = cg_properties_of_rows(&properties, cgroup->rows, cgroup->row_count, &err);
    if (rc == 0 && !cgroup->user_manager) /* a user's manager may not load BPF programs */
        rc = cg_properties_of_devices(&properties, cgroup->device_rules, cgroup->device_rule_count,
                                      &err);
    if (rc < 0 && rc != -ENOMEM)
        plan_error(p, arena_strdup(p->arena, err.path), "%s", err.text);

    for (size_t i = 0; i < p->spec->annotations.count; i++) {
        const struct spec_pair *pair = &p->spec->annotations.items[i];

        if (strncmp(pair->key, PROPERTY_PREFIX, strlen(PROPERTY_PREFIX)) == 0)
            add_annotation(p, &properties, pair);
    }
    cgroup->properties = properties.items;
    cgroup->property_count = properties.count;
}
