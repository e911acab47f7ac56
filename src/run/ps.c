/* SPDX-License-Identifier: Apache-2.0 */
/* ps: the host's own ps(1) knows the columns, the container's group knows the processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/num.h"

#include "start.h"
#include "target.h"

#define PS_LIMIT_MS   10000
#define PS_OUTPUT_MAX ((size_t) 64 << 20)
#define PS_ERRORS_MAX ((size_t) 1 << 20)
#define PS_ARGS_MAX   256
#define PS_LIST_MAX   4096 /* pids named on the command line; its length has a limit */

struct pids {
    pid_t *items;
    size_t count;
};

static int by_number(const void *a, const void *b)
{
    const pid_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The word that covers or begins nearest before `at` in a line of that length; its number, 0 if it
 * is none. */
static pid_t number_around(const char *line, size_t length, size_t at)
{
    char text[NUM_TEXT];
    uint32_t number = 0;

    if (at >= length || is_blank(line[at]))
        return 0;

    size_t first = at, end = at;
    while (first > 0 && !is_blank(line[first - 1]))
        first--;
    while (end < length && !is_blank(line[end]))
        end++;
    if (end - first >= sizeof text)
        return 0;
    memcpy(text, line + first, end - first);
    text[end - first] = '\0';
    return num_parse_u32(text, INT32_MAX, &number) < 0 ? 0 : (pid_t) number;
}

/* Where word number `index` of the line begins, or length. */
static size_t word_at(const char *line, size_t length, size_t index)
{
    size_t at = 0;

    for (;;) {
        while (at < length && is_blank(line[at]))
            at++;
        if (at == length || index == 0)
            return at;
        index--;
        while (at < length && !is_blank(line[at]))
            at++;
    }
}

/* The column by its place: procps writes the number so that it ends below the "D". */
struct column {
    size_t end;   /* offset of the "D" */
    size_t index; /* which word of the header it is */
};

static bool find_column(const char *header, size_t length, struct column *ret_column)
{
    for (size_t index = 0;; index++) {
        size_t at = word_at(header, length, index);

        if (at == length)
            return false;
        size_t end = at;
        while (end < length && !is_blank(header[end]))
            end++;
        if (end - at == 3 && strncmp(header + at, "PID", 3) == 0) {
            *ret_column = (struct column){.end = end - 1, .index = index};
            return true;
        }
    }
}

static bool has(const struct pids *pids, pid_t pid)
{
    return pid != 0 && bsearch(&pid, pids->items, pids->count, sizeof pid, by_number) != NULL;
}

/* By the place of the column, which words with blanks in front of it do not shift; by the number of
 * the word where an overlong one did. */
static bool is_wanted(const char *line, size_t length, const struct column *column,
                      const struct pids *pids)
{
    pid_t pid = number_around(line, length, column->end);

    if (pid == 0)
        pid = number_around(line, length, word_at(line, length, column->index));
    return has(pids, pid);
}

static int keep_lines(const char *text, const struct pids *pids, struct buf *table,
                      struct sub_err *err)
{
    struct column column = {0};
    bool header = true;

    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (header && !find_column(line, length, &column))
            break;
        if (header || is_wanted(line, length, &column, pids)) {
            buf_add(table, line, length);
            buf_putc(table, '\n');
        }
        header = false;
        line += length + (line[length] == '\n');
    }
    if (header) {
        return sub_fail(err, EINVAL, "ps",
                        "no PID column in its first line '%.80s': with these arguments there is no "
                        "telling which lines are the container's",
                        text);
    }
    return buf_failed(table) ? sub_fail(err, ENOMEM, "ps", "out of memory") : 0;
}

/* -p adds to what is selected anyway, and makes "-o pid,comm" alone show them. */
static const char *selection(struct arena *arena, const struct pids *pids)
{
    OWNED_BUF text = BUF(PS_ERRORS_MAX);
    char number[NUM_TEXT];

    if (pids->count > PS_LIST_MAX)
        return NULL;
    for (size_t i = 0; i < pids->count; i++)
        buf_printf(&text, "%s%s", i == 0 ? "-p" : ",",
                   num_format_u64((uint64_t) pids->items[i], number));
    return arena_strdup(arena, buf_text(&text));
}

static int ask(char **args, size_t count, const char *selected, struct proc_captured *captured,
               struct sub_err *err)
{
    args[count] = (char *) selected;
    args[count + 1] = NULL;
    buf_init(&captured->out, PS_OUTPUT_MAX);
    buf_init(&captured->errors, PS_ERRORS_MAX);
    return proc_capture(args, PS_LIMIT_MS, captured, err);
}

static void captured_done(struct proc_captured *captured)
{
    buf_done(&captured->out);
    buf_done(&captured->errors);
}

int run_ps(const struct run_target *request, char *const *args, struct buf *ret_table,
           struct sub_err *err)
{
    static char program[] = "ps", everything[] = "-ef";
    char *all[PS_ARGS_MAX + 4] = {program};
    size_t count = 1;
    struct pids pids;
    __attribute__((cleanup(captured_done))) struct proc_captured captured = {.status = 0};

    SUBLET_TRY(run_pids(request, &pids.items, &pids.count, err));
    qsort(pids.items, pids.count, sizeof *pids.items, by_number);
    for (; *args != NULL; args++) {
        if (count > PS_ARGS_MAX)
            return sub_fail(err, E2BIG, "ps", "more than %d arguments", PS_ARGS_MAX);
        all[count++] = *args;
    }
    if (count == 1)
        all[count++] = everything;

    SUBLET_TRY(ask(all, count, selection(request->arena, &pids), &captured, err));
    if (captured.status != 0) { /* another ps, which has no -p */
        captured_done(&captured);
        SUBLET_TRY(ask(all, count, NULL, &captured, err));
    }
    if (captured.status != 0)
        return sub_fail(err, ECHILD, "ps", "status %d: %.*s", captured.status,
                        (int) strcspn(buf_text(&captured.errors), "\n"),
                        buf_text(&captured.errors));
    return keep_lines(buf_text(&captured.out), &pids, ret_table, err);
}
