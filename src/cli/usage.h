/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of a container's group as people and programs read them. What the kernel does not tell
 * is left out of JSON, and a dash in a table. */
#ifndef SUBLET_CLI_USAGE_H
#define SUBLET_CLI_USAGE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct cgroup_sample;
struct json_writer;

/* Members of the object that is open: one object for each kind of counters, with the names of
 * sublet/cgroups/counters.h. A limit that is not set is null. */
void usage_json(struct json_writer *writer, const struct cgroup_sample *sample);

/* The columns behind the ID, each two blanks after the one before, with a newline. sample NULL: the
 * group is gone. */
void usage_columns(struct buf *buf);
void usage_row(struct buf *buf, const struct cgroup_sample *sample);

/* "1.5G"; UINT64_MAX is "max". */
void usage_size(uint64_t bytes, char *text, size_t size);

/* One line as `runc events` prints it, for those who parse that. */
void event_stats(struct buf *buf, const char *id, const struct cgroup_sample *sample);
void event_oom(struct buf *buf, const char *id);

#endif
