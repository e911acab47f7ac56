/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *ledger_suite(void);
Suite *window_suite(void);

RUN_SUITES(window_suite, ledger_suite)
