/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define TIMEOUT_S   10
#define CLIENT_ROOM ((size_t) 16 << 10) /* for a client's headers */
#define POLL_MAX_MS 60000

/* One request of a client, from its headers to the end of its answer. */
struct visit {
    struct MHD_Connection *connection;
    struct visit *next;
    enum serve_format format;
    bool asked; /* called again without an answer: there is none */
};

static const char *const content_types[] = {
    [SERVE_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
    [SERVE_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/* ---- answers ---- */

static struct MHD_Response *words(const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *) (uintptr_t) text, MHD_RESPMEM_PERSISTENT);

    if (response != NULL)
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                       "text/plain; charset=utf-8");
    return response;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response = words(text);

    if (response == NULL)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

static struct MHD_Response *response_of(int text_fd, enum serve_format format)
{
    struct stat st;

    if (fstat(text_fd, &st) < 0)
        return NULL;
    struct MHD_Response *response = MHD_create_response_from_fd((size_t) st.st_size, text_fd);
    if (response != NULL)
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                       content_types[format]);
    return response;
}

/* The text is one for all who have asked for it meanwhile; each goes on at its own pace. */
void serve_answer(struct serve *serve, int text_fd)
{
    enum serve_format format = serve->asked[0];

    if (serve->asked_count == 0) {
        if (text_fd >= 0)
            (void) close(text_fd);
        return;
    }
    serve->asked[0] = serve->asked[1];
    serve->asked_count--;

    struct MHD_Response *response = text_fd < 0 ? NULL : response_of(text_fd, format);
    struct visit *visit = serve->waiting[format], *next;
    if (response == NULL && text_fd >= 0)
        (void) close(text_fd);
    for (serve->waiting[format] = NULL; visit != NULL; visit = next) {
        next = visit->next;
        if (response != NULL)
            (void) MHD_queue_response(visit->connection, MHD_HTTP_OK, response);
        MHD_resume_connection(visit->connection);
    }
    if (response != NULL)
        MHD_destroy_response(response);
}

/* ---- requests ---- */

static void ask(struct serve *serve, struct visit *visit)
{
    bool underway = serve->waiting[visit->format] != NULL;

    visit->asked = true;
    visit->next = serve->waiting[visit->format];
    serve->waiting[visit->format] = visit;
    MHD_suspend_connection(visit->connection);
    if (underway)
        return;
    serve->asked[serve->asked_count++] = visit->format;
    if (send(0, visit->format == SERVE_OPENMETRICS ? "o" : "p", 1, MSG_NOSIGNAL) < 0)
        serve->lost = true;
}

static enum MHD_Result answer_metrics(struct serve *serve, struct visit *visit)
{
    const char *accept =
        MHD_lookup_connection_value(visit->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

    if (visit->asked)
        return say(visit->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                   "the counters of this host cannot be read now\n");
    visit->format = serve->format == SERVE_ANY ? serve_accepted(accept) : serve->format;
    ask(serve, visit);
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the library says what it takes */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **place)
{
    struct visit *visit = *place;

    (void) version;
    (void) data;
    if (visit == NULL) { /* the headers are there, a body may follow */
        *place = visit = calloc(1, sizeof *visit);
        if (visit == NULL)
            return MHD_NO;
        visit->connection = connection;
        return MHD_YES;
    }
    if (*size > 0) { /* of no interest */
        *size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are possible\n");
    if (strcmp(url, "/") == 0)
        return say(connection, MHD_HTTP_OK, "sublet: the metrics are at /metrics\n");
    if (strcmp(url, "/metrics") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, "the metrics are at /metrics\n");
    return answer_metrics(context, visit);
}

static void forget(void *context, struct MHD_Connection *connection, void **place,
                   enum MHD_RequestTerminationCode code)
{
    (void) context;
    (void) connection;
    (void) code;
    free(*place);
    *place = NULL;
}

/* ---- the daemon ---- */

static void be_silent(void *context, const char *format, va_list arguments)
{
    (void) context;
    (void) format;
    (void) arguments;
}

int serve_open(struct serve *serve, int listen_fd, enum serve_format format)
{
    serve->format = format;
    serve->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, serve,
        MHD_OPTION_EXTERNAL_LOGGER, be_silent, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned) CLIENTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned) TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CLIENT_ROOM,
        MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
    if (serve->daemon == NULL)
        return errno > 0 ? -errno : -EIO;
    return 0;
}

void serve_close(struct serve *serve)
{
    while (serve->asked_count > 0)
        serve_answer(serve, -EPIPE); /* nobody may be suspended then */
    MHD_stop_daemon(serve->daemon);
}

int serve_poll_fd(const struct serve *serve)
{
    return MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int serve_timeout_ms(const struct serve *serve)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    if (MHD_get_timeout(serve->daemon, &timeout_ms) != MHD_YES)
        return -1;
    return timeout_ms > POLL_MAX_MS ? POLL_MAX_MS : (int) timeout_ms;
}

int serve_run(struct serve *serve)
{
    return MHD_run(serve->daemon) != MHD_YES || serve->lost ? -EPIPE : 0;
}
