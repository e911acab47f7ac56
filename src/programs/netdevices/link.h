/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links and addresses of one network namespace, over rtnetlink. Functions return 0 or positive, or
 * -errno; what was being done is the caller's to say, the kernel's own sentence is link_words().
 */
#ifndef SUBLET_NETDEVICES_LINK_H
#define SUBLET_NETDEVICES_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_NAME      16 /* IFNAMSIZ */
#define ADDRESS_MAX    512
#define ADDRESS_LENGTH 128 /* attributes of one address */

struct mnl_socket;

/* A socket that stays in the namespace it was opened in. */
struct link_namespace {
    struct mnl_socket *socket;
    int fd; /* the namespace, for a link to be sent there */
};

/* One address as the kernel told it, to be given again: attributes without what the kernel counts
 * for itself. */
struct link_address {
    uint8_t family, prefix_bits, scope;
    uint16_t length;
    char attributes[ADDRESS_LENGTH];
};

struct link {
    int index;
    bool up;
    char name[LINK_NAME];
};

/* Opens both ends; path is the namespace's file, NULL the one we are in. */
int link_open(const char *path, struct link_namespace *ret_namespace);
void link_close(struct link_namespace *namespace);

const char *link_words(void); /* of the last refusal, "" if it had none */

/* name or, where it is NULL, index. -ENODEV. */
int link_find(struct link_namespace *namespace, const char *name, int index, struct link *ret_link);
int link_greatest_index(struct link_namespace *namespace, int *ret_index);

/* Sends the link away; it gets that index and name there ("eth%d": the kernel counts). */
int link_move(struct link_namespace *from, int index, const struct link_namespace *to,
              int wanted_index, const char *wanted_name);
int link_set_up(struct link_namespace *namespace, int index);

/* Those that are permanent and of global scope; at most ADDRESS_MAX, else -E2BIG. */
int link_addresses(struct link_namespace *namespace, int index, struct link_address *ret_addresses,
                   size_t *ret_count);
int link_add_address(struct link_namespace *namespace, int index,
                     const struct link_address *address);

#endif
