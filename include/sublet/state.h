/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's record on disk and its lock: ROOT/ID/state.json, beside it the two FIFOs of a
 * start and a copy of config.json. It knows how a record is claimed, written whole or not at all,
 * and whether the process it names is still that process; what follows from that is run's.
 *
 * Order (crash consistency): the folder is the claim; the record with all that will have to be
 * undone is written before the first effect outside; removal takes the record last.
 */
#ifndef SUBLET_STATE_H
#define SUBLET_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct spec_resources;
struct sub_err;

#define STATE_FILE          "state.json"
#define STATE_FRESH         "state.json.new" /* the next record, until it is published */
#define STATE_CONFIG        "config.json"
#define STATE_FIFO          "start"  /* `start` writes one byte; there while status is created */
#define STATE_ANSWER        "answer" /* the child reports a failure behind it, or closes it */
#define STATE_NOTIFY        "notify" /* folder with the socket that the container may notify over */
#define STATE_NOTIFY_SOCKET "socket"
#define STATE_TOLD          "told"   /* the ledger has the container's end */
#define STATE_CACHE         ".cache" /* no ID begins with a dot */
#define STATE_MAX_BYTES     ((size_t) 4 << 20)
#define STATE_LOCK_MS       10000

struct state_pair {
    const char *key, *value;
};

struct state_pairs {
    const struct state_pair *items;
    size_t count;
};

/* What names one process for ever: a pid alone is used again. */
struct state_process {
    int32_t pid;          /* 0: none yet */
    uint64_t pidfs_inode; /* Linux 6.9 and newer, else 0 */
    uint64_t start_ticks; /* field 22 of /proc/PID/stat, where there is no pidfs; else 0 */
};

/* A mount that came later, and its id. */
struct state_mount {
    const char *destination;
    uint64_t id;
};

struct state_mounts {
    const struct state_mount *items;
    size_t count;
};

struct state_record {
    const char *id, *oci_version, *bundle, *rootfs;
    const char *created; /* RFC 3339, UTC */
    const char *boot_id;
    bool this_boot; /* read from a file system in memory: it cannot be of another */
    bool complete;  /* create has done all; false: it is at work, or died in it */
    struct state_process process;
    const char *cgroup_path;                     /* below the v2 mount; NULL: none */
    uint32_t cgroup_parents;                     /* how many parents of it create makes */
    bool cgroup_kept;                            /* the group was there before: empty it, keep it */
    const char *cgroup_manager;                  /* "cgroupfs", "systemd", "disabled" */
    const char *resctrl_group;                   /* made by create; NULL: none */
    const char *resctrl_monitor;                 /* "GROUP/mon_groups/ID"; NULL: none */
    const char *l3_cache_schema, *mem_bw_schema; /* as resources */
    const char *systemd_unit;                    /* manager systemd: "docker-abc.scope" */
    const char *systemd_scope; /* its group; cgroup_path is it, or one level below */
    bool systemd_user;         /* of the user's session manager */
    bool start_hooks;          /* startContainer or poststart hooks: start has to wait for them */
    bool stop_hooks;           /* poststop hooks: delete has to read config.json */
    const char *tenant;        /* NULL: none */
    bool tenant_outside;       /* the group is not the tenant's */
    bool keyring; /* the process has joined a session keyring named after the container */
    uint32_t owner_uid;
    struct state_pairs annotations;
    struct state_mounts mounts;             /* what 'mounts add' has put into it */
    const struct spec_resources *resources; /* since an update; NULL: those of config.json */
    const struct spec_resources *update;    /* given to one that is at work, or was killed in it */
};

/* Opens the state root, making it 0700 if asked. Refused: a symbolic link, a folder of somebody
 * else, one that others may write to. -ENOENT without text if it does not exist and make is false.
 */
int state_root_open(const char *path, bool make, int *ret_root_fd, struct sub_err *err);

/* Makes the folder of a new container and locks it. -EEXIST if the ID is taken. */
int state_claim(int root_fd, const char *id, int *ret_dir_fd, struct sub_err *err);

/* Opens the folder of a container. lock: waits at most STATE_LOCK_MS for other commands on it.
 * -ENOENT with the text engines match if there is none; -EBUSY if the lock stays taken. */
int state_open(int root_fd, const char *id, bool lock, int *ret_dir_fd, struct sub_err *err);

/* Locks a folder that state_open has opened without. -ENOENT: the container is not that one any
 * more. */
int state_lock(int root_fd, const char *id, int dir_fd, struct sub_err *err);

/* Lets other commands on, though a child may have the folder open still. */
void state_unlock(int dir_fd);

/* 1 if some command holds the lock now (a create at work), 0 if not, -errno. */
int state_is_locked(int dir_fd);

/* Writes the record by a new file and a rename; readers see the old one or the new one. */
int state_write(int dir_fd, const struct state_record *record, struct sub_err *err);

/* The same in two steps: all the work first, the moment of truth as one cheap call later. */
int state_prepare(int dir_fd, const struct state_record *record, struct sub_err *err);
int state_publish(int dir_fd, struct sub_err *err);
void state_discard(int dir_fd); /* what state_prepare wrote */

/* -ENODATA without text when there is no record yet; -EINVAL "corrupt" when it makes no sense. */
int state_read(struct arena *arena, int dir_fd, struct state_record *ret_record,
               struct sub_err *err);

/* Writes another file of the folder (the copy of config.json), once. */
int state_save(int dir_fd, const char *name, const char *text, size_t size, struct sub_err *err);

/* -ENOTEMPTY if the folder has something that no container's has: without a record nothing else
 * tells that it is one. */
int state_check_folder(int dir_fd, const char *id, struct sub_err *err);

/* Removes everything in the folder, the record last, then the folder. */
int state_remove(int root_fd, const char *id, int dir_fd, struct sub_err *err);

/* Identity of a live process behind a pidfd. */
int state_identify(pid_t pid, int pidfd, struct state_process *ret_process);

/* Opens a pidfd if the process of the record lives and is the same one. -ESRCH: it is gone, a
 * zombie, of another boot, or a stranger has its number. Any other -errno: that could not be found
 * out, and must not be taken for "gone". */
int state_process_open(const struct state_record *record);

/* Current time as RFC 3339 with nanoseconds, without reading a time zone. */
#define STATE_TIME_TEXT 40
void state_time_now(char text[STATE_TIME_TEXT]);
int state_boot_id(char text[64]);

#endif
