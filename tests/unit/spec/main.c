/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *corpus_suite(void);

RUN_SUITES(corpus_suite)
