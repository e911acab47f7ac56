/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>

static void folder_init(struct folder *folder, const char *path)
{
    *folder = (struct folder){.path = path, .clone = -EBADF};
}

void mount_use_idmaps(struct mount_tree *tree, const int *user_ns_fds)
{
    tree->idmaps = user_ns_fds;
}

static struct mount_tree *tree_alloc(const struct plan_root *root, const struct plan_mounts *mounts)
{
    struct mount_tree *tree = calloc(1, sizeof *tree + mounts->count * sizeof *tree->fds);
    if (tree == NULL)
        return NULL;

    tree->lowers = calloc(root->lower_count + 1, sizeof *tree->lowers); /* never of no bytes */
    if (tree->lowers == NULL) {
        free(tree);
        return NULL;
    }
    return tree;
}

int mount_tree_new(const struct plan_root *root, const struct plan_mounts *mounts,
                   const char *cgroup_path, struct mount_tree **ret_tree, struct sub_err *err)
{
    struct mount_tree *tree = tree_alloc(root, mounts);
    if (tree == NULL)
        return sub_fail(err, ENOMEM, "mounts", "no memory for %zu mounts", mounts->count);

    tree->plan_root = root;
    tree->plan = mounts;
    tree->cgroup_path = cgroup_path;
    tree->root = tree->upper_lock = tree->dev = tree->null.fd = -EBADF;
    folder_init(&tree->folder, root->path);
    folder_init(&tree->upper, root->upper);
    for (size_t i = 0; i < root->lower_count; i++)
        folder_init(&tree->lowers[i], root->lowers[i]);
    for (size_t i = 0; i < mounts->count; i++)
        tree->fds[i] = -EBADF;
    *ret_tree = tree;
    return 0;
}

void mount_tree_free(struct mount_tree *tree)
{
    if (tree == NULL)
        return;

    sub_close(&tree->root);
    sub_close(&tree->folder.clone);
    sub_close(&tree->upper.clone);
    sub_close(&tree->upper_lock);
    sub_close(&tree->dev);
    sub_close(&tree->null.fd);
    for (size_t i = 0; i < tree->plan_root->lower_count; i++)
        sub_close(&tree->lowers[i].clone);
    for (size_t i = 0; i < tree->plan->count; i++)
        sub_close(&tree->fds[i]);
    if (tree->old_limit.rlim_max != 0)
        (void) sys_setrlimit(RLIMIT_NOFILE, &tree->old_limit); /* lowering is always allowed */
    free(tree->lowers);
    free(tree);
}

void mount_tree_freep(struct mount_tree **tree)
{
    mount_tree_free(*tree);
    *tree = NULL;
}

int mount_root_fd(const struct mount_tree *tree)
{
    return tree->root;
}

const char *mount_error_text(int code)
{
    if (code == ENOSPC)
        return "the host's limit of mounts in a namespace is reached (fs.mount-max)";
    if (code == EMFILE)
        return "too many open files: raise the limit of the runtime (ulimit -n)";
    return sub_strerror(code);
}
