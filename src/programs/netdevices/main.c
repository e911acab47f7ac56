/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves network devices of the host into a container for sublet, over rtnetlink. Requests
 * (base/answer.h):
 *
 *     open PID             the network namespace of that process is where devices go
 *     move NAME WANTED     moves one, renames it ("eth%d": the kernel counts), gives it back its
 *                          permanent global addresses and sets it up
 *     keep                 all is well: nothing is to be undone any more
 *
 * At the end of the socket without "keep" all of them are moved back, with name, addresses and
 * state: the start failed, or sublet was killed in the middle, and the devices of the host would go
 * with the container's namespace. That is why this program lives on.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sublet/base/answer.h"
#include "sublet/base/err.h"

#include "link.h"

#define DEVICES_MAX  4096
#define REQUEST_ROOM 256

struct device {
    char name[LINK_NAME];
    int host_index, index; /* before, and in the container */
    bool up;
    struct link_address *addresses;
    size_t address_count;
};

static struct link_namespace host = {.fd = -1}, container = {.fd = -1};
static struct device devices[DEVICES_MAX];
static size_t device_count;

__attribute__((format(printf, 3, 4))) static int refuse(struct answer *answer, int rc,
                                                        const char *format, ...)
{
    va_list arguments;
    size_t length;

    answer->code = -rc;
    va_start(arguments, format);
    (void) vsnprintf(answer->text, sizeof answer->text, format, arguments);
    va_end(arguments);
    length = strlen(answer->text);
    (void) snprintf(answer->text + length, sizeof answer->text - length, ": %s",
                    link_words()[0] == '\0' ? sub_strerror(-rc) : link_words());
    return rc;
}

/* The index a link had, where nobody has it by now, or one above all others. */
static int free_index(struct link_namespace *namespace, int wished, int *ret_index)
{
    struct link taken;
    int greatest = 0, rc = link_find(namespace, NULL, wished, &taken);

    if (rc == -ENODEV) {
        *ret_index = wished;
        return 0;
    }
    if (rc == 0)
        rc = link_greatest_index(namespace, &greatest);
    if (rc < 0)
        return rc;
    *ret_index = greatest + 1;
    return 0;
}

/* Addresses first, as they were: a link that comes up with them is complete from its first moment.
 */
static int dress(struct link_namespace *namespace, int index, const struct device *device, bool up,
                 struct answer *answer)
{
    for (size_t i = 0; i < device->address_count; i++) {
        int rc = link_add_address(namespace, index, &device->addresses[i]);

        if (rc < 0)
            return refuse(answer, rc, "cannot give it back address %zu of %zu", i + 1,
                          device->address_count);
    }
    int rc = up ? link_set_up(namespace, index) : 0;
    return rc < 0 ? refuse(answer, rc, "cannot set it up") : 0;
}

/* ---- there ---- */

static int look(const char *name, const char *wanted, struct device *device, struct answer *answer)
{
    struct link link, taken;
    int rc = link_find(&host, name, 0, &link);

    if (rc < 0)
        return refuse(answer, rc, "there is no such device on the host");
    if (strchr(wanted, '%') == NULL && link_find(&container, wanted, 0, &taken) == 0) {
        answer->code = EEXIST;
        (void) snprintf(answer->text, sizeof answer->text,
                        "the container has a device '%s' already", wanted);
        return -EEXIST;
    }

    *device = (struct device){.host_index = link.index, .up = link.up};
    (void) snprintf(device->name, sizeof device->name, "%s", name);
    device->addresses = calloc(ADDRESS_MAX, sizeof *device->addresses);
    if (device->addresses == NULL)
        return refuse(answer, -ENOMEM, "cannot read its addresses");
    rc = link_addresses(&host, link.index, device->addresses, &device->address_count);
    return rc < 0 ? refuse(answer, rc, "cannot read its addresses (at most %d)", ADDRESS_MAX) : 0;
}

/* The kernel moves first and renames then: a refused name leaves the link on the other side. */
static int send_away(struct device *device, const char *wanted, struct answer *answer)
{
    struct link link;
    int rc = free_index(&container, device->host_index, &device->index);

    if (rc < 0)
        return refuse(answer, rc, "cannot look at the container's devices");
    rc = link_move(&host, device->host_index, &container, device->index, wanted);
    if (rc < 0)
        rc = refuse(answer, rc, "cannot move it into the container as '%s'", wanted);
    if (rc == 0 || link_find(&host, NULL, device->host_index, &link) == -ENODEV)
        device_count++;
    return rc;
}

static int move_device(const char *name, const char *wanted, struct answer *answer)
{
    struct device *device = &devices[device_count];

    if (container.fd < 0 || device_count == DEVICES_MAX)
        return refuse(answer, -EINVAL, "no room for it");

    size_t before = device_count;
    int rc = look(name, wanted, device, answer);
    if (rc == 0)
        rc = send_away(device, wanted, answer);
    if (device_count == before)
        free(device->addresses);
    return rc < 0 ? rc : dress(&container, device->index, device, true, answer);
}

/* ---- and back ---- */

static int bring_back(struct device *device, struct answer *answer)
{
    int index, rc = free_index(&host, device->host_index, &index);

    if (rc == 0)
        rc = link_move(&container, device->index, &host, index, device->name);
    if (rc < 0)
        return refuse(answer, rc, "cannot move '%s' back to the host", device->name);
    return dress(&host, index, device, device->up, answer);
}

static void forget(void)
{
    for (size_t i = 0; i < device_count; i++)
        free(devices[i].addresses);
    device_count = 0;
}

/* All that can be. */
static void undo(void)
{
    struct answer unheard = {.code = 0};

    for (size_t i = device_count; i > 0; i--)
        (void) bring_back(&devices[i - 1], &unheard);
    forget();
}

/* ---- requests ---- */

static void open_namespaces(const char *pid, struct answer *answer)
{
    char path[64];
    int rc;

    (void) snprintf(path, sizeof path, "/proc/%.16s/ns/net", pid);
    rc = link_open(NULL, &host);
    if (rc == 0)
        rc = link_open(path, &container);
    if (rc < 0)
        (void) refuse(answer, rc, "cannot open the network namespace '%s'", path);
}

static void serve(char *request, struct answer *answer)
{
    char *verb = strsep(&request, " \n"), *first = strsep(&request, " \n"),
         *second = strsep(&request, " \n");

    if (strcmp(verb, "open") == 0 && first != NULL && container.fd < 0)
        open_namespaces(first, answer);
    else if (strcmp(verb, "move") == 0 && first != NULL && second != NULL)
        (void) move_device(first, second, answer);
    else if (strcmp(verb, "keep") == 0)
        forget();
    else
        (void) refuse(answer, -EBADRQC, "'%s'", verb);
}

int main(void)
{
    static struct answer answer;
    char request[REQUEST_ROOM];
    ssize_t n;

    (void) prctl(PR_SET_PDEATHSIG, 0);
    while ((n = recv(0, request, sizeof request - 1, 0)) > 0) {
        request[n] = '\0';
        answer = (struct answer){.code = 0};
        serve(request, &answer);
        if (send(0, &answer, sizeof answer, MSG_NOSIGNAL) < 0)
            break;
    }
    undo();
    link_close(&container);
    link_close(&host);
    return 0;
}
