/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/tenant.h"

#include "runner.h"

static struct arena arena;
static struct sub_err err;
static struct findings findings;
static char folder[64];
static int dir_fd = -EBADF;

static void fresh(void)
{
    arena_done(&arena);
    arena_init(&arena, ARENA_MAX_BYTES);
    sub_err_clear(&err);
    findings_init(&findings, &arena);
    sub_close(&dir_fd);
    strcpy(folder, "/tmp/tenants-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_ok(tenant_dir_open(folder, false, true, &dir_fd, &err), &err);
}

static void put(const char *name, const char *text)
{
    OWNED_FD fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sub_write_all(fd, text, strlen(text)), 0);
}

static void away(const char *name)
{
    ck_assert_int_eq(unlinkat(dir_fd, name, 0), 0);
}

static void finish(void)
{
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(what_is_saved_is_loaded)
{
    struct tenant tenant = {.name = "acme"};
    struct tenants tenants;

    fresh();
    tenant_contract_init(&tenant.contract);
    ck_ok(tenant_contract_set(&tenant.contract, "cpu", "elastic 0.5 ceiling 1", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant.contract, "memory", "1.5G", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant.contract, "swap", "0", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant.contract, "virtual", "4097", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant.contract, "pids", "100", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant.contract, "io-weight", "200", "x", &err), &err);
    ck_ok(tenant_contract_set(&tenant.contract, "realtime", "yes", "x", &err), &err);
    ck_ok(tenant_contract_add_io(&arena, &tenant.contract, "/a=1MB/s", "x", &err), &err);
    ck_ok(tenant_contract_add_io(&arena, &tenant.contract, "/b=read:5iops", "x", &err), &err);
    ck_ok(tenant_contract_add_io(&arena, &tenant.contract, "/a=2MB/s", "x", &err), &err);
    ck_ok(tenant_save(&arena, dir_fd, &tenant, &err), &err);
    ck_ok(tenants_load(&arena, dir_fd, &findings, &tenants, &err), &err);
    ck_assert_uint_eq(findings.error_count, 0);
    ck_assert_uint_eq(tenants.count, 2);
    ck_assert_str_eq(tenants.items[0].name, "acme");
    ck_assert(!tenants.items[0].builtin);
    ck_assert_str_eq(tenants.items[1].name, "default");
    ck_assert(tenants.items[1].builtin);

    const struct tenant_contract *got = &tenants.items[0].contract;
    ck_assert_str_eq(tenant_cpu_text(&arena, &got->cpu), "elastic 0.5 ceiling 1");
    ck_assert_uint_eq(got->memory_bytes[TENANT_MAX], 1610612736);
    ck_assert_uint_eq(got->memory_bytes[TENANT_SWAP], 0);
    ck_assert_uint_eq(got->memory_bytes[TENANT_HIGH], TENANT_UNSET);
    ck_assert_uint_eq(got->memory_bytes[TENANT_VIRTUAL], 4097);
    ck_assert_uint_eq(got->pids, 100);
    ck_assert_uint_eq(got->io_weight, 200);
    ck_assert(got->realtime);
    ck_assert_uint_eq(got->io_count, 2);
    ck_assert_str_eq(tenant_io_text(&arena, &got->io[0]), "/a=2MB/s");
    ck_assert_str_eq(tenant_io_text(&arena, &got->io[1]), "/b=read:5iops");
    away("acme.json");
    finish();
}
END_TEST

START_TEST(a_wrong_file_is_told_and_the_others_are_there)
{
    static const struct {
        const char *text, *path, *complaint;
    } rows[] = {
        {"{\"cpu\": 1}",                                                        "bad.json:1:9: cpu",     "expected string, got number"},
        {"{}",                                                                  "bad.json:1:2: cpu",     "mandatory field is missing" },
        {"{\"cpu\": \"fixed 1\",\n \"memroy\": {}}",                            "bad.json:2:2",          "unknown key 'memroy'"       },
        {"{\"cpu\": \"fixed 1\", \"memory\": {\"max\": \"1Q\"}}",               "bad.json: memory.max",
         "'1Q' is no size: a number with an optional unit K, M, G or T, or none"                                                      },
        {"{\"cpu\": \"fixed 1\", \"memory\": {\"high\": \"0\"}}",               "bad.json: memory.high",
         "0 bytes are no limit that a process lives in: a size, or 'none' for no limit"                                               },
        {"{\"cpu\": \"fixed 1\", \"io\": {\"limits\": [\"/a=1MB/s\", \"b\"]}}",
         "bad.json: io.limits[1]",                                                                       "'b': expected /PATH=RATE[,RATE...] with rates as 50MB/s, 500iops, read:10MB/s, "
         "write:100iops"                                                                            },
    };
    struct tenants tenants;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fresh();
        put("bad.json", rows[i].text);
        put("good.json", "{\"cpu\": \"fixed 1\"}");
        put("README", "no definition");
        put("Upper.json", "no name");
        ck_ok(tenants_load(&arena, dir_fd, &findings, &tenants, &err), &err);
        ck_assert_uint_eq(findings.error_count, 1);
        ck_assert_str_eq(findings.errors[0].path, rows[i].path);
        ck_assert_str_eq(findings.errors[0].text, rows[i].complaint);
        ck_assert_uint_eq(tenants.count, 2);
        ck_assert_str_eq(tenants.items[1].name, "good");
        away("bad.json");
        away("good.json");
        away("README");
        away("Upper.json");
        finish();
    }
}
END_TEST

START_TEST(a_file_with_the_name_of_a_row_of_the_ledger_is_told)
{
    struct tenants tenants;

    fresh();
    put("others.json", "{\"cpu\": \"fixed 1\"}\n");
    ck_ok(tenants_load(&arena, dir_fd, &findings, &tenants, &err), &err);
    ck_assert_uint_eq(tenants.count, 1);
    ck_assert_uint_eq(findings.error_count, 1);
    ck_assert_str_eq(findings.errors[0].path, "others.json");
    away("others.json");
    finish();
}
END_TEST

START_TEST(a_container_finds_its_tenant)
{
    struct tenant tenant;
    size_t defined;

    fresh();
    ck_ok(tenant_find(&arena, folder, NULL, &defined, &tenant, &err), &err);
    ck_assert_uint_eq(defined, 0);
    put("acme.json", "{\"cpu\": \"fixed 1\"}");
    ck_ok(tenant_find(&arena, folder, "acme", &defined, &tenant, &err), &err);
    ck_assert_uint_eq(defined, 1);
    ck_assert_uint_eq(tenant.contract.cpu.milli, 1000);
    ck_ok(tenant_find(&arena, folder, "default", &defined, &tenant, &err), &err);
    ck_assert(tenant.builtin);
    ck_assert_int_eq(tenant_find(&arena, folder, "acme2", &defined, &tenant, &err), -ENOENT);
    ck_assert_int_eq(err.code, 0);
    ck_assert_int_eq(tenant_find(&arena, folder, "../acme", &defined, &tenant, &err), -EINVAL);
    ck_assert_int_eq(tenant_find(&arena, "/nowhere", "acme", &defined, &tenant, &err), -ENOENT);
    away("acme.json");
    finish();
}
END_TEST

START_TEST(a_folder_that_others_may_write_to_is_refused)
{
    int fd = -EBADF;

    fresh();
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_fails(tenant_dir_open(folder, false, false, &fd, &err), &err, EPERM, folder,
             "others may write to the folder of tenants (mode 777), expected 0755");
    finish();
}
END_TEST

SUITE(store_suite, what_is_saved_is_loaded, a_file_with_the_name_of_a_row_of_the_ledger_is_told,
      a_wrong_file_is_told_and_the_others_are_there, a_container_finds_its_tenant,
      a_folder_that_others_may_write_to_is_refused)
