/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/cgroups/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"

#include "private.h"

/* Above the program's own limits, which end in better sentences. */
#define CONNECT_LIMIT_MS 15000
#define REQUEST_LIMIT_MS 45000

static const char *const environment[] = {"DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS",
                                          "XDG_RUNTIME_DIR", NULL};
static const struct sys_program program = {
    .name = "systemd", .needs = "libsystemd", .environment = environment};

/* "/a/b" -> "a/b", "/" -> "" */
static const char *without_slash(const char *group)
{
    return group[0] == '/' ? group + 1 : group;
}

bool cg_systemd_is_there(void)
{
    OWNED_FD file = sys_program_open(&program, NULL);

    return file >= 0;
}

int cg_systemd_open(bool is_user, struct cg_systemd *ret_systemd, struct sub_err *err)
{
    OWNED_SYSTEMD systemd = CG_SYSTEMD_NONE;
    struct answer answer;

    SUBLET_TRY(sys_talk_open(&program, &systemd.talk, err));
    SUBLET_TRY(sys_talk_ask(&systemd.talk, is_user ? "connect user" : "connect system",
                            CONNECT_LIMIT_MS, &answer, err));

    const char *group = without_slash(answer.text);
    if (strlen(group) >= sizeof systemd.group)
        return sub_fail(err, ENAMETOOLONG, "systemd", "its own cgroup '%.80s...' is too deep",
                        group);
    memcpy(systemd.group, group, strlen(group) + 1);
    *ret_systemd = systemd;
    systemd.talk = SYS_TALK_NONE;
    return 0;
}

void cg_systemd_close(struct cg_systemd *systemd)
{
    sys_talk_close(&systemd->talk);
}

static int ask(struct cg_systemd *systemd, const char *verb, const char *unit,
               const struct cg_properties *properties, struct answer *ret_answer,
               struct sub_err *err)
{
    OWNED_BUF request = BUF(ANSWER_REQUEST_MAX);

    buf_printf(&request, "%s %s\n", verb, unit);
    for (size_t i = 0; properties != NULL && i < properties->count; i++) {
        const struct cg_property *property = &properties->items[i];

        log_debug("systemd: %s: %s=%s", unit, property->name, property->value);
        buf_printf(&request, "%s %s %s\n", property->name, property->type, property->value);
    }
    if (buf_failed(&request))
        return sub_fail(err, E2BIG, unit, "more than %zu bytes of properties for systemd",
                        ANSWER_REQUEST_MAX);
    return sys_talk_ask(&systemd->talk, request.data, REQUEST_LIMIT_MS, ret_answer, err);
}

/* Lines behind the first name what this systemd does not know. */
static void tell_unknown(const char *unit, char *text)
{
    char *line = strchr(text, '\n');

    if (line == NULL)
        return;
    *line = '\0';
    for (char *end; line != NULL; line = end) {
        end = strchr(line + 1, '\n');
        if (end != NULL)
            *end = '\0';
        log_debug("systemd: %s: no property %s here", unit, line + 1);
    }
}

int cg_systemd_start(struct cg_systemd *systemd, const char *unit, pid_t pid,
                     const struct cg_properties *properties, const char **ret_group,
                     struct sub_err *err)
{
    struct cg_properties all = {.arena = properties->arena};
    struct answer answer;

    for (size_t i = 0; i < properties->count; i++)
        SUBLET_TRY(cg_property_set(&all, properties->items[i].name, properties->items[i].type,
                                   properties->items[i].value, err));
    SUBLET_TRY(cg_property_set(&all, "PIDs", "au", arena_printf(all.arena, "%d", (int) pid), err));
    SUBLET_TRY(ask(systemd, "start", unit, &all, &answer, err));
    tell_unknown(unit, answer.text);

    const char *group = arena_strdup(all.arena, without_slash(answer.text));
    if (group == NULL)
        return sub_fail(err, ENOMEM, unit, "out of memory");
    *ret_group = group;
    return 0;
}

int cg_systemd_set(struct cg_systemd *systemd, const char *unit,
                   const struct cg_properties *properties, struct sub_err *err)
{
    struct answer answer;

    if (properties->count == 0)
        return 0;
    SUBLET_TRY(ask(systemd, "set", unit, properties, &answer, err));
    tell_unknown(unit, answer.text);
    return 0;
}

int cg_systemd_stop(struct cg_systemd *systemd, const char *unit, struct sub_err *err)
{
    struct answer answer;

    return ask(systemd, "stop", unit, NULL, &answer, err);
}
