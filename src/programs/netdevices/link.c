/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_ROOM 8192
#define DUMP_ROOM    32768
#define WORDS_ROOM   256

static char words[WORDS_ROOM];
static unsigned sequence;

const char *link_words(void)
{
    return words;
}

/* ---- one namespace ---- */

/* Behind setns a socket of the other namespace is made; then back home. */
static int open_socket(const char *path, struct link_namespace *namespace)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int rc = 0, on = 1;

    if (home < 0)
        return -errno;
    namespace->fd = path == NULL ? home : open(path, O_RDONLY | O_CLOEXEC);
    if (namespace->fd < 0 || (path != NULL && setns(namespace->fd, CLONE_NEWNET) < 0))
        rc = -errno;
    if (rc == 0) {
        namespace->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
        rc = namespace->socket == NULL ? -errno : 0;
    }
    if (rc == 0 && mnl_socket_bind(namespace->socket, 0, MNL_SOCKET_AUTOPID) < 0)
        rc = -errno;
    if (rc == 0) {
        /* sentences in refusals are a comfort: older kernels have none */
        (void) mnl_socket_setsockopt(namespace->socket, NETLINK_EXT_ACK, &on, sizeof on);
    }
    if (path == NULL)
        return rc;
    if (setns(home, CLONE_NEWNET) < 0 && rc == 0)
        rc = -errno;
    (void) close(home);
    return rc;
}

int link_open(const char *path, struct link_namespace *ret_namespace)
{
    struct link_namespace namespace = {.fd = -1};
    int rc = open_socket(path, &namespace);

    if (rc < 0) {
        link_close(&namespace);
        return rc;
    }
    *ret_namespace = namespace;
    return 0;
}

void link_close(struct link_namespace *namespace)
{
    if (namespace->socket != NULL)
        (void) mnl_socket_close(namespace->socket);
    if (namespace->fd >= 0)
        (void) close(namespace->fd);
    *namespace = (struct link_namespace){.fd = -1};
}

/* ---- requests ---- */

static int take_words(const struct nlattr *attribute, void *data)
{
    (void) data;
    if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
        mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0) {
        (void) snprintf(words, sizeof words, "%s", mnl_attr_get_str(attribute));
    }
    return MNL_CB_OK;
}

/* What libmnl itself does with an error, and the sentence that may stand behind it. */
static int take_error(const struct nlmsghdr *message, void *data)
{
    const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
    size_t behind = sizeof *error;

    (void) data;
    if (message->nlmsg_len < mnl_nlmsg_size(sizeof *error)) {
        errno = EBADMSG;
        return MNL_CB_ERROR;
    }
    if ((message->nlmsg_flags & NLM_F_CAPPED) == 0)
        behind += error->msg.nlmsg_len - sizeof error->msg;
    if ((message->nlmsg_flags & NLM_F_ACK_TLVS) != 0)
        (void) mnl_attr_parse(message, (unsigned) behind, take_words, NULL);
    errno = error->error < 0 ? -error->error : error->error;
    return errno == 0 ? MNL_CB_STOP : MNL_CB_ERROR;
}

static int ask(struct link_namespace *namespace, struct nlmsghdr *request, mnl_cb_t take,
               void *data)
{
    static mnl_cb_t controls[NLMSG_ERROR + 1] = {[NLMSG_ERROR] = take_error};
    char *answer = malloc(DUMP_ROOM);
    unsigned port = mnl_socket_get_portid(namespace->socket);
    int rc = answer == NULL ? -ENOMEM : 1;

    words[0] = '\0';
    request->nlmsg_seq = ++sequence;
    if (rc > 0 && mnl_socket_sendto(namespace->socket, request, request->nlmsg_len) < 0)
        rc = -errno;
    while (rc > 0) {
        ssize_t n = mnl_socket_recvfrom(namespace->socket, answer, DUMP_ROOM);

        if (n < 0 && errno == EINTR)
            continue;
        rc = n < 0 ? -errno
                   : mnl_cb_run2(answer, (size_t) n, request->nlmsg_seq, port, take, data, controls,
                                 NLMSG_ERROR + 1);
        if (n >= 0 && rc < 0)
            rc = -errno;
    }
    free(answer);
    return rc;
}

static struct nlmsghdr *begin(char *room, uint16_t type, unsigned flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(room);

    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
    return message;
}

static struct nlmsghdr *begin_link(char *room, uint16_t type, unsigned flags, int index)
{
    struct nlmsghdr *message = begin(room, type, flags);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

    info->ifi_family = AF_UNSPEC;
    info->ifi_index = index;
    return message;
}

/* ---- links ---- */

static int take_name(const struct nlattr *attribute, void *data)
{
    struct link *link = data;

    if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
        (void) snprintf(link->name, sizeof link->name, "%s", mnl_attr_get_str(attribute));
    return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *message, void *data)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    struct link *link = data;

    *link = (struct link){.index = info->ifi_index, .up = (info->ifi_flags & IFF_UP) != 0};
    return mnl_attr_parse(message, sizeof *info, take_name, link);
}

int link_find(struct link_namespace *namespace, const char *name, int index, struct link *ret_link)
{
    char room[MESSAGE_ROOM];
    struct link link = {.index = 0};
    struct nlmsghdr *message = begin_link(room, RTM_GETLINK, NLM_F_ACK, name == NULL ? index : 0);

    if (name != NULL)
        mnl_attr_put_strz(message, IFLA_IFNAME, name);
    int rc = ask(namespace, message, take_link, &link);
    if (rc < 0)
        return rc;
    *ret_link = link;
    return 0;
}

static int take_greatest(const struct nlmsghdr *message, void *data)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    int *greatest = data;

    if (info->ifi_index > *greatest)
        *greatest = info->ifi_index;
    return MNL_CB_OK;
}

int link_greatest_index(struct link_namespace *namespace, int *ret_index)
{
    char room[MESSAGE_ROOM];
    int greatest = 0;
    int rc = ask(namespace, begin_link(room, RTM_GETLINK, NLM_F_DUMP, 0), take_greatest, &greatest);

    if (rc < 0)
        return rc;
    *ret_index = greatest;
    return 0;
}

int link_move(struct link_namespace *from, int index, const struct link_namespace *to,
              int wanted_index, const char *wanted_name)
{
    char room[MESSAGE_ROOM];
    struct nlmsghdr *message = begin_link(room, RTM_NEWLINK, NLM_F_ACK, index);

    mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t) to->fd);
    mnl_attr_put_u32(message, IFLA_NEW_IFINDEX, (uint32_t) wanted_index);
    mnl_attr_put_strz(message, IFLA_IFNAME, wanted_name);
    return ask(from, message, NULL, NULL);
}

int link_set_up(struct link_namespace *namespace, int index)
{
    char room[MESSAGE_ROOM];
    struct nlmsghdr *message = begin_link(room, RTM_NEWLINK, NLM_F_ACK, index);
    struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

    info->ifi_flags = IFF_UP;
    info->ifi_change = IFF_UP;
    return ask(namespace, message, NULL, NULL);
}

/* ---- addresses ---- */

struct collection {
    int index;
    struct link_address *addresses;
    size_t count;
    bool overflow;
};

/* Flags that were asked for once; the others are what the kernel has made of the address since. */
#define KEPT_FLAGS                                                                  \
    (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | \
     IFA_F_MCAUTOJOIN)

#define KEPT_MAX 4

struct attributes {
    const struct nlattr *kept[KEPT_MAX];
    size_t count;
    uint32_t flags;
};

/* IFA_LABEL is left out: it begins with the device's name, which may become another. */
static int take_attribute(const struct nlattr *attribute, void *data)
{
    struct attributes *attributes = data;

    switch (mnl_attr_get_type(attribute)) {
    case IFA_LOCAL:
    case IFA_ADDRESS:
    case IFA_BROADCAST:
    case IFA_RT_PRIORITY:
        if (attributes->count < KEPT_MAX)
            attributes->kept[attributes->count++] = attribute;
        break;
    case IFA_FLAGS:
        attributes->flags = mnl_attr_get_u32(attribute);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static bool is_kept(const struct ifaddrmsg *info, uint32_t flags)
{
    if ((info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
        info->ifa_scope != RT_SCOPE_UNIVERSE || (flags & IFA_F_PERMANENT) == 0)
        return false;
    /* the same bit is "secondary" for IPv4, an address like any other */
    return info->ifa_family == AF_INET || (flags & IFA_F_TEMPORARY) == 0;
}

static int take_address(const struct nlmsghdr *message, void *data)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    struct collection *all = data;
    struct attributes attributes = {.flags = info->ifa_flags};

    if ((int) info->ifa_index != all->index)
        return MNL_CB_OK;
    if (mnl_attr_parse(message, sizeof *info, take_attribute, &attributes) < 0)
        return MNL_CB_ERROR;
    if (!is_kept(info, attributes.flags))
        return MNL_CB_OK;
    if (all->count == ADDRESS_MAX) {
        all->overflow = true;
        return MNL_CB_OK;
    }

    struct link_address *address = &all->addresses[all->count++];
    char room[MESSAGE_ROOM];
    struct nlmsghdr *copy = mnl_nlmsg_put_header(room);

    for (size_t i = 0; i < attributes.count; i++)
        mnl_attr_put(copy, mnl_attr_get_type(attributes.kept[i]),
                     mnl_attr_get_payload_len(attributes.kept[i]),
                     mnl_attr_get_payload(attributes.kept[i]));
    mnl_attr_put_u32(copy, IFA_FLAGS, attributes.flags & KEPT_FLAGS);
    *address = (struct link_address){
        .family = info->ifa_family,
        .prefix_bits = info->ifa_prefixlen,
        .scope = info->ifa_scope,
        .length = (uint16_t) mnl_nlmsg_get_payload_len(copy),
    };
    if (address->length > sizeof address->attributes)
        return MNL_CB_ERROR;
    memcpy(address->attributes, mnl_nlmsg_get_payload(copy), address->length);
    return MNL_CB_OK;
}

int link_addresses(struct link_namespace *namespace, int index, struct link_address *ret_addresses,
                   size_t *ret_count)
{
    char room[MESSAGE_ROOM];
    struct collection all = {.index = index, .addresses = ret_addresses};
    struct nlmsghdr *message = begin(room, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

    info->ifa_family = AF_UNSPEC;
    int rc = ask(namespace, message, take_address, &all);
    if (rc < 0)
        return rc;
    if (all.overflow)
        return -E2BIG;
    *ret_count = all.count;
    return 0;
}

int link_add_address(struct link_namespace *namespace, int index,
                     const struct link_address *address)
{
    char room[MESSAGE_ROOM];
    struct nlmsghdr *message = begin(room, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

    info->ifa_family = address->family;
    info->ifa_prefixlen = address->prefix_bits;
    info->ifa_scope = address->scope;
    info->ifa_index = (uint32_t) index;
    memcpy(mnl_nlmsg_get_payload_tail(message), address->attributes, address->length);
    message->nlmsg_len += address->length;
    return ask(namespace, message, NULL, NULL);
}
