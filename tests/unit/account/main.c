/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *drift_suite(void);
Suite *earlier_suite(void);
Suite *ledger_suite(void);
Suite *machine_suite(void);
Suite *metrics_suite(void);
Suite *rest_suite(void);
Suite *slow_suite(void);
Suite *still_suite(void);
Suite *summary_suite(void);
Suite *totals_suite(void);
Suite *turns_suite(void);
Suite *view_suite(void);
Suite *window_suite(void);

RUN_SUITES(machine_suite, window_suite, ledger_suite, view_suite, slow_suite, still_suite,
           rest_suite, turns_suite, summary_suite, totals_suite, metrics_suite, drift_suite,
           earlier_suite)
