/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *record_suite(void);
Suite *folder_suite(void);

RUN_SUITES(record_suite, folder_suite)
