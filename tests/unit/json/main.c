/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *decode_suite(void);
Suite *write_suite(void);

RUN_SUITES(decode_suite, write_suite)
