/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test binary shares: one Suite a source file, run together by main in main.c. */
#ifndef TESTS_UNIT_RUNNER_H
#define TESTS_UNIT_RUNNER_H

#include <check.h>
#include <stdlib.h>

#include "sublet/base/err.h"

/* Asserts success and prints the sentence of the failure otherwise. */
#define ck_ok(call, err)                                                                          \
    do {                                                                                          \
        int ck_rc_ = (call);                                                                      \
        ck_assert_msg(ck_rc_ >= 0, "%s: rc %d, %s: %s", #call, ck_rc_, (err)->path, (err)->text); \
    } while (0)

/* Asserts a failure with exactly this code, path and text. */
#define ck_fails(call, err, want_code, want_path, want_text) \
    do {                                                     \
        ck_assert_int_eq((call), -(want_code));              \
        ck_assert_int_eq((err)->code, (want_code));          \
        ck_assert_str_eq((err)->path, (want_path));          \
        ck_assert_str_eq((err)->text, (want_text));          \
    } while (0)

#define SUITE(name, ...)                                          \
    Suite *name(void);                                            \
    Suite *name(void)                                             \
    {                                                             \
        const TTest *const tests[] = {__VA_ARGS__};               \
        Suite *suite = suite_create(#name);                       \
        TCase *cases = tcase_create(#name);                       \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) \
            tcase_add_test(cases, tests[i]);                      \
        suite_add_tcase(suite, cases);                            \
        return suite;                                             \
    }

#define RUN_SUITES(...)                                             \
    int main(void)                                                  \
    {                                                               \
        Suite *(*const suites[])(void) = {__VA_ARGS__};             \
        SRunner *runner = srunner_create(NULL);                     \
        for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) \
            srunner_add_suite(runner, suites[i]());                 \
        srunner_run_all(runner, CK_ENV);                            \
        int failed = srunner_ntests_failed(runner);                 \
        srunner_free(runner);                                       \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;           \
    }

#endif
