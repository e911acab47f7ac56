/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/sys.h"
#include "sublet/sys/confine.h"
#include "sublet/sys/program.h"

#include "command.h"
#include "gather.h"
#include "say.h"

#define LOOPBACK     "127.0.0.1"
#define ADDRESS_TEXT 64
#define ASK_LIMIT_MS 5000
#define LINE_MAX     256

struct listening {
    const struct call *call;
    const struct gather *gather;
    struct sys_talk talk;
    int signal_fd;
};

static void listening_done(struct listening *listening)
{
    sys_talk_close(&listening->talk);
    sub_close(&listening->signal_fd);
}

/* ---- the address ---- */

struct address {
    char text[ADDRESS_TEXT];
    uint16_t port;
};

/* "9753", "10.0.0.1:9753", "[::1]:9753" */
static int parse_address(const struct args *args, struct address *ret_address, struct sub_err *err)
{
    const char *text = args->listen, *colon = strrchr(text, ':');
    const char *port = colon == NULL ? text : colon + 1;
    struct address address = {.text = LOOPBACK};
    size_t length = colon == NULL ? 0 : (size_t) (colon - text);
    uint32_t number;

    if (length >= 2 && *text == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    } else if (memchr(text, ':', length) != NULL) {
        length = ADDRESS_TEXT; /* IPv6 without brackets: which of them is the port's? */
    }
    if (num_parse_u32(port, UINT16_MAX, &number) < 0 || length >= ADDRESS_TEXT ||
        (colon != NULL && length == 0)) {
        return args_refuse(args, err,
                           "option '--listen': '%.80s' is no port and no ADDRESS:PORT with a "
                           "numeric address, IPv6 in brackets",
                           args->listen);
    }
    if (length > 0)
        (void) snprintf(address.text, sizeof address.text, "%.*s", (int) length, text);
    address.port = (uint16_t) number;
    *ret_address = address;
    return 0;
}

static int open_socket(const struct args *args, const struct address *address, uint16_t *ret_port,
                       struct sub_err *err)
{
    int fd = sys_tcp_listen(address->text, address->port, ret_port);

    if (fd == -EINVAL)
        return args_refuse(args, err, "option '--listen': '%s' is no numeric address",
                           address->text);
    if (fd < 0)
        return sub_fail(err, -fd, args->listen, "cannot listen: %s", sub_strerror(-fd));
    return fd;
}

/* ---- the program ---- */

static int start_program(struct listening *listening, int listen_fd, struct sub_err *err)
{
    static const char *const environment[] = {NULL};
    static const struct sys_program program = {"metrics", "libmicrohttpd12", environment};
    static const char *const begin[] = {"serve any", "serve prometheus", "serve openmetrics"};
    struct answer answer;

    SUBLET_TRY(sys_talk_open(&program, &listening->talk, err));
    int rc = sys_send_fd(listening->talk.fd, "socket", strlen("socket"), &listen_fd, 1);
    if (rc < 0 && rc != -EPIPE) /* then it tells why it has ended */
        return sub_fail(err, -rc, program.name, "cannot hand over the socket: %s",
                        sub_strerror(-rc));
    return sys_talk_ask(&listening->talk, begin[listening->call->args->format], ASK_LIMIT_MS,
                        &answer, err);
}

static int tell_address(const struct address *address, uint16_t port, struct sub_err *err)
{
    OWNED_BUF line = BUF(LINE_MAX);
    bool wide = strchr(address->text, ':') != NULL;

    buf_printf(&line, "serving metrics at http://%s%s%s:%u/metrics\n", wide ? "[" : "",
               address->text, wide ? "]" : "", port);
    return say_result(&line, err);
}

/* ---- questions ---- */

static int write_text(const struct listening *listening, enum metrics_format format, int *ret_fd,
                      struct sub_err *err)
{
    OWNED_ARENA arena;
    OWNED_BUF text = BUF(METRICS_TEXT_MAX);
    struct metrics metrics;

    arena_init(&arena, ARENA_MAX_BYTES);
    SUBLET_TRY(gather_metrics(listening->gather, &arena, &metrics, err));
    metrics_write(&metrics, format, &text);
    if (buf_failed(&text))
        return -ENOMEM;
    OWNED_FD fd = sys_memfd("metrics", 0);
    SUBLET_TRY(fd);
    SUBLET_TRY(sub_write_all(fd, buf_text(&text), text.length));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

/* A reader is told that there is nothing, the operator why. */
static int answer_one(const struct listening *listening, struct sub_err *err)
{
    struct answer answer = {.code = 0};
    struct sub_err why = {.code = 0};
    char question;
    int text_fd = -EBADF;
    ssize_t n = recv(listening->talk.fd, &question, 1, 0);

    if (n != 1)
        return sub_fail(err, EPIPE, "metrics", "the program that serves has ended");
    int rc = write_text(listening, question == 'o' ? METRICS_OPENMETRICS : METRICS_PROMETHEUS,
                        &text_fd, &why);
    OWNED_FD owned = text_fd;
    if (rc < 0) {
        answer.code = -rc;
        say_warning(why.path, why.text[0] == '\0' ? sub_strerror(-rc) : why.text);
    }
    rc = sys_send_fd(listening->talk.fd, &answer, sizeof answer, &owned, owned >= 0);
    return rc < 0 ? sub_fail(err, -rc, "metrics", "cannot answer: %s", sub_strerror(-rc)) : 0;
}

static int answer_all(const struct listening *listening, struct sub_err *err)
{
    struct pollfd wait[] = {
        {.fd = listening->signal_fd, .events = POLLIN},
        {.fd = listening->talk.fd,   .events = POLLIN},
    };

    for (;;) {
        int rc = sys_poll(wait, sizeof wait / sizeof *wait, -1);

        if (rc < 0)
            return sub_fail(err, -rc, NULL, "poll: %s", sub_strerror(-rc));
        if (wait[0].revents != 0)
            return 0;
        if (wait[1].revents != 0)
            SUBLET_TRY(answer_one(listening, err));
    }
}

int listen_serve(const struct call *call, const struct gather *gather, struct sub_err *err)
{
    static const int signals[] = {SIGTERM, SIGINT, 0};
    __attribute__((cleanup(listening_done))) struct listening listening = {
        .call = call, .gather = gather, .talk = SYS_TALK_NONE, .signal_fd = -EBADF};
    struct address address = {.text = ""};
    uint16_t port = 0;

    SUBLET_TRY(parse_address(call->args, &address, err));
    OWNED_FD fd = open_socket(call->args, &address, &port, err);
    SUBLET_TRY(fd);
    listening.signal_fd = sys_signals_open(signals);
    SUBLET_TRY(listening.signal_fd);
    SUBLET_TRY(start_program(&listening, fd, err));
    sub_close(&fd);
    int rc = sys_confine(SYS_MAY_READ);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot give up privileges: %s", sub_strerror(-rc));
    SUBLET_TRY(tell_address(&address, port, err));
    return answer_all(&listening, err);
}
