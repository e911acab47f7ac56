/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the container's process. */
#include <inttypes.h>
#include <linux/sched.h>
#include <string.h>

#include "planning.h"

#define ADDED_VARIABLES 4 /* LISTEN_FDS LISTEN_PID NOTIFY_SOCKET TERM */

/* Variables by name, in the order of their first appearance; a later value replaces an earlier
 * one, because getenv(3) would find the first. An open-addressed table keeps this linear. */
struct variables {
    const char **items;
    size_t count;
    uint32_t *table; /* index + 1 into items; 0: free */
    size_t mask;
};

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

static size_t hash(const char *name, size_t length)
{
    uint64_t value = 0xcbf29ce484222325u; /* FNV-1a */

    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char) name[i]) * 0x100000001b3u;
    return (size_t) (value ^ value >> 32);
}

static bool variables_init(struct variables *variables, struct arena *arena, size_t room)
{
    size_t slots = 16;

    while (slots < 2 * room)
        slots *= 2;
    variables->items = arena_array(arena, room + 1, sizeof *variables->items);
    variables->table = arena_array(arena, slots, sizeof *variables->table);
    variables->mask = slots - 1;
    return variables->items != NULL && variables->table != NULL;
}

/* The place of a variable: index + 1 of an equal name, or a free slot's 0. */
static uint32_t *find_slot(const struct variables *variables, const char *name, size_t length)
{
    size_t slot = hash(name, length) & variables->mask;

    for (;; slot = (slot + 1) & variables->mask) {
        uint32_t index = variables->table[slot];
        const char *item = index == 0 ? NULL : variables->items[index - 1];

        if (item == NULL || (strncmp(item, name, length) == 0 && item[length] == '='))
            return &variables->table[slot];
    }
}

static void set(struct variables *variables, const char *variable)
{
    uint32_t *slot = find_slot(variables, variable, name_length(variable));

    if (*slot != 0) {
        variables->items[*slot - 1] = variable;
        return;
    }
    variables->items[variables->count++] = variable;
    *slot = (uint32_t) variables->count;
}

static bool has(const struct variables *variables, const char *name)
{
    return *find_slot(variables, name, strlen(name)) != 0;
}

/* True where the variable has a value as well: HOME="" counts as none. */
static bool has_value(const struct variables *variables, const char *name)
{
    uint32_t index = *find_slot(variables, name, strlen(name));

    return index != 0 && variables->items[index - 1][strlen(name) + 1] != '\0';
}

static void add_given(struct planning *p, struct variables *variables)
{
    const struct spec_strings *env = &p->process->env;

    for (size_t i = 0; i < env->count; i++) {
        const char *item = env->items[i];
        size_t length = name_length(item);

        if (length > 0 && item[length] == '=')
            set(variables, item);
    }
}

static void add_ours(struct planning *p, struct variables *variables)
{
    const struct options *options = p->options;

    if (options->listen_fds > 0) {
        set(variables, arena_printf(p->arena, "LISTEN_FDS=%" PRIu32, options->listen_fds));
        set(variables, "LISTEN_PID=1");
        if ((p->plan->ns.create & CLONE_NEWPID) == 0)
            plan_warning(p, "LISTEN_FDS",
                         "the process is not number 1 without a pid namespace of its own: it will "
                         "not take the sockets for its own");
    }
    if (options->notify_socket != NULL)
        set(variables, "NOTIFY_SOCKET=" PLAN_NOTIFY_SOCKET);
    /* what every engine does for a terminal; a shell without TERM cannot edit its line */
    if (p->process->terminal && !has(variables, "TERM"))
        set(variables, "TERM=xterm");
}

void plan_decide_environment(struct planning *p)
{
    struct variables variables = {.count = 0};

    if (!variables_init(&variables, p->arena, p->process->env.count + ADDED_VARIABLES))
        return;
    add_given(p, &variables);
    add_ours(p, &variables);
    if (arena_failed(p->arena))
        return;
    p->plan->process.env = (char *const *) variables.items;
    p->plan->process.set_home = !has_value(&variables, "HOME");
}
