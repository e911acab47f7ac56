/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "worker.h"

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    (void) clock_gettime(clock, &now);
    return (uint64_t) now.tv_sec * NS_PER_S + (uint64_t) now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_process_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_thread_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void clock_sleep_until(uint64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t) (at_ns / NS_PER_S),
                          .tv_nsec = (long) (at_ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
}

int complain(const char *what)
{
    (void) fprintf(stderr, "worker: %s: %s\n", what, strerror(errno));
    return 1;
}

uint64_t number(const char *text)
{
    char *end = NULL;
    uint64_t value = 0;

    if (text != NULL && isdigit((unsigned char) *text))
        value = strtoull(text, &end, 10);
    if (end != NULL && *end == 'K')
        value <<= 10, end++;
    else if (end != NULL && *end == 'M')
        value <<= 20, end++;
    if (end == NULL || *end != '\0') {
        (void) fprintf(stderr, "worker: '%s' is not a number\n", text == NULL ? "" : text);
        exit(2);
    }
    return value;
}
