/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/plan/update.h"
#include "sublet/run.h"
#include "sublet/spec.h"

#include "command.h"
#include "say.h"
#include "target.h"

#define V1_ONLY "no effect but a warning, cgroup v2 has no such limit"

/* clang-format off */
static const struct arg_row table[] = {
    {"resources", 'r', ARG_FILE, INTO(update.resources), NULL, "FILE",
     "read linux.resources, as in config.json, from FILE or from standard input (-); other options "
     "win over what it says"},
    {"memory", 0, ARG_LIMIT, INTO(update.memory), NULL, "SIZE", "memory limit, -1 for none"},
    {"memory-reservation", 0, ARG_LIMIT, INTO(update.reservation), NULL, "SIZE",
     "memory that is protected from reclaim"},
    {"memory-swap", 0, ARG_LIMIT, INTO(update.swap), NULL, "SIZE",
     "limit of memory and swap together, -1 for none"},
    {"cpu-quota", 0, ARG_I64, INTO(update.quota), NULL, "MICROSECONDS",
     "how much CPU time in each period, -1 for no cap"},
    {"cpu-period", 0, ARG_U64, INTO(update.period), NULL, "MICROSECONDS", "length of a period"},
    {"cpu-burst", 0, ARG_U64, INTO(update.burst), NULL, "MICROSECONDS",
     "unused CPU time that may be taken later, at most the quota"},
    {"cpu-share", 0, ARG_U64, INTO(update.shares), NULL, "N",
     "relative weight, 2 to 262144 (1024 is the default)"},
    {"cpu-idle", 0, ARG_U64, INTO(update.idle), NULL, "0|1",
     "1: run only when nobody else wants the CPU"},
    {"cpuset-cpus", 0, ARG_TEXT, INTO(update.cpus), NULL, "LIST", "run on these CPUs, as '0-3,7'"},
    {"cpuset-mems", 0, ARG_TEXT, INTO(update.mems), NULL, "LIST", "memory nodes to use"},
    {"pids-limit", 0, ARG_I64, INTO(update.pids), NULL, "N",
     "processes and threads, -1 for no limit; 0 is a limit"},
    {"blkio-weight", 0, ARG_U64, INTO(update.blkio_weight), NULL, "N",
     "relative weight for disks, 10 to 1000"},
    {"l3-cache-schema", 0, ARG_TEXT, INTO(update.l3_cache_schema), NULL, "LINES",
     "parts of the cache for the container's own class (linux.intelRdt), as 'L3:0=f;1=3'"},
    {"mem-bw-schema", 0, ARG_TEXT, INTO(update.mem_bw_schema), NULL, "LINE",
     "the same for bandwidth of memory, as 'MB:0=50;1=70'"},
    {"cpu-rt-period", 0, ARG_U64, INTO(update.rt_period), NULL, "MICROSECONDS", V1_ONLY},
    {"cpu-rt-runtime", 0, ARG_I64, INTO(update.rt_runtime), NULL, "MICROSECONDS", V1_ONLY},
    {"kernel-memory", 0, ARG_LIMIT, INTO(update.kernel), NULL, "SIZE", V1_ONLY},
    {"kernel-memory-tcp", 0, ARG_LIMIT, INTO(update.kernel_tcp), NULL, "SIZE", V1_ONLY},
    {"dry-run", 0, ARG_FLAG, INTO(dry_run), NULL, NULL,
     "check everything and print what would be written, one file and its text a line"},
};
/* clang-format on */
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static int read_input(struct buf *text, struct sub_err *err)
{
    char part[4096];
    ssize_t n = 0;

    while (!buf_failed(text) && (n = sub_read_all(STDIN_FILENO, part, sizeof part)) > 0)
        buf_add(text, part, (size_t) n);
    if (n < 0)
        return sub_fail(err, (int) -n, "--resources", "cannot read standard input: %s",
                        sub_strerror((int) -n));
    if (buf_failed(text))
        return sub_fail(err, EFBIG, "--resources", "more than %zu bytes", SPEC_MAX_BYTES);
    return 0;
}

static int read_resources(const struct call *call, struct findings *findings,
                          struct spec_resources **ret_resources, struct sub_err *err)
{
    const char *name = call->args->update.resources;
    OWNED_BUF input = BUF(SPEC_MAX_BYTES);
    OWNED_MEM char *text = NULL;
    size_t size = 0;

    if (strcmp(name, "-") == 0) {
        SUBLET_TRY(read_input(&input, err));
        return spec_parse_resources(call->arena, "standard input", buf_text(&input), input.length,
                                    findings, ret_resources, err);
    }
    SUBLET_TRY(sub_load_file_at(AT_FDCWD, name, SPEC_MAX_BYTES, &text, &size, err));
    return spec_parse_resources(call->arena, name, text, size, findings, ret_resources, err);
}

/* What the options say, over what the file said. */
struct options_into {
    struct spec_memory memory;
    struct spec_cpu cpu;
    struct spec_pids pids;
    struct spec_block_io block_io;
};

static void put_signed(int64_t given, int64_t *into, uint64_t *has, uint64_t bit)
{
    if (given == ARGS_NONE_I64)
        return;
    *into = given;
    *has |= bit;
}

static void put_unsigned(uint64_t given, uint64_t *into, uint64_t *has, uint64_t bit)
{
    if (given == ARGS_NONE_U64)
        return;
    *into = given;
    *has |= bit;
}

static void put_memory(const struct args_update *args, struct spec_memory *memory)
{
    put_signed(args->memory, &memory->limit_bytes, &memory->has, SPEC_MEMORY_LIMIT);
    put_signed(args->reservation, &memory->reservation_bytes, &memory->has,
               SPEC_MEMORY_RESERVATION);
    put_signed(args->swap, &memory->swap_bytes, &memory->has, SPEC_MEMORY_SWAP);
    put_signed(args->kernel, &memory->kernel_bytes, &memory->has, SPEC_MEMORY_KERNEL);
    put_signed(args->kernel_tcp, &memory->kernel_tcp_bytes, &memory->has, SPEC_MEMORY_KERNEL_TCP);
}

static void put_cpu(const struct args_update *args, struct spec_cpu *cpu)
{
    uint64_t idle = 0;

    put_signed(args->quota, &cpu->quota_us, &cpu->has, SPEC_CPU_QUOTA);
    put_unsigned(args->period, &cpu->period_us, &cpu->has, SPEC_CPU_PERIOD);
    put_unsigned(args->burst, &cpu->burst_us, &cpu->has, SPEC_CPU_BURST);
    put_unsigned(args->shares, &cpu->shares, &cpu->has, SPEC_CPU_SHARES);
    put_signed(args->rt_runtime, &cpu->realtime_runtime_us, &cpu->has, SPEC_CPU_REALTIME_RUNTIME);
    put_unsigned(args->rt_period, &cpu->realtime_period_us, &cpu->has, SPEC_CPU_REALTIME_PERIOD);
    put_unsigned(args->idle, &idle, &cpu->has, SPEC_CPU_IDLE);
    if (args->idle != ARGS_NONE_U64)
        cpu->idle = (int64_t) idle;
    if (args->cpus != NULL)
        cpu->cpus = args->cpus;
    if (args->mems != NULL)
        cpu->mems = args->mems;
}

static void put_options(const struct args_update *args, struct options_into *into,
                        struct spec_resources *resources)
{
    if (resources->memory != NULL)
        into->memory = *resources->memory;
    if (resources->cpu != NULL)
        into->cpu = *resources->cpu;
    if (resources->pids != NULL)
        into->pids = *resources->pids;
    if (resources->block_io != NULL)
        into->block_io = *resources->block_io;

    put_memory(args, &into->memory);
    put_cpu(args, &into->cpu);
    put_signed(args->pids, &into->pids.limit, &into->pids.has, SPEC_PIDS_LIMIT);
    if (args->blkio_weight != ARGS_NONE_U64) {
        into->block_io.weight = (uint32_t) args->blkio_weight;
        into->block_io.has |= SPEC_BLOCK_IO_WEIGHT;
    }
    resources->memory = into->memory.has != 0 ? &into->memory : resources->memory;
    if (into->cpu.has != 0 || into->cpu.cpus != NULL || into->cpu.mems != NULL)
        resources->cpu = &into->cpu;
    resources->pids = into->pids.has != 0 ? &into->pids : resources->pids;
    resources->block_io = into->block_io.has != 0 ? &into->block_io : resources->block_io;
}

/* In FILE a 0 says that a field is not set, as engines write it; on the command line it would be an
 * option without effect. */
static int refuse_zero(const struct args *args, struct sub_err *err)
{
    const struct args_update *update = &args->update;
    uint64_t weight = update->blkio_weight;
    bool no_weight = weight == 0 || (weight != ARGS_NONE_U64 && weight > UINT32_MAX);
    const struct {
        bool is_wrong;
        const char *option, *expected;
    } options[] = {
        {update->memory == 0,      "memory",             "a size above 0, or -1 for no limit"},
        {update->swap == 0,        "memory-swap",        "a size above 0, or -1 for no limit"},
        {update->reservation == 0, "memory-reservation", "a size above 0, or -1 for all"     },
        {update->quota == 0,       "cpu-quota",          "1000 or more, or -1 for no cap"    },
        {update->period == 0,      "cpu-period",         "1000 to 1000000"                   },
        {update->shares == 0,      "cpu-share",          "2 to 262144"                       },
        {no_weight,                "blkio-weight",       "10 to 1000"                        },
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].is_wrong)
            return args_refuse(args, err, "option '--%s' of 'update': expected %s",
                               options[i].option, options[i].expected);
    return 0;
}

static bool any_option(const struct args *args)
{
    for (size_t i = 0; i < rows.count; i++)
        if (rows.items[i].target != INTO(dry_run) && arg_is_given(args, &rows.items[i]))
            return true;
    return false;
}

static int show_rows(const struct plan_update *update, struct sub_err *err)
{
    OWNED_BUF text = BUF(TARGET_TEXT_MAX);

    for (size_t i = 0; i < update->changes.count; i++) {
        const struct cg_row *row = &update->changes.items[i].row;

        buf_printf(&text, "%s ", row->file);
        say_escape(&text, row->text);
        buf_putc(&text, '\n');
    }
    if (update->schemata != NULL)
        buf_printf(&text, "schemata of its cache class:\n%s", update->schemata);
    if (update->device_rules != NULL)
        buf_printf(&text, "devices: a program of %zu rules\n", update->device_rule_count);
    return say_result(&text, err);
}

static int update_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    struct spec_resources *resources = arena_alloc(call->arena, sizeof *resources);
    struct options_into *into = arena_alloc(call->arena, sizeof *into);
    struct findings findings;
    struct plan_update update;
    struct run_target target;
    struct spec_intel_rdt rdt = {.l3_cache_schema = args->update.l3_cache_schema,
                                 .mem_bw_schema = args->update.mem_bw_schema};

    if (resources == NULL || into == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    if (!any_option(args))
        return args_refuse(args, err, "nothing to update: an option with a limit is needed");
    SUBLET_TRY(refuse_zero(args, err));
    SUBLET_TRY(target_make(call, &target, err));
    findings_init(&findings, call->arena);
    if (args->update.resources != NULL)
        SUBLET_TRY(read_resources(call, &findings, &resources, err));
    put_options(&args->update, into, resources);

    const struct run_changes changes = {
        .resources = resources,
        .rdt = rdt.l3_cache_schema == NULL && rdt.mem_bw_schema == NULL ? NULL : &rdt,
        .dry_run = args->dry_run,
    };
    int rc = run_update(&target, &changes, &findings, &update, err);
    say_warnings(&findings);
    SUBLET_TRY(rc);
    return args->dry_run ? show_rows(&update, err) : 0;
}

const struct command command_update = {
    .name = "update",
    .summary = "change the limits of a container that lives",
    .usage = "OPTION... ID",
    .rows = {&rows, &rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = update_body,
};
