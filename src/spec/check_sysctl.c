/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "check.h"

#define KEY_BYTES_MAX 255

/* Kernel parameters that belong to a namespace; any other one would change the host. */
static const struct {
    const char *path; /* with a '/' at its end: everything below */
    const char *namespace;
} namespaced[] = {
    {"fs/mqueue/",             "ipc"    },
    {"kernel/auto_msgmni",     "ipc"    },
    {"kernel/domainname",      "uts"    },
    {"kernel/msg_next_id",     "ipc"    },
    {"kernel/msgmax",          "ipc"    },
    {"kernel/msgmnb",          "ipc"    },
    {"kernel/msgmni",          "ipc"    },
    {"kernel/sem",             "ipc"    },
    {"kernel/sem_next_id",     "ipc"    },
    {"kernel/shm_next_id",     "ipc"    },
    {"kernel/shm_rmid_forced", "ipc"    },
    {"kernel/shmall",          "ipc"    },
    {"kernel/shmmax",          "ipc"    },
    {"kernel/shmmni",          "ipc"    },
    {"net/",                   "network"},
    {"user/",                  "user"   },
};

/* No name of the kernel starts or ends with '.', and none may lead out of its folder. */
static bool is_component(const char *text, size_t length)
{
    if (length == 0 || text[0] == '.' || text[length - 1] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isgraph((unsigned char) text[i]))
            return false;
        if (text[i] == '.' && text[i + 1] == '.')
            return false;
    }
    return true;
}

/* sysctl(8): the separator that comes first separates, the other one stands for it in a name
 * ("net.ipv4.conf.eth0/1.mtu" and "net/ipv4/conf/eth0.1/mtu" are the same). */
int spec_sysctl_path(const char *key, char *path, size_t size)
{
    size_t length = strlen(key);
    bool swap = key[strcspn(key, "./")] == '.';

    if (length == 0 || length >= size || length > KEY_BYTES_MAX)
        return -EINVAL;
    memset(path, 0, size);
    for (size_t i = 0; i <= length; i++) {
        path[i] = key[i];
        if (swap && key[i] == '.') {
            path[i] = '/';
        } else if (swap && key[i] == '/') {
            path[i] = '.';
        }
    }
    for (const char *at = path;;) {
        size_t part = strcspn(at, "/");

        if (!is_component(at, part))
            return -EINVAL;
        at += part;
        if (*at == '\0')
            return 0;
        at++;
    }
}

static const char *namespace_of(const char *path)
{
    for (size_t i = 0; i < sizeof namespaced / sizeof *namespaced; i++) {
        size_t length = strlen(namespaced[i].path);
        bool folder = namespaced[i].path[length - 1] == '/';

        if (strncmp(path, namespaced[i].path, length) == 0 && (folder || path[length] == '\0'))
            return namespaced[i].namespace;
    }
    return NULL;
}

static void check_owner(const struct spec *spec, const char *where, const char *path,
                        const char *value, struct findings *findings)
{
    const char *namespace = namespace_of(path);

    if (strcmp(path, "kernel/hostname") == 0) {
        findings_error(findings, where, "expected the field hostname instead");
    } else if (namespace == NULL) {
        findings_error(findings, where, "belongs to no namespace, it would change the host");
    } else if (spec_namespace(spec, namespace) == NULL) {
        findings_error(findings, where, "needs a namespace of type '%s' in linux.namespaces",
                       namespace);
    } else if (strcmp(path, "kernel/domainname") == 0 && spec->domainname != NULL &&
               strcmp(spec->domainname, value) != 0) {
        findings_error(findings, where, QUOTED " is not the domainname " QUOTED, value,
                       spec->domainname);
    }
}

void check_sysctl(const struct spec *spec, struct findings *findings)
{
    for (size_t i = 0; i < spec->linux_->sysctl.count; i++) {
        const struct spec_pair *pair = &spec->linux_->sysctl.items[i];
        const char *where = WHERE("linux.sysctl['%.64s']", pair->key);
        char path[KEY_BYTES_MAX + 1];

        if (strlen(pair->value) > SPEC_SYSCTL_VALUE_MAX) {
            findings_error(findings, where, "value of %zu bytes, at most %d are allowed",
                           strlen(pair->value), SPEC_SYSCTL_VALUE_MAX);
        }
        if (strchr(pair->value, '\n') != NULL)
            findings_error(findings, where, "line break in a value");
        if (spec_sysctl_path(pair->key, path, sizeof path) < 0) {
            findings_error(findings, where,
                           "not the name of a kernel parameter, expected one such as "
                           "'net.ipv4.ip_forward'");
        } else {
            check_owner(spec, where, path, pair->value, findings);
        }
    }
}
