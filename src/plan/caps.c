/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>

#include "sublet/base/words.h"

#include "planning.h"

static const struct word capability_rows[] = {
    {"CAP_AUDIT_CONTROL",      CAP_AUDIT_CONTROL     },
    {"CAP_AUDIT_READ",         CAP_AUDIT_READ        },
    {"CAP_AUDIT_WRITE",        CAP_AUDIT_WRITE       },
    {"CAP_BLOCK_SUSPEND",      CAP_BLOCK_SUSPEND     },
    {"CAP_BPF",                CAP_BPF               },
    {"CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE},
    {"CAP_CHOWN",              CAP_CHOWN             },
    {"CAP_DAC_OVERRIDE",       CAP_DAC_OVERRIDE      },
    {"CAP_DAC_READ_SEARCH",    CAP_DAC_READ_SEARCH   },
    {"CAP_FOWNER",             CAP_FOWNER            },
    {"CAP_FSETID",             CAP_FSETID            },
    {"CAP_IPC_LOCK",           CAP_IPC_LOCK          },
    {"CAP_IPC_OWNER",          CAP_IPC_OWNER         },
    {"CAP_KILL",               CAP_KILL              },
    {"CAP_LEASE",              CAP_LEASE             },
    {"CAP_LINUX_IMMUTABLE",    CAP_LINUX_IMMUTABLE   },
    {"CAP_MAC_ADMIN",          CAP_MAC_ADMIN         },
    {"CAP_MAC_OVERRIDE",       CAP_MAC_OVERRIDE      },
    {"CAP_MKNOD",              CAP_MKNOD             },
    {"CAP_NET_ADMIN",          CAP_NET_ADMIN         },
    {"CAP_NET_BIND_SERVICE",   CAP_NET_BIND_SERVICE  },
    {"CAP_NET_BROADCAST",      CAP_NET_BROADCAST     },
    {"CAP_NET_RAW",            CAP_NET_RAW           },
    {"CAP_PERFMON",            CAP_PERFMON           },
    {"CAP_SETFCAP",            CAP_SETFCAP           },
    {"CAP_SETGID",             CAP_SETGID            },
    {"CAP_SETPCAP",            CAP_SETPCAP           },
    {"CAP_SETUID",             CAP_SETUID            },
    {"CAP_SYSLOG",             CAP_SYSLOG            },
    {"CAP_SYS_ADMIN",          CAP_SYS_ADMIN         },
    {"CAP_SYS_BOOT",           CAP_SYS_BOOT          },
    {"CAP_SYS_CHROOT",         CAP_SYS_CHROOT        },
    {"CAP_SYS_MODULE",         CAP_SYS_MODULE        },
    {"CAP_SYS_NICE",           CAP_SYS_NICE          },
    {"CAP_SYS_PACCT",          CAP_SYS_PACCT         },
    {"CAP_SYS_PTRACE",         CAP_SYS_PTRACE        },
    {"CAP_SYS_RAWIO",          CAP_SYS_RAWIO         },
    {"CAP_SYS_RESOURCE",       CAP_SYS_RESOURCE      },
    {"CAP_SYS_TIME",           CAP_SYS_TIME          },
    {"CAP_SYS_TTY_CONFIG",     CAP_SYS_TTY_CONFIG    },
    {"CAP_WAKE_ALARM",         CAP_WAKE_ALARM        },
};
const struct words plan_capabilities = WORDS(capability_rows);

#define BIT(n) ((uint64_t) 1 << (n))

/* One of the five sets while it is read. */
struct set {
    const char *name;
    const struct spec_strings *names;
    uint64_t asked; /* everything that has a number */
};

/*
 * Why a capability cannot be had, or NULL. The specification wants such a request logged and
 * forbids to fail (config.md, "capabilities"). In a user namespace of its own a process has all.
 */
static const char *obstacle(const struct planning *p, uint64_t number)
{
    bool own_user_namespace = p->plan->ns.new_user || p->plan->ns.join_user;

    if (number > p->host->cap_last)
        return "this kernel does not know it";
    if (!own_user_namespace && (p->host->caps_permitted & BIT(number)) == 0)
        return "the runtime does not hold it itself";
    return NULL;
}

static void read_set(struct planning *p, struct set *set, uint64_t *told)
{
    for (size_t i = 0; i < set->names->count; i++) {
        const char *name = set->names->items[i];
        const struct word *word = words_find(&plan_capabilities, name);
        const char *reason = word == NULL ? NULL : obstacle(p, word->value);

        if (word == NULL) /* spec_check has warned */
            continue;
        set->asked |= BIT(word->value);
        if (reason == NULL || (*told & BIT(word->value)) != 0)
            continue;
        *told |= BIT(word->value);
        plan_warning(p, arena_printf(p->arena, "process.capabilities.%s[%zu]", set->name, i),
                     "%s is left out: %s", name, reason);
    }
}

/* The kernel raises only what is inheritable, too. config.md: what cannot be granted is logged. */
static uint64_t drop_unraisable(struct planning *p, const struct plan_caps *plan)
{
    uint64_t lost = plan->ambient & ~plan->inheritable;

    const char *names = NULL;

    for (size_t i = 0; i < plan_capabilities.count; i++) {
        const char *name = plan_capabilities.rows[i].name;

        if ((lost & BIT(plan_capabilities.rows[i].value)) != 0)
            names = names == NULL ? name : arena_printf(p->arena, "%s, %s", names, name);
    }
    /* one line for all: buildah asks for a dozen of them at each RUN */
    if (names != NULL)
        plan_warning(p, "process.capabilities.ambient", "%s %s left out: not inheritable", names,
                     (lost & (lost - 1)) == 0 ? "is" : "are");
    return plan->ambient & ~lost;
}

void plan_decide_caps(struct planning *p)
{
    static const struct spec_capabilities none;
    const struct spec_capabilities *caps =
        p->process->capabilities == NULL ? &none : p->process->capabilities;
    struct plan_caps *plan = &p->plan->process.caps;
    struct set bounding = {.name = "bounding", .names = &caps->bounding};
    struct set effective = {.name = "effective", .names = &caps->effective};
    struct set inheritable = {.name = "inheritable", .names = &caps->inheritable};
    struct set permitted = {.name = "permitted", .names = &caps->permitted};
    struct set raised = {.name = "ambient", .names = &caps->ambient};
    uint64_t told = 0;

    read_set(p, &bounding, &told);
    read_set(p, &effective, &told);
    read_set(p, &inheritable, &told);
    read_set(p, &permitted, &told);
    read_set(p, &raised, &told);

    /* what cannot be had has been told once, and is in no set */
    plan->bounding = bounding.asked & ~told;
    plan->effective = effective.asked & ~told;
    plan->inheritable = inheritable.asked & ~told;
    plan->permitted = permitted.asked & ~told;
    plan->ambient = raised.asked & ~told;
    plan->ambient = drop_unraisable(p, plan);
    plan->last = p->host->cap_last;
}
