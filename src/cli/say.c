/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/base/warn.h"
#include "sublet/json.h"
#include "sublet/state.h"
#include "sublet/sys.h"

#include "args.h"

#define LINE_MAX_BYTES 8192
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The log is the one thing of the program that cannot be handed down: a debug line may come from
 * any room. */
static struct {
    enum { TO_STDERR, TO_FILE, TO_JOURNAL, TO_SYSLOG } where;
    int fd;
    const char *identifier;
    enum log_format format;
    enum log_level level;
} the_log = {.fd = -1, .level = LOG_LEVEL_WARNING};

int say_result(const struct buf *text, struct sub_err *err)
{
    int rc;

    if (buf_failed(text))
        return sub_fail(err, ENOMEM, NULL, "%s", sub_strerror(ENOMEM));
    rc = sub_write_quietly(STDOUT_FILENO, buf_text(text), text->length);
    if (rc < 0)
        return sub_fail(err, -rc, "stdout", "cannot write: %s", sub_strerror(-rc));
    return 0;
}

/* --- where lines go ------------------------------------------------------------------------- */

static int open_file(const char *path, struct sub_err *err)
{
    /* O_NONBLOCK: a FIFO nobody reads must not hold a container up. */
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;

    the_log.fd = sys_openat(AT_FDCWD, path, flags, 0600);
    if (the_log.fd < 0)
        return sub_fail(err, ARGS_USAGE, path, "cannot open the log: %s",
                        sub_strerror(-the_log.fd));
    the_log.where = TO_FILE;
    return 0;
}

static int open_journal(const char *identifier, struct sub_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};

    the_log.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (the_log.fd < 0 ||
        connect(the_log.fd, (const struct sockaddr *) &address, sizeof address) < 0)
        return sub_fail(err, ARGS_USAGE, JOURNAL_SOCKET, "cannot reach the journal: %s",
                        sub_strerror(errno));
    the_log.identifier = identifier;
    the_log.where = TO_JOURNAL;
    return 0;
}

static int open_destination(const char *destination, struct sub_err *err)
{
    static const char file[] = "file:", journal[] = "journald:", system_log[] = "syslog:";

    if (strncmp(destination, journal, sizeof journal - 1) == 0)
        return open_journal(destination + sizeof journal - 1, err);
    if (strncmp(destination, system_log, sizeof system_log - 1) == 0) {
        openlog(destination + sizeof system_log - 1, LOG_PID, LOG_DAEMON);
        the_log.where = TO_SYSLOG;
        return 0;
    }
    if (strncmp(destination, file, sizeof file - 1) == 0)
        destination += sizeof file - 1;
    return open_file(destination, err);
}

static void say_debug(const char *text);

int say_open(const struct args *args, struct sub_err *err)
{
    the_log.format = args->log_format;
    the_log.level = args->log_level;
    if (the_log.level == LOG_LEVEL_DEFAULT)
        the_log.level = the_log.format == LOG_JSON ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
    if (the_log.level == LOG_LEVEL_DEBUG)
        log_set_sink(say_debug);
    return args->log == NULL ? 0 : open_destination(args->log, err);
}

/* --- lines ---------------------------------------------------------------------------------- */

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_DEBUG] = "debug",
};
static const int level_priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

static void text_line(struct buf *line, enum log_level level, const char *text)
{
    buf_printf(line, "sublet: %s", level == LOG_LEVEL_WARNING ? "warning: " : "");
    say_escape(line, text);
    buf_putc(line, '\n');
}

static void json_line(struct buf *line, enum log_level level, const char *text)
{
    struct json_writer writer;
    char time[STATE_TIME_TEXT];

    state_time_now(time);
    json_writer_init(&writer, line, 0);
    json_write_object(&writer, NULL);
    json_write_string(&writer, "level", level_names[level]);
    json_write_string(&writer, "msg", text);
    json_write_string(&writer, "time", time);
    json_write_end(&writer);
    buf_putc(line, '\n');
}

/* journal-native: FIELD=value lines; the message has no newline left in it. */
static void journal_entry(struct buf *line, enum log_level level, const char *text)
{
    buf_printf(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=", level_priorities[level]);
    say_escape(line, the_log.identifier);
    buf_puts(line, "\nMESSAGE=");
    say_escape(line, text);
    buf_putc(line, '\n');
}

/* A message that cannot be delivered has nowhere else to go: results of writes are dropped. */
static void to_stderr(const char *data, size_t size)
{
    (void) sub_write_quietly(STDERR_FILENO, data, size);
}

static void to_log(enum log_level level, const char *text)
{
    OWNED_BUF line = BUF(LINE_MAX_BYTES);

    if (the_log.where == TO_JOURNAL)
        journal_entry(&line, level, text);
    else if (the_log.format == LOG_JSON)
        json_line(&line, level, text);
    else
        text_line(&line, level, text);

    if (the_log.where == TO_STDERR)
        to_stderr(buf_text(&line), line.length);
    else if (the_log.where == TO_SYSLOG)
        syslog(level_priorities[level], "%s", buf_text(&line));
    else if (the_log.where == TO_JOURNAL)
        (void) send(the_log.fd, buf_text(&line), line.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    else
        (void) sub_write_quietly(the_log.fd, buf_text(&line), line.length);
}

static void say(enum log_level level, const char *path, const char *text)
{
    OWNED_BUF whole = BUF(LINE_MAX_BYTES);
    OWNED_BUF line = BUF(LINE_MAX_BYTES);

    if (level > the_log.level)
        return;
    buf_printf(&whole, "%s%s%s", path, *path == '\0' ? "" : ": ", text);
    to_log(level, buf_text(&whole));
    if (level != LOG_LEVEL_ERROR || the_log.where == TO_STDERR)
        return;
    text_line(&line, level, buf_text(&whole));
    to_stderr(buf_text(&line), line.length);
}

void say_error(const struct sub_err *err)
{
    say(LOG_LEVEL_ERROR, err->path, err->text);
    log_debug("that failure is from %s:%u", err->file, err->line);
}

void say_warning(const char *path, const char *text)
{
    say(LOG_LEVEL_WARNING, path, text);
}

void say_warnings(const struct findings *findings)
{
    size_t kept = findings->warning_count;

    for (size_t i = 0; i < kept && i < FINDINGS_MAX; i++)
        say_warning(findings->warnings[i].path, findings->warnings[i].text);
}

static void say_debug(const char *text)
{
    say(LOG_LEVEL_DEBUG, "", text);
}
