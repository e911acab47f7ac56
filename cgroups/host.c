/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/words.h"
#include "sublet/sys.h"

#include "private.h"

#define CONTROLLERS_TEXT  512
#define PROC_CGROUPS_TEXT 4096

static const struct word controller_rows[] = {
    {"cpu",        CG_CPU       },
    {"cpuset",     CG_CPUSET    },
    {"memory",     CG_MEMORY    },
    {"io",         CG_IO        },
    {"pids",       CG_PIDS      },
    {"hugetlb",    CG_HUGETLB   },
    {"rdma",       CG_RDMA      },
    {"misc",       CG_MISC      },
    {"dmem",       CG_DMEM      },
    {"perf_event", CG_PERF_EVENT},
    {"blkio",      CG_IO        }, /* io's name in v1, and in
  /proc/cgroups for ever */
};
static const struct words controllers = WORDS(controller_rows);

const char *cg_controller_name(uint32_t bit)
{
    return words_name(&controllers, bit);
}

static uint32_t find_controller(const char *name, size_t length)
{
    char copy[32];

    if (length >= sizeof copy)
        return 0;
    memcpy(copy, name, length);
    copy[length] = '\0';

    const struct word *word = words_find(&controllers, copy);
    return word == NULL ? 0 : (uint32_t) word->value;
}

uint32_t cg_controller_of_file(const char *file)
{
    const char *dot = strchr(file, '.');

    /* cpu.pressure and its like belong to every group, whatever is enabled */
    if (dot == NULL || strcmp(dot, ".pressure") == 0)
        return 0;
    return find_controller(file, (size_t) (dot - file));
}

uint32_t cg_controllers_parse(const char *text)
{
    uint32_t bits = 0;

    for (;;) {
        text += strspn(text, " \n");
        if (*text == '\0')
            return bits;

        size_t length = strcspn(text, " \n");
        bits |= find_controller(text, length);
        text += length;
    }
}

int cgroups_mount_open(int *ret_root_fd, struct cgroups_host *ret_host, struct sub_err *err)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < CG_COUNT_OF(places); i++) {
        OWNED_FD fd = sys_openat(AT_FDCWD, places[i], O_PATH | O_DIRECTORY, 0);
        if (fd < 0 || sys_fs_type(fd) != CGROUP2_SUPER_MAGIC)
            continue;

        char text[CONTROLLERS_TEXT];
        ssize_t n = knob_read(fd, "cgroup.controllers", text, sizeof text);
        if (n < 0)
            return sub_fail(err, (int) -n, places[i], "cannot read cgroup.controllers: %s",
                            sub_strerror((int) -n));

        *ret_host = (struct cgroups_host){
            .mount_path = places[i], .hybrid = i > 0, .available = cg_controllers_parse(text)};
        *ret_root_fd = sub_take_fd(&fd);
        return 0;
    }
    return sub_fail(err, ENOENT, places[0],
                    "no cgroup v2 hierarchy is mounted here or at %s; boot with "
                    "systemd.unified_cgroup_hierarchy=1",
                    places[1]);
}

/* "cpu\t1\t57\t1": name, v1 hierarchy (0: none, free for v2), groups, enabled. */
static int parse_v1_line(const char *line, size_t length, uint32_t *bound)
{
    size_t name_length = strcspn(line, "\t\n");
    const char *number = line + name_length + 1;
    char text[NUM_TEXT];
    uint64_t hierarchy;

    if (name_length >= length)
        return -EINVAL;

    size_t digits = strcspn(number, "\t\n");
    if (digits >= sizeof text)
        return -EINVAL;
    memcpy(text, number, digits);
    text[digits] = '\0';
    SUBLET_TRY(num_parse_u64(text, UINT32_MAX, &hierarchy));
    if (hierarchy != 0)
        *bound |= find_controller(line, name_length);
    return 0;
}

int cgroups_parse_v1(const char *proc_cgroups, uint32_t *ret_bound_to_v1)
{
    uint32_t bound = 0;

    for (const char *line = proc_cgroups; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (line[0] != '#')
            SUBLET_TRY(parse_v1_line(line, length, &bound));
        line += length + (line[length] == '\n');
    }
    *ret_bound_to_v1 = bound;
    return 0;
}

int cgroups_host_read_v1(struct cgroups_host *host, struct sub_err *err)
{
    static const char path[] = "/proc/cgroups";
    char text[PROC_CGROUPS_TEXT];
    ssize_t n = sub_read_file_at(AT_FDCWD, path, text, sizeof text);

    if (n < 0)
        return sub_fail(err, (int) -n, path, "cannot read: %s", sub_strerror((int) -n));
    if (cgroups_parse_v1(text, &host->bound_to_v1) < 0)
        return sub_fail(err, EINVAL, path, "not in the form 'name hierarchy groups enabled'");
    host->v1_known = true;
    return 0;
}

int cgroups_check_rows(const struct cgroups_host *host, const struct cg_row *rows, size_t count,
                       struct sub_err *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t missing = rows[i].controller & ~host->available;
        const char *name = cg_controller_name(missing);

        if (missing == 0)
            continue;
        if (host->v1_known && (host->bound_to_v1 & missing) != 0) {
            return sub_fail(err, EOPNOTSUPP, rows[i].path,
                            "this host binds the %s controller to cgroup v1; boot with "
                            "systemd.unified_cgroup_hierarchy=1",
                            name);
        }
        return sub_fail(err, EOPNOTSUPP, rows[i].path, "%s offers no %s controller",
                        host->mount_path, name);
    }
    return 0;
}
