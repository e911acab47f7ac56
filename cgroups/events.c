/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.events: the one file that tells when a group became empty or frozen, and wakes poll. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "counters.h"

#define EVENTS_TEXT                  128

#define ROW(member, file, key, kind) CG_FIELD(struct cg_group_counters, member, file, key, kind)
static const struct cg_field group_rows[] = {
    ROW(populated, GROUP_EVENTS, "populated", LEVEL),
    ROW(frozen, GROUP_EVENTS, "frozen", LEVEL),
    ROW(frozen_us, GROUP_STAT_LOCAL, "frozen_usec", TOTAL),
    ROW(descendants, GROUP_STAT, "nr_descendants", LEVEL),
    ROW(dying_descendants, GROUP_STAT, "nr_dying_descendants", LEVEL),
    ROW(dying_cpuset, GROUP_STAT, "nr_dying_subsys_cpuset", LEVEL),
    ROW(dying_cpu, GROUP_STAT, "nr_dying_subsys_cpu", LEVEL),
    ROW(dying_io, GROUP_STAT, "nr_dying_subsys_io", LEVEL),
    ROW(dying_memory, GROUP_STAT, "nr_dying_subsys_memory", LEVEL),
    ROW(dying_perf_event, GROUP_STAT, "nr_dying_subsys_perf_event", LEVEL),
    ROW(dying_hugetlb, GROUP_STAT, "nr_dying_subsys_hugetlb", LEVEL),
    ROW(dying_pids, GROUP_STAT, "nr_dying_subsys_pids", LEVEL),
    ROW(dying_rdma, GROUP_STAT, "nr_dying_subsys_rdma", LEVEL),
    ROW(dying_misc, GROUP_STAT, "nr_dying_subsys_misc", LEVEL),
    ROW(dying_dmem, GROUP_STAT, "nr_dying_subsys_dmem", LEVEL),
};
#undef ROW
const struct cg_fields cg_group_fields = CG_FIELDS(group_rows);

int cg_events_parse(const char *text, struct cg_events *ret_events)
{
    struct cg_group_counters group = {.present = 0};
    const struct cg_place place = {
        .file = CG_FILE_GROUP_EVENTS, .fields = &cg_group_fields, .counters = &group};

    SUBLET_TRY(cg_parse_flat(&place, text));
    if (!cg_has(&group, populated) || !cg_has(&group, frozen))
        return -EINVAL;
    ret_events->populated = group.populated != 0;
    ret_events->frozen = group.frozen != 0;
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
