/* SPDX-License-Identifier: Apache-2.0 */
/* What the planner has to know of this machine, and which CPUs are held already. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/listing.h"
#include "sublet/sys.h"

#include "private.h"

#define ONLINE         "/sys/devices/system/cpu/online"
#define LIST_TEXT      4096
#define WEIGHT_DEFAULT 100
#define KERNEL_NESTED  (6u << 16 | 7)

void tenant_host_example(uint32_t cpus, struct tenant_host *ret_host)
{
    *ret_host = (struct tenant_host){.memory_bytes = (uint64_t) 4 << 30,
                                     .page_bytes = 4096,
                                     .reserve_milli = cpus * 100,
                                     .neighbour_weight = 100,
                                     .nested_partitions = true};
    for (uint32_t cpu = 0; cpu < cpus; cpu++)
        cpus_add(ret_host->online, cpu);
}

/* Groups of tenants are no neighbours; a group whose weight cannot be read has the default once
 * the controller is enabled. */
static uint64_t read_neighbours(int root_fd)
{
    OWNED_FOLDER folder = listing_open(root_fd);
    uint64_t sum = 0;

    if (folder == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        uint64_t weight = WEIGHT_DEFAULT;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
            strcmp(entry->d_name, TENANT_PARENT) == 0 ||
            strncmp(entry->d_name, TENANT_PINNED_TOP, strlen(TENANT_PINNED_TOP)) == 0)
            continue;

        OWNED_FD fd = sys_openat(root_fd, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
        if (fd >= 0)
            (void) knob_read_u64(fd, "cpu.weight", &weight);
        sum += weight;
    }
    return sum;
}

int tenant_host_read(int cgroup_root_fd, struct tenant_host *ret_host, struct sub_err *err)
{
    struct tenant_host host = {.page_bytes = (uint64_t) sysconf(_SC_PAGESIZE)};
    char text[LIST_TEXT];
    struct sysinfo info;
    uint32_t kernel = 0;

    if (sub_read_file_at(AT_FDCWD, ONLINE, text, sizeof text) < 0 ||
        cpus_parse(text, host.online) < 0 || cpus_count(host.online) == 0)
        return sub_fail(err, EINVAL, ONLINE, "cannot tell which CPUs are online");
    if (sysinfo(&info) < 0 || sys_kernel(&kernel) < 0)
        return sub_fail(err, EINVAL, NULL, "cannot tell this host's memory and kernel");
    host.memory_bytes = (uint64_t) info.totalram * info.mem_unit;
    host.reserve_milli = cpus_count(host.online) * 100;
    host.nested_partitions = kernel >= KERNEL_NESTED;
    host.neighbour_weight = cgroup_root_fd < 0 ? 0 : read_neighbours(cgroup_root_fd);
    *ret_host = host;
    return 0;
}

/* The CPUs that the group was given, whether the partition is valid now or not. */
static int read_held(struct arena *arena, int root_fd, const char *path, const uint64_t **ret_held)
{
    OWNED_CGROUP group = CGROUP_NONE;
    uint64_t *held = arena_array(arena, CPU_WORDS, sizeof *held);
    char text[LIST_TEXT];

    if (held == NULL || path == NULL)
        return -ENOMEM;
    if (cgroup_open(root_fd, path, &group, NULL) < 0 ||
        knob_read(group.dir_fd, "cpuset.cpus", text, sizeof text) <= 0 ||
        cpus_parse(text, held) < 0)
        return 0;
    *ret_held = held;
    return 0;
}

int tenants_find_held(struct arena *arena, int cgroup_root_fd, struct tenants *tenants,
                      struct sub_err *err)
{
    for (size_t i = 0; cgroup_root_fd >= 0 && i < tenants->count; i++) {
        struct tenant *tenant = &tenants->items[i];
        const char *below = arena_printf(arena, TENANT_PARENT "/%s", tenant->name);
        const char *top = arena_printf(arena, TENANT_PINNED_TOP "%s", tenant->name);
        int rc = read_held(arena, cgroup_root_fd, below, &tenant->held_cpus);

        if (rc == 0 && tenant->held_cpus == NULL)
            rc = read_held(arena, cgroup_root_fd, top, &tenant->held_cpus);
        if (rc < 0)
            return sub_fail(err, ENOMEM, NULL, "out of memory");
    }
    return 0;
}

int tenant_cgroups_open(int *ret_root_fd, struct sub_err *err)
{
    static const struct cg_row needed[] = {
        {.path = "tenants", .controller = CG_CPU   },
        {.path = "tenants", .controller = CG_MEMORY},
        {.path = "tenants", .controller = CG_IO    },
        {.path = "tenants", .controller = CG_PIDS  },
    };
    struct cgroups_host host;
    int root = -EBADF;

    SUBLET_TRY(cgroups_mount_open(&root, &host, err));
    OWNED_FD owned = root;
    if (host.hybrid)
        SUBLET_TRY(cgroups_host_read_v1(&host, err));
    SUBLET_TRY(cgroups_check_rows(&host, needed, sizeof needed / sizeof *needed, err));
    *ret_root_fd = sub_take_fd(&owned);
    return 0;
}
