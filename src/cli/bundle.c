/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/path.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "args.h"
#include "bundleless.h"
#include "command.h"

#define LISTEN_FDS_MAX 65536
#define FOLDER_MAX     4096 /* getcwd(2) answers in one page */

/* The caller's folder; only asked for where a path is relative. */
static int current_folder(struct arena *arena, const char **ret_folder, struct sub_err *err)
{
    char text[FOLDER_MAX];
    int rc = sys_getcwd(text, sizeof text);

    if (rc >= 0 && text[0] != '/')
        rc = -ENOENT; /* "(unreachable)": outside of our root */
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot tell the current folder: %s", sub_strerror(-rc));
    *ret_folder = arena_strdup(arena, text);
    return *ret_folder == NULL ? -ENOMEM : 0;
}

/* An absolute path for a folder. Nothing is resolved: a ".." behind a link stays what it is. */
int absolute_path(struct arena *arena, const char *path, const char **ret_path, struct sub_err *err)
{
    const char *folder = "/";

    if (!path_is_absolute(path))
        SUBLET_TRY(current_folder(arena, &folder, err));
    path = path_join(arena, folder, path);
    if (path != NULL && strstr(path, "..") == NULL)
        path = path_clean(arena, path);
    *ret_path = path;
    return path == NULL ? -ENOMEM : 0;
}

/* Sockets that systemd handed to the caller, meant for us if LISTEN_PID does not say otherwise. */
static uint32_t listen_fds(void)
{
    const char *count_text = secure_getenv("LISTEN_FDS"), *pid_text = secure_getenv("LISTEN_PID");
    uint32_t count, pid;

    if (count_text == NULL || num_parse_u32(count_text, LISTEN_FDS_MAX, &count) < 0)
        return 0;
    if (pid_text != NULL &&
        (num_parse_u32(pid_text, INT32_MAX, &pid) < 0 || pid != (uint32_t) getpid()))
        return 0;
    return count;
}

const char *notify_socket(void)
{
    const char *path = secure_getenv("NOTIFY_SOCKET");

    return path == NULL || *path == '\0' ? NULL : path;
}

/* Whether some layer may be relative, so that the current folder has to be known. */
static bool has_relative_layer(const char *layers)
{
    bool relative = *layers != '/';

    for (const char *at = strchr(layers, ':'); at != NULL; at = strchr(at + 1, ':'))
        relative = relative || at[1] != '/';
    return relative;
}

static int fill_options(const struct call *call, const char *id, struct options *options,
                        struct sub_err *err)
{
    const struct args *args = call->args;
    bool detached = args->command == &command_create || args->detach;
    const char *folder = "/";

    *options = (struct options){
        .id = id,
        .bundle = "/",
        .cgroup_manager = args->cgroup_manager,
        .console_socket = args->console_socket,
        .detached = detached,
        .terminal_here = !detached && args->console_socket == NULL,
        .preserve_fds = args->preserve_fds,
        .listen_fds = listen_fds(),
        .notify_socket = notify_socket(),
        .no_pivot = args->no_pivot,
        .no_new_keyring = args->no_new_keyring,
        .tenant = args->tenant,
    };
    SUBLET_TRY(absolute_path(call->arena, args->tenants == NULL ? TENANT_DIR : args->tenants,
                             &options->tenants_dir, err));
    if (args->upper != NULL && args->overlay == NULL)
        return args_refuse(args, err, "option '--upper' needs '--overlay'");
    if (args->overlay == NULL)
        return 0;
    if (has_relative_layer(args->overlay))
        SUBLET_TRY(current_folder(call->arena, &folder, err));
    SUBLET_TRY(overlay_split(call->arena, args->overlay, folder, &options->overlay_lowers,
                             &options->overlay_lower_count, err));
    return args->upper == NULL
               ? 0
               : absolute_path(call->arena, args->upper, &options->overlay_upper, err);
}

/* The facts about the container's tenant; what follows from them is the planner's. */
static int read_tenant(struct arena *arena, const struct bundle *bundle, struct host *host,
                       struct sub_err *err)
{
    const char *where, *folder = bundle->options.tenants_dir;
    const char *name = plan_tenant_name(arena, &bundle->options, bundle->spec, &where);
    struct tenant *tenant = arena_alloc(arena, sizeof *tenant);

    if (tenant == NULL)
        return -ENOMEM;
    if (name == NULL)
        name = TENANT_DEFAULT;
    int rc = tenant_find(arena, folder, name, &host->tenant_count, tenant, err);
    if (rc == 0)
        host->tenant = tenant;
    return rc == -ENOENT ? 0 : rc;
}

static int save_config(struct bundle *bundle)
{
    buf_done(&bundle->config);
    buf_init(&bundle->config, SPEC_MAX_BYTES);
    return spec_encode(bundle->spec, &bundle->config);
}

static int make_plan(const struct call *call, struct bundle *bundle, struct sub_err *err)
{
    struct host host;

    SUBLET_TRY(host_read(call->arena, bundle->spec, &host, err));
    SUBLET_TRY(read_tenant(call->arena, bundle, &host, err));
    int rc = plan_complete(call->arena, &bundle->spec, &host, &bundle->findings);
    if (rc < 0)
        return rc;
    if (rc > 0) /* what is kept for exec, update and hooks is what was carried out */
        SUBLET_TRY(save_config(bundle));
    (void) spec_check(bundle->spec, &bundle->findings); /* findings_result decides */
    SUBLET_TRY(plan_make(call->arena, &bundle->options, bundle->spec, &host, &bundle->findings,
                         &bundle->plan, err));
    return findings_result(&bundle->findings, err);
}

void bundle_done(struct bundle *bundle)
{
    buf_done(&bundle->config);
}

static void bundle_init(struct bundle *bundle, struct arena *arena)
{
    *bundle = (struct bundle){0};
    findings_init(&bundle->findings, arena);
    buf_init(&bundle->config, SPEC_MAX_BYTES);
}

static int read_config(const struct call *call, struct bundle *bundle, struct sub_err *err)
{
    const char *name = call->args->config == NULL ? SPEC_FILE : call->args->config;
    const char *folder = bundle->options.bundle;
    OWNED_FD folder_fd = sys_openat(AT_FDCWD, folder, O_PATH | O_DIRECTORY, 0);
    OWNED_MEM char *text = NULL;
    struct spec *spec;
    size_t size;

    if (folder_fd < 0)
        return sub_fail(err, -folder_fd, folder, "cannot open the bundle: %s",
                        sub_strerror(-folder_fd));
    SUBLET_TRY(sub_load_file_at(folder_fd, name, SPEC_MAX_BYTES, &text, &size, err));
    SUBLET_TRY(spec_parse(call->arena, name, text, size, &bundle->findings, &spec, err));
    buf_add(&bundle->config, text, size);
    bundle->spec = spec;
    return 0;
}

int bundle_load(const struct call *call, const char *id, struct bundle *bundle, struct sub_err *err)
{
    const char *folder = call->args->bundle == NULL ? "." : call->args->bundle;

    bundle_init(bundle, call->arena);
    SUBLET_TRY(fill_options(call, id, &bundle->options, err));
    SUBLET_TRY(absolute_path(call->arena, folder, &bundle->options.bundle, err));
    SUBLET_TRY(read_config(call, bundle, err));
    return make_plan(call, bundle, err);
}

static int find_disks(const struct call *call, struct bundleless *facts, struct sub_err *err)
{
    const struct arg_list *given = &call->args->io;
    struct tenant_io *io = arena_array(call->arena, given->count, sizeof *io);

    if (io == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < given->count; i++) {
        if (tenant_io_parse(call->arena, given->items[i], "--io", &io[i], err) < 0)
            return -(err->code = ARGS_USAGE);
        SUBLET_TRY(tenant_disk_of(call->arena, io[i].path, &io[i].major, &io[i].minor, err));
    }
    facts->io = io;
    facts->io_count = given->count;
    return 0;
}

int bundle_invent(const struct call *call, const char *id, struct bundle *bundle,
                  struct sub_err *err)
{
    struct bundleless facts = {.id = id, .folder = "/", .rootless = geteuid() != 0};
    struct spec *spec;

    bundle_init(bundle, call->arena);
    bundle->invented = true;
    SUBLET_TRY(fill_options(call, id, &bundle->options, err));
    if (call->args->rootfs != NULL && !path_is_absolute(call->args->rootfs))
        SUBLET_TRY(current_folder(call->arena, &facts.folder, err));
    SUBLET_TRY(find_disks(call, &facts, err));
    SUBLET_TRY(bundleless_spec(call->arena, call->args, &facts, &spec, err));
    SUBLET_TRY(spec_encode(spec, &bundle->config));
    bundle->spec = spec;
    return make_plan(call, bundle, err);
}

void bundle_mention_more(const struct bundle *bundle, struct sub_err *err)
{
    size_t errors = bundle->findings.error_count;
    size_t used = strlen(err->text);

    if (errors < 2)
        return;
    (void) snprintf(err->text + used, sizeof err->text - used, " (and %zu more%s)", errors - 1,
                    bundle->invented ? "" : ": 'sublet plan' tells all");
}
