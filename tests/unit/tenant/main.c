/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *contract_suite(void);
Suite *store_suite(void);
Suite *plan_suite(void);

RUN_SUITES(contract_suite, store_suite, plan_suite)
