/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_words.h"

#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "sublet/base/log.h"

#include "planning.h"

enum word_verb {
    WORD_ATTR,        /* of the mount itself */
    WORD_TREE,        /* of the mount and everything below */
    WORD_SUPER,       /* of the file system */
    WORD_PROPAGATION, /* set: MS_* */
    WORD_FLAG,        /* set: MOUNT_IS_BIND ... */
    WORD_IDMAP,       /* owners as other ids */
    WORD_ACL,         /* data for the file systems that know it */
    WORD_NOTHING,     /* asks for what is so anyway, or for what Linux has given up */
};

/* "Clear these, then set those": the last word wins. atime is a field of three values, of which
 * relatime is 0; a word that takes one of them back leaves the others alone. */
struct mount_word {
    const char *name;
    uint8_t verb;
    bool recursive;
    uint64_t clear, set;
};

#define ATIME MOUNT_ATTR__ATIME

/* Sorted by name. mand went away in Linux 5.15; iversion and silent have no meaning in the mount
 * API (a file system counts versions where it can, and says nothing anyway). */
static const struct mount_word words[] = {
    {"acl",            WORD_ACL,         false, 0,                      0                     },
    {"async",          WORD_SUPER,       false, MOUNT_SUPER_SYNC,       0                     },
    {"atime",          WORD_ATTR,        false, MOUNT_ATTR_NOATIME,     0                     },
    {"bind",           WORD_FLAG,        false, 0,                      MOUNT_IS_BIND         },
    {"copy-symlink",   WORD_FLAG,        false, 0,                      MOUNT_COPY_SYMLINK    },
    {"defaults",       WORD_NOTHING,     false, 0,                      0                     },
    {"dest-nofollow",  WORD_FLAG,        false, 0,                      MOUNT_TARGET_NOFOLLOW },
    {"dev",            WORD_ATTR,        false, MOUNT_ATTR_NODEV,       0                     },
    {"diratime",       WORD_ATTR,        false, MOUNT_ATTR_NODIRATIME,  0                     },
    {"dirsync",        WORD_SUPER,       false, 0,                      MOUNT_SUPER_DIRSYNC   },
    {"exec",           WORD_ATTR,        false, MOUNT_ATTR_NOEXEC,      0                     },
    {"idmap",          WORD_IDMAP,       false, 0,                      0                     },
    {"iversion",       WORD_NOTHING,     false, 0,                      0                     },
    {"lazytime",       WORD_SUPER,       false, 0,                      MOUNT_SUPER_LAZYTIME  },
    {"loud",           WORD_NOTHING,     false, 0,                      0                     },
    {"mand",           WORD_NOTHING,     false, 0,                      0                     },
    {"noacl",          WORD_ACL,         false, 0,                      0                     },
    {"noatime",        WORD_ATTR,        false, ATIME,                  MOUNT_ATTR_NOATIME    },
    {"nodev",          WORD_ATTR,        false, 0,                      MOUNT_ATTR_NODEV      },
    {"nodiratime",     WORD_ATTR,        false, 0,                      MOUNT_ATTR_NODIRATIME },
    {"noexec",         WORD_ATTR,        false, 0,                      MOUNT_ATTR_NOEXEC     },
    {"noiversion",     WORD_NOTHING,     false, 0,                      0                     },
    {"nolazytime",     WORD_SUPER,       false, MOUNT_SUPER_LAZYTIME,   0                     },
    {"nomand",         WORD_NOTHING,     false, 0,                      0                     },
    {"norelatime",     WORD_NOTHING,     false, 0,                      0                     },
    {"nostrictatime",  WORD_ATTR,        false, MOUNT_ATTR_STRICTATIME, 0                     },
    {"nosuid",         WORD_ATTR,        false, 0,                      MOUNT_ATTR_NOSUID     },
    {"nosymfollow",    WORD_ATTR,        false, 0,                      MOUNT_ATTR_NOSYMFOLLOW},
    {"private",        WORD_PROPAGATION, false, 0,                      MS_PRIVATE            },
    {"ratime",         WORD_TREE,        false, MOUNT_ATTR_NOATIME,     0                     },
    {"rbind",          WORD_FLAG,        true,  0,                      MOUNT_IS_BIND         },
    {"rdev",           WORD_TREE,        false, MOUNT_ATTR_NODEV,       0                     },
    {"rdiratime",      WORD_TREE,        false, MOUNT_ATTR_NODIRATIME,  0                     },
    {"relatime",       WORD_ATTR,        false, ATIME,                  MOUNT_ATTR_RELATIME   },
    {"remount",        WORD_FLAG,        false, 0,                      MOUNT_IS_REMOUNT      },
    {"rexec",          WORD_TREE,        false, MOUNT_ATTR_NOEXEC,      0                     },
    {"ridmap",         WORD_IDMAP,       true,  0,                      0                     },
    {"rnoatime",       WORD_TREE,        false, ATIME,                  MOUNT_ATTR_NOATIME    },
    {"rnodev",         WORD_TREE,        false, 0,                      MOUNT_ATTR_NODEV      },
    {"rnodiratime",    WORD_TREE,        false, 0,                      MOUNT_ATTR_NODIRATIME },
    {"rnoexec",        WORD_TREE,        false, 0,                      MOUNT_ATTR_NOEXEC     },
    {"rnorelatime",    WORD_NOTHING,     false, 0,                      0                     },
    {"rnostrictatime", WORD_TREE,        false, MOUNT_ATTR_STRICTATIME, 0                     },
    {"rnosuid",        WORD_TREE,        false, 0,                      MOUNT_ATTR_NOSUID     },
    {"rnosymfollow",   WORD_TREE,        false, 0,                      MOUNT_ATTR_NOSYMFOLLOW},
    {"ro",             WORD_ATTR,        false, 0,                      MOUNT_ATTR_RDONLY     },
    {"rprivate",       WORD_PROPAGATION, true,  0,                      MS_PRIVATE            },
    {"rrelatime",      WORD_TREE,        false, ATIME,                  MOUNT_ATTR_RELATIME   },
    {"rro",            WORD_TREE,        false, 0,                      MOUNT_ATTR_RDONLY     },
    {"rrw",            WORD_TREE,        false, MOUNT_ATTR_RDONLY,      0                     },
    {"rshared",        WORD_PROPAGATION, true,  0,                      MS_SHARED             },
    {"rslave",         WORD_PROPAGATION, true,  0,                      MS_SLAVE              },
    {"rstrictatime",   WORD_TREE,        false, ATIME,                  MOUNT_ATTR_STRICTATIME},
    {"rsuid",          WORD_TREE,        false, MOUNT_ATTR_NOSUID,      0                     },
    {"rsymfollow",     WORD_TREE,        false, MOUNT_ATTR_NOSYMFOLLOW, 0                     },
    {"runbindable",    WORD_PROPAGATION, true,  0,                      MS_UNBINDABLE         },
    {"rw",             WORD_ATTR,        false, MOUNT_ATTR_RDONLY,      0                     },
    {"shared",         WORD_PROPAGATION, false, 0,                      MS_SHARED             },
    {"silent",         WORD_NOTHING,     false, 0,                      0                     },
    {"slave",          WORD_PROPAGATION, false, 0,                      MS_SLAVE              },
    {"src-nofollow",   WORD_FLAG,        false, 0,                      MOUNT_SOURCE_NOFOLLOW },
    {"strictatime",    WORD_ATTR,        false, ATIME,                  MOUNT_ATTR_STRICTATIME},
    {"suid",           WORD_ATTR,        false, MOUNT_ATTR_NOSUID,      0                     },
    {"symfollow",      WORD_ATTR,        false, MOUNT_ATTR_NOSYMFOLLOW, 0                     },
    {"sync",           WORD_SUPER,       false, 0,                      MOUNT_SUPER_SYNC      },
    {"tmpcopyup",      WORD_FLAG,        false, 0,                      MOUNT_COPY_UP         },
    {"unbindable",     WORD_PROPAGATION, false, 0,                      MS_UNBINDABLE         },
};
#define WORD_COUNT (sizeof words / sizeof *words)

size_t plan_mount_word_count(void)
{
    return WORD_COUNT;
}

const char *plan_mount_word(size_t index)
{
    return index < WORD_COUNT ? words[index].name : NULL;
}

static int compare_names(const void *name, const void *word)
{
    return strcmp(name, ((const struct mount_word *) word)->name);
}

/* True if the word took back something that an earlier one asked for. What was asked to be off is
 * remembered as well, because a bind mount starts with the attributes of its source. */
static bool fold(struct mount_bits *bits, const struct mount_word *word)
{
    uint64_t touched = word->clear | word->set;
    uint64_t set = (bits->set & ~word->clear) | word->set;
    bool contradicts = ((set ^ bits->set) & bits->named) != 0;

    bits->set = set;
    bits->clear = (bits->clear & ~word->set) | word->clear;
    bits->named |= touched;
    return contradicts;
}

/* mount_setattr(2) takes the atime field whole or not at all. */
static void complete_atime(struct mount_bits *bits)
{
    if ((bits->named & ATIME) != 0)
        bits->clear |= ATIME;
}

/* Where a word stands; its text is made only for the few that have something to say. */
struct place {
    struct planning *p;
    size_t mount, option;
};

static const char *place_text(const struct place *at)
{
    return arena_printf(at->p->arena, "mounts[%zu].options[%zu]", at->mount, at->option);
}

static void warn_override(const struct place *at, const struct mount_word *word)
{
    plan_warning(at->p, place_text(at), "'%s' overrides an earlier option", word->name);
}

static void add_flag(const struct place *at, const struct mount_word *word,
                     struct mount_request *request)
{
    bool again = (request->flags & MOUNT_IS_BIND) != 0 && word->set == MOUNT_IS_BIND;

    if (again && request->recursive != word->recursive)
        warn_override(at, word);
    request->flags |= (uint32_t) word->set;
    if (word->set == MOUNT_IS_BIND)
        request->recursive = word->recursive;
}

static void add_propagation(const struct place *at, const struct mount_word *word,
                            struct mount_request *request)
{
    if (request->propagation != 0 &&
        (request->propagation != word->set || request->propagation_recursive != word->recursive))
        plan_error(at->p, place_text(at), "'%s' is a second, different propagation", word->name);
    request->propagation = word->set;
    request->propagation_recursive = word->recursive;
}

/* "idmap", "ridmap=uids=...": maps is what stands behind the sign, "" if nothing does. */
static void add_idmap(const struct place *at, bool recursive, const char *maps,
                      struct mount_request *request)
{
    if (request->idmap != NULL)
        plan_warning(at->p, place_text(at), "overrides an earlier idmap");
    request->idmap = maps;
    request->idmap_index = at->option;
    request->idmap_recursive = recursive;
}

/* True if the option is one with maps of its own. */
static bool read_idmap(const struct place *at, const char *text, struct mount_request *request)
{
    static const char word[] = "idmap=";
    bool recursive = *text == 'r';

    text += recursive;
    if (strncmp(text, word, sizeof word - 1) != 0)
        return false;
    add_idmap(at, recursive, text + sizeof word - 1, request);
    return true;
}

static void apply(const struct place *at, const struct mount_word *word,
                  struct mount_request *request)
{
    bool contradicts = false;

    switch ((enum word_verb) word->verb) {
    case WORD_ATTR:
        contradicts = fold(&request->own, word);
        break;
    case WORD_TREE:
        contradicts = fold(&request->tree, word);
        break;
    case WORD_SUPER:
        contradicts = fold(&request->super, word);
        break;
    case WORD_PROPAGATION:
        add_propagation(at, word, request);
        break;
    case WORD_FLAG:
        add_flag(at, word, request);
        break;
    case WORD_IDMAP:
        add_idmap(at, word->recursive, "", request);
        break;
    case WORD_NOTHING:
        log_debug("mounts[%zu]: '%s' changes nothing", at->mount, word->name);
        break;
    case WORD_ACL: /* kept as data by the caller */
        break;
    }
    if (contradicts)
        warn_override(at, word);
}

bool mount_words_read(struct planning *p, size_t index, struct mount_request *ret_request)
{
    const struct spec_strings *options = &p->spec->mounts.items[index].options;
    struct mount_request request = {.data = NULL};

    request.data = arena_array(p->arena, options->count, sizeof *request.data);
    if (request.data == NULL)
        return false;

    for (size_t i = 0; i < options->count; i++) {
        const struct place at = {.p = p, .mount = index, .option = i};
        const char *text = options->items[i];
        const struct mount_word *word =
            bsearch(text, words, WORD_COUNT, sizeof *words, compare_names);

        if (word == NULL && read_idmap(&at, text, &request))
            continue;
        else if (word == NULL || word->verb == WORD_ACL)
            request.data[request.data_count++] =
                (struct mount_datum){.word = text, .index = i, .is_acl = word != NULL};
        else
            apply(&at, word, &request);
    }
    complete_atime(&request.own);
    complete_atime(&request.tree);
    *ret_request = request;
    return true;
}
