/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"

#include "../../../src/cli/args.h"
#include "runner.h"

static struct sub_err err;

static int store(struct args *args, enum arg_kind kind, size_t target, const char *text)
{
    struct arg_row row = {.name = "x", .kind = kind, .target = target};
    static struct arena arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    memset(&err, 0, sizeof err);
    return args_store(&arena, args, &row, text, &err);
}

START_TEST(sizes_and_cpus_are_stored_in_their_units)
{
    struct args args;

    args_init(&args);
    ck_ok(store(&args, ARG_SIZE, INTO(memory_bytes), "1.5G"), &err);
    ck_assert_uint_eq(args.memory_bytes, 1610612736);
    ck_ok(store(&args, ARG_DURATION, INTO(interval_us), "1.5s"), &err);
    ck_assert_uint_eq(args.interval_us, 1500000);
    ck_ok(store(&args, ARG_U32, INTO(preserve_fds), "4294967295"), &err);
    ck_assert_uint_eq(args.preserve_fds, UINT32_MAX);
    ck_assert(!args.no_pivot && !args.no_new_keyring);
    ck_ok(store(&args, ARG_U64, INTO(pids), "9223372036854775807"), &err);
    ck_assert_uint_eq(args.pids, INT64_MAX);
}
END_TEST

START_TEST(wrong_values_say_what_is_allowed)
{
    static const struct {
        enum arg_kind kind;
        const char *text, *complaint;
    } rows[] = {
        {ARG_SIZE, "12Q",                 "'12Q' is no size: a number with an optional unit K, M, G or T"},
        {ARG_SIZE, "-1",                  "'-1' is no size: a number with an optional unit K, M, G or T" },
        {ARG_U32,  "4294967296",          "'4294967296' is too large a number"                           },
        {ARG_U64,  "9223372036854775808", "'9223372036854775808' is too large a number"                  },
        {ARG_U64,  "0x10",                "'0x10' is no whole number"                                    },
        {ARG_U64,  "",                    "'' is no whole number"                                        },
        {ARG_TEXT, "",                    "an empty value is not allowed"                                },
    };
    struct args args, before;

    args_init(&args);
    before = args;
    ck_assert_int_eq(store(&args, ARG_DURATION, INTO(interval_us), "0"), -EINVAL);
    ck_assert_str_eq(
        err.text, "'0' is no duration above 0: a number with an optional unit us, ms, s, m or h");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(store(&args, rows[i].kind, INTO(pids), rows[i].text), -EINVAL);
        ck_assert_str_eq(err.text, rows[i].complaint);
    }
    ck_assert_mem_eq(&args, &before, sizeof args);
}
END_TEST

START_TEST(a_list_grows_without_touching_its_neighbours)
{
    struct arg_row row = {.name = "x", .kind = ARG_LIST, .target = INTO(env)};
    char *others[20], texts[20][8];
    struct arena arena;
    struct args args;

    arena_init(&arena, ARENA_MAX_BYTES);
    args_init(&args);
    for (int i = 0; i < 20; i++) {
        (void) snprintf(texts[i], sizeof texts[i], "A=%d", i);
        ck_ok(args_store(&arena, &args, &row, texts[i], &err), &err);
        others[i] = arena_strdup(&arena, texts[i]);
    }
    ck_assert_uint_eq(args.env.count, 20);
    for (int i = 0; i < 20; i++) {
        ck_assert_ptr_eq(args.env.items[i], texts[i]);
        ck_assert_str_eq(others[i], texts[i]);
    }
    arena_done(&arena);
}
END_TEST

START_TEST(signals_have_numbers_and_names)
{
    const struct {
        const char *text;
        int signal;
    } rows[] = {
        {"TERM",     SIGTERM     },
        {"SIGTERM",  SIGTERM     },
        {"sigterm",  SIGTERM     },
        {"15",       SIGTERM     },
        {"0",        0           },
        {"64",       64          },
        {"KILL",     SIGKILL     },
        {"IOT",      SIGABRT     },
        {"SIGPOLL",  SIGIO       },
        {"RTMIN",    SIGRTMIN    },
        {"RTMIN+3",  SIGRTMIN + 3},
        {"SIGRTMAX", SIGRTMAX    },
        {"RTMAX-1",  SIGRTMAX - 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int signal = -1;

        memset(&err, 0, sizeof err);
        ck_ok(signal_parse(rows[i].text, &signal, &err), &err);
        ck_assert_msg(signal == rows[i].signal, "%s: %d", rows[i].text, signal);
    }
}
END_TEST

START_TEST(every_standard_signal_has_a_name)
{
    for (int number = 1; number < 32; number++) {
        int signal = -1;

        memset(&err, 0, sizeof err);
        ck_ok(signal_parse(sigabbrev_np(number), &signal, &err), &err);
        ck_assert_int_eq(signal, number);
    }
}
END_TEST

START_TEST(other_words_are_no_signal)
{
    static const char *const words[] = {"65",      "-1",      "bogus",    "",          "SIG",
                                        "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMIN+99x", "SIGSIGTERM",
                                        "15 ",     "RTMIN+",  "0x9",      "TERMINATE"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[SUB_ERR_TEXT];
        int signal = 77;

        memset(&err, 0, sizeof err);
        (void) snprintf(text, sizeof text,
                        "unknown signal '%s': a number from 0 to 64 or one of HUP INT QUIT",
                        words[i]);
        ck_assert_int_eq(signal_parse(words[i], &signal, &err), -ARGS_USAGE);
        ck_assert_mem_eq(err.text, text, strlen(text));
        ck_assert_str_eq(err.text + strlen(err.text) - 20, " SYS RTMIN+n RTMAX-n");
        ck_assert_int_eq(signal, 77);
    }
}
END_TEST

START_TEST(an_id_is_a_plain_word)
{
    static const char *const good[] = {"a", "A0_+-.", "-x", "+", "_", "a..b"};
    static const char *const bad[] = {"",     ".",        "..",    ".a",  "a/b",    "a b",
                                      "a\nb", "\xc3\xa9", "a\x1b", "a:b", "../../x"};
    char longest[129];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_ok(id_check(good[i], &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&err, 0, sizeof err);
        ck_assert_msg(id_check(bad[i], &err) == -ARGS_USAGE, "accepted: '%s'", bad[i]);
        ck_assert_ptr_ne(strstr(err.text, "1 to 127 of the characters A-Z a-z 0-9 _ + - ."), NULL);
    }
    memset(longest, 'a', sizeof longest);
    longest[127] = '\0';
    ck_assert_int_eq(id_check(longest, &err), 0);
    longest[127] = 'a';
    longest[128] = '\0';
    ck_assert_int_eq(id_check(longest, &err), -ARGS_USAGE);
}
END_TEST

SUITE(value_suite, sizes_and_cpus_are_stored_in_their_units, wrong_values_say_what_is_allowed,
      a_list_grows_without_touching_its_neighbours, signals_have_numbers_and_names,
      every_standard_signal_has_a_name, other_words_are_no_signal, an_id_is_a_plain_word)
