/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaks with systemd for sublet, over sd-bus. Requests (base/answer.h) are lines:
 *
 *     connect system|user            the group of the manager itself: "/" or "/user.slice/..."
 *     start UNIT, then properties    makes the scope and waits for it: its group, then a line for
 *                                    each property that this systemd does not know
 *     set UNIT, then properties      changes it: the properties that are not known
 *     stop UNIT                      ends it, until systemd has forgotten the name
 *
 * A property is "NAME TYPE VALUE" with a type of D-Bus; elements of arrays have blanks between
 * them, bytes are hexadecimal. What the properties mean is not known here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/answer.h"
#include "sublet/base/err.h"
#include "sublet/base/time.h"

#include "request.h"

#define SERVICE       "org.freedesktop.systemd1"
#define OBJECT        "/org/freedesktop/systemd1"
#define MANAGER       SERVICE ".Manager"
#define SCOPE         SERVICE ".Scope"
#define USEC_PER_SEC  1000000u
#define CONNECT_LIMIT (10 * (uint64_t) USEC_PER_SEC)
#define REQUEST_LIMIT (30 * (uint64_t) USEC_PER_SEC)
#define FORGET_LIMIT  (5 * (uint64_t) USEC_PER_SEC)

struct job {
    char path[256];
    char result[64]; /* "" while it is at work */
};

static sd_bus *bus;
static uint64_t deadline_us;
static struct job job;
static const char *awaited_unit; /* NULL once systemd has forgotten it */

static uint64_t remaining_us(void)
{
    uint64_t now = time_now_us(CLOCK_MONOTONIC);

    return now < deadline_us ? deadline_us - now : 1; /* 0 would be sd-bus's own default */
}

__attribute__((format(printf, 3, 4))) static int refuse(struct answer *answer, int code,
                                                        const char *format, ...)
{
    va_list arguments;

    answer->code = code;
    va_start(arguments, format);
    (void) vsnprintf(answer->text, sizeof answer->text, format, arguments);
    va_end(arguments);
    return -code;
}

static int refuse_call(struct answer *answer, int rc, const char *what, const sd_bus_error *error)
{
    if (rc == -ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
        sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT))
        return refuse(answer, ETIMEDOUT, "systemd did not answer in time: %s", what);
    return refuse(answer, rc < 0 ? -rc : EPROTO, "systemd: %s: %s", what,
                  error->message == NULL ? sub_strerror(-rc) : error->message);
}

/* ---- connection ---- */

/* The manager's own socket, where no bus is: it speaks the same, without a bus's greeting. */
static int open_directly(bool is_user, sd_bus **ret_bus)
{
    const char *folder = is_user ? secure_getenv("XDG_RUNTIME_DIR") : "/run";
    char address[512];
    sd_bus *fresh = NULL;

    if (folder == NULL || folder[0] != '/')
        return -ENOENT;
    int length = snprintf(address, sizeof address, "unix:path=%s/systemd/private", folder);
    if (length < 0 || length >= (int) sizeof address)
        return -ENAMETOOLONG;

    int rc = sd_bus_new(&fresh);
    if (rc >= 0)
        rc = sd_bus_set_address(fresh, address);
    if (rc >= 0)
        rc = sd_bus_start(fresh);
    if (rc < 0) {
        sd_bus_unref(fresh);
        return rc;
    }
    *ret_bus = fresh;
    return 0;
}

/* One step of sd-bus: 1 if something was done, 0 after a wait, -ETIMEDOUT. */
static int turn(void)
{
    int rc = sd_bus_process(bus, NULL);

    if (rc != 0)
        return rc;
    if (time_now_us(CLOCK_MONOTONIC) >= deadline_us)
        return -ETIMEDOUT;
    rc = sd_bus_wait(bus, remaining_us());
    return rc == -EINTR || rc > 0 ? 0 : rc;
}

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *path, *result;
    uint32_t id;

    (void) data;
    (void) error;
    if (sd_bus_message_read(message, "uoss", &id, &path, NULL, &result) >= 0 &&
        strcmp(path, job.path) == 0)
        (void) snprintf(job.result, sizeof job.result, "%s", result);
    return 0;
}

static int on_unit_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *unit;

    (void) data;
    (void) error;
    if (sd_bus_message_read(message, "so", &unit, NULL) >= 0 && awaited_unit != NULL &&
        strcmp(unit, awaited_unit) == 0)
        awaited_unit = NULL;
    return 0;
}

static int call(const char *method, sd_bus_error *error, sd_bus_message **ret_reply,
                const char *unit)
{
    sd_bus_message *message = NULL;
    int rc = sd_bus_message_new_method_call(bus, &message, SERVICE, OBJECT, MANAGER, method);

    if (rc >= 0 && unit != NULL)
        rc = sd_bus_message_append(message, "s", unit);
    if (rc >= 0)
        rc = sd_bus_call(bus, message, remaining_us(), error, ret_reply);
    sd_bus_message_unref(message);
    return rc;
}

static int listen_to_signals(sd_bus_error *error)
{
    int rc =
        sd_bus_match_signal(bus, NULL, NULL, OBJECT, MANAGER, "JobRemoved", on_job_removed, NULL);

    if (rc >= 0)
        rc = sd_bus_match_signal(bus, NULL, NULL, OBJECT, MANAGER, "UnitRemoved", on_unit_removed,
                                 NULL);
    return rc < 0 ? rc : call("Subscribe", error, NULL, NULL);
}

static int connect_to(const char *manager, struct answer *answer)
{
    bool is_user = strcmp(manager, "user") == 0;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    char *group = NULL;

    deadline_us = time_now_us(CLOCK_MONOTONIC) + CONNECT_LIMIT;
    int rc = is_user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
    if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -ENOMEDIUM)
        rc = open_directly(is_user, &bus);
    if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -ENOMEDIUM)
        return refuse(answer, ENXIO, "no systemd %s can be reached%s",
                      is_user ? "session manager" : "manager",
                      is_user ? " (is DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR set?)" : "");
    if (rc < 0)
        return refuse(answer, -rc, "cannot connect to systemd: %s", sub_strerror(-rc));

    (void) sd_bus_set_method_call_timeout(bus, CONNECT_LIMIT);
    do
        rc = sd_bus_is_ready(bus) > 0 ? 2 : turn();
    while (rc == 0 || rc == 1);
    if (rc == 2)
        rc = listen_to_signals(&error);
    if (rc >= 0)
        rc = sd_bus_get_property_string(bus, SERVICE, OBJECT, MANAGER, "ControlGroup", &error,
                                        &group);
    if (rc < 0)
        return refuse_call(answer, rc, "connecting", &error);
    (void) snprintf(answer->text, sizeof answer->text, "%s", group[0] == '\0' ? "/" : group);
    return 0;
}

/* ---- requests ---- */

static int send_start(const struct request *request, sd_bus_error *error,
                      sd_bus_message **ret_reply)
{
    sd_bus_message *message = NULL;
    int rc = sd_bus_message_new_method_call(bus, &message, SERVICE, OBJECT, MANAGER,
                                            "StartTransientUnit");

    if (rc >= 0)
        rc = sd_bus_message_append(message, "ss", request->unit, "fail");
    if (rc >= 0)
        rc = append_properties(message, request);
    if (rc >= 0)
        rc = sd_bus_message_append(message, "a(sa(sv))", 0);
    if (rc >= 0)
        rc = sd_bus_call(bus, message, remaining_us(), error, ret_reply);
    sd_bus_message_unref(message);
    return rc;
}

static int wait_job(sd_bus_message *reply, const char *unit, struct answer *answer)
{
    const char *path;
    int rc = sd_bus_message_read(reply, "o", &path);

    if (rc < 0)
        return refuse(answer, -rc, "systemd: '%s': its answer makes no sense", unit);
    (void) snprintf(job.path, sizeof job.path, "%s", path);
    job.result[0] = '\0';
    while (job.result[0] == '\0') {
        rc = turn();
        if (rc < 0)
            return refuse(answer, -rc, "systemd did not finish its job for '%s' within %u s", unit,
                          (unsigned) (REQUEST_LIMIT / USEC_PER_SEC));
    }
    if (strcmp(job.result, "done") != 0)
        return refuse(answer, ECANCELED, "systemd: the job for '%s' ended as '%s'", unit,
                      job.result);
    return 0;
}

static int ask_group(const char *unit, struct answer *answer)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path = NULL;
    char *group = NULL;

    int rc = call("GetUnit", &error, &reply, unit);
    if (rc >= 0)
        rc = sd_bus_message_read(reply, "o", &path);
    if (rc >= 0)
        rc = sd_bus_get_property_string(bus, SERVICE, path, SCOPE, "ControlGroup", &error, &group);
    if (rc < 0)
        return refuse_call(answer, rc, unit, &error);
    (void) snprintf(answer->text, sizeof answer->text, "%s", group);
    return 0;
}

/* A unit of that name that has failed and was never looked at again is in nobody's use. */
static bool is_left_over(const sd_bus_error *error, const char *unit)
{
    sd_bus_error ignored = SD_BUS_ERROR_NULL;

    return sd_bus_error_has_name(error, SERVICE ".UnitExists") &&
           call("ResetFailedUnit", &ignored, NULL, unit) >= 0;
}

static int start(struct request *request, struct answer *answer)
{
    sd_bus_message *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    bool again = true;
    int rc = send_start(request, &error, &reply);

    while (rc < 0) {
        if (again && is_left_over(&error, request->unit))
            again = false;
        else if (!drop_unknown(request, &error))
            return refuse_call(answer, rc, request->unit, &error);
        sd_bus_error_free(&error);
        rc = send_start(request, &error, &reply);
    }
    SUBLET_TRY(wait_job(reply, request->unit, answer));
    SUBLET_TRY(ask_group(request->unit, answer));
    tell_unknown(request, answer);
    return 0;
}

static int send_set(const struct request *request, sd_bus_error *error)
{
    sd_bus_message *message = NULL;
    int rc = sd_bus_message_new_method_call(bus, &message, SERVICE, OBJECT, MANAGER,
                                            "SetUnitProperties");

    if (rc >= 0)
        rc = sd_bus_message_append(message, "sb", request->unit, 1);
    if (rc >= 0)
        rc = append_properties(message, request);
    if (rc >= 0)
        rc = sd_bus_call(bus, message, remaining_us(), error, NULL);
    sd_bus_message_unref(message);
    return rc;
}

static int set(struct request *request, struct answer *answer)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int rc = send_set(request, &error);

    while (rc < 0) {
        if (!drop_unknown(request, &error))
            return refuse_call(answer, rc, request->unit, &error);
        sd_bus_error_free(&error);
        rc = send_set(request, &error);
    }
    tell_unknown(request, answer);
    return 0;
}

/* The name is free again when systemd says so, which it does soon after the job's end. */
static void wait_forgotten(const char *unit)
{
    sd_bus_error ignored = SD_BUS_ERROR_NULL;

    awaited_unit = unit;
    deadline_us = time_now_us(CLOCK_MONOTONIC) + FORGET_LIMIT;
    if (call("GetUnit", &ignored, NULL, unit) < 0)
        return;
    while (awaited_unit != NULL && turn() >= 0)
        ;
}

static int stop(const struct request *request, struct answer *answer)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *message = NULL, *reply = NULL;
    int rc = sd_bus_message_new_method_call(bus, &message, SERVICE, OBJECT, MANAGER, "StopUnit");

    if (rc >= 0)
        rc = sd_bus_message_append(message, "ss", request->unit, "replace");
    if (rc >= 0)
        rc = sd_bus_call(bus, message, remaining_us(), &error, &reply);
    sd_bus_message_unref(message);
    if (sd_bus_error_has_name(&error, SERVICE ".NoSuchUnit"))
        return 0;
    if (rc < 0)
        return refuse_call(answer, rc, request->unit, &error);
    SUBLET_TRY(wait_job(reply, request->unit, answer));

    sd_bus_error_free(&error);
    (void) call("ResetFailedUnit", &error, NULL, request->unit); /* one that has not failed */
    wait_forgotten(request->unit);
    return 0;
}

static int carry_out(struct request *request, struct answer *answer)
{
    if (strcmp(request->verb, "connect") == 0 && bus == NULL)
        return connect_to(request->unit, answer);
    if (bus == NULL)
        return refuse(answer, ENOTCONN, "not connected to systemd");

    deadline_us = time_now_us(CLOCK_MONOTONIC) + REQUEST_LIMIT;
    if (strcmp(request->verb, "start") == 0)
        return start(request, answer);
    if (strcmp(request->verb, "set") == 0)
        return set(request, answer);
    if (strcmp(request->verb, "stop") == 0)
        return stop(request, answer);
    return refuse(answer, EINVAL, "unknown request '%s'", request->verb);
}

int main(void)
{
    static char text[ANSWER_REQUEST_MAX + 1];
    static struct request request;

    /* nobody traces what speaks with systemd as root */
    (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (;;) {
        struct answer answer = {.code = 0};
        ssize_t n = recv(STDIN_FILENO, text, ANSWER_REQUEST_MAX, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0;
        text[n] = '\0';
        int rc = request_parse(text, &request);
        if (rc < 0)
            (void) refuse(&answer, -rc, "a request that makes no sense");
        else
            (void) carry_out(&request, &answer);
        if (send(STDIN_FILENO, &answer, sizeof answer, MSG_NOSIGNAL) < 0)
            return 1;
    }
}
