/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.events: the one file that tells when a group became empty or frozen, and wakes poll. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

#define EVENTS_TEXT 128

int cg_events_parse(const char *text, struct cg_events *ret_events)
{
    uint64_t values[2] = {0, 0};
    static const struct cg_counter table[] = {
        {"populated", 0,                1},
        {"frozen",    sizeof(uint64_t), 2},
    };
    uint32_t present;

    SUBLET_TRY(cg_counters_parse(text, table, CG_COUNT_OF(table), values, &present));
    if (present != 3)
        return -EINVAL;
    ret_events->populated = values[0] != 0;
    ret_events->frozen = values[1] != 0;
    return 0;
}

int cg_events_read(int dir_fd, struct cg_events *ret_events)
{
    char text[EVENTS_TEXT];
    ssize_t n = knob_read(dir_fd, "cgroup.events", text, sizeof text);

    return n < 0 ? (int) n : cg_events_parse(text, ret_events);
}

static int read_again(int fd, struct cg_events *ret_events)
{
    char text[EVENTS_TEXT];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    if (n < 0)
        return -errno;
    text[n] = '\0';
    return cg_events_parse(text, ret_events);
}

int cg_events_wait(int dir_fd, enum cg_event event, bool value, int deadline_ms)
{
    OWNED_FD fd = sys_openat(dir_fd, "cgroup.events", O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;

    uint64_t until = sys_now_ms() + (uint64_t) (deadline_ms < 0 ? 0 : deadline_ms);
    for (;;) {
        struct cg_events events = {0};
        struct pollfd waiting = {.fd = fd, .events = POLLPRI};

        /* reading arms the next wake-up, so a change between read and poll is not lost */
        SUBLET_TRY(read_again(fd, &events));
        if ((event == CG_EVENT_POPULATED ? events.populated : events.frozen) == value)
            return 0;

        uint64_t now = sys_now_ms();
        if (now >= until)
            return -ETIMEDOUT;

        int rc = sys_poll(&waiting, 1, (int) (until - now));
        if (rc < 0 && rc != -ETIMEDOUT)
            return rc;
    }
}

void cg_events_pause(int dir_fd, int timeout_ms)
{
    struct cg_events events;
    OWNED_FD fd = sys_openat(dir_fd, "cgroup.events", O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0 || read_again(fd, &events) < 0)
        return;

    struct pollfd waiting = {.fd = fd, .events = POLLPRI};
    (void) sys_poll(&waiting, 1, timeout_ms); /* the caller looks again in any case */
}
