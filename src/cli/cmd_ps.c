/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/json.h"
#include "sublet/run.h"

#include "command.h"
#include "say.h"
#include "target.h"

#define BLANKS    " \t\n"
#define WORDS_MAX 256

static const struct word formats[] = {
    {"table", ARGS_TABLE},
    {"json",  ARGS_JSON },
};
static const struct words format_words = WORDS(formats);
static const struct arg_row table[] = {
    {"format", 'f', ARG_WORD, INTO(format), &format_words, NULL,
     "table of ps(1) (default), or the process ids alone as a JSON array"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static int ps_json(const struct run_target *target, struct buf *text, struct sub_err *err)
{
    struct json_writer writer;
    pid_t *pids;
    size_t count;

    SUBLET_TRY(run_pids(target, &pids, &count, err));
    json_writer_init(&writer, text, 0);
    json_write_array(&writer, NULL);
    for (size_t i = 0; i < count; i++)
        json_write_i64(&writer, NULL, pids[i]);
    json_write_end(&writer);
    buf_putc(text, '\n');
    return 0;
}

/* containerd hands all options of `ctr task ps` and `docker top` over as one word. */
static int split_words(struct arena *arena, const char *text, char **words, struct sub_err *err)
{
    size_t count = 0;

    for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
        size_t length = strcspn(text, BLANKS);

        if (count == WORDS_MAX)
            return sub_fail(err, E2BIG, "ps", "more than %d arguments", WORDS_MAX);
        words[count] = arena_strndup(arena, text, length);
        if (words[count++] == NULL)
            return sub_fail(err, ENOMEM, "ps", "out of memory");
        text += length;
    }
    words[count] = NULL;
    return 0;
}

static int ps_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    char *words[WORDS_MAX + 1];
    struct run_target target;
    OWNED_BUF text = BUF(TARGET_TEXT_MAX);

    SUBLET_TRY(target_make(call, &target, err));
    if (args->format == ARGS_JSON) {
        if (args->operand_count > 1)
            return args_refuse(args, err, "'%.80s': with --format json no ps is run",
                               args->operands[1]);
        SUBLET_TRY(ps_json(&target, &text, err));
        return say_result(&text, err);
    }
    if (args->operand_count == 2) {
        SUBLET_TRY(split_words(call->arena, args->operands[1], words, err));
        SUBLET_TRY(run_ps(&target, words, &text, err));
    } else { /* argv ends with NULL */
        SUBLET_TRY(run_ps(&target, args->operands + 1, &text, err));
    }
    return say_result(&text, err);
}

const struct command command_ps = {
    .name = "ps",
    .summary = "list the processes of a container",
    .usage = "[OPTION...] ID [PS-OPTION...]",
    .rows = {&rows, &rows_help},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .operand = OPERAND_ID,
    .stops_at_operand = true,
    .failure = 1,
    .body = ps_body,
};
