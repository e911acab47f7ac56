/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden plans: every folder below the one given is a case {config.json, options.txt, host.txt,
 * plan.txt}. The config goes through spec_parse, spec_check and plan_make; the findings and the
 * plan as text must be exactly plan.txt. options.txt and host.txt are lines of key=value over the
 * defaults below; both may be absent. With --update plan.txt is written instead of compared.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/warn.h"
#include "sublet/cgroups.h"
#include "sublet/cgroups/delegated.h"
#include "sublet/json.h"
#include "sublet/plan.h"
#include "sublet/spec.h"
#include "sublet/tenant.h"

#define TEXT_MAX   ((size_t) 1 << 20)
#define LAYERS_MAX 8

/* ---- options.txt and host.txt ---- */

struct setting {
    char *key, *value;
};

/* Cuts "key=value\n" off *text; false at its end. */
static bool next_setting(char **text, struct setting *ret_setting)
{
    while (**text == '\n')
        (*text)++;
    if (**text == '\0')
        return false;
    ret_setting->key = *text;
    *text += strcspn(*text, "\n");
    if (**text != '\0')
        *(*text)++ = '\0';
    ret_setting->value = strchr(ret_setting->key, '=');
    if (ret_setting->value == NULL) {
        (void) fprintf(stderr, "not key=value: %s\n", ret_setting->key);
        exit(EXIT_FAILURE);
    }
    *ret_setting->value++ = '\0';
    return true;
}

static uint64_t number(const struct setting *setting)
{
    uint64_t value;

    if (num_parse_u64(setting->value, UINT64_MAX, &value) < 0) {
        (void) fprintf(stderr, "not a number: %s=%s\n", setting->key, setting->value);
        exit(EXIT_FAILURE);
    }
    return value;
}

static bool is(const struct setting *setting, const char *key)
{
    return strcmp(setting->key, key) == 0;
}

static _Noreturn void unknown(const struct setting *setting)
{
    (void) fprintf(stderr, "unknown setting: %s\n", setting->key);
    exit(EXIT_FAILURE);
}

static uint64_t list_layers(char *value, const char **layers)
{
    uint64_t count = 0;

    for (char *at = strtok_r(value, ":", &value); at != NULL && count < LAYERS_MAX;
         at = strtok_r(NULL, ":", &value))
        layers[count++] = at;
    return count;
}

static void read_options(char *text, struct options *options, const char **layers)
{
    static const struct {
        const char *name;
        enum option_cgroup_manager manager;
    } managers[] = {
        {"cgroupfs", OPTION_CGROUPFS},
        {"systemd",  OPTION_SYSTEMD },
        {"disabled", OPTION_DISABLED},
    };
    struct setting item;

    while (next_setting(&text, &item)) {
        if (is(&item, "id"))
            options->id = item.value;
        else if (is(&item, "console_socket"))
            options->console_socket = item.value;
        else if (is(&item, "terminal_here"))
            options->terminal_here = number(&item) != 0;
        else if (is(&item, "preserve_fds"))
            options->preserve_fds = (uint32_t) number(&item);
        else if (is(&item, "listen_fds"))
            options->listen_fds = (uint32_t) number(&item);
        else if (is(&item, "notify_socket"))
            options->notify_socket = item.value;
        else if (is(&item, "no_pivot"))
            options->no_pivot = number(&item) != 0;
        else if (is(&item, "no_new_keyring"))
            options->no_new_keyring = number(&item) != 0;
        else if (is(&item, "tenant"))
            options->tenant = item.value;
        else if (is(&item, "upper"))
            options->overlay_upper = item.value;
        else if (is(&item, "overlay"))
            options->overlay_lower_count = list_layers(item.value, layers);
        else if (!is(&item, "cgroup_manager"))
            unknown(&item);
        for (size_t i = 0; is(&item, "cgroup_manager") && i < 3; i++) {
            if (strcmp(managers[i].name, item.value) == 0)
                options->cgroup_manager = managers[i].manager;
        }
    }
}

/* "acme:fixed 1:virtual=1G:realtime=yes" */
static void define_tenant(char *text, struct tenant *tenant, struct host *host)
{
    struct sub_err err = {.code = 0};
    bool fine = true;

    *tenant = (struct tenant){.name = strsep(&text, ":")};
    tenant_contract_init(&tenant->contract);
    for (char *field = strsep(&text, ":"); field != NULL; field = strsep(&text, ":")) {
        char *value = strchr(field, '=');

        if (value != NULL)
            *value++ = '\0';
        fine = fine && tenant_contract_set(&tenant->contract, value == NULL ? "cpu" : field,
                                           value == NULL ? field : value, "host.txt", &err) == 0;
    }
    if (!fine) {
        (void) fprintf(stderr, "%s: %s\n", tenant->name, err.text);
        exit(EXIT_FAILURE);
    }
    host->tenant = tenant;
    host->tenant_count = 1;
}

/* delegated=PATH:CONTROLLERS THAT IT HAS:THOSE THAT IT OFFERS */
static void add_place(struct arena *arena, char *value, struct host *host)
{
    struct cg_place *places =
        arena_grow(arena, host->places, host->place_count, host->place_count + 1, sizeof *places);
    char *has = strchr(value, ':'), *offers = has == NULL ? NULL : strchr(has + 1, ':');

    if (places == NULL || offers == NULL)
        exit(EXIT_FAILURE);
    *has++ = *offers++ = '\0';
    places[host->place_count++] = (struct cg_place){
        .path = value, .has = cg_controllers_parse(has), .offers = cg_controllers_parse(offers)};
    host->places = places;
}

/* subids=LINE, of /etc/subuid and /etc/subgid, for the user "user". "missing " in front of it: the
 * tools that map ids are not installed. */
static void set_user(struct arena *arena, char *value, struct host *host)
{
    struct host_user *user = arena_alloc(arena, sizeof *user);

    if (user == NULL)
        exit(EXIT_FAILURE);
    bool missing = strncmp(value, "missing ", 8) == 0;
    user->name = "user";
    host_parse_ranges(arena, value + (missing ? 8 : 0), "user", host->euid, &user->uids);
    user->uids.no_helper = missing && user->uids.count > 0;
    user->gids = user->uids;
    host->user = user;
}

static void read_host(struct arena *arena, char *text, struct tenant *tenant, struct host *host)
{
    struct setting item;

    while (next_setting(&text, &item)) {
        if (is(&item, "kernel_minor_of_5"))
            host->kernel = HOST_KERNEL(5, number(&item));
        else if (is(&item, "cap_last"))
            host->cap_last = (uint32_t) number(&item);
        else if (is(&item, "caps_missing"))
            host->caps_permitted &= ~number(&item);
        else if (is(&item, "euid"))
            host->euid = (uint32_t) number(&item);
        else if (is(&item, "egid"))
            host->egid = (uint32_t) number(&item);
        else if (is(&item, "in_user_namespace"))
            host->in_user_namespace = number(&item) != 0;
        else if (is(&item, "rootless"))
            host->rootless = number(&item) != 0;
        else if (is(&item, "apparmor"))
            host->apparmor = number(&item) != 0;
        else if (is(&item, "selinux"))
            host->selinux = number(&item) != 0;
        else if (is(&item, "cgroup_mount"))
            host->cgroup_mount = item.value[0] == '\0' ? NULL : item.value;
        else if (is(&item, "cgroup_hybrid"))
            host->cgroup_hybrid = number(&item) != 0;
        else if (is(&item, "cgroup_controllers"))
            host->cgroup_controllers = cg_controllers_parse(item.value);
        else if (is(&item, "cgroup_v1"))
            host->cgroup_v1 = cg_controllers_parse(item.value);
        else if (is(&item, "nr_open"))
            host->nr_open = number(&item);
        else if (is(&item, "kernel_minor_of_6"))
            host->kernel = HOST_KERNEL(6, number(&item));
        else if (is(&item, "tenant"))
            define_tenant(item.value, tenant, host);
        else if (is(&item, "own_cgroup"))
            host->own_cgroup = item.value;
        else if (is(&item, "delegated"))
            add_place(arena, item.value, host);
        else if (is(&item, "subids"))
            set_user(arena, item.value, host);
        else
            unknown(&item);
    }
}

/* ---- one case ---- */

static void put_findings(struct buf *out, const char *kind, const struct finding *items,
                         size_t count)
{
    for (size_t i = 0; i < count && i < FINDINGS_MAX; i++)
        buf_printf(out, "%s: %s: %s\n", kind, items[i].path, items[i].text);
    if (count > FINDINGS_MAX)
        buf_printf(out, "%s: and %zu more\n", kind, count - FINDINGS_MAX);
}

/* The JSON form has no golden file of its own, but must be JSON without double keys. */
static void check_json(struct arena *arena, const struct plan *plan, struct buf *out)
{
    static const struct json_shape nothing = {.count = 0, .size = 1};
    OWNED_BUF text;
    struct sub_err err = {.code = 0};
    char object;

    buf_init(&text, TEXT_MAX);
    if (plan_show_json(plan, &text) < 0) {
        buf_puts(out, "plan_show_json failed\n");
        return;
    }
    const struct json_source source = {
        .name = "plan.json", .text = buf_text(&text), .size = text.length};
    if (json_decode(arena, &source, &nothing, NULL, &object, &err) < 0)
        buf_printf(out, "the JSON form is wrong: %s: %s\n", err.path, err.text);
}

static void make(struct arena *arena, const char *config, size_t size,
                 const struct options *options, const struct host *host, struct buf *out)
{
    struct findings findings;
    struct sub_err err = {.code = 0};
    struct spec *parsed;
    const struct plan *plan = NULL;
    OWNED_BUF shown;

    buf_init(&shown, TEXT_MAX);
    findings_init(&findings, arena);
    if (spec_parse(arena, SPEC_FILE, config, size, &findings, &parsed, &err) == 0) {
        const struct spec *spec = parsed;

        if (plan_complete(arena, &spec, host, &findings) < 0)
            exit(EXIT_FAILURE);
        (void) spec_check(spec, &findings);
        if (plan_make(arena, options, spec, host, &findings, &plan, &err) == 0)
            (void) plan_show_text(plan, &shown);
    }
    put_findings(out, "error", findings.errors, findings.error_count);
    put_findings(out, "warning", findings.warnings, findings.warning_count);
    if (plan == NULL)
        return;
    buf_puts(out, buf_text(&shown));
    check_json(arena, plan, out);
}

static bool load(int dir_fd, const char *name, bool required, char **ret_text, size_t *ret_size)
{
    struct sub_err err = {.code = 0};
    int rc = sub_load_file_at(dir_fd, name, TEXT_MAX, ret_text, ret_size, &err);

    if (rc < 0 && (required || rc != -ENOENT))
        (void) fprintf(stderr, "%s: %s\n", err.path, err.text);
    return rc == 0;
}

static bool write_plan(int dir_fd, const struct buf *text)
{
    OWNED_FD fd = openat(dir_fd, "plan.txt", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    return fd >= 0 && sub_write_all(fd, buf_text(text), text->length) == 0;
}

/* True where it is as it should be, or was updated. */
static bool run_case(int cases_fd, const char *name, bool update)
{
    OWNED_FD dir_fd = openat(cases_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OWNED_MEM char *config = NULL, *options_text = NULL, *host_text = NULL, *expected = NULL;
    const char *layers[LAYERS_MAX] = {NULL};
    struct options options = {
        .id = "c1", .bundle = "/bundle", .tenants_dir = "/t", .overlay_lowers = layers};
    size_t size, ignored;
    struct tenant tenant;
    struct host host;
    OWNED_ARENA arena;
    OWNED_BUF out;

    arena_init(&arena, ARENA_MAX_BYTES);
    buf_init(&out, TEXT_MAX);
    host_example(&host);
    if (dir_fd < 0 || !load(dir_fd, SPEC_FILE, true, &config, &size))
        return false;
    if (load(dir_fd, "options.txt", false, &options_text, &ignored))
        read_options(options_text, &options, layers);
    if (load(dir_fd, "host.txt", false, &host_text, &ignored))
        read_host(&arena, host_text, &tenant, &host);

    make(&arena, config, size, &options, &host, &out);
    if (update)
        return write_plan(dir_fd, &out);
    if (!load(dir_fd, "plan.txt", true, &expected, &ignored))
        return false;
    if (strcmp(expected, buf_text(&out)) == 0)
        return true;
    (void) printf("# expected:\n%s# got:\n%s", expected, buf_text(&out));
    return false;
}

static int is_case(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    bool update = argc == 3 && strcmp(argv[2], "--update") == 0;
    struct dirent **entries;
    int failed = 0;

    if (argc < 2 || (argc > 2 && !update)) {
        (void) fprintf(stderr, "usage: %s FOLDER [--update]\n", argv[0]);
        return EXIT_FAILURE;
    }
    OWNED_FD cases_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = scandir(argv[1], &entries, is_case, alphasort);
    if (cases_fd < 0 || count < 0) {
        (void) fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return EXIT_FAILURE;
    }
    for (int i = 0; i < count; i++) {
        bool ok = run_case(cases_fd, entries[i]->d_name, update);

        (void) printf("%sok - golden %s\n", ok ? "" : "not ", entries[i]->d_name);
        failed += !ok;
        free(entries[i]);
    }
    free(entries);
    return failed == 0 && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
