/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

/* The tests end inside containers without a /proc of theirs, where leaks cannot be looked for. The
 * sanitizer asks this function whatever ASAN_OPTIONS says. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

Suite *bind_suite(void);
Suite *filesystem_suite(void);
Suite *target_suite(void);
Suite *device_suite(void);
Suite *seal_suite(void);
Suite *root_suite(void);
Suite *overlay_suite(void);
Suite *userns_suite(void);
Suite *race_suite(void);

RUN_SUITES(bind_suite, filesystem_suite, target_suite, device_suite, seal_suite, root_suite,
           overlay_suite, userns_suite, race_suite)
