/* SPDX-License-Identifier: Apache-2.0 */
/* Which ids the host lets its user map: /etc/passwd, /etc/subuid, /etc/subgid. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/plan/host.h"
#include "sublet/spec.h"
#include "sublet/sys/program.h"

#define TABLE_MAX  ((size_t) 4 << 20) /* of one of these files */
#define RANGES_MAX 256

bool host_needs_user(const struct host *host, const struct spec *spec)
{
    const struct spec_namespace *user = spec_namespace(spec, "user");
    bool has_rights = (host->caps_permitted >> CAP_SYS_ADMIN & 1) != 0;

    if (host->euid == 0 || (spec->linux_ != NULL && (spec->linux_->uid_mappings.count > 0 ||
                                                     spec->linux_->gid_mappings.count > 0)))
        return false;
    return user == NULL ? !has_rights : user->path == NULL;
}

/* One field of a line, up to ':' or the end of the line; moves *at behind it. */
struct field {
    const char *text;
    size_t length;
};

static struct field take_field(const char **at)
{
    struct field field = {.text = *at, .length = strcspn(*at, ":\n")};

    *at += field.length;
    if (**at == ':')
        (*at)++;
    return field;
}

static bool field_is(const struct field *field, const char *text)
{
    return text != NULL && strlen(text) == field->length &&
           strncmp(field->text, text, field->length) == 0;
}

static bool field_number(const struct field *field, uint32_t *ret_number)
{
    char digits[NUM_TEXT];

    if (field->length >= sizeof digits)
        return false;
    memcpy(digits, field->text, field->length);
    digits[field->length] = '\0';
    return num_parse_u32(digits, UINT32_MAX, ret_number) == 0;
}

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return at + (*at == '\n');
}

void host_parse_ranges(struct arena *arena, const char *text, const char *name, uint32_t uid,
                       struct host_ranges *ret_ranges)
{
    struct host_range *items = arena_array(arena, RANGES_MAX, sizeof *items);
    char number[NUM_TEXT];
    size_t count = 0;

    (void) num_format_u64(uid, number);
    for (const char *line = text; items != NULL && *line != '\0'; line = next_line(line)) {
        const char *at = line;
        struct field owner = take_field(&at), first = take_field(&at), size = take_field(&at);
        struct host_range range;

        if ((field_is(&owner, name) || field_is(&owner, number)) && count < RANGES_MAX &&
            field_number(&first, &range.first) && field_number(&size, &range.count) &&
            range.count > 0 && range.count <= UINT32_MAX - range.first)
            items[count++] = range;
    }
    *ret_ranges = (struct host_ranges){.items = items, .count = count};
}

/* A number behind blanks; moves *at behind it. */
static bool take_number(const char **at, uint32_t *ret_number)
{
    struct field field = {.text = *at + strspn(*at, " ")};

    field.length = strcspn(field.text, " \n");
    *at = field.text + field.length;
    return field_number(&field, ret_number);
}

void host_parse_map(struct arena *arena, const char *map, struct host_ranges *ret_ranges)
{
    struct host_range *items = arena_array(arena, RANGES_MAX, sizeof *items);
    size_t count = 0;

    for (const char *line = map; items != NULL && *line != '\0'; line = next_line(line)) {
        const char *at = line;
        struct host_range range;
        uint32_t outside;

        if (count < RANGES_MAX && take_number(&at, &range.first) && take_number(&at, &outside) &&
            take_number(&at, &range.count))
            items[count++] = range;
    }
    *ret_ranges = (struct host_ranges){.items = items, .count = count};
}

const char *host_parse_name(struct arena *arena, const char *passwd, uint32_t uid)
{
    for (const char *line = passwd; *line != '\0'; line = next_line(line)) {
        const char *at = line;
        struct field name = take_field(&at);
        uint32_t number;

        (void) take_field(&at);
        struct field id = take_field(&at);
        if (name.length > 0 && field_number(&id, &number) && number == uid)
            return arena_strndup(arena, name.text, name.length);
    }
    return NULL;
}

/* "" where there is no such file. */
static int load_table(const char *path, char **ret_text, struct sub_err *err)
{
    struct sub_err reason = {.code = 0};
    size_t size;
    int rc = sub_load_file_at(AT_FDCWD, path, TABLE_MAX, ret_text, &size, &reason);

    if (rc < 0 && rc != -ENOENT)
        return sub_fail(err, -rc, path, "%s", reason.text);
    return 0;
}

static int read_ranges(struct arena *arena, enum sys_id_tool tool, const char *name, uint32_t uid,
                       struct host_ranges *ret_ranges, struct sub_err *err)
{
    OWNED_MEM char *text = NULL;

    SUBLET_TRY(load_table(tool == SYS_NEWUIDMAP ? "/etc/subuid" : "/etc/subgid", &text, err));
    host_parse_ranges(arena, text == NULL ? "" : text, name, uid, ret_ranges);
    ret_ranges->no_helper = ret_ranges->count > 0 && sys_id_tool_find(tool) == NULL;
    return 0;
}

int host_read_user(struct arena *arena, uint32_t uid, struct host_user *ret_user,
                   struct sub_err *err)
{
    OWNED_MEM char *passwd = NULL;
    struct host_user user = {.name = NULL};

    SUBLET_TRY(load_table("/etc/passwd", &passwd, err));
    if (passwd != NULL)
        user.name = host_parse_name(arena, passwd, uid);
    SUBLET_TRY(read_ranges(arena, SYS_NEWUIDMAP, user.name, uid, &user.uids, err));
    SUBLET_TRY(read_ranges(arena, SYS_NEWGIDMAP, user.name, uid, &user.gids, err));
    if (user.name == NULL)
        user.name = arena_printf(arena, "%" PRIu32, uid);
    if (arena_failed(arena))
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    *ret_user = user;
    return 0;
}
