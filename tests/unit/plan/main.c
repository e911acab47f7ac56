/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *words_suite(void);
Suite *make_suite(void);
Suite *show_suite(void);
Suite *host_suite(void);
Suite *update_suite(void);

RUN_SUITES(words_suite, make_suite, show_suite, host_suite, update_suite)
