/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/ns.h"
#include "sublet/sys.h"
#include "sublet/sys/program.h"

#define HELPER_ARGS_MAX (3 + 3 * 340)
#define HELPER_LIMIT_MS 10000
#define MAP_SIZE        (340 * 34 + 1) /* as many lines as the kernel takes */

int ns_write_proc(pid_t pid, const char *name, const char *text)
{
    char path[64];

    (void) snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, name);
    OWNED_FD fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
    if (fd < 0)
        return fd;
    return sub_write_all(fd, text, strlen(text));
}

/* Takes the next of the kernel's columns. */
static bool next_number(const char **text, uint32_t *ret_value)
{
    char number[NUM_TEXT];
    const char *start = *text + strspn(*text, " \n");
    size_t length = strcspn(start, " \n");

    if (length >= sizeof number)
        return false;
    memcpy(number, start, length);
    number[length] = '\0';
    *text = start + length;
    return num_parse_u32(number, UINT32_MAX, ret_value) == 0;
}

int ns_host_uid(pid_t pid, uint32_t uid, uint32_t *ret_host_uid)
{
    char path[64], map[MAP_SIZE];
    const char *text = map;
    uint32_t inside, outside, count;

    (void) snprintf(path, sizeof path, "/proc/%d/uid_map", (int) pid);
    ssize_t size = sub_read_file_at(AT_FDCWD, path, map, sizeof map);
    if (size < 0)
        return (int) size;
    while (next_number(&text, &inside) && next_number(&text, &outside) &&
           next_number(&text, &count)) {
        if (uid < inside || uid - inside >= count)
            continue;
        *ret_host_uid = outside + (uid - inside);
        return 0;
    }
    return -ENOENT;
}

__attribute__((noreturn)) static void become(const char *program, const char *const *argv,
                                             int errors)
{
    static char *const environment[] = {NULL};
    OWNED_FD null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);

    if (null < 0 || sys_dup_to(null, 0) < 0 || sys_dup_to(null, 1) < 0 || sys_dup_to(errors, 2) < 0)
        _exit(127);
    (void) sys_close_range(3, ~0U, 0);
    (void) sys_execveat(AT_FDCWD, program, (char *const *) (uintptr_t) argv, environment, 0);
    _exit(127);
}

static void read_words(int fd, char *words, size_t size)
{
    ssize_t n = lseek(fd, 0, SEEK_SET) < 0 ? -1 : sub_read_all(fd, words, size - 1);

    words[n < 0 ? 0 : n] = '\0';
    words[strcspn(words, "\n")] = '\0';
}

/* newuidmap PID inside outside size ...: the setuid helper of the host. words: its first line. */
static int run_helper(const char *program, pid_t pid, const char *const *triples, char *words,
                      size_t size)
{
    const char *argv[HELPER_ARGS_MAX + 1] = {program};
    char digits[NUM_TEXT];
    size_t count = 2;
    int pidfd = -EBADF, status = 0;

    argv[1] = num_format_u64((uint64_t) pid, digits);
    for (; *triples != NULL && count < HELPER_ARGS_MAX; triples++)
        argv[count++] = *triples;
    argv[count] = NULL;

    OWNED_FD errors = sys_memfd("sublet-err", 0);
    if (errors < 0)
        return errors;
    pid_t helper = sys_clone(&(struct sys_clone){.cgroup_fd = -1, .ret_pidfd = &pidfd});
    if (helper == 0)
        become(program, argv, errors);
    OWNED_FD owned = pidfd;
    if (helper < 0)
        return helper;

    struct pollfd ended = {.fd = owned, .events = POLLIN};
    int rc = sys_poll(&ended, 1, HELPER_LIMIT_MS);
    if (rc < 0)
        (void) sys_pidfd_signal(owned, SIGKILL); /* its real uid is ours still */
    int reaped = sys_pidfd_wait(owned, 0, &status);
    if (rc >= 0)
        rc = reaped;
    read_words(errors, words, size);
    if (rc < 0)
        return rc;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static int write_map(const struct plan_ns *ns, pid_t pid, bool user, struct sub_err *err)
{
    const char *file = user ? "uid_map" : "gid_map";
    const char *text = user ? ns->uid_map_text : ns->gid_map_text;
    const char *const *args = user ? ns->uid_map_args : ns->gid_map_args;
    const char *helper = sys_id_tool_find(user ? SYS_NEWUIDMAP : SYS_NEWGIDMAP);
    char words[256] = "";
    const char *json = user ? "linux.uidMappings" : "linux.gidMappings";

    if (text == NULL)
        return 0;

    int rc = ns_write_proc(pid, file, text);
    if (rc == 0 || args == NULL || rc != -EPERM)
        return rc == 0 ? 0
                       : sub_fail(err, -rc, json, "the kernel refused the map of %s: %s", file,
                                  sub_strerror(-rc));

    if (helper == NULL)
        return sub_fail(err, ENOENT, json,
                        "new%cidmap (package uidmap) is needed to map other ids than one's own",
                        user ? 'u' : 'g');
    rc = run_helper(helper, pid, args, words, sizeof words);
    if (rc < 0)
        return sub_fail(err, -rc, json, "%s failed: %s (uid %u gets its ranges from /etc/sub%cid)",
                        helper, words[0] == '\0' ? sub_strerror(-rc) : words, (unsigned) getuid(),
                        user ? 'u' : 'g');
    return 0;
}

int ns_write_id_maps(const struct plan_ns *ns, pid_t pid, struct sub_err *err)
{
    if (!ns->new_user)
        return 0;

    int rc = ns->deny_setgroups ? ns_write_proc(pid, "setgroups", "deny") : 0;
    if (rc < 0)
        return sub_fail(err, -rc, "linux.gidMappings", "cannot deny setgroups: %s",
                        sub_strerror(-rc));
    SUBLET_TRY(write_map(ns, pid, false, err));
    return write_map(ns, pid, true, err);
}

int ns_become_root(const struct plan_ns *ns, struct sub_err *err)
{
    if (!ns->new_user && !ns->join_user)
        return 0;

    /* setres*id, not one of its weaker sisters: saved and file system ids must change, too */
    int rc = sys_setresgid(0, 0, 0);
    if (rc == 0)
        rc = sys_setresuid(0, 0, 0);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.uidMappings",
                        "cannot become root of the user namespace: %s", sub_strerror(-rc));
    /* the kernel clears both when ids change */
    (void) sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
    (void) sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return 0;
}
