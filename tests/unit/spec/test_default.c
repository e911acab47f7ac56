/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "runner.h"

static const struct spec *make(struct arena *arena, bool rootless)
{
    struct findings findings;
    struct spec *spec = NULL;

    arena_init(arena, ARENA_MAX_BYTES);
    findings_init(&findings, arena);
    ck_assert_int_eq(spec_default(arena, rootless, &spec), 0);
    ck_assert_int_eq(spec_check(spec, &findings), 0);
    ck_assert_uint_eq(findings.warning_count, 0);
    return spec;
}

START_TEST(the_default_breaks_no_rule_and_grants_three_capabilities)
{
    OWNED_ARENA arena;
    const struct spec *spec = make(&arena, false);
    const struct spec_capabilities *capabilities = spec->process->capabilities;

    ck_assert_str_eq(spec->process->args.items[0], "sh");
    ck_assert(spec->process->terminal);
    ck_assert(spec->process->no_new_privileges);
    ck_assert_uint_eq(capabilities->bounding.count, 3);
    ck_assert_uint_eq(capabilities->effective.count, 3);
    ck_assert_uint_eq(capabilities->permitted.count, 3);
    ck_assert_uint_eq(capabilities->inheritable.count, 0);
    ck_assert_uint_eq(capabilities->ambient.count, 0);
    ck_assert_uint_eq(spec->linux_->namespaces.count, 6);
    ck_assert_ptr_null(spec_namespace(spec, "user"));
    ck_assert_uint_eq(spec->mounts.count, 7);
    ck_assert_ptr_null(spec->linux_->seccomp);
    ck_assert(!spec->linux_->resources->devices.items[0].allow);
}
END_TEST

START_TEST(the_rootless_default_maps_the_caller_and_shares_the_network)
{
    OWNED_ARENA arena;
    const struct spec *spec = make(&arena, true);

    ck_assert_ptr_nonnull(spec_namespace(spec, "user"));
    ck_assert_ptr_null(spec_namespace(spec, "network"));
    ck_assert_ptr_null(spec->linux_->resources);
    ck_assert_uint_eq(spec->linux_->uid_mappings.items[0].container_id, 0);
    ck_assert_uint_eq(spec->linux_->uid_mappings.items[0].host_id, geteuid());
    ck_assert_uint_eq(spec->linux_->gid_mappings.items[0].size, 1);
    for (size_t i = 0; i < spec->mounts.count; i++) {
        for (size_t k = 0; k < spec->mounts.items[i].options.count; k++)
            ck_assert_str_ne(spec->mounts.items[i].options.items[k], "gid=5");
    }
}
END_TEST

START_TEST(the_default_is_written_in_the_order_of_the_rows)
{
    static const char start[] = "{\n"
                                "    \"ociVersion\": \"1.3.0\",\n"
                                "    \"process\": {\n"
                                "        \"terminal\": true,\n"
                                "        \"user\": {\n"
                                "            \"uid\": 0,\n"
                                "            \"gid\": 0\n"
                                "        },\n"
                                "        \"args\": [\n"
                                "            \"sh\"\n"
                                "        ],\n";
    OWNED_ARENA arena;
    OWNED_BUF buf;

    buf_init(&buf, SPEC_MAX_BYTES);
    ck_assert_int_eq(spec_encode(make(&arena, false), &buf), 0);
    ck_assert_int_eq(strncmp(buf_text(&buf), start, strlen(start)), 0);
    ck_assert_ptr_nonnull(strstr(buf_text(&buf), "\"root\": {\n"
                                                 "        \"path\": \"rootfs\",\n"
                                                 "        \"readonly\": true\n"
                                                 "    },\n"));
    ck_assert_ptr_null(strstr(buf_text(&buf), "ambient"));
}
END_TEST

SUITE(default_suite, the_default_breaks_no_rule_and_grants_three_capabilities,
      the_rootless_default_maps_the_caller_and_shares_the_network,
      the_default_is_written_in_the_order_of_the_rows)
