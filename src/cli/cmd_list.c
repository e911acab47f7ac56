/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"
#include "sublet/json.h"
#include "sublet/run.h"

#include "command.h"
#include "say.h"
#include "target.h"

static const struct word formats[] = {
    {"table", ARGS_TABLE},
    {"json",  ARGS_JSON },
};
static const struct words format_words = WORDS(formats);
static const struct arg_row table[] = {
    {"quiet",  'q', ARG_FLAG, INTO(quiet),  NULL,          NULL, "print the IDs alone"},
    {"format", 'f', ARG_WORD, INTO(format), &format_words, NULL, "form of the list"   },
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static const char *status_of(const struct run_info *info)
{
    return info->corrupt ? "corrupt" : run_status_name(info->status);
}

static const char *text_of(const char *text)
{
    return text == NULL ? "" : text;
}

/* A text, as in the lists of the peers. Names of others would cost a look at all users. */
static const char *owner_of(const struct run_info *info, char text[NUM_TEXT])
{
    return info->owner_uid == 0 ? "root" : num_format_u64(info->owner_uid, text);
}

static void list_json(struct buf *buf, const struct run_info *infos, size_t count)
{
    struct json_writer writer;

    json_writer_init(&writer, buf, 0);
    json_write_array(&writer, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct run_info *info = &infos[i];
        char owner[NUM_TEXT];

        json_write_object(&writer, NULL);
        json_write_string(&writer, "ociVersion", text_of(info->oci_version));
        json_write_string(&writer, "id", info->id);
        json_write_i64(&writer, "pid", info->pid);
        json_write_string(&writer, "status", status_of(info));
        json_write_string(&writer, "bundle", text_of(info->bundle));
        json_write_string(&writer, "rootfs", text_of(info->rootfs));
        json_write_string(&writer, "created", text_of(info->created));
        if (info->tenant != NULL)
            json_write_string(&writer, "tenant", info->tenant);
        if (info->tenant_outside)
            json_write_bool(&writer, "tenantOutside", true);
        json_write_object(&writer, "annotations");
        for (size_t k = 0; k < info->annotation_count; k++)
            json_write_string(&writer, info->annotations[k].key, info->annotations[k].value);
        json_write_end(&writer);
        json_write_string(&writer, "owner", owner_of(info, owner));
        json_write_end(&writer);
    }
    json_write_end(&writer);
    buf_putc(buf, '\n');
}

static size_t longest_id(const struct run_info *infos, size_t count)
{
    size_t longest = strlen("ID");

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(infos[i].id);

        longest = length > longest ? length : longest;
    }
    return longest;
}

static void list_table(struct buf *buf, const struct run_info *infos, size_t count)
{
    int width = (int) longest_id(infos, count);

    buf_printf(buf, "%-*s  %-10s  %-8s  %-30s  %-5s  %-8s  %s\n", width, "ID", "PID", "STATUS",
               "CREATED", "OWNER", "TENANT", "BUNDLE");
    for (size_t i = 0; i < count; i++) {
        const struct run_info *info = &infos[i];
        char owner[NUM_TEXT];

        buf_printf(buf, "%-*s  %-10d  %-8s  %-30s  %-5s  %-8s  ", width, info->id, info->pid,
                   status_of(info), text_of(info->created), owner_of(info, owner),
                   info->tenant == NULL ? "-" : info->tenant);
        say_escape(buf, text_of(info->bundle));
        buf_putc(buf, '\n');
    }
}

static int list_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    struct run_info *infos;
    const char *root;
    size_t count;
    OWNED_BUF text = BUF(TARGET_TEXT_MAX);

    SUBLET_TRY(target_root(call, &root, err));
    SUBLET_TRY(run_list(call->arena, root, &infos, &count, err));
    if (args->quiet) {
        for (size_t i = 0; i < count; i++)
            buf_printf(&text, "%s\n", infos[i].id);
    } else if (args->format == ARGS_JSON) {
        list_json(&text, infos, count);
    } else {
        list_table(&text, infos, count);
    }
    return say_result(&text, err);
}

const struct command command_list = {
    .name = "list",
    .summary = "list the containers of the state root",
    .usage = "[OPTION...]",
    .rows = {&rows, &rows_help},
    .failure = 1,
    .body = list_body,
};
