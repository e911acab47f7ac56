/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

Suite *limits_suite(void);
Suite *io_suite(void);
Suite *counters_suite(void);
Suite *device_program_suite(void);
Suite *host_suite(void);
Suite *group_suite(void);
Suite *procs_suite(void);
Suite *remove_suite(void);
Suite *devices_suite(void);
Suite *controllers_suite(void);
Suite *reader_suite(void);
Suite *update_suite(void);

RUN_SUITES(limits_suite, io_suite, counters_suite, device_program_suite, host_suite, group_suite,
           procs_suite, remove_suite, devices_suite, controllers_suite, reader_suite, update_suite)
