/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug lines for the developer of a bundle. Rooms return errors and never print; cli installs a
 * sink when --debug asks for it, and without one a debug line costs one test.
 */
#ifndef SUBLET_BASE_LOG_H
#define SUBLET_BASE_LOG_H

typedef void log_sink(const char *text);

void log_set_sink(log_sink *sink);
log_sink *log_get_sink(void);

#define log_debug(...)                   \
    do {                                 \
        if (log_get_sink() != NULL)      \
            log_debug_line(__VA_ARGS__); \
    } while (0)

void log_debug_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
