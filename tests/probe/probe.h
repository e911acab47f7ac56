/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe runs as a container's process and prints one JSON object of what it sees, so that tests
 * compare it with what config.json asked. Static, nothing but libc; it uses /proc where that is the
 * only source and says null where /proc is not there.
 */
#ifndef TESTS_PROBE_H
#define TESTS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* json.c: values are put after a key in an object, or with key NULL in a list. */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_text(const char *key, const char *value); /* value NULL: null */
void json_number(const char *key, int64_t value);
void json_unsigned(const char *key, uint64_t value);
void json_bool(const char *key, bool value);
void json_errno(const char *key, int error); /* 0: "ok", else the name of the error */
void json_printf(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
void json_words(const char *key, char *text, const char *separators); /* a list; cuts text */
void json_finish(void);

/* files.c */
char *read_all(const char *path, char *buffer, size_t size); /* NULL and errno on failure */
void show_paths(void);
void show_devices(void);
void show_fds(void);

/* process.c */
void show_ids(void);
void show_process(char **argv, char **envp);
void show_privileges(void);
void show_limits(void);
void show_scheduling(void);
void show_signals(void);

/* world.c */
void show_namespaces(void);
void show_cgroup(void);
void show_mounts(void);
void show_maps(void);
void show_time(void);
void show_tty(void);

/* tries.c: one answer for each argument of a kind, under the name of the kind */
void try_masked(const char *path);
void try_readonly(const char *path);
void try_write(const char *path);
void show_sysctl(const char *name);
void show_cgroup_file(const char *name);

/* calls.c */
void try_call(const char *name);
void try_call_number(const char *number);

#endif
