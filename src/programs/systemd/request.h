/* SPDX-License-Identifier: Apache-2.0 */
/* A request taken apart, and its properties as sd-bus wants them. */
#ifndef SUBLET_PROGRAMS_SYSTEMD_REQUEST_H
#define SUBLET_PROGRAMS_SYSTEMD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#include "sublet/base/answer.h"

#define PROPERTIES_MAX 512

struct property {
    char *name, *type, *value;
    bool unknown; /* to this systemd */
};

struct request {
    char *verb, *unit;
    struct property properties[PROPERTIES_MAX];
    size_t count;
};

/* Takes text apart in place. -EINVAL, -E2BIG. */
int request_parse(char *text, struct request *ret_request);

/* Appends those that are known as "a(sv)". */
int append_properties(sd_bus_message *message, const struct request *request);

/* An older systemd names the first property it does not know; it goes without. */
bool drop_unknown(struct request *request, const sd_bus_error *error);
void tell_unknown(const struct request *request, struct answer *answer);

#endif
