/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules -> BPF, without the kernel. The list is evaluated backwards: r3 holds the access
 * bits still undecided; a rule that matches the device refuses at once if it denies one of them,
 * or takes the bits it allows away, and with none left the access is allowed. So each bit is
 * decided by the last rule that speaks of it, and "r" and "w" from two rules add up to "rw".
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

#define INSNS_PER_RULE 10
#define INSNS_FRAME    8 /* loads before, the default behind */
#define NUMBER_MAX     UINT32_MAX

_Static_assert(sizeof(struct bpf_insn) == sizeof(uint64_t), "an instruction is 8 bytes");
_Static_assert(CG_DEVICE_MKNOD == BPF_DEVCG_ACC_MKNOD && CG_DEVICE_READ == BPF_DEVCG_ACC_READ &&
                   CG_DEVICE_WRITE == BPF_DEVCG_ACC_WRITE,
               "our access bits are the kernel's");

enum reg { VERDICT = 0, CONTEXT = 1, TYPE = 2, WANTED = 3, NUMBER = 4 };

struct code {
    uint64_t *insns;
    size_t count;
};

int cg_device_access(const char *text)
{
    static const char letters[] = "mrw"; /* in the order of the bits */
    unsigned bits = 0;

    for (; *text != '\0'; text++) {
        const char *found = strchr(letters, *text);
        unsigned bit = found == NULL ? 0 : 1u << (found - letters);

        if (bit == 0 || (bits & bit) != 0)
            return -EINVAL;
        bits |= bit;
    }
    return bits == 0 ? -EINVAL : (int) bits;
}

static bool matches(const struct cg_device_rule *rule, char type, uint32_t major, uint32_t minor)
{
    return (rule->type == 'a' || rule->type == type) &&
           (rule->major < 0 || rule->major == (int64_t) major) &&
           (rule->minor < 0 || rule->minor == (int64_t) minor);
}

/* Forwards, bit by bit, and so another way than the program goes. */
bool cg_device_allows(const struct cg_device_rule *rules, size_t count, char type, uint32_t major,
                      uint32_t minor, uint32_t access)
{
    uint32_t allowed = CG_DEVICE_ALL;

    for (size_t i = 0; i < count; i++) {
        if (!matches(&rules[i], type, major, minor))
            continue;
        if (rules[i].allow)
            allowed |= rules[i].access;
        else
            allowed &= ~rules[i].access;
    }
    return (access & ~allowed) == 0;
}

static void emit(struct code *code, struct bpf_insn insn)
{
    memcpy(&code->insns[code->count++], &insn, sizeof insn);
}

static void emit_load(struct code *code, enum reg reg, size_t offset)
{
    emit(code, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
                                 .dst_reg = reg & 0xf,
                                 .src_reg = CONTEXT,
                                 .off = (int16_t) offset});
}

static void emit_alu(struct code *code, unsigned op, enum reg reg, uint32_t value)
{
    emit(code, (struct bpf_insn){.code = (uint8_t) (BPF_ALU | op | BPF_K),
                                 .dst_reg = reg & 0xf,
                                 .imm = (int32_t) value});
}

/* A jump whose distance is filled in by jumps_land_here(). 32-bit: numbers above 2^31 compare. */
static void emit_jump(struct code *code, unsigned op, enum reg reg, uint32_t value)
{
    emit(code, (struct bpf_insn){.code = (uint8_t) (BPF_JMP32 | op | BPF_K),
                                 .dst_reg = reg & 0xf,
                                 .off = INT16_MAX,
                                 .imm = (int32_t) value});
}

static void emit_verdict(struct code *code, bool allow)
{
    emit_alu(code, BPF_MOV, VERDICT, allow);
    emit(code, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

static void jumps_land_here(struct code *code, size_t from)
{
    for (size_t i = from; i < code->count; i++) {
        struct bpf_insn insn;

        memcpy(&insn, &code->insns[i], sizeof insn);
        if (insn.off != INT16_MAX)
            continue;
        insn.off = (int16_t) (code->count - i - 1);
        memcpy(&code->insns[i], &insn, sizeof insn);
    }
}

/*
 * The numbers are loaded afresh by each rule: a register that lives on would carry what one rule
 * learnt of it into all later ones, and the verifier would walk the list once for each rule (E2BIG
 * from some hundred rules on). It refuses unreachable code, too, so a rule for everything ends the
 * program (is_total).
 */
static void emit_number_test(struct code *code, size_t offset, int64_t number)
{
    if (number < 0)
        return;
    emit_load(code, NUMBER, offset);
    emit_jump(code, BPF_JNE, NUMBER, (uint32_t) number);
}

static void emit_rule(struct code *code, const struct cg_device_rule *rule)
{
    size_t start = code->count;

    if (rule->type != 'a')
        emit_jump(code, BPF_JNE, TYPE,
                  rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    emit_number_test(code, offsetof(struct bpf_cgroup_dev_ctx, major), rule->major);
    emit_number_test(code, offsetof(struct bpf_cgroup_dev_ctx, minor), rule->minor);
    if (rule->access != CG_DEVICE_ALL && rule->allow) {
        emit_alu(code, BPF_AND, WANTED, ~rule->access);
        emit_jump(code, BPF_JNE, WANTED, 0);
    } else if (rule->access != CG_DEVICE_ALL) {
        emit(code, (struct bpf_insn){
                       .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = VERDICT, .src_reg = WANTED});
        emit_alu(code, BPF_AND, VERDICT, rule->access);
        emit_jump(code, BPF_JEQ, VERDICT, 0);
    }
    emit_verdict(code, rule->allow);
    jumps_land_here(code, start);
}

static bool is_total(const struct cg_device_rule *rule)
{
    return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && rule->access == CG_DEVICE_ALL;
}

static int check_rule(const char *where, size_t index, const struct cg_device_rule *rule,
                      struct sub_err *err)
{
    const struct {
        const char *field;
        int64_t value;
    } numbers[] = {
        {"major", rule->major},
        {"minor", rule->minor},
    };
    char path[SUB_ERR_PATH];

    for (size_t i = 0; i < CG_COUNT_OF(numbers); i++) {
        if (numbers[i].value >= -1 && numbers[i].value <= (int64_t) NUMBER_MAX)
            continue;
        (void) snprintf(path, sizeof path, "%s[%zu].%s", where, index, numbers[i].field);
        return sub_fail(err, ERANGE, path, "%lld: 0 to %u are allowed, -1 for any",
                        (long long) numbers[i].value, NUMBER_MAX);
    }
    if (rule->type != 'a' && rule->type != 'b' && rule->type != 'c') {
        (void) snprintf(path, sizeof path, "%s[%zu].type", where, index);
        return sub_fail(err, EINVAL, path, "'%c': 'a', 'b' or 'c' is allowed", rule->type);
    }
    if (rule->access == 0 || (rule->access & ~CG_DEVICE_ALL) != 0) {
        (void) snprintf(path, sizeof path, "%s[%zu].access", where, index);
        return sub_fail(err, EINVAL, path, "a composition of 'r', 'w' and 'm' is allowed");
    }
    return 0;
}

/* How many rules at the start are overruled by one for everything behind them. */
static size_t first_that_counts(const struct cg_device_rule *rules, size_t count)
{
    for (size_t i = count; i > 0; i--)
        if (is_total(&rules[i - 1]))
            return i - 1;
    return 0;
}

int cg_device_program_make(struct arena *arena, const char *where,
                           const struct cg_device_rule *rules, size_t count,
                           struct cg_device_program *ret_program, struct sub_err *err)
{
    if (count > CG_DEVICE_RULES_MAX)
        return sub_fail(err, E2BIG, where, "%zu rules, at most %d are allowed", count,
                        CG_DEVICE_RULES_MAX);
    for (size_t i = 0; i < count; i++)
        SUBLET_TRY(check_rule(where, i, &rules[i], err));

    size_t first = first_that_counts(rules, count);
    bool allow = true;
    if (first < count && is_total(&rules[first]))
        allow = rules[first++].allow;
    if (first == count && allow) {
        *ret_program = (struct cg_device_program){0};
        return 0;
    }

    struct code code = {.insns = arena_array(arena, (count - first) * INSNS_PER_RULE + INSNS_FRAME,
                                             sizeof *code.insns)};
    if (code.insns == NULL)
        return sub_fail(err, ENOMEM, where, "out of memory");
    emit_load(&code, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    emit(&code,
         (struct bpf_insn){.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = WANTED, .src_reg = TYPE});
    emit_alu(&code, BPF_RSH, WANTED, 16);
    emit_alu(&code, BPF_AND, TYPE, 0xffff);
    for (size_t i = count; i > first; i--)
        emit_rule(&code, &rules[i - 1]);
    emit_verdict(&code, allow);
    *ret_program = (struct cg_device_program){.code = code.insns, .count = code.count};
    return 0;
}
