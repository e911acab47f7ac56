/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/stat: what all CPUs did, in ticks of a hundredth of a second. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"

#define STAT_FILE      "/proc/stat"
#define ANOTHER_SUM_US 10000000u /* back by more: a CPU went, and its time with it */

enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

/* "cpu  1 2 3 ...": columns that newer kernels add behind are not looked at. */
static int read_columns(const char *text, uint64_t columns[COLUMNS])
{
    char line[256], *rest = line, *word;
    size_t length = strcspn(text, "\n");

    if (strncmp(text, "cpu ", 4) != 0 || length >= sizeof line)
        return -EINVAL;
    memcpy(line, text, length);
    line[length] = '\0';
    (void) strsep(&rest, " ");
    for (size_t i = 0; i < COLUMNS; i++) {
        do {
            word = strsep(&rest, " ");
        } while (word != NULL && word[0] == '\0');
        if (word == NULL || num_parse_u64(word, UINT64_MAX, &columns[i]) < 0)
            return -EINVAL;
    }
    return 0;
}

static uint64_t read_running(const char *text)
{
    static const char key[] = "\nprocs_running ";
    const char *at = strstr(text, key);
    char number[24];
    uint64_t running;

    if (at == NULL)
        return 0;
    at += sizeof key - 1;
    size_t length = strcspn(at, "\n");
    if (length >= sizeof number)
        return 0;
    memcpy(number, at, length);
    number[length] = '\0';
    return num_parse_u64(number, UINT64_MAX, &running) < 0 ? 0 : running;
}

int machine_parse(const char *text, uint64_t tick_us, struct machine *ret_machine)
{
    uint64_t columns[COLUMNS];
    struct machine machine = {.cpus = 0};

    SUBLET_TRY(read_columns(text, columns));
    for (const char *at = strstr(text, "\ncpu"); at != NULL; at = strstr(at + 1, "\ncpu"))
        machine.cpus++;
    machine.idle_us = (columns[IDLE] + columns[IOWAIT]) * tick_us;
    machine.steal_us = columns[STEAL] * tick_us;
    machine.running = read_running(text);
    if (machine.cpus == 0)
        return -EINVAL;
    *ret_machine = machine;
    return 0;
}

static uint64_t advance(uint64_t *base_us, uint64_t now_us)
{
    uint64_t grown_us = num_above(now_us, *base_us);

    if (now_us > *base_us || *base_us - now_us > ANOTHER_SUM_US)
        *base_us = now_us;
    return grown_us;
}

struct machine machine_advance(struct machine *base, const struct machine *now)
{
    base->cpus = now->cpus;
    return (struct machine){.cpus = now->cpus,
                            .idle_us = advance(&base->idle_us, now->idle_us),
                            .steal_us = advance(&base->steal_us, now->steal_us)};
}

int machine_read(struct machine *ret_machine, struct sub_err *err)
{
    char text[256 << 10]; /* the lines of the CPUs come first; 4,096 of them fit */
    OWNED_FD fd = sys_openat(AT_FDCWD, STAT_FILE, O_RDONLY, 0);
    ssize_t n = fd < 0 ? fd : sub_read_all(fd, text, sizeof text - 1);

    if (n < 0)
        return sub_fail(err, (int) -n, STAT_FILE, "cannot read: %s", sub_strerror((int) -n));
    text[n] = '\0';
    if (machine_parse(text, 1000000 / (uint64_t) sysconf(_SC_CLK_TCK), ret_machine) < 0)
        return sub_fail(err, EPROTO, STAT_FILE, "does not begin with the line of all CPUs");
    return 0;
}
