/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/num.h"

int request_parse(char *text, struct request *ret_request)
{
    char *line = strsep(&text, "\n");

    *ret_request = (struct request){.verb = strsep(&line, " "), .unit = line};
    if (line == NULL || *line == '\0')
        return -EINVAL;
    while (text != NULL && *text != '\0') {
        struct property *property = &ret_request->properties[ret_request->count++];

        if (ret_request->count > PROPERTIES_MAX)
            return -E2BIG;
        line = strsep(&text, "\n");
        property->name = strsep(&line, " ");
        property->type = line == NULL ? NULL : strsep(&line, " ");
        property->value = line;
        if (line == NULL)
            return -EINVAL;
    }
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

static int append_bytes(sd_bus_message *message, const char *value)
{
    uint8_t bytes[1024];
    size_t size = strlen(value) / 2;

    if (size > sizeof bytes)
        return -E2BIG;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(value[2 * i]), low = hex_digit(value[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        bytes[i] = (uint8_t) (high << 4 | low);
    }
    return sd_bus_message_append_array(message, 'y', bytes, size);
}

static int append_basic(sd_bus_message *message, char type, const char *value)
{
    uint64_t number = 0;

    switch (type) {
    case 's':
        return sd_bus_message_append(message, "s", value);
    case 'b':
        return sd_bus_message_append(message, "b", strcmp(value, "true") == 0);
    case 'u':
        SUBLET_TRY(num_parse_u64(value, UINT32_MAX, &number));
        return sd_bus_message_append(message, "u", (uint32_t) number);
    case 't':
        SUBLET_TRY(num_parse_u64(value, UINT64_MAX, &number));
        return sd_bus_message_append(message, "t", number);
    default:
        return -EINVAL;
    }
}

/* One element of an array: a basic type, or two in parentheses. */
static int append_element(sd_bus_message *message, const char *type, char **rest)
{
    if (type[0] != '(')
        return append_basic(message, type[0], strsep(rest, " "));
    SUBLET_TRY(sd_bus_message_open_container(message, 'r',
                                             type[1] == 's' && type[2] == 't' ? "st" : "ss"));
    SUBLET_TRY(append_basic(message, type[1], strsep(rest, " ")));
    if (*rest == NULL)
        return -EINVAL;
    SUBLET_TRY(append_basic(message, type[2], strsep(rest, " ")));
    return sd_bus_message_close_container(message);
}

static int append_array(sd_bus_message *message, const char *type, const char *value)
{
    char copy[ANSWER_REQUEST_MAX], *rest = copy;

    if (strcmp(type, "y") == 0)
        return append_bytes(message, value);
    SUBLET_TRY(sd_bus_message_open_container(message, 'a', type));
    (void) snprintf(copy, sizeof copy, "%s", value);
    while (rest != NULL && *rest != '\0')
        SUBLET_TRY(append_element(message, type, &rest));
    return sd_bus_message_close_container(message);
}

static int append_property(sd_bus_message *message, const struct property *property)
{
    const char *type = property->type;

    SUBLET_TRY(sd_bus_message_open_container(message, 'r', "sv"));
    SUBLET_TRY(sd_bus_message_append(message, "s", property->name));
    SUBLET_TRY(sd_bus_message_open_container(message, 'v', type));
    if (type[0] == 'a')
        SUBLET_TRY(append_array(message, type + 1, property->value));
    else
        SUBLET_TRY(append_basic(message, type[0], property->value));
    SUBLET_TRY(sd_bus_message_close_container(message));
    return sd_bus_message_close_container(message);
}

int append_properties(sd_bus_message *message, const struct request *request)
{
    SUBLET_TRY(sd_bus_message_open_container(message, 'a', "(sv)"));
    for (size_t i = 0; i < request->count; i++) {
        if (!request->properties[i].unknown)
            SUBLET_TRY(append_property(message, &request->properties[i]));
    }
    return sd_bus_message_close_container(message);
}

bool drop_unknown(struct request *request, const sd_bus_error *error)
{
    if (!sd_bus_error_has_name(error, SD_BUS_ERROR_PROPERTY_READ_ONLY) || error->message == NULL)
        return false;
    for (size_t i = 0; i < request->count; i++) {
        struct property *property = &request->properties[i];
        const char *place = strstr(error->message, property->name);
        size_t length = strlen(property->name);

        if (place == NULL || property->unknown || place == error->message || place[-1] != ' ' ||
            (place[length] != ',' && place[length] != ' '))
            continue;
        property->unknown = true;
        return true;
    }
    return false;
}

void tell_unknown(const struct request *request, struct answer *answer)
{
    for (size_t i = 0; i < request->count; i++) {
        size_t used = strlen(answer->text);

        if (request->properties[i].unknown)
            (void) snprintf(answer->text + used, sizeof answer->text - used, "\n%s",
                            request->properties[i].name);
    }
}
