/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static char table[1 << 18];

void put_folder(const char *path, unsigned mode)
{
    ck_assert_msg(mkdir(path, mode) == 0 || errno == EEXIST, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(chmod(path, mode), 0);
}

void put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

void put_link(const char *path, const char *target)
{
    ck_assert_msg(symlink(target, path) == 0, "%s: %s", path, strerror(errno));
}

void put_tmpfs(const char *path)
{
    ck_assert_msg(mount("tmpfs", path, "tmpfs", 0, NULL) == 0, "%s: %s", path, strerror(errno));
}

void ck_reads(const char *path, const char *want)
{
    char text[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_ge(read(fd, text, sizeof text - 1), 0);
    ck_assert_str_eq(text, want);
    close(fd);
}

void ck_cannot_write(const char *path, int want_errno)
{
    errno = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    ck_assert_msg(fd < 0, "%s can be written", path);
    ck_assert_msg(errno == want_errno, "%s: %s", path, strerror(errno));
}

void ck_missing_at(int dir_fd, const char *path)
{
    struct stat found;

    ck_assert_int_eq(fstatat(dir_fd, path, &found, AT_SYMLINK_NOFOLLOW), -1);
    ck_assert_int_eq(errno, ENOENT);
}

int entries_at(int dir_fd, const char *path)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    DIR *dir = fdopendir(fd);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

/* --- the world ------------------------------------------------------------------------------ */

void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    umask(0);
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    put_tmpfs("/mnt");
    put_folder("/mnt", 0755);
    put_folder("/mnt/rootfs", 0755);
    put_folder("/mnt/sent", 0755); /* what must not change */
    put_file("/mnt/sent/file", "host");
    world->host_fd = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);
    world->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    world->host_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(world->host_fd, 0);
    ck_assert_int_ge(world->host_ns, 0);
    ck_assert_int_ge(world->proc_fd, 0);

    world->root.path = "/mnt/rootfs";
    world->mounts.items = world->items;
    world->mounts.devices = world->devices;
    world->mounts.links = world->links;
    world->mounts.masked = world->masked;
    world->mounts.readonly = world->readonly;
}

static void write_map(pid_t pid, const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t) strlen(text))
        _exit(1);
    close(fd);
}

void world_map_ids(void)
{
    int go[2], status;
    char byte = 0;
    pid_t pid = getpid();

    ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
    pid_t writer = fork();
    if (writer == 0) {
        if (read(go[0], &byte, 1) != 1)
            _exit(1);
        write_map(pid, "uid_map", "0 100000 65536");
        write_map(pid, "gid_map", "0 100000 65536");
        _exit(0);
    }
    ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
    ck_assert_int_eq(write(go[1], &byte, 1), 1);
    ck_assert_int_eq(waitpid(writer, &status, 0), writer);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(setresgid(0, 0, 0), 0);
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
}

struct plan_mount *world_add(struct world *world, enum plan_mount_kind kind, const char *type,
                             const char *source, const char *target)
{
    static char json[WORLD_ITEMS][16];
    size_t i = world->mounts.count++;

    ck_assert_uint_lt(i, WORLD_ITEMS);
    snprintf(json[i], sizeof json[i], "mounts[%zu]", i);
    world->items[i] = (struct plan_mount){
        .kind = kind, .json = json[i], .target = target, .source = source, .type = type};
    return &world->items[i];
}

struct plan_mount *world_bind(struct world *world, const char *source, const char *target)
{
    return world_add(world, PLAN_MOUNT_BIND, NULL, source, target);
}

void world_add_device(struct world *world, struct plan_device device)
{
    world->devices[world->mounts.device_count++] = device;
}

void world_add_link(struct world *world, const char *path, const char *target)
{
    world->links[world->mounts.link_count++] = (struct plan_link){path, target};
}

void world_mask(struct world *world, const char *path)
{
    world->masked[world->mounts.masked_count++] = path;
}

void world_readonly(struct world *world, const char *path)
{
    world->readonly[world->mounts.readonly_count++] = path;
}

void world_add_default(struct world *world)
{
    world_add(world, PLAN_MOUNT_NEW, "proc", "proc", "/proc")->target_no_symlinks = true;
    world_add_dev(world);
}

void world_add_dev(struct world *world)
{
    static const struct plan_fs_option dev[] = {
        {"mode", "755"   },
        {"size", "65536k"}
    };
    static const struct plan_fs_option pts[] = {
        {"newinstance", NULL  },
        {"ptmxmode",    "0666"},
        {"mode",        "0620"}
    };
    static const struct plan_device devices[] = {
        {"/dev/null",    NULL, S_IFCHR, 1, 3, 0666, 0, 0},
        {"/dev/zero",    NULL, S_IFCHR, 1, 5, 0666, 0, 0},
        {"/dev/full",    NULL, S_IFCHR, 1, 7, 0666, 0, 0},
        {"/dev/random",  NULL, S_IFCHR, 1, 8, 0666, 0, 0},
        {"/dev/urandom", NULL, S_IFCHR, 1, 9, 0666, 0, 0},
        {"/dev/tty",     NULL, S_IFCHR, 5, 0, 0666, 0, 0},
    };
    struct plan_mount *dev_ = world_add(world, PLAN_MOUNT_NEW, "tmpfs", "tmpfs", "/dev");
    struct plan_mount *pts_ = world_add(world, PLAN_MOUNT_NEW, "devpts", "devpts", "/dev/pts");

    dev_->target_no_symlinks = true;
    dev_->attr_set = MOUNT_ATTR_NOSUID;
    dev_->options = dev;
    dev_->option_count = 2;
    pts_->attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    pts_->options = pts;
    pts_->option_count = 3;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        world_add_device(world, devices[i]);
    world_add_link(world, "/dev/fd", "/proc/self/fd");
    world_add_link(world, "/dev/ptmx", "pts/ptmx");
}

/* --- the calls ------------------------------------------------------------------------------ */

static int open_by_parent(struct world *world)
{
    struct sub_err *err = &world->err;

    SUBLET_TRY(mount_tree_new(&world->root, &world->mounts, world->cgroup_path, &world->tree, err));
    SUBLET_TRY(mount_open_root(world->tree, err));
    if (!world->mounts.sources_by_parent)
        return 0;
    SUBLET_TRY(mount_open_sources(world->tree, err));
    return mount_open_group(world->tree, err);
}

int world_open(struct world *world)
{
    SUBLET_TRY(open_by_parent(world));
    if (world->mounts.devices_by_bind)
        world_map_ids();
    else
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    if (!world->mounts.sources_by_parent)
        SUBLET_TRY(mount_open_sources(world->tree, &world->err));
    return mount_open_group(world->tree, &world->err);
}

int world_mount(struct world *world)
{
    SUBLET_TRY(world_open(world));
    SUBLET_TRY(mount_attach_root(world->tree, &world->err));
    return mount_all(world->tree, &world->err);
}

int world_devices(struct world *world)
{
    SUBLET_TRY(world_mount(world));
    return mount_devices(world->tree, &world->err);
}

int world_run(struct world *world)
{
    SUBLET_TRY(world_devices(world));
    SUBLET_TRY(mount_pivot(world->tree, &world->err));
    return mount_seal(world->tree, &world->err);
}

/* --- what is mounted ------------------------------------------------------------------------ */

static void read_table(struct world *world)
{
    int fd = openat(world->proc_fd, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t n;

    ck_assert_int_ge(fd, 0);
    while ((n = read(fd, table + used, sizeof table - 1 - used)) > 0)
        used += (size_t) n;
    table[used] = '\0';
    close(fd);
}

/* ID PARENT DEVICE ROOT TARGET OPTIONS [PROPAGATION...] - TYPE SOURCE SUPER */
static bool read_line(char *line, const char *target, char *found, size_t size)
{
    char *fields[24], *rest = NULL;
    size_t count = 0, dash = 6;

    for (char *at = strtok_r(line, " ", &rest); at != NULL && count < 24;
         at = strtok_r(NULL, " ", &rest))
        fields[count++] = at;
    while (dash < count && strcmp(fields[dash], "-") != 0)
        dash++;
    ck_assert_uint_lt(dash + 2, count);
    if (strcmp(fields[4], target) != 0)
        return false;

    int used = snprintf(found, size, "%s %s %s", fields[5], fields[dash + 1], fields[dash + 2]);
    for (size_t i = 6; i < dash; i++)
        used += snprintf(found + used, size - (size_t) used, " %s", fields[i]);
    return true;
}

const char *mount_at(struct world *world, const char *target)
{
    static char found[1024];
    char *rest = NULL;

    found[0] = '\0';
    read_table(world);
    for (char *line = strtok_r(table, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        (void) read_line(line, target, found, sizeof found); /* the last one is on top */
    return found;
}

bool any_mount_has(struct world *world, const char *word)
{
    read_table(world);
    return strstr(table, word) != NULL;
}

int mount_count(struct world *world)
{
    int count = 0;

    read_table(world);
    for (const char *at = table; *at != '\0'; at++)
        count += *at == '\n';
    return count;
}

int open_fd_count(struct world *world)
{
    return entries_at(world->proc_fd, "thread-self/fd") - 1;
}
