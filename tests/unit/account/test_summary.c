/* SPDX-License-Identifier: Apache-2.0 */
/* Ledgers made by hand, and what they come to. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/account/summary.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/base/time.h"

#include "../../../src/account/ledger.h"
#include "runner.h"
#include "scratch.h"

#define S UINT64_C(1000000)
#define T (UINT64_C(1700000000) * S) /* a full hour is T + 2800 s */

static char folder[64];
static uint64_t seq;
static const char *boot;
static struct summary *summary;

static void begin(void)
{
    scratch_make(folder);
    seq = 0;
    boot = "aaaaaaaa";
    summary = NULL;
}

static void end(void)
{
    summary_free(&summary);
    scratch_remove(folder);
}

static void put_text(const char *text, size_t length)
{
    char path[96];

    (void) snprintf(path, sizeof path, "%s/" LEDGER_FILE, folder);
    OWNED_FD fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, text, length), (ssize_t) length);
}

/* at_s: seconds since T. */
static void put(uint64_t at_s, struct ledger_record record)
{
    OWNED_BUF line = BUF(LEDGER_LINE_MAX);
    char text[TIME_TEXT];

    record.v = record.v == 0 ? LEDGER_VERSION : record.v;
    record.seq = ++seq;
    record.us = T + at_s * S;
    record.t = time_format_us(record.us, text);
    record.boot = boot;
    ck_assert_int_eq(ledger_encode(&record, &line), 0);
    put_text(line.data, line.length);
}

struct figures {
    uint64_t use, ent, bor, unu, victim, shrt;
};

static void sample(uint64_t at_s, const char *tenant, uint64_t winus, struct figures f)
{
    const struct ledger_cpu cpu = {
        .use = f.use, .usr = f.use / 2, .ent = f.ent, .bor = f.bor, .unu = f.unu, .shrt = f.shrt};
    const struct ledger_windows win = {.n = at_s, .victim = f.victim};
    const struct ledger_memory mem = {.cur = at_s * 1000, .peak = at_s * 1500, .bytesus = at_s * S};

    put(at_s, (struct ledger_record){.k = LEDGER_SAMPLE,
                                     .tenant = tenant,
                                     .cg = 7,
                                     .contract = "elastic 1",
                                     .entmicro = ACCOUNT_MICRO,
                                     .winus = winus,
                                     .cpu = &cpu,
                                     .mem = &mem,
                                     .win = &win});
}

/* All totals since the meter began, at that many seconds of it; two CPUs. */
static void host(uint64_t at_s, uint64_t metered_s, uint64_t tenants_us, uint64_t own_us)
{
    const struct ledger_total total = {.cap = metered_s * 2 * S,
                                       .res = metered_s * S / 5,
                                       .ten = tenants_us,
                                       .own = own_us,
                                       .idle = metered_s * 2 * S - tenants_us - own_us,
                                       .cpus = 2};
    const struct ledger_cpu cpu = {.use = metered_s * 100};

    put(at_s, (struct ledger_record){.k = LEDGER_HOST, .host = &total, .cpu = &cpu});
}

static void read_query(struct summary_query query)
{
    struct sub_err err = {.code = 0};

    query.from_us = T + query.from_us * S;
    query.to_us = T + query.to_us * S;
    summary_free(&summary);
    ck_ok(summary_read(folder, &query, &summary, &err), &err);
}

static void read_period(uint64_t from_s, uint64_t to_s)
{
    read_query((struct summary_query){.from_us = from_s, .to_us = to_s});
}

static const struct summary_row *row(const char *name)
{
    for (size_t i = 0; i < summary->count; i++) {
        const struct summary_row *r = &summary->rows[i];

        if (strcmp(r->container == NULL ? r->tenant : r->container, name) == 0)
            return r;
    }
    ck_abort_msg("no row %s", name);
}

static void ck_identity(const uint64_t *sums)
{
    ck_assert_uint_eq(sums[SUM_USED] + sums[SUM_UNUSED],
                      sums[SUM_ENTITLED] + sums[SUM_BORROWED] + sums[SUM_UNMETERED]);
}

#define ck_sum(r, sum, expected) ck_assert_uint_eq((r)->sums[sum], expected)

/* Two minutes of one tenant, from its second 100 on, and a second one that comes later. */
static void two_tenants(void)
{
    sample(100, "acme", 0, (struct figures){.use = 50 * S});
    host(100, 0, 0, 0);
    sample(160, "acme", 60 * S, (struct figures){.use = 80 * S, .ent = 60 * S, .unu = 30 * S});
    host(160, 60, 30 * S, 10 * S);
    sample(220, "acme", 60 * S,
           (struct figures){.use = 180 * S + 1, .ent = 120 * S, .bor = 40 * S + 1, .unu = 30 * S});
    sample(220, "later", 60 * S, (struct figures){.use = 9 * S, .ent = 50 * S, .unu = 42 * S});
    host(220, 120, 139 * S + 1, 20 * S);
}

START_TEST(sums_are_differences_of_the_records_at_the_ends)
{
    begin();
    two_tenants();
    read_period(100, 220);
    ck_sum(row("acme"), SUM_USED, 130 * S + 1);
    ck_sum(row("acme"), SUM_ENTITLED, 120 * S);
    ck_sum(row("acme"), SUM_BORROWED, 40 * S + 1);
    ck_sum(row("acme"), SUM_UNUSED, 30 * S);
    ck_sum(row("acme"), SUM_UNMETERED, 0);
    ck_sum(row("acme"), SUM_METERED, 120 * S);
    ck_sum(row("acme"), SUM_WINDOWS, 120);
    ck_sum(row("acme"), SUM_MEMORY_BYTE_US, 120 * S);
    ck_assert_uint_eq(row("acme")->memory_peak_bytes, 330000);
    ck_assert_uint_eq(row("acme")->memory_last_bytes, 160000);
    ck_assert_str_eq(row("acme")->contract, "elastic 1");
    ck_identity(row("acme")->sums);
    ck_assert_uint_eq(summary->capacity_us, 240 * S);
    ck_assert_uint_eq(summary->host.capacity_us, 240 * S);
    ck_assert_uint_eq(summary->host.tenants_us, 139 * S + 1);
    ck_assert_uint_eq(summary->host.own_us, 20 * S);
    ck_assert_uint_eq(summary->host.idle_us, 81 * S - 1);
    ck_assert_uint_eq(summary->host.metered_us, 120 * S);
    ck_assert_uint_eq(summary->host.meter_us, 12000);
    ck_assert_uint_eq(summary->gap_count, 0);
    end();
}
END_TEST

START_TEST(who_comes_later_began_with_nothing)
{
    begin();
    two_tenants();
    read_period(0, 1000);
    ck_sum(row("later"), SUM_USED, 9 * S);
    ck_sum(row("later"), SUM_UNMETERED, S); /* before its first window */
    ck_identity(row("later")->sums);
    ck_sum(row("acme"), SUM_USED, 130 * S + 1); /* of the 50 s before nothing is known */
    ck_assert_uint_eq(summary->all[SUM_USED], 139 * S + 1);
    ck_assert_uint_eq(summary->gap_count, 2);
    ck_assert_int_eq(summary->gaps[0].kind, GAP_BEFORE);
    ck_assert_uint_eq(summary->gaps[0].to_us, T + 100 * S);
    ck_assert_int_eq(summary->gaps[1].kind, GAP_AFTER);
    ck_assert_uint_eq(summary->gaps[1].from_us, T + 220 * S);
    ck_assert_uint_eq(summary->gap_us, 880 * S);
    end();
}
END_TEST

START_TEST(an_edge_between_two_records_divides_by_time)
{
    begin();
    two_tenants();
    read_period(130, 190);
    ck_sum(row("acme"), SUM_USED, 15 * S + 50 * S);
    ck_sum(row("acme"), SUM_BORROWED, 20 * S);
    ck_sum(row("acme"), SUM_ENTITLED, 60 * S);
    ck_sum(row("acme"), SUM_UNUSED, 15 * S);
    ck_identity(row("acme")->sums);
    ck_assert_uint_eq(summary->host.capacity_us, 120 * S);
    end();
}
END_TEST

START_TEST(periods_that_touch_make_up_the_whole)
{
    uint64_t used = 0, borrowed = 0, idle = 0, edges[] = {100, 101, 117, 160, 183, 219, 220};

    begin();
    two_tenants();
    for (size_t i = 0; i + 1 < sizeof edges / sizeof *edges; i++) {
        read_period(edges[i], edges[i + 1]);
        ck_identity(row("acme")->sums);
        used += row("acme")->sums[SUM_USED];
        borrowed += row("acme")->sums[SUM_BORROWED];
        idle += summary->host.idle_us;
    }
    ck_assert_uint_eq(used, 130 * S + 1);
    ck_assert_uint_eq(borrowed, 40 * S + 1);
    ck_assert_uint_eq(idle, 81 * S - 1);
    end();
}
END_TEST

START_TEST(steps_begin_at_round_times_and_make_up_the_whole)
{
    uint64_t used = 0, own = 0, plotted = 0;

    begin();
    two_tenants();
    read_query(
        (struct summary_query){.from_us = 0, .to_us = 1000, .step_us = 30 * S, .plots = true});
    ck_assert_uint_eq(summary->step_count, 34);
    ck_assert_uint_eq(summary->steps[0].from_us % (30 * S), 0);
    for (size_t i = 0; i < summary->step_count; i++) {
        ck_identity(summary->steps[i].sums);
        used += summary->steps[i].sums[SUM_USED];
        own += summary->steps[i].host.own_us;
        plotted += row("acme")->plots[i][PLOT_USED];
    }
    ck_assert_uint_eq(used, summary->total[SUM_USED]);
    ck_assert_uint_eq(own, 20 * S);
    ck_assert_uint_eq(plotted, 130 * S + 1);
    end();
}
END_TEST

START_TEST(another_boot_begins_at_nothing_and_the_time_between_is_a_gap)
{
    begin();
    two_tenants();
    boot = "bbbbbbbb";
    sample(300, "acme", 0, (struct figures){.use = 2 * S});
    host(300, 0, 0, 0);
    sample(360, "acme", 60 * S, (struct figures){.use = 5 * S, .ent = 60 * S, .unu = 57 * S});
    host(360, 60, 3 * S, 0);
    read_period(100, 360);
    ck_sum(row("acme"), SUM_USED, 135 * S + 1);
    ck_sum(row("acme"), SUM_UNMETERED, 2 * S);
    ck_identity(row("acme")->sums);
    ck_assert_uint_eq(summary->gap_count, 1);
    ck_assert_int_eq(summary->gaps[0].kind, GAP_METER);
    ck_assert_uint_eq(summary->gap_us, 80 * S);
    ck_assert_uint_eq(summary->host.own_us, 20 * S);
    end();
}
END_TEST

START_TEST(a_meter_that_begins_again_doubles_nothing)
{
    begin();
    two_tenants();
    sample(400, "acme", 0,
           (struct figures){.use = 190 * S + 1, .ent = 300 * S, .bor = 40 * S + 1, .unu = 200 * S});
    host(400, 0, 0, 0);
    sample(460, "acme", 60 * S,
           (struct figures){.use = 200 * S + 1, .ent = 360 * S, .bor = 40 * S + 1, .unu = 250 * S});
    host(460, 60, 10 * S, 0);
    read_period(100, 460);
    ck_sum(row("acme"), SUM_USED, 150 * S + 1);
    ck_sum(row("acme"), SUM_METERED, 180 * S);
    ck_identity(row("acme")->sums);
    ck_assert_uint_eq(summary->gap_us, 180 * S);
    ck_assert_uint_eq(summary->host.own_us, 20 * S);
    ck_assert_uint_eq(summary->host.metered_us, 180 * S);
    end();
}
END_TEST

START_TEST(a_clock_that_was_set_moves_nothing_else)
{
    begin();
    two_tenants();
    put(5000,
        (struct ledger_record){.k = LEDGER_NOTE, .text = "clock step: forward, by that many"});
    sample(5060, "acme", 60 * S,
           (struct figures){.use = 200 * S + 1, .ent = 180 * S, .bor = 40 * S + 1, .unu = 70 * S});
    host(5060, 180, 159 * S + 1, 20 * S);
    read_period(4000, 5000);
    ck_assert_uint_eq(summary->all[SUM_USED], 0);
    read_period(5000, 5060);
    ck_sum(row("acme"), SUM_USED, 20 * S);
    ck_assert_uint_eq(summary->event_count, 1);

    /* and back again */
    put(300, (struct ledger_record){.k = LEDGER_NOTE, .text = "clock step: back, by that many"});
    sample(360, "acme", 60 * S,
           (struct figures){.use = 210 * S + 1, .ent = 240 * S, .bor = 40 * S + 1, .unu = 120 * S});
    read_period(300, 360);
    ck_sum(row("acme"), SUM_USED, 10 * S);
    end();
}
END_TEST

/* ---- what the runtime tells ---- */

static void group(uint64_t at_s, const char *kind, const char *id, uint64_t own_use, uint64_t use)
{
    const struct ledger_group all = {.cg = 7, .use = use};
    const struct ledger_cpu cpu = {.use = own_use};

    put(at_s, (struct ledger_record){.k = kind,
                                     .tenant = "acme",
                                     .id = id,
                                     .created = "2023-11-14T22:13:20Z",
                                     .has = LEDGER_HAS_STATUS,
                                     .status = 3,
                                     .cpu = strcmp(kind, LEDGER_EXIT) == 0 ? &cpu : NULL,
                                     .group = &all});
}

START_TEST(without_a_meter_containers_tell_what_their_tenant_used)
{
    begin();
    group(10, LEDGER_START, "one", 0, 5 * S);
    group(20, LEDGER_EXIT, "one", 3 * S, 8 * S);
    group(30, LEDGER_START, "two", 0, 8 * S);
    group(50, LEDGER_EXIT, "two", 4 * S, 12 * S);
    read_period(0, 100);
    ck_sum(row("acme"), SUM_USED, 7 * S);
    ck_sum(row("acme"), SUM_UNMETERED, 7 * S);
    ck_sum(row("acme"), SUM_STARTED, 2);
    ck_sum(row("acme"), SUM_FAILED, 2);
    read_period(40, 100);
    ck_sum(row("acme"), SUM_USED, 2 * S);
    read_query((struct summary_query){.from_us = 0, .to_us = 100, .by = SUMMARY_CONTAINERS});
    ck_sum(row("two"), SUM_USED, 4 * S);
    ck_assert_int_eq(row("two")->status, 3);
    ck_assert_str_eq(row("two")->tenant, "acme");
    end();
}
END_TEST

START_TEST(what_the_meter_counts_containers_do_not_count_again)
{
    begin();
    two_tenants();
    group(230, LEDGER_START, "one", 0, 181 * S + 1);
    group(240, LEDGER_EXIT, "one", 9 * S, 190 * S + 1);
    read_period(100, 280);
    ck_sum(row("acme"), SUM_USED, 140 * S + 1); /* no record of the meter yet */
    ck_sum(row("acme"), SUM_UNMETERED, 10 * S);
    sample(280, "acme", 60 * S,
           (struct figures){.use = 200 * S + 1, .ent = 180 * S, .bor = 40 * S + 1, .unu = 70 * S});
    read_period(100, 280);
    ck_sum(row("acme"), SUM_USED, 150 * S + 1);
    ck_sum(row("acme"), SUM_UNMETERED, 0);
    ck_sum(row("acme"), SUM_ENDED, 1);
    ck_identity(row("acme")->sums);
    end();
}
END_TEST

START_TEST(of_two_exits_of_one_container_the_later_counts)
{
    begin();
    group(10, LEDGER_START, "one", 0, 0);
    group(20, LEDGER_EXIT, "one", 3 * S, 3 * S);
    group(30, LEDGER_EXIT, "one", 4 * S, 4 * S);
    read_query((struct summary_query){.from_us = 0, .to_us = 100, .by = SUMMARY_CONTAINERS});
    ck_sum(row("one"), SUM_USED, 4 * S);
    ck_sum(row("one"), SUM_ENDED, 1);
    end();
}
END_TEST

START_TEST(a_container_outside_of_the_contract_is_counted_and_told_apart)
{
    const struct ledger_cpu cpu = {.use = 6 * S};

    begin();
    two_tenants();
    put(150, (struct ledger_record){.k = LEDGER_EXIT,
                                    .tenant = "acme",
                                    .id = "stray",
                                    .outside = true,
                                    .winus = 10 * S,
                                    .cpu = &cpu});
    read_period(100, 220);
    ck_sum(row("acme"), SUM_USED, 136 * S + 1);
    ck_sum(row("acme"), SUM_OUTSIDE, 6 * S);
    ck_identity(row("acme")->sums);
    end();
}
END_TEST

/* ---- damage ---- */

START_TEST(records_that_stand_twice_are_counted_once)
{
    char path[96], copy[128], text[16384];

    begin();
    two_tenants();
    group(150, LEDGER_START, "one", 0, 0);
    (void) snprintf(path, sizeof path, "%s/" LEDGER_FILE, folder);
    (void) snprintf(copy, sizeof copy,
                    "%s/ledger-0000000001-2099-01-01T00:00:00.000000Z-aaaaaaaa.jsonl", folder);
    OWNED_FD fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    ck_assert_int_gt(n, 0);
    OWNED_FD to = open(copy, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(to, text, (size_t) n), n);

    sample(280, "acme", 60 * S,
           (struct figures){.use = 181 * S + 1, .ent = 180 * S, .bor = 40 * S + 1, .unu = 89 * S});
    read_period(0, 1000);
    ck_sum(row("acme"), SUM_USED, 131 * S + 1);
    ck_sum(row("acme"), SUM_STARTED, 1);
    ck_assert_uint_eq(summary->ledger.doubled, 8);
    ck_assert_uint_eq(summary->ledger.missing, 0);
    end();
}
END_TEST

START_TEST(what_cannot_be_read_is_told_and_costs_resolution_alone)
{
    begin();
    two_tenants();
    put_text("{\"v\":1,\"k\":\"sa\n", 15);
    seq += 2;
    put(230, (struct ledger_record){.v = 2, .k = LEDGER_NOTE, .text = "of the future"});
    sample(280, "acme", 60 * S,
           (struct figures){.use = 181 * S + 1, .ent = 180 * S, .bor = 40 * S + 1, .unu = 89 * S});
    put_text("{\"v\":1", 6);
    read_period(0, 1000);
    ck_sum(row("acme"), SUM_USED, 131 * S + 1);
    ck_assert_uint_eq(summary->ledger.torn, 1);
    ck_assert_uint_eq(summary->ledger.missing, 2);
    ck_assert_uint_eq(summary->ledger.newer, 1);
    ck_assert_uint_eq(summary->ledger.unfinished, 1);
    end();
}
END_TEST

START_TEST(an_empty_ledger_has_no_rows)
{
    begin();
    read_period(0, 100);
    ck_assert_uint_eq(summary->count, 0);
    ck_assert_uint_eq(summary->capacity_us, 0);
    ck_assert_uint_eq(summary->first_us, 0);
    ck_assert_uint_eq(summary->gap_us, 100 * S);
    end();
}
END_TEST

SUITE(summary_suite, sums_are_differences_of_the_records_at_the_ends,
      who_comes_later_began_with_nothing, an_edge_between_two_records_divides_by_time,
      periods_that_touch_make_up_the_whole, steps_begin_at_round_times_and_make_up_the_whole,
      another_boot_begins_at_nothing_and_the_time_between_is_a_gap,
      a_meter_that_begins_again_doubles_nothing, a_clock_that_was_set_moves_nothing_else,
      without_a_meter_containers_tell_what_their_tenant_used,
      what_the_meter_counts_containers_do_not_count_again,
      of_two_exits_of_one_container_the_later_counts,
      a_container_outside_of_the_contract_is_counted_and_told_apart,
      records_that_stand_twice_are_counted_once,
      what_cannot_be_read_is_told_and_costs_resolution_alone, an_empty_ledger_has_no_rows)
