/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options that describe a process. */
#ifndef SUBLET_CLI_PROCESS_H
#define SUBLET_CLI_PROCESS_H

#include "sublet/spec.h"

#include "args.h"

/* "1000" (group 0) or "1000:100", as numbers and exactly (CVE-2026-30892). */
int user_parse(const char *text, struct spec_user *ret_user, struct sub_err *err);

/* The variables of base and those of added, which replace those of the same name. */
int env_add(struct arena *arena, const struct spec_strings *base, const struct arg_list *added,
            struct spec_strings *ret_env, struct sub_err *err);

#define STATUS_FAILURE 125
/* Exit status of a command that runs a program and failed to: 127 not found, 126 cannot be
 * executed, 125 anything else, as shells have it. */
int program_failure(const struct sub_err *err);

#endif
