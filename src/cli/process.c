/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"

#include "command.h"

#define STATUS_NOT_FOUND 127
#define STATUS_NO_EXEC   126

int user_parse(const char *text, struct spec_user *ret_user, struct sub_err *err)
{
    char uid[NUM_TEXT] = "";
    const char *colon = strchrnul(text, ':');
    struct spec_user user = {0};
    bool fine = (size_t) (colon - text) < sizeof uid;

    if (fine) {
        memcpy(uid, text, (size_t) (colon - text));
        fine = num_parse_u32(uid, UINT32_MAX - 1, &user.uid) == 0;
    }
    if (fine && *colon == ':')
        fine = num_parse_u32(colon + 1, UINT32_MAX - 1, &user.gid) == 0;
    if (!fine)
        return sub_fail(err, ARGS_USAGE, "--user", "'%.64s': expected UID or UID:GID, as numbers",
                        text);
    *ret_user = user;
    return 0;
}

static size_t key_length(const char *entry)
{
    return strcspn(entry, "=");
}

/* Adds entry, in the place of one with the same name. */
static void put_env(const char **items, size_t *count, const char *entry)
{
    size_t length = key_length(entry);

    for (size_t i = 0; i < *count; i++) {
        if (key_length(items[i]) == length && memcmp(items[i], entry, length) == 0) {
            items[i] = entry;
            return;
        }
    }
    items[(*count)++] = entry;
}

int env_add(struct arena *arena, const struct spec_strings *base, const struct arg_list *added,
            struct spec_strings *ret_env, struct sub_err *err)
{
    const char **items = arena_array(arena, base->count + added->count, sizeof *items);
    size_t count = 0;

    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < base->count; i++)
        put_env(items, &count, base->items[i]);
    for (size_t i = 0; i < added->count; i++) {
        const char *entry = added->items[i];

        if (key_length(entry) == 0 || entry[key_length(entry)] != '=')
            return sub_fail(err, ARGS_USAGE, "--env", "'%.64s': expected NAME=VALUE", entry);
        put_env(items, &count, entry);
    }
    *ret_env = (struct spec_strings){items, count};
    return 0;
}

int program_failure(const struct sub_err *err)
{
    if (strcmp(err->path, "process.args[0]") != 0)
        return STATUS_FAILURE;
    return err->code == ENOENT ? STATUS_NOT_FOUND : STATUS_NO_EXEC;
}
