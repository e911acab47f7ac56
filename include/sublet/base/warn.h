/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as data: warnings of a plan and all the errors of a config, kept until cli shows them.
 */
#ifndef SUBLET_BASE_WARN_H
#define SUBLET_BASE_WARN_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct sub_err;

#define FINDINGS_MAX 20 /* of each kind; more are counted but not kept */

struct finding {
    const char *path, *text;
};

struct findings {
    struct arena *arena;
    struct finding errors[FINDINGS_MAX], warnings[FINDINGS_MAX];
    size_t error_count, warning_count; /* may exceed FINDINGS_MAX */
};

void findings_init(struct findings *findings, struct arena *arena);
void findings_error(struct findings *findings, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void findings_warning(struct findings *findings, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 0 if there is no error, else the first one as err and -EINVAL. */
int findings_result(const struct findings *findings, struct sub_err *err);

#endif
