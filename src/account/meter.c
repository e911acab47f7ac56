/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/account/meter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sublet/account/view.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/sys.h"

#include "drift.h"
#include "earlier.h"
#include "notices.h"

#define LOCK_FILE "meter.lock" /* one meter a ledger */
#define LOCK_MS   100          /* no window waits longer for another writer of the ledger */
#define AT_A_TIME 64           /* records by one write: others wait that long for the ledger */

struct meter {
    const struct meter_options *options;
    struct account_view *view;
    struct ledger ledger;
    struct notices notices;
    struct drift drift;
    int timer_fd, signal_fd, lock_fd;
    uint64_t windows, since_record_us, since_slow_us;
    bool failed;            /* the last round could not be written */
    uint64_t unseen_us;     /* no meter ran; 0: told */
    uint64_t late_us;       /* records of that time are one; 0: told */
    int64_t step_us;        /* the clock was set; 0: told */
    uint64_t before_cpu_us; /* what earlier meters of this boot used */
    struct meter_cost cost;
};

static void tell(const struct meter *meter, const char *path, const char *text)
{
    if (meter->options->tell != NULL)
        meter->options->tell(path, text);
}

static void meter_done(struct meter *meter)
{
    notices_done(&meter->notices);
    account_view_free(&meter->view);
    ledger_close(&meter->ledger);
    sub_close(&meter->timer_fd);
    sub_close(&meter->signal_fd);
    sub_close(&meter->lock_fd);
}

/* A ledger that cannot be written now may be in a minute; every record has the totals. */
static int appended(struct meter *meter, int rc, uint64_t records, const struct sub_err *err)
{
    if (rc >= 0)
        meter->cost.records += records;
    else if (meter->cost.failed_records++ == 0)
        tell(meter, LEDGER_FILE, err->text);
    return rc < 0 ? rc : 0;
}

static int append(struct meter *meter, struct ledger_record *record)
{
    struct sub_err err = {.code = 0};

    return appended(meter, ledger_append(&meter->ledger, record, &err), 1, &err);
}

static int note(struct meter *meter, const char *tenant, uint64_t count, const char *text)
{
    struct ledger_record record = {
        .k = LEDGER_NOTE, .has = LEDGER_HAS_COUNT, .tenant = tenant, .count = count, .text = text};

    return append(meter, &record);
}

/* What every reader must know is kept until it is written. Each round begins with it and is given
 * up if that fails: no record that comes after a hole is there without its note. */
static int tell_loss(struct meter *meter)
{
    int64_t step_us = meter->step_us;

    if (step_us != 0)
        SUBLET_TRY(note(meter, NULL, (uint64_t) llabs(step_us) / 1000000,
                        step_us < 0 ? NOTE_STEP "back, by that many seconds"
                                    : NOTE_STEP "forward, by that many seconds"));
    meter->step_us = 0;
    if (meter->unseen_us > 0)
        SUBLET_TRY(note(meter, NULL, meter->unseen_us / 1000000,
                        NOTE_UNSEEN " for that many seconds; totals are whole, windows are not"));
    meter->unseen_us = 0;
    if (meter->late_us > 0)
        SUBLET_TRY(note(meter, NULL, meter->late_us / 1000000,
                        "gap: records of that many seconds are one, the ledger could not be "
                        "written; totals are whole"));
    meter->late_us = 0;
    return 0;
}

static void tell_drift(void *context, const char *tenant, const char *path, const char *text)
{
    struct meter *meter = context;

    tell(meter, path, text);
    (void) note(meter, tenant, 1, text);
}

/* ---- the beginning ---- */

static int take_lock(struct meter *meter, struct sub_err *err)
{
    meter->lock_fd =
        sys_openat(meter->ledger.folder_fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    int rc = meter->lock_fd < 0 ? meter->lock_fd : sys_lock(meter->lock_fd);

    if (rc == -EAGAIN)
        return sub_fail(err, EBUSY, meter->options->ledger_dir,
                        "another meter writes this ledger already");
    if (rc < 0)
        return sub_fail(err, -rc, LOCK_FILE, "cannot lock: %s", sub_strerror(-rc));
    return 0;
}

static int go_on(struct meter *meter, struct sub_err *err)
{
    const struct ledger_moment now = ledger_now();
    struct earlier earlier;

    SUBLET_TRY(earlier_restore(meter->view, meter->options->ledger_dir, meter->ledger.boot, &now,
                               &earlier, err));
    meter->before_cpu_us = earlier.cpu_us;
    meter->step_us = earlier.step_us;
    if (earlier.unseen_us > 2 * meter->options->window_us)
        meter->unseen_us = earlier.unseen_us;
    (void) tell_loss(meter); /* or before the first round */
    return 0;
}

static int watch_signals(struct meter *meter, struct sub_err *err)
{
    sigset_t set;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGTERM);
    (void) sigaddset(&set, SIGINT);
    (void) sigprocmask(SIG_BLOCK, &set, NULL);
    meter->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (meter->signal_fd < 0)
        return sub_fail(err, errno, NULL, "signalfd: %s", sub_strerror(errno));
    return 0;
}

static int set_timer(struct meter *meter, struct sub_err *err)
{
    uint64_t window_us = meter->options->window_us;
    const struct timespec period = {(time_t) (window_us / 1000000),
                                    (long) (window_us % 1000000) * 1000};
    const struct itimerspec timer = {.it_interval = period, .it_value = period};

    meter->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (meter->timer_fd < 0 || timerfd_settime(meter->timer_fd, 0, &timer, NULL) < 0)
        return sub_fail(err, errno, NULL, "timerfd: %s", sub_strerror(errno));
    return 0;
}

static int begin(struct meter *meter, struct sub_err *err)
{
    account_raise_files();
    SUBLET_TRY(ledger_open(meter->options->ledger_dir, true, &meter->ledger, err));
    meter->ledger.lock_ms = LOCK_MS;
    meter->drift = (struct drift){.tenants_dir = meter->options->tenants_dir,
                                  .pause_us = meter->options->slow_us,
                                  .tell = tell_drift,
                                  .context = meter};
    SUBLET_TRY(take_lock(meter, err));
    SUBLET_TRY(account_view_open(meter->options->tenants_dir, &meter->view, err));
    SUBLET_TRY(go_on(meter, err));
    SUBLET_TRY(notices_init(&meter->notices, err));
    SUBLET_TRY(watch_signals(meter, err));
    return set_timer(meter, err);
}

/* ---- records ---- */

struct writing {
    const struct account_view *view;
    struct meter_scratch scratch;
};

static bool fill(void *context, size_t index, struct ledger_record *ret_record)
{
    struct writing *writing = context;
    const struct account_tenant *tenant = account_view_tenant(writing->view, index);

    if (tenant->open)
        meter_record(tenant, tenant->unrecorded_us, &writing->scratch, ret_record);
    return tenant->open;
}

static int write_tenants(struct meter *meter)
{
    struct writing writing = {.view = meter->view};
    const struct ledger_source source = {fill, &writing};
    size_t count = account_view_count(meter->view);

    for (size_t begin = 0, end; begin < count; begin = end) {
        struct sub_err err = {.code = 0};

        end = count - begin < AT_A_TIME ? count : begin + AT_A_TIME;
        int rc = ledger_append_each(&meter->ledger, &source, begin, end, &err);
        SUBLET_TRY(appended(meter, rc, rc < 0 ? 0 : (uint64_t) rc, &err));
        for (size_t i = begin; i < end; i++) {
            if (account_view_tenant(meter->view, i)->open)
                account_view_recorded(meter->view, i);
        }
    }
    return 0;
}

static uint64_t own_cpu_us(void)
{
    struct rusage usage;

    (void) getrusage(RUSAGE_SELF, &usage);
    return (uint64_t) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* The meter's own use stands beside what it measured. */
static int write_host(struct meter *meter)
{
    const struct ledger_cpu self = {.use = meter->before_cpu_us + own_cpu_us()};
    struct ledger_record record = {
        .k = LEDGER_HOST,
        .id = "meter",
        .cpu = &self,
        .winus = meter->since_record_us,
        .host = account_view_total(meter->view),
    };

    return append(meter, &record);
}

/* One round: the host's record is its last, and is there only if all the others are. A round that
 * fails is given up, lest every record wait for the lock, and tried again in the next window. */
static void write_all(struct meter *meter)
{
    struct sub_err ignored = {.code = 0};
    bool had_failed = meter->failed;

    meter->failed = tell_loss(meter) < 0 || write_tenants(meter) < 0 || write_host(meter) < 0;
    if (meter->failed)
        return;
    if (had_failed) {
        meter->late_us += meter->since_record_us;
        (void) tell_loss(meter);
    }
    (void) ledger_sync(&meter->ledger, &ignored);
    meter->since_record_us = 0;
}

/* A definition that is wrong leaves its tenant as it was; told once. */
static void look_at_definitions(struct meter *meter)
{
    const struct findings *findings = account_view_findings(meter->view);
    char text[512];

    for (size_t i = 0; findings != NULL && i < findings->error_count && i < FINDINGS_MAX; i++) {
        const struct finding *wrong = &findings->errors[i];

        tell(meter, wrong->path, wrong->text);
        (void) snprintf(text, sizeof text, "definition: %s: %s",
                        wrong->path == NULL ? "" : wrong->path, wrong->text);
        (void) note(meter, NULL, 1, text);
    }
}

/* In one interval each tenant has its turn. */
static void look_at_contracts(struct meter *meter)
{
    const struct meter_options *options = meter->options;
    uint64_t all = account_view_count(meter->view) + 1; /* and the parent */

    drift_look(&meter->drift, meter->view,
               (size_t) ((all * options->window_us - 1) / options->interval_us + 1));
}

/* Ticks come early and late: the window that ends nearest to it. */
static bool is_due(uint64_t since_us, uint64_t period_us, uint64_t window_us)
{
    return since_us + window_us + window_us / 2 > period_us;
}

enum account_depth meter_depth(const struct meter_options *options, uint64_t since_record_us,
                               uint64_t since_slow_us)
{
    if (is_due(since_record_us, options->interval_us, options->window_us))
        return ACCOUNT_ALL;
    return is_due(since_slow_us, options->slow_us, options->window_us) ? ACCOUNT_MEMORY
                                                                       : ACCOUNT_CPU;
}

static int end_window(struct meter *meter, bool is_last, struct sub_err *err)
{
    enum account_depth depth =
        is_last ? ACCOUNT_ALL
                : meter_depth(meter->options, meter->since_record_us, meter->since_slow_us);
    int rc = account_view_sample(meter->view, depth, err);

    if (rc < 0)
        return rc;
    look_at_definitions(meter);
    look_at_contracts(meter);
    meter->since_slow_us =
        depth > ACCOUNT_CPU ? 0 : meter->since_slow_us + account_view_window_us(meter->view);
    if (rc == 0) {
        notices_follow(&meter->notices, meter->view);
        write_all(meter); /* the state of things at the beginning */
        return 0;
    }
    meter->windows++;
    meter->since_record_us += account_view_window_us(meter->view);
    meter->step_us += account_view_clock_step_us(meter->view);
    if (account_view_clock_step_us(meter->view) != 0)
        (void) tell_loss(meter);
    if (depth > ACCOUNT_CPU)
        notices_follow(&meter->notices, meter->view);
    if (depth == ACCOUNT_ALL)
        write_all(meter);
    return 0;
}

static void tell_killed(void *context, const char *tenant, uint64_t kills)
{
    (void) note(context, tenant, kills, "oom: processes were killed at a memory limit");
}

static void tell_written(void *context, const char *tenant)
{
    struct meter *meter = context;

    drift_suspect(meter->view, tenant);
}

static int loop(struct meter *meter, struct sub_err *err)
{
    struct pollfd wait[] = {
        {.fd = meter->signal_fd,          .events = POLLIN},
        {.fd = meter->timer_fd,           .events = POLLIN},
        {.fd = meter->notices.inotify_fd, .events = POLLIN},
    };
    const struct notice_calls calls = {tell_killed, tell_written, meter};
    uint64_t ticks;

    SUBLET_TRY(end_window(meter, false, err));
    for (;;) {
        int rc = sys_poll(wait, sizeof wait / sizeof *wait, -1);

        if (rc < 0)
            return sub_fail(err, -rc, NULL, "poll: %s", sub_strerror(-rc));
        if (wait[2].revents != 0)
            notices_read(&meter->notices, &calls);
        if (wait[1].revents != 0 && read(meter->timer_fd, &ticks, sizeof ticks) > 0)
            SUBLET_TRY(end_window(meter, false, err));
        if (wait[0].revents != 0)
            return 0;
    }
}

int meter_run(const struct meter_options *options, struct meter_cost *ret_cost, struct sub_err *err)
{
    __attribute__((cleanup(meter_done))) struct meter meter = {
        .options = options,
        .ledger = LEDGER_NONE,
        .notices = NOTICES_NONE,
        .timer_fd = -EBADF,
        .signal_fd = -EBADF,
        .lock_fd = -EBADF,
    };
    uint64_t began_ms = sys_now_ms();

    SUBLET_TRY(begin(&meter, err));
    SUBLET_TRY(loop(&meter, err));
    SUBLET_TRY(end_window(&meter, true, err)); /* what was used since the last tick counts, too */
    meter.cost.cpu_us = own_cpu_us();
    meter.cost.wall_us = (sys_now_ms() - began_ms) * 1000;
    meter.cost.windows = meter.windows;
    *ret_cost = meter.cost;
    return 0;
}
