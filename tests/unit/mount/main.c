/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *bind_suite(void);
Suite *filesystem_suite(void);
Suite *target_suite(void);

RUN_SUITES(bind_suite, filesystem_suite, target_suite)
