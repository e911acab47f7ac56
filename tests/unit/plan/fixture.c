/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

#define CONFIG_ROOM 65536

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){
        .options = {.id = "c1", .bundle = "/b"}
    };
    arena_init(&fixture->arena, ARENA_MAX_BYTES);
    findings_init(&fixture->findings, &fixture->arena);
    host_example(&fixture->host);
}

void fixture_done(struct fixture *fixture)
{
    arena_done(&fixture->arena);
}

int fixture_make(struct fixture *fixture, const char *format, ...)
{
    char text[CONFIG_ROOM];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ck_assert_int_lt(length, CONFIG_ROOM);
    ck_ok(spec_parse(&fixture->arena, SPEC_FILE, text, (size_t) length, &fixture->findings,
                     &fixture->spec, &fixture->err),
          &fixture->err);
    (void) spec_check(fixture->spec, &fixture->findings);
    return plan_make(&fixture->arena, &fixture->options, fixture->spec, &fixture->host,
                     &fixture->findings, &fixture->plan, &fixture->err);
}

int fixture_make_parts(struct fixture *fixture, const char *process, const char *linux_,
                       const char *mounts)
{
    return fixture_make(fixture,
                        "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"},"
                        "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]%s%s},"
                        "\"mounts\":[%s],"
                        "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}]%s%s}}",
                        process[0] == '\0' ? "" : ",", process, mounts,
                        linux_[0] == '\0' ? "" : ",", linux_);
}

const struct plan_mount *fixture_mount(const struct fixture *fixture, const char *target)
{
    for (size_t i = 0; i < fixture->plan->mounts.count; i++) {
        if (strcmp(fixture->plan->mounts.items[i].target, target) == 0)
            return &fixture->plan->mounts.items[i];
    }
    ck_abort_msg("no mount at %s", target);
}
