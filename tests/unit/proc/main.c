/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *image_suite(void);
Suite *hook_suite(void);
Suite *channel_suite(void);
Suite *resctrl_suite(void);

RUN_SUITES(image_suite, hook_suite, channel_suite, resctrl_suite)
