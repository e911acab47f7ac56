/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *filter_suite(void);
Suite *same_suite(void);
Suite *carrier_suite(void);
Suite *cache_suite(void);
Suite *script_suite(void);
Suite *status_suite(void);
Suite *check_suite(void);
Suite *lsm_suite(void);

RUN_SUITES(filter_suite, same_suite, carrier_suite, cache_suite, script_suite, status_suite,
           check_suite, lsm_suite)
