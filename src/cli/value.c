/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/num.h"

#include "args.h"
#include "command.h"

#define ID_MAX     127
#define SIGNAL_MAX 64

bool arg_takes_value(const struct arg_row *row)
{
    return row->kind != ARG_FLAG && row->kind != ARG_SET &&
           (row->kind != ARG_IGNORED || row->metavar != NULL || row->words != NULL);
}

const char *arg_metavar(const struct arg_row *row, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    if (row->metavar != NULL) {
        (void) snprintf(text, size, "%s", row->metavar);
    } else if (row->words != NULL && row->kind != ARG_SET) {
        for (size_t i = 0; i < row->words->count && used < size; i++) {
            int n = snprintf(text + used, size - used, "%s%s", i > 0 ? "|" : "",
                             row->words->rows[i].name);
            used += n > 0 ? (size_t) n : 0;
        }
    }
    return text;
}

bool arg_is_given(const struct args *args, const struct arg_row *row)
{
    const void *target = (const char *) args + row->target;

    switch (row->kind) {
    case ARG_FLAG:
        return *(const bool *) target;
    case ARG_TEXT:
    case ARG_FILE:
    case ARG_DIR:
        return *(const char *const *) target != NULL;
    case ARG_LIST:
        return ((const struct arg_list *) target)->count > 0;
    case ARG_U64:
    case ARG_SIZE:
    case ARG_DURATION:
        return *(const uint64_t *) target != ARGS_NONE_U64;
    case ARG_I64:
    case ARG_LIMIT:
        return *(const int64_t *) target != ARGS_NONE_I64;
    case ARG_IGNORED:
        return false;
    default:
        return *(const uint32_t *) target != 0;
    }
}

static int store_word(const struct arg_row *row, const char *text, uint32_t *ret_value,
                      struct sub_err *err)
{
    const struct word *word = words_find(row->words, text);
    char names[128];

    if (word == NULL)
        return sub_fail(err, EINVAL, NULL, "'%s' is none of %s", text,
                        arg_metavar(row, names, sizeof names));
    *ret_value = (uint32_t) word->value;
    return 0;
}

static int store_number(const struct arg_row *row, const char *text, void *target,
                        struct sub_err *err)
{
    bool unlimited = (row->kind == ARG_I64 || row->kind == ARG_LIMIT) && strcmp(text, "-1") == 0;
    uint64_t value = UINT64_MAX; /* as int64_t: -1 */
    int rc;

    switch (unlimited ? ARG_IGNORED : row->kind) {
    case ARG_IGNORED:
        break;
    case ARG_LIMIT:
        if (num_parse_size(text, &value) < 0) {
            return sub_fail(err, EINVAL, NULL,
                            "'%s' is no size: a number with an optional unit K, M, G or T, or -1 "
                            "for no limit",
                            text);
        }
        break;
    case ARG_SIZE:
        if (num_parse_size(text, &value) < 0)
            return sub_fail(err, EINVAL, NULL,
                            "'%s' is no size: a number with an optional unit K, M, G or T", text);
        break;
    case ARG_DURATION:
        if (num_parse_duration(text, &value) < 0 || value == 0) {
            return sub_fail(err, EINVAL, NULL,
                            "'%s' is no duration above 0: a number with an optional unit us, ms, "
                            "s, m or h",
                            text);
        }
        break;
    default:
        rc = num_parse_u64(text, row->kind == ARG_U32 ? UINT32_MAX : INT64_MAX, &value);
        if (rc < 0)
            return sub_fail(err, EINVAL, NULL, "'%s' is %s", text,
                            rc == -ERANGE ? "too large a number" : "no whole number");
    }
    if (row->kind == ARG_U32) {
        uint32_t narrow = (uint32_t) value;

        memcpy(target, &narrow, sizeof narrow);
    } else {
        memcpy(target, &value, sizeof value);
    }
    return 0;
}

/* Room doubles: it is full whenever the count is a power of two. */
static int store_entry(struct arena *arena, const char *text, struct arg_list *list)
{
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count == 0 ? 1 : 2 * list->count;
        const char **items = arena_grow(arena, list->items, list->count, room, sizeof *list->items);

        if (items == NULL)
            return -ENOMEM;
        list->items = items;
    }
    list->items[list->count++] = text;
    return 0;
}

int args_store(struct arena *arena, struct args *args, const struct arg_row *row, const char *text,
               struct sub_err *err)
{
    void *target = (char *) args + row->target;
    uint32_t ignored;

    switch (row->kind) {
    case ARG_FLAG:
        *(bool *) target = true;
        return 0;
    case ARG_SET:
        *(uint32_t *) target = (uint32_t) row->words->rows[0].value;
        return 0;
    case ARG_WORD:
        return store_word(row, text, target, err);
    case ARG_IGNORED:
        return row->words == NULL ? 0 : store_word(row, text, &ignored, err);
    case ARG_TEXT:
    case ARG_FILE:
    case ARG_DIR:
        if (*text == '\0')
            return sub_fail(err, EINVAL, NULL, "an empty value is not allowed");
        *(const char **) target = text;
        return 0;
    case ARG_LIST:
        return store_entry(arena, text, target);
    default:
        return store_number(row, text, target, err);
    }
}

/* Standard signals by their names without "SIG". */
static const struct word signal_rows[] = {
    {"HUP",    SIGHUP   },
    {"INT",    SIGINT   },
    {"QUIT",   SIGQUIT  },
    {"ILL",    SIGILL   },
    {"TRAP",   SIGTRAP  },
    {"ABRT",   SIGABRT  },
    {"BUS",    SIGBUS   },
    {"FPE",    SIGFPE   },
    {"KILL",   SIGKILL  },
    {"USR1",   SIGUSR1  },
    {"SEGV",   SIGSEGV  },
    {"USR2",   SIGUSR2  },
    {"PIPE",   SIGPIPE  },
    {"ALRM",   SIGALRM  },
    {"TERM",   SIGTERM  },
    {"STKFLT", SIGSTKFLT},
    {"CHLD",   SIGCHLD  },
    {"CONT",   SIGCONT  },
    {"STOP",   SIGSTOP  },
    {"TSTP",   SIGTSTP  },
    {"TTIN",   SIGTTIN  },
    {"TTOU",   SIGTTOU  },
    {"URG",    SIGURG   },
    {"XCPU",   SIGXCPU  },
    {"XFSZ",   SIGXFSZ  },
    {"VTALRM", SIGVTALRM},
    {"PROF",   SIGPROF  },
    {"WINCH",  SIGWINCH },
    {"IO",     SIGIO    },
    {"PWR",    SIGPWR   },
    {"SYS",    SIGSYS   },
};

static const struct word signal_aliases[] = {
    {"IOT",  SIGABRT},
    {"CLD",  SIGCHLD},
    {"POLL", SIGIO  },
};

static int signal_of_rows(const struct word *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(rows[i].name, name) == 0)
            return (int) rows[i].value;
    }
    return -EINVAL;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2". glibc keeps the kernel's first two for itself. */
static int signal_realtime(const char *name)
{
    bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
    uint32_t distance = 0;

    if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
        return -EINVAL;
    if (name[5] != '\0' && (name[5] != (from_min ? '+' : '-') ||
                            num_parse_u32(name + 6, (uint32_t) (SIGRTMAX - SIGRTMIN), &distance)))
        return -EINVAL;
    return from_min ? SIGRTMIN + (int) distance : SIGRTMAX - (int) distance;
}

static int signal_refuse(const char *text, struct sub_err *err)
{
    OWNED_BUF names = BUF(SUB_ERR_TEXT);

    for (size_t i = 0; i < sizeof signal_rows / sizeof *signal_rows; i++)
        buf_printf(&names, "%s ", signal_rows[i].name);
    return sub_fail(err, ARGS_USAGE, NULL,
                    "unknown signal '%.64s': a number from 0 to %d or one of %sRTMIN+n RTMAX-n",
                    text, SIGNAL_MAX, buf_text(&names));
}

int signal_parse(const char *text, int *ret_signal, struct sub_err *err)
{
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    uint32_t number;
    int signal;

    if (num_parse_u32(text, SIGNAL_MAX, &number) == 0) {
        *ret_signal = (int) number;
        return 0;
    }
    signal = signal_of_rows(signal_rows, sizeof signal_rows / sizeof *signal_rows, name);
    if (signal < 0)
        signal =
            signal_of_rows(signal_aliases, sizeof signal_aliases / sizeof *signal_aliases, name);
    if (signal < 0)
        signal = signal_realtime(name);
    if (signal < 0)
        return signal_refuse(text, err);
    *ret_signal = signal;
    return 0;
}

static bool id_letter(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || (c == '.' && !first);
}

int id_check(const char *id, struct sub_err *err)
{
    size_t length = strlen(id);
    bool fine = length > 0 && length <= ID_MAX;

    for (size_t i = 0; fine && i < length; i++)
        fine = id_letter(id[i], i == 0);
    if (fine)
        return 0;
    return sub_fail(err, ARGS_USAGE, NULL,
                    "container id '%.128s': 1 to %d of the characters A-Z a-z 0-9 _ + - . are "
                    "allowed, not beginning with '.'",
                    id, ID_MAX);
}
