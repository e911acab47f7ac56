/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBLET_NS_IDMAP_H
#define SUBLET_NS_IDMAP_H

#include <sys/types.h>

/* One write to /proc/PID/NAME. */
int ns_write_proc(pid_t pid, const char *name, const char *text);

#endif
