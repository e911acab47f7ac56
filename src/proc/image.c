/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

/* newer than glibc 2.36 */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* The stub as it was linked; STUB_FILE comes from the build. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "stub_file: .incbin \"" STUB_FILE "\"\n"
        "stub_file_end: .byte 0\n"
        ".previous\n");
extern const char stub_file[], stub_file_end[];

#define HEADERS_MAX 8

/* The last loadable segment is the blob's placeholder; it ends the file. */
static Elf64_Phdr *find_blob(Elf64_Phdr *headers, size_t count)
{
    Elf64_Phdr *last = NULL;

    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type == PT_LOAD)
            last = &headers[i];
    }
    return last;
}

static int write_parts(int fd, const struct buf *blob)
{
    Elf64_Ehdr head;
    Elf64_Phdr headers[HEADERS_MAX];

    memcpy(&head, stub_file, sizeof head);
    if (head.e_phnum > HEADERS_MAX)
        return -ENOEXEC;
    memcpy(headers, stub_file + head.e_phoff, head.e_phnum * sizeof *headers);

    Elf64_Phdr *segment = find_blob(headers, head.e_phnum);
    if (segment == NULL)
        return -ENOEXEC;
    segment->p_filesz = segment->p_memsz = blob->length;

    size_t behind = head.e_phoff + head.e_phnum * sizeof *headers;
    SUBLET_TRY(sub_write_all(fd, stub_file, head.e_phoff));
    SUBLET_TRY(sub_write_all(fd, headers, head.e_phnum * sizeof *headers));
    SUBLET_TRY(sub_write_all(fd, stub_file + behind, segment->p_offset - behind));
    return sub_write_all(fd, blob->data, blob->length);
}

int proc_image_make(const struct buf *blob, int *ret_fd, struct sub_err *err)
{
    unsigned flags = MFD_ALLOW_SEALING;

    /* before 6.3 there is no MFD_EXEC and every memfd may be executed */
    OWNED_FD fd = sys_memfd("sublet-init", flags | MFD_EXEC);
    if (fd == -EINVAL)
        fd = sys_memfd("sublet-init", flags);
    if (fd < 0)
        return sub_fail(err, -fd, NULL, "cannot make the init image: %s%s", sub_strerror(-fd),
                        fd == -EACCES ? " (vm.memfd_noexec forbids it)" : "");

    int rc = write_parts(fd, blob);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot write the init image: %s", sub_strerror(-rc));
    rc = sys_seal(fd, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot seal the init image: %s", sub_strerror(-rc));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

int proc_image_exec(int image_fd, const char *program, const char *home)
{
    char *const argv[] = {(char *) (uintptr_t) program, (char *) (uintptr_t) home, NULL};
    char *const envp[] = {NULL};

    return sys_execveat(image_fd, "", argv, envp, AT_EMPTY_PATH);
}
