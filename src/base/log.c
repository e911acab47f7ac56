/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static log_sink *current_sink;

void log_set_sink(log_sink *sink)
{
    current_sink = sink;
}

log_sink *log_get_sink(void)
{
    return current_sink;
}

void log_debug_line(const char *format, ...)
{
    char text[1024];
    va_list args;

    if (current_sink == NULL)
        return;
    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args); /* a cut line is still a line */
    va_end(args);
    current_sink(text);
}
