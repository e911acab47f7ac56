/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of definitions: NAME.json, written whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/listing.h"
#include "sublet/json.h"
#include "sublet/sys.h"

#include "file.h"
#include "private.h"

#define FRESH_NAME ".new"
#define NAME_ROOM  (TENANT_NAME_MAX + sizeof FILE_SUFFIX)

/* Who may write there could give himself the machine. */
static int check_dir(int fd, const char *path, struct sub_err *err)
{
    struct stat st;
    int rc = sys_fstat(fd, &st);

    if (rc < 0)
        return sub_fail(err, -rc, path, "cannot stat: %s", sub_strerror(-rc));
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return sub_fail(err, EPERM, path, "the folder of tenants belongs to uid %u, expected 0",
                        st.st_uid);
    if ((st.st_mode & 022) != 0)
        return sub_fail(err, EPERM, path,
                        "others may write to the folder of tenants (mode %o), expected 0755",
                        st.st_mode & 07777);
    return 0;
}

int tenant_dir_open(const char *path, bool make, bool lock, int *ret_dir_fd, struct sub_err *err)
{
    OWNED_FD fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

    if (fd == -ENOENT && !make)
        return -ENOENT;
    if (fd == -ENOENT) {
        int rc = sys_make_folders(path, 0755);

        if (rc < 0)
            return sub_fail(err, -rc, path, "cannot make the folder of tenants: %s",
                            sub_strerror(-rc));
        fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    }
    if (fd < 0)
        return sub_fail(err, -fd, path, "cannot open the folder of tenants: %s", sub_strerror(-fd));
    SUBLET_TRY(check_dir(fd, path, err));

    int rc = lock ? sys_lock_within(fd, TENANT_LOCK_MS) : 0;
    if (rc == -EBUSY)
        return sub_fail(err, EBUSY, path, "another command holds the folder of tenants");
    if (rc < 0)
        return sub_fail(err, -rc, path, "cannot lock: %s", sub_strerror(-rc));
    *ret_dir_fd = sub_take_fd(&fd);
    return 0;
}

/* "acme.json" -> "acme"; false for anything else that may lie there. */
static bool name_of_file(const char *file, char name[NAME_ROOM])
{
    size_t length = strlen(file), suffix = strlen(FILE_SUFFIX);

    if (length <= suffix || length >= NAME_ROOM || strcmp(file + length - suffix, FILE_SUFFIX) != 0)
        return false;
    memcpy(name, file, length - suffix);
    name[length - suffix] = '\0';
    return tenant_name_check(name, NULL, NULL) == 0 || name_is_reserved(name);
}

static int load_one(struct arena *arena, int dir_fd, const char *name, struct tenant *ret_tenant,
                    struct sub_err *err)
{
    const char *file = arena_printf(arena, "%s" FILE_SUFFIX, name);
    /* before it is read: what changes meanwhile is then another one */
    struct tenant tenant = {.name = arena_strdup(arena, name),
                            .origin = file == NULL ? NULL : tenant_origin(arena, dir_fd, file)};
    OWNED_MEM char *text = NULL;
    size_t size = 0;

    if (file == NULL || tenant.name == NULL || tenant.origin == NULL)
        return -ENOMEM;
    SUBLET_TRY(tenant_name_check(name, file, err));
    SUBLET_TRY(sub_load_file_at(dir_fd, file, TENANT_FILE_MAX, &text, &size, err));
    SUBLET_TRY(tenant_decode(arena, file, text, size, &tenant.contract, err));
    *ret_tenant = tenant;
    return 0;
}

/* Into room for one more; the array doubles whenever its count is a power of two. */
static int add(struct arena *arena, struct tenants *tenants, const struct tenant *tenant,
               struct sub_err *err)
{
    size_t count = tenants->count;

    if (count == TENANTS_MAX)
        return sub_fail(err, E2BIG, NULL, "more than %d tenants", TENANTS_MAX);
    if ((count & (count - 1)) == 0)
        tenants->items = arena_grow(arena, tenants->items, count, count == 0 ? 1 : 2 * count,
                                    sizeof *tenants->items);
    if (tenants->items == NULL)
        return -ENOMEM;
    tenants->items[tenants->count++] = *tenant;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct tenant *one = a, *other = b;

    return strcmp(one->name, other->name);
}

static int add_default(struct arena *arena, struct tenants *tenants, struct sub_err *err)
{
    struct tenant tenant = {.name = TENANT_DEFAULT, .builtin = true, .origin = TENANT_BUILTIN};

    for (size_t i = 0; i < tenants->count; i++) {
        if (strcmp(tenants->items[i].name, TENANT_DEFAULT) == 0)
            return 0;
    }
    tenant_contract_init(&tenant.contract);
    return add(arena, tenants, &tenant, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Sorted, for what is said of them comes in the same order everywhere. */
static int list_names(struct arena *arena, int dir_fd, char ***ret_names, size_t *ret_count,
                      struct sub_err *err)
{
    OWNED_FOLDER folder = listing_open(dir_fd);
    char name[NAME_ROOM], **names = NULL;
    size_t count = 0, room = 0;

    if (folder == NULL)
        return sub_fail(err, errno, NULL, "cannot list the folder of tenants: %s",
                        sub_strerror(errno));
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!name_of_file(entry->d_name, name))
            continue;
        if (count == room) {
            room = room == 0 ? 16 : 2 * room;
            names = arena_grow(arena, names, count, room, sizeof *names);
        }
        if (names == NULL || (names[count] = arena_strdup(arena, name)) == NULL)
            return -ENOMEM;
        count++;
    }
    if (count > 0)
        qsort(names, count, sizeof *names, by_text);
    *ret_names = names;
    *ret_count = count;
    return 0;
}

int tenants_load(struct arena *arena, int dir_fd, struct findings *findings,
                 struct tenants *ret_tenants, struct sub_err *err)
{
    struct tenants tenants = {0};
    char **names;
    size_t count;

    SUBLET_TRY(list_names(arena, dir_fd, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        const char *name = names[i];
        struct sub_err wrong = {.code = 0};
        struct tenant tenant;

        if (load_one(arena, dir_fd, name, &tenant, &wrong) < 0)
            findings_error(findings, wrong.path, "%s", wrong.text);
        else
            SUBLET_TRY(add(arena, &tenants, &tenant, err));
    }
    SUBLET_TRY(add_default(arena, &tenants, err));
    qsort(tenants.items, tenants.count, sizeof *tenants.items, by_name);
    *ret_tenants = tenants;
    return arena_failed(arena) ? -ENOMEM : 0;
}

static size_t count_definitions(DIR *folder)
{
    char name[NAME_ROOM];
    size_t count = 0;

    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += name_of_file(entry->d_name, name);
    return count;
}

int tenant_find(struct arena *arena, const char *dir_path, const char *name, size_t *ret_defined,
                struct tenant *ret_tenant, struct sub_err *err)
{
    int dir = -EBADF;
    int rc = tenant_dir_open(dir_path, false, false, &dir, err);

    if (rc == -ENOENT) {
        *ret_defined = 0;
        return name == NULL ? 0 : -ENOENT;
    }
    if (rc < 0)
        return rc;

    OWNED_FD owned = dir;
    OWNED_FOLDER folder = listing_open(dir);
    if (folder == NULL)
        return sub_fail(err, errno, dir_path, "cannot list: %s", sub_strerror(errno));
    *ret_defined = count_definitions(folder);
    if (name == NULL)
        return 0;
    SUBLET_TRY(tenant_name_check(name, NULL, err));

    struct sub_err wrong = {.code = 0};
    rc = load_one(arena, dir, name, ret_tenant, &wrong);
    if (rc == -ENOENT && strcmp(name, TENANT_DEFAULT) == 0) {
        *ret_tenant =
            (struct tenant){.name = TENANT_DEFAULT, .builtin = true, .origin = TENANT_BUILTIN};
        tenant_contract_init(&ret_tenant->contract);
        return 0;
    }
    if (rc < 0 && rc != -ENOENT)
        return sub_fail(err, -rc, wrong.path, "%s", wrong.text);
    return rc;
}

static int write_fresh(int dir_fd, const struct buf *text)
{
    OWNED_FD fd = sys_openat(dir_fd, FRESH_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);

    if (fd < 0)
        return fd;
    SUBLET_TRY(sub_write_all(fd, text->data, text->length));
    return fsync(fd) < 0 ? -errno : 0;
}

int tenant_save(struct arena *arena, int dir_fd, struct tenant *tenant, struct sub_err *err)
{
    OWNED_BUF text = BUF(TENANT_FILE_MAX);
    struct json_writer writer;
    char file[NAME_ROOM];

    SUBLET_TRY(tenant_name_check(tenant->name, NULL, err));
    size_t length = strlen(tenant->name);
    memcpy(file, tenant->name, length);
    memcpy(file + length, FILE_SUFFIX, sizeof FILE_SUFFIX);

    json_writer_init(&writer, &text, 4);
    int rc = tenant_encode(tenant, &writer, NULL);
    buf_putc(&text, '\n');
    if (rc < 0 || buf_failed(&text))
        return sub_fail(err, ENOMEM, file, "the definition is larger than %zu bytes",
                        TENANT_FILE_MAX);
    rc = write_fresh(dir_fd, &text);
    if (rc == 0)
        rc = sys_renameat(dir_fd, FRESH_NAME, dir_fd, file);
    if (rc < 0) {
        (void) sys_unlinkat(dir_fd, FRESH_NAME, 0); /* what failed before is what is told */
        return sub_fail(err, -rc, file, "cannot write the definition: %s", sub_strerror(-rc));
    }
    tenant->origin = tenant_origin(arena, dir_fd, file);
    return fsync(dir_fd) < 0 ? sub_fail(err, errno, file, "fsync: %s", sub_strerror(errno)) : 0;
}

int tenant_erase(int dir_fd, const char *name, struct sub_err *err)
{
    char file[NAME_ROOM];

    SUBLET_TRY(tenant_name_check(name, NULL, err));
    (void) snprintf(file, sizeof file, "%s%s", name, FILE_SUFFIX);

    int rc = sys_unlinkat(dir_fd, file, 0);
    if (rc < 0 && rc != -ENOENT)
        return sub_fail(err, -rc, file, "cannot remove the definition: %s", sub_strerror(-rc));
    return rc;
}
