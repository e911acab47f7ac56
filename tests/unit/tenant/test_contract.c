/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/tenant.h"

#include "runner.h"

static struct arena arena;
static struct sub_err err;

static void fresh(void)
{
    arena_done(&arena);
    arena_init(&arena, ARENA_MAX_BYTES);
    sub_err_clear(&err);
}

START_TEST(a_cpu_contract_reads_and_prints_the_same)
{
    static const char *const texts[] = {
        "elastic 0",
        "elastic 0.5",
        "elastic 0.05 ceiling 0.125",
        "elastic 0.5 ceiling 1 burst 50ms",
        "fixed 1.25",
        "fixed 0.01 burst 1ms",
        "fixed 100 burst 1500us",
        "pinned 2",
    };

    fresh();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tenant_cpu cpu;

        ck_ok(tenant_cpu_parse(texts[i], "cpu", &cpu, &err), &err);
        ck_assert_str_eq(tenant_cpu_text(&arena, &cpu), texts[i]);
    }
}
END_TEST

START_TEST(a_cpu_contract_means_numbers)
{
    struct tenant_cpu cpu;

    fresh();
    ck_ok(tenant_cpu_parse("elastic 0.5 burst 25ms ceiling 1.5", "cpu", &cpu, &err), &err);
    ck_assert_int_eq(cpu.kind, TENANT_ELASTIC);
    ck_assert_uint_eq(cpu.milli, 500);
    ck_assert_uint_eq(cpu.ceiling_milli, 1500);
    ck_assert_uint_eq(cpu.burst_us, 25000);
}
END_TEST

START_TEST(a_wrong_cpu_contract_says_what_is_allowed)
{
    static const struct {
        const char *text, *complaint;
        int code;
    } rows[] = {
        {"",                              "'': expected fixed N [burst TIME], elastic N [ceiling M] [burst TIME] or pinned N",
         EINVAL                                                                                                                       },
        {"fixed",
         "'fixed': expected fixed N [burst TIME], elastic N [ceiling M] [burst TIME] or pinned N",                              EINVAL},
        {"1",                             "'1': expected fixed N [burst TIME], elastic N [ceiling M] [burst TIME] or pinned N",
         EINVAL                                                                                                                       },
        {"fixed 1 burst",
         "'fixed 1 burst': expected fixed N [burst TIME], elastic N [ceiling M] [burst TIME] or "
         "pinned N",                                                                                                            EINVAL},
        {"fixed one",                     "'one' is no number of CPUs: at most three decimals, up to 8192",                     EINVAL},
        {"fixed -1",                      "'-1' is no number of CPUs: at most three decimals, up to 8192",                      EINVAL},
        {"fixed 0.0005",                  "'0.0005' is no number of CPUs: at most three decimals, up to 8192",
         EINVAL                                                                                                                       },
        {"fixed 8193",                    "'8193' is no number of CPUs: at most three decimals, up to 8192",                    EINVAL},
        {"fixed 0.009",                   "0.009 CPUs: at least 0.01 is what the kernel can give",                              ERANGE},
        {"fixed 0",                       "fixed 0 promises nothing; 'elastic 0' is best effort",                               ERANGE},
        {"pinned 1.5",                    "pinned takes whole CPUs",                                                            EINVAL},
        {"pinned 1 burst 1ms",            "'burst' does not go with pinned",                                                    EINVAL},
        {"fixed 1 ceiling 2",             "'ceiling' does not go with fixed",                                                   EINVAL},
        {"elastic 1 ceiling 0.5",         "ceiling 0.5 is below what is promised",                                              ERANGE},
        {"elastic 1 ceiling 2 ceiling 3", "'ceiling' does not go with elastic",                                                 EINVAL},
        {"elastic 1 burst 1ms",           "burst needs a ceiling to go beyond",                                                 EINVAL},
        {"fixed 0.5 burst 51ms",
         "burst 51000 us: at most the 50000 us that the cap allows in 100 ms",                                                  ERANGE},
        {"fixed 0.5 burst now",           "burst 'now' is no time, as '50ms'",                                                  EINVAL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tenant_cpu cpu;

        fresh();
        ck_fails(tenant_cpu_parse(rows[i].text, "--cpu", &cpu, &err), &err, rows[i].code, "--cpu",
                 rows[i].complaint);
    }
}
END_TEST

START_TEST(io_rates_go_to_their_directions)
{
    struct tenant_io io;

    fresh();
    ck_ok(tenant_io_parse(&arena, "/data=50MB/s,500iops", "io", &io, &err), &err);
    ck_assert_str_eq(io.path, "/data");
    ck_assert_uint_eq(io.rates[CG_IO_RBPS], 50 << 20);
    ck_assert_uint_eq(io.rates[CG_IO_WBPS], 50 << 20);
    ck_assert_uint_eq(io.rates[CG_IO_RIOPS], 500);
    ck_assert_uint_eq(io.rates[CG_IO_WIOPS], 500);
    ck_assert_str_eq(tenant_io_text(&arena, &io), "/data=50MB/s,500iops");

    ck_ok(tenant_io_parse(&arena, "/a=b=read:1K/s,write:7iops", "io", &io, &err), &err);
    ck_assert_str_eq(io.path, "/a=b");
    ck_assert_uint_eq(io.rates[CG_IO_RBPS], 1024);
    ck_assert_uint_eq(io.rates[CG_IO_WBPS], 0);
    ck_assert_uint_eq(io.rates[CG_IO_RIOPS], 0);
    ck_assert_uint_eq(io.rates[CG_IO_WIOPS], 7);
    ck_assert_str_eq(tenant_io_text(&arena, &io), "/a=b=read:1KB/s,write:7iops");
}
END_TEST

START_TEST(wrong_io_rates_say_what_is_allowed)
{
    static const char *const texts[] = {
        "",           "/data",      "data=1MB/s", "/data=",        "/data=1MB",  "/data=0iops",
        "/data=/s",   "/data=iops", "/data=,",    "/data=x:1MB/s", "/d=1.5iops", "=1MB/s",
        "/d=1MB/s,x", "/d=-1MB/s"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char complaint[256];
        struct tenant_io io;

        fresh();
        (void) snprintf(complaint, sizeof complaint,
                        "'%s': expected /PATH=RATE[,RATE...] with rates as 50MB/s, 500iops, "
                        "read:10MB/s, write:100iops",
                        texts[i]);
        ck_fails(tenant_io_parse(&arena, texts[i], "--io", &io, &err), &err, EINVAL, "--io",
                 complaint);
    }
}
END_TEST

START_TEST(none_takes_a_limit_away)
{
    static const char *const fields[] = {"memory",  "memory-high", "memory-low", "swap",
                                         "virtual", "io-weight",   "pids"};
    struct tenant_contract contract, empty;

    fresh();
    tenant_contract_init(&empty);
    tenant_contract_init(&contract);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        ck_ok(tenant_contract_set(&contract, fields[i], "64", "x", &err), &err);
        ck_assert_int_ne(memcmp(&contract, &empty, sizeof empty), 0);
        ck_ok(tenant_contract_set(&contract, fields[i], "none", "x", &err), &err);
        ck_assert_int_eq(memcmp(&contract, &empty, sizeof empty), 0);
    }
}
END_TEST

START_TEST(a_name_is_lower_case_and_short)
{
    static const char *const good[] = {"a", "0", "acme", "a.b-c_d", "9lives"};
    static const char *const bad[] = {
        "",    "A",        ".a",
        "-a",  "_a",       "a b",
        "a/b", "\xc3\xa4", "a123456789012345678901234567890123456789012345678901234567890123"};

    fresh();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_ok(tenant_name_check(good[i], NULL, &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(tenant_name_check(bad[i], NULL, NULL), -EINVAL);
}
END_TEST

SUITE(contract_suite, a_cpu_contract_reads_and_prints_the_same, a_cpu_contract_means_numbers,
      a_wrong_cpu_contract_says_what_is_allowed, io_rates_go_to_their_directions,
      wrong_io_rates_say_what_is_allowed, none_takes_a_limit_away, a_name_is_lower_case_and_short)
