/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/arena.h"
#include "sublet/base/path.h"

#include "runner.h"

START_TEST(cleaning_is_lexical_and_stops_at_the_root)
{
    static const char *const rows[][2] = {
        {"/",            "/"   },
        {"//a///b/",     "/a/b"},
        {"/../../a/./b", "/a/b"},
        {"a/../..",      "."   },
        {"a/b/../c",     "a/c" },
        {"/a/..",        "/"   },
        {"",             "."   },
    };
    OWNED_ARENA arena;

    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_str_eq(path_clean(&arena, rows[i][0]), rows[i][1]);
}
END_TEST

START_TEST(canonical_paths_have_no_tricks)
{
    ck_assert(path_is_canonical("/a/b"));
    ck_assert(path_is_canonical("/"));
    ck_assert(path_is_canonical("a"));
    ck_assert(!path_is_canonical("/a/"));
    ck_assert(!path_is_canonical("/a//b"));
    ck_assert(!path_is_canonical("/a/../b"));
    ck_assert(!path_is_canonical("./a"));
    ck_assert(!path_is_canonical(""));
}
END_TEST

START_TEST(holding_respects_component_borders)
{
    ck_assert(path_holds("/a", "/a/b"));
    ck_assert(path_holds("/a", "/a"));
    ck_assert(path_holds("/", "/a"));
    ck_assert(!path_holds("/a", "/ab"));
    ck_assert(path_is_component("a.b"));
    ck_assert(!path_is_component(".."));
    ck_assert(!path_is_component("a/b"));
}
END_TEST

SUITE(path_suite, cleaning_is_lexical_and_stops_at_the_root, canonical_paths_have_no_tricks,
      holding_respects_component_borders)
