/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are full: their names, and their order. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/time.h"

#include "ledger.h"

#define SEALED       "ledger-"
#define SEALED_END   ".jsonl"
#define DIGITS       10
#define MOMENT       "2026-11-22T11:02:00.000123Z"
#define MOMENT_BEGIN (sizeof SEALED - 1 + DIGITS + 1)
#define CHUNK_BYTES  ((size_t) 256 << 10)
#define US_KEY       "Z\",\"us\":" /* behind the time of the record, and nowhere else */

static bool number_of(const char *name, uint64_t *ret_number)
{
    size_t length = strlen(name), end = sizeof SEALED_END - 1;
    uint64_t number = 0;

    if (length < MOMENT_BEGIN + end || strncmp(name, SEALED, sizeof SEALED - 1) != 0 ||
        name[MOMENT_BEGIN - 1] != '-' || strcmp(name + length - end, SEALED_END) != 0)
        return false;
    for (const char *at = name + sizeof SEALED - 1; at < name + MOMENT_BEGIN - 1; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (uint64_t) (*at - '0');
    }
    *ret_number = number;
    return true;
}

static int is_sealed(const struct dirent *entry)
{
    uint64_t number;

    return number_of(entry->d_name, &number);
}

int sealed_list(int folder_fd, struct dirent ***ret_names)
{
    int count = scandirat(folder_fd, ".", ret_names, is_sealed, alphasort);

    return count < 0 ? -errno : count;
}

bool sealed_ends_before(const char *name, uint64_t us)
{
    char text[TIME_TEXT];
    uint64_t end_us;

    (void) snprintf(text, sizeof text, "%.*s", (int) sizeof MOMENT - 1, name + MOMENT_BEGIN);
    return time_parse_us(text, &end_us) == 0 && end_us < us;
}

static uint64_t latest_in(const char *text, size_t size, uint64_t latest_us)
{
    const char *end = text + size;

    while ((text = memmem(text, (size_t) (end - text), US_KEY, sizeof US_KEY - 1)) != NULL) {
        uint64_t us = 0;

        for (text += sizeof US_KEY - 1; text < end && *text >= '0' && *text <= '9'; text++)
            us = us * 10 + (uint64_t) (*text - '0');
        if (us > latest_us)
            latest_us = us;
    }
    return latest_us;
}

/* Once for each full file: the clock may have been set back while it was written. */
static int find_latest(int fd, uint64_t *ret_us)
{
    OWNED_MEM char *chunk = malloc(CHUNK_BYTES);
    uint64_t latest_us = 0;
    off_t at = 0;

    if (chunk == NULL)
        return -ENOMEM;
    for (;;) {
        ssize_t n = pread(fd, chunk, CHUNK_BYTES, at);

        if (n < 0)
            return -errno;
        latest_us = latest_in(chunk, (size_t) n, latest_us);
        if (n < (ssize_t) CHUNK_BYTES)
            break;
        at += n - LEDGER_LINE_MAX; /* what a cut between two chunks would hide */
    }
    *ret_us = latest_us;
    return 0;
}

int sealed_name(int folder_fd, int fd, const char *boot, char name[SEALED_NAME])
{
    char text[TIME_TEXT];
    uint64_t number = 0, latest_us = 0;
    struct dirent **names;

    SUBLET_TRY(find_latest(fd, &latest_us));
    int count = sealed_list(folder_fd, &names);
    if (count < 0)
        return count;
    if (count > 0)
        (void) number_of(names[count - 1]->d_name, &number);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    (void) time_format_us(latest_us, text);
    (void) snprintf(name, SEALED_NAME, SEALED "%0*llu-%s-%s" SEALED_END, DIGITS,
                    (unsigned long long) number + 1, text, boot);
    return 0;
}
