/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *err_suite(void);
Suite *num_suite(void);
Suite *path_suite(void);
Suite *memory_suite(void);
Suite *time_suite(void);

RUN_SUITES(time_suite, err_suite, num_suite, path_suite, memory_suite)
