/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/warn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"

void findings_init(struct findings *findings, struct arena *arena)
{
    *findings = (struct findings){.arena = arena};
}

static void add(struct arena *arena, struct finding *list, size_t *count, const char *path,
                const char *text)
{
    if (*count < FINDINGS_MAX)
        list[*count] = (struct finding){.path = arena_strdup(arena, path == NULL ? "" : path),
                                        .text = arena_strdup(arena, text)};
    (*count)++;
}

void findings_error(struct findings *findings, const char *path, const char *format, ...)
{
    char text[SUB_ERR_TEXT];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(findings->arena, findings->errors, &findings->error_count, path, text);
}

void findings_warning(struct findings *findings, const char *path, const char *format, ...)
{
    char text[SUB_ERR_TEXT];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(findings->arena, findings->warnings, &findings->warning_count, path, text);
}

int findings_result(const struct findings *findings, struct sub_err *err)
{
    if (findings->error_count == 0)
        return 0;
    return sub_fail(err, EINVAL, findings->errors[0].path, "%s", findings->errors[0].text);
}
