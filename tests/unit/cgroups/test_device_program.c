/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated instructions are run by a small interpreter and compared with the semantics in
 * plain C, over written cases and many random ones. That the kernel's verifier takes them and
 * means the same is the business of test_devices.c.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "sublet/cgroups.h"

#include "runner.h"

#define ANY (-1)
#define ALL CG_DEVICE_ALL
#define R   CG_DEVICE_READ
#define W   CG_DEVICE_WRITE
#define M   CG_DEVICE_MKNOD

struct request {
    char type;
    uint32_t major, minor, access;
};

static bool jump_taken(uint8_t op, uint32_t left, uint32_t right)
{
    switch (op) {
    case BPF_JNE:
        return left != right;
    case BPF_JEQ:
        return left == right;
    default:
        ck_abort_msg("jump %02x", op);
        return false;
    }
}

static uint32_t computed(uint8_t op, uint32_t left, uint32_t right)
{
    switch (op) {
    case BPF_MOV:
        return right;
    case BPF_AND:
        return left & right;
    case BPF_RSH:
        return left >> right;
    default:
        ck_abort_msg("operation %02x", op);
        return 0;
    }
}

/* ck_assert writes to a pipe each time it holds: too dear for millions of instructions. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("%s", what);
}

/* r0 at exit. Fails on what the verifier would refuse: unset registers, jumps out, falling off. */
static uint64_t interpret(const struct cg_device_program *program, const struct request *request,
                          bool *visited)
{
    struct bpf_cgroup_dev_ctx context = {
        .access_type = (request->access << 16) |
                       (request->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
        .major = request->major,
        .minor = request->minor,
    };
    uint32_t regs[11] = {0};
    unsigned known = 1u << 1;

    for (size_t pc = 0; pc < program->count; pc++) {
        struct bpf_insn insn;

        memcpy(&insn, &program->code[pc], sizeof insn);
        visited[pc] = true;
        if (insn.code == (BPF_JMP | BPF_EXIT)) {
            must(known & 1, "exit without a verdict");
            return regs[0];
        }

        unsigned class = BPF_CLASS(insn.code);
        uint32_t right = BPF_SRC(insn.code) == BPF_X ? regs[insn.src_reg] : (uint32_t) insn.imm;
        if (class == BPF_LDX) {
            must(insn.src_reg == 1 && BPF_SIZE(insn.code) == BPF_W, "a load of something else");
            memcpy(&regs[insn.dst_reg], (const char *) &context + insn.off, 4);
            known |= 1u << insn.dst_reg;
            continue;
        }
        if (class == BPF_ALU) {
            if (BPF_SRC(insn.code) == BPF_X)
                must(known & 1u << insn.src_reg, "unset source");
            if (BPF_OP(insn.code) != BPF_MOV)
                must(known & 1u << insn.dst_reg, "unset register");
            regs[insn.dst_reg] = computed(BPF_OP(insn.code), regs[insn.dst_reg], right);
            known |= 1u << insn.dst_reg;
            continue;
        }
        must(class == BPF_JMP32 && insn.off > 0, "not a jump forwards");
        must(known & 1u << insn.dst_reg, "unset register");
        if (jump_taken(BPF_OP(insn.code), regs[insn.dst_reg], right))
            pc += (size_t) insn.off;
    }
    ck_abort_msg("fell off the end");
    return 0;
}

static bool program_allows(const struct cg_device_program *program, const struct request *request)
{
    bool visited[4096] = {false};

    if (program->count == 0)
        return true;
    must(program->count < 4096, "too long for this test");
    return interpret(program, request, visited) == 1;
}

static const struct request requests[] = {
    {'c', 1,   3,          R    },
    {'c', 1,   3,          W    },
    {'c', 1,   3,          M    },
    {'c', 1,   3,          R | W},
    {'c', 1,   3,          ALL  },
    {'c', 1,   5,          R | W},
    {'b', 1,   3,          R | W},
    {'b', 8,   0,          R    },
    {'b', 8,   0,          R | M},
    {'c', 136, 7,          R | W},
    {'c', 0,   0,          R    },
    {'c', 1,   4294967295, W    },
    {'c', 1,   2147483648, W    },
};

static void compare(struct arena *arena, const struct cg_device_rule *rules, size_t count)
{
    struct sub_err err = {0};
    struct cg_device_program program;

    must(cg_device_program_make(arena, "devices", rules, count, &program, &err) == 0, err.text);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const struct request *r = &requests[i];
        bool want = cg_device_allows(rules, count, r->type, r->major, r->minor, r->access);

        if (program_allows(&program, r) != want)
            ck_abort_msg("request %zu: program says %d", i, !want);
    }
}

START_TEST(the_program_means_the_list)
{
    static const struct {
        struct cg_device_rule rules[5];
        size_t count;
        const char *allowed; /* one digit a request, by hand */
    } rows[] = {
        {{{0}},                                                                          0, "1111111111111"},
        {{{false, 'a', ANY, ANY, ALL}},                                                  1, "0000000000000"},
        {{{true, 'a', ANY, ANY, ALL}},                                                   1, "1111111111111"},
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, 3, ALL}},                          2, "1111100000000"},
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, ANY, R | W}},                      2, "1101010000011"},
 /* read and write from two rules add up */
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, 3, R}, {true, 'c', 1, 3, W}},
         3,                                                                                 "1101000000000"},
 /* a later denial of one bit leaves the others */
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, 3, ALL}, {false, 'c', 1, ANY, W}},
         3,                                                                                 "1010000000000"},
 /* without a denial in front everything else is allowed */
        {{{false, 'b', ANY, ANY, R}},                                                    1, "1111110001111"},
        {{{false, 'c', 1, 3, W}},                                                        1, "1010011111111"},
 /* what comes before a rule for everything is without effect */
        {{{true, 'c', 1, 3, ALL}, {false, 'a', ANY, ANY, ALL}},                          2, "0000000000000"},
        {{{false, 'c', 1, 3, ALL}, {true, 'a', ANY, ANY, ALL}},                          2, "1111111111111"},
 /* 'a' with numbers matches both types */
        {{{false, 'a', ANY, ANY, ALL}, {true, 'a', 1, 3, R | W}},                        2, "1101001000000"},
 /* numbers above 2^31 are numbers */
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, 2147483648, W}},                   2, "0000000000001"},
        {{{false, 'a', ANY, ANY, ALL}, {true, 'c', 1, UINT32_MAX, W}},                   2, "0000000000010"},
    };

    OWNED_ARENA arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char got[sizeof requests / sizeof *requests + 1] = "";

        for (size_t k = 0; k < sizeof requests / sizeof *requests; k++)
            got[k] = cg_device_allows(rows[i].rules, rows[i].count, requests[k].type,
                                      requests[k].major, requests[k].minor, requests[k].access)
                         ? '1'
                         : '0';
        ck_assert_msg(strcmp(got, rows[i].allowed) == 0, "list %zu: %s, not %s", i, got,
                      rows[i].allowed);
        compare(&arena, rows[i].rules, rows[i].count);
    }
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

START_TEST(program_and_list_agree_on_random_lists)
{
    static const int64_t majors[] = {ANY, 1, 8, 136, 0}, minors[] = {ANY, 3, 0, 5, 7};
    uint32_t state = 20261122;
    OWNED_ARENA arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    for (int round = 0; round < 4000; round++) {
        struct cg_device_rule rules[12];
        size_t count = next_random(&state) % 12;

        for (size_t i = 0; i < count; i++)
            rules[i] = (struct cg_device_rule){
                .allow = next_random(&state) % 2,
                .type = "abc"[next_random(&state) % 3],
                .major = majors[next_random(&state) % 5],
                .minor = minors[next_random(&state) % 5],
                .access = 1 + next_random(&state) % 7,
            };
        compare(&arena, rules, count);
    }
}
END_TEST

/* The verifier refuses code that no path reaches. */
START_TEST(no_instruction_is_unreachable)
{
    static const struct cg_device_rule rules[] = {
        {true,  'c', 1,   9,   ALL  },
        {false, 'a', ANY, ANY, ALL  },
        {true,  'c', 1,   3,   ALL  },
        {true,  'a', ANY, ANY, M    },
        {false, 'b', 8,   ANY, W    },
        {false, 'a', ANY, ANY, M    },
        {true,  'c', 136, ANY, R | W},
    };
    struct sub_err err = {0};
    OWNED_ARENA arena;
    struct cg_device_program program;
    bool visited[4096] = {false};

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cg_device_program_make(&arena, "devices", rules, 7, &program, &err), &err);
    for (int type = 0; type < 2; type++)
        for (uint32_t major = 0; major < 140; major++)
            for (uint32_t minor = 0; minor < 10; minor++)
                for (uint32_t access = 0; access <= ALL; access++)
                    (void) interpret(&program, &(struct request){"bc"[type], major, minor, access},
                                     visited);
    for (size_t i = 0; i < program.count; i++)
        ck_assert_msg(visited[i], "instruction %zu of %zu", i, program.count);
}
END_TEST

START_TEST(rules_that_allow_everything_need_no_program)
{
    static const struct cg_device_rule rules[] = {
        {false, 'c', 1,   3,   ALL},
        {true,  'a', ANY, ANY, ALL},
    };
    struct sub_err err = {0};
    OWNED_ARENA arena;
    struct cg_device_program program = {.count = 9};

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cg_device_program_make(&arena, "devices", rules, 2, &program, &err), &err);
    ck_assert_uint_eq(program.count, 0);
    ck_ok(cg_device_program_make(&arena, "devices", NULL, 0, &program, &err), &err);
    ck_assert_uint_eq(program.count, 0);
}
END_TEST

START_TEST(a_rule_out_of_range_is_named)
{
    static const struct {
        struct cg_device_rule rule;
        int code;
        const char *path, *text;
    } rows[] = {
        {{true, 'c', 1, -2, ALL},
         ERANGE, "linux.resources.devices[1].minor",
         "-2: 0 to 4294967295 are allowed, -1 for any"        },
        {{true, 'c', 4294967296, 0, ALL},
         ERANGE, "linux.resources.devices[1].major",
         "4294967296: 0 to 4294967295 are allowed, -1 for any"},
        {{true, 'x', 1, 1, ALL},
         EINVAL, "linux.resources.devices[1].type",
         "'x': 'a', 'b' or 'c' is allowed"                    },
        {{true, 'c', 1, 1, 0},
         EINVAL, "linux.resources.devices[1].access",
         "a composition of 'r', 'w' and 'm' is allowed"       },
        {{true, 'c', 1, 1, 8},
         EINVAL, "linux.resources.devices[1].access",
         "a composition of 'r', 'w' and 'm' is allowed"       },
    };
    OWNED_ARENA arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_device_rule rules[] = {
            {false, 'a', ANY, ANY, ALL},
            rows[i].rule
        };
        struct cg_device_program program;
        struct sub_err err = {0};

        ck_fails(
            cg_device_program_make(&arena, "linux.resources.devices", rules, 2, &program, &err),
            &err, rows[i].code, rows[i].path, rows[i].text);
    }
}
END_TEST

START_TEST(the_number_of_rules_is_bounded)
{
    static struct cg_device_rule rules[CG_DEVICE_RULES_MAX + 1];
    struct cg_device_program program;
    struct sub_err err = {0};
    OWNED_ARENA arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_fails(
        cg_device_program_make(&arena, "devices", rules, CG_DEVICE_RULES_MAX + 1, &program, &err),
        &err, E2BIG, "devices", "4097 rules, at most 4096 are allowed");
}
END_TEST

START_TEST(access_words_are_letters_once_each)
{
    ck_assert_int_eq(cg_device_access("rwm"), ALL);
    ck_assert_int_eq(cg_device_access("m"), M);
    ck_assert_int_eq(cg_device_access("wr"), R | W);
    ck_assert_int_eq(cg_device_access(""), -EINVAL);
    ck_assert_int_eq(cg_device_access("rwz"), -EINVAL);
    ck_assert_int_eq(cg_device_access("rr"), -EINVAL);
    ck_assert_int_eq(cg_device_access("R"), -EINVAL);
}
END_TEST

SUITE(device_program_suite, the_program_means_the_list, program_and_list_agree_on_random_lists,
      no_instruction_is_unreachable, rules_that_allow_everything_need_no_program,
      a_rule_out_of_range_is_named, the_number_of_rules_is_bounded,
      access_words_are_letters_once_each)
