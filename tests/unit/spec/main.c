/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *spec_suite(void);
Suite *load_suite(void);
Suite *default_suite(void);
Suite *corpus_suite(void);

RUN_SUITES(spec_suite, load_suite, default_suite, corpus_suite)
