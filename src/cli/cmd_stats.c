/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/cgroups/reader.h"
#include "sublet/json.h"
#include "sublet/run.h"
#include "sublet/state.h"

#include "command.h"
#include "say.h"
#include "target.h"
#include "usage.h"

static const struct arg_row table[] = {
    {"json", 0, ARG_FLAG, INTO(json), NULL, NULL, "print all counters, as a JSON array"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

struct listing {
    const struct call *call;
    const char *state_root;
    struct cgroup_sample *sample;
    const char *const *ids;
    size_t count;
    bool named; /* on the command line: each must be there */
    struct buf *text;
    struct json_writer writer; /* where JSON is asked for */
    int width;                 /* of the first column of a table */
};

static void write_object(struct json_writer *writer, const struct run_stats *stats,
                         const struct cgroup_sample *sample)
{
    char now[STATE_TIME_TEXT];

    state_time_now(now);
    json_write_object(writer, NULL);
    json_write_string(writer, "id", stats->info.id);
    json_write_string(writer, "status", run_status_name(stats->info.status));
    json_write_string(writer, "time", now);
    if (stats->cgroup_path != NULL)
        json_write_string(writer, "cgroup", stats->cgroup_path);
    if (stats->counted)
        usage_json(writer, sample);
    json_write_end(writer);
}

/* A container that went away since it was listed is not there; one whose record makes no sense has
 * no counters. */
static int tell_one(struct listing *listing, const char *id, struct sub_err *err)
{
    const struct run_target target = {
        .arena = listing->call->arena, .state_root = listing->state_root, .id = id};
    struct run_stats stats = {
        .info = {.id = id, .status = RUN_STOPPED}
    };
    int rc = run_stats(&target, listing->sample, &stats, err);

    if (rc < 0 && (listing->named || (rc != -ENOENT && rc != -EINVAL)))
        return rc;
    sub_err_clear(err);
    if (rc == -ENOENT)
        return 0;
    if (listing->call->args->json) {
        write_object(&listing->writer, &stats, listing->sample);
        return 0;
    }
    buf_printf(listing->text, "%-*s", listing->width, id);
    usage_row(listing->text, stats.counted ? listing->sample : NULL);
    return 0;
}

static int tell_all(struct listing *listing, struct sub_err *err)
{
    if (listing->call->args->json) {
        json_writer_init(&listing->writer, listing->text, 2);
        json_write_array(&listing->writer, NULL);
    } else {
        listing->width = (int) strlen("ID");
        for (size_t i = 0; i < listing->count; i++) {
            int length = (int) strlen(listing->ids[i]);

            listing->width = length > listing->width ? length : listing->width;
        }
        buf_printf(listing->text, "%-*s", listing->width, "ID");
        usage_columns(listing->text);
    }
    for (size_t i = 0; i < listing->count; i++)
        SUBLET_TRY(tell_one(listing, listing->ids[i], err));
    if (listing->call->args->json) {
        json_write_end(&listing->writer);
        buf_putc(listing->text, '\n');
    }
    return say_result(listing->text, err);
}

static int find_ids(struct listing *listing, struct sub_err *err)
{
    const struct args *args = listing->call->args;
    struct run_info *infos;
    const char **ids;
    size_t count;

    if (args->operand_count > 0) {
        for (size_t i = 0; i < args->operand_count; i++)
            SUBLET_TRY(id_check(args->operands[i], err));
        listing->ids = (const char *const *) args->operands;
        listing->count = args->operand_count;
        listing->named = true;
        return 0;
    }
    SUBLET_TRY(run_list(listing->call->arena, listing->state_root, &infos, &count, err));
    ids = arena_array(listing->call->arena, count, sizeof *ids);
    if (ids == NULL && count > 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        ids[i] = infos[i].id;
    listing->ids = ids;
    listing->count = count;
    return 0;
}

static int stats_body(const struct call *call, struct sub_err *err)
{
    OWNED_BUF text = BUF(TARGET_TEXT_MAX);
    struct listing listing = {.call = call, .text = &text};

    listing.sample = arena_alloc(call->arena, sizeof *listing.sample);
    if (listing.sample == NULL)
        return -ENOMEM;
    SUBLET_TRY(target_root(call, &listing.state_root, err));
    SUBLET_TRY(find_ids(&listing, err));
    return tell_all(&listing, err);
}

const struct command command_stats = {
    .name = "stats",
    .summary = "print what containers have used",
    .usage = "[OPTION...] [ID...]",
    .rows = {&rows, &rows_help},
    .operands_max = OPERANDS_ANY,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = stats_body,
};
