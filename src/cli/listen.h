/* SPDX-License-Identifier: Apache-2.0 */
/* `metrics --listen`: gathers when the program that serves (src/programs/metrics) is asked. */
#ifndef SUBLET_CLI_LISTEN_H
#define SUBLET_CLI_LISTEN_H

struct call;
struct gather;
struct sub_err;

/* --format; 0: whatever a client asks for. */
enum listen_format { LISTEN_ANY, LISTEN_PROMETHEUS, LISTEN_OPENMETRICS };

/* Until SIGTERM or SIGINT. */
int listen_serve(const struct call *call, const struct gather *gather, struct sub_err *err);

#endif
