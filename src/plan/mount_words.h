/* SPDX-License-Identifier: Apache-2.0 */
/* The options of one mount, read word by word in their order. */
#ifndef SUBLET_PLAN_MOUNT_WORDS_H
#define SUBLET_PLAN_MOUNT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct planning;

/* MOUNT_ATTR_* or MOUNT_SUPER_* bits: what is to be on, what is to be off, what was named. */
struct mount_bits {
    uint64_t set, clear, named;
};

/* Properties of a file system as a whole, not of one mount of it. */
#define MOUNT_SUPER_SYNC      1u
#define MOUNT_SUPER_DIRSYNC   2u
#define MOUNT_SUPER_LAZYTIME  4u

#define MOUNT_IS_BIND         1u
#define MOUNT_COPY_UP         2u
#define MOUNT_COPY_SYMLINK    4u
#define MOUNT_SOURCE_NOFOLLOW 8u
#define MOUNT_TARGET_NOFOLLOW 16u
#define MOUNT_IS_REMOUNT      32u

/* A word that is not ours but the file system's: "size=64m". */
struct mount_datum {
    const char *word;
    size_t index; /* into options[] */
    bool is_acl;  /* acl, noacl: for the file systems that know them */
};

struct mount_request {
    struct mount_bits own, tree, super;
    uint32_t flags; /* MOUNT_IS_BIND ... */
    bool recursive; /* rbind */
    uint64_t propagation;
    bool propagation_recursive;
    const char *idmap;  /* NULL: none; "": maps of the config; else what stands behind "idmap=" */
    size_t idmap_index; /* of its option */
    bool idmap_recursive;
    struct mount_datum *data;
    size_t data_count;
};

/* Reads mounts[index].options; contradictions become warnings, words that cannot be had errors.
 * False when memory is short. */
bool mount_words_read(struct planning *p, size_t index, struct mount_request *ret_request);

#endif
