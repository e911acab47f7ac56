/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *parse_suite(void);
Suite *value_suite(void);
Suite *texts_suite(void);
Suite *bundleless_suite(void);
Suite *say_suite(void);

RUN_SUITES(parse_suite, value_suite, texts_suite, bundleless_suite, say_suite)
