/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "check.h"

#define MAJOR_MAX         4095
#define MINOR_MAX         1048575
#define MEMORY_MIN_BYTES  65536 /* below it not even an exec succeeds */
#define CPU_MIN_US        1000  /* min_cfs_quota_period of the kernel */
#define CPU_PERIOD_MAX_US 1000000
#define WEIGHT_MIN        10
#define WEIGHT_MAX        1000

static const char v1_only[] = "ignored, cgroup v2 has no such limit";

static const char *const rule_type_names[] = {"a", "b", "c"};
static const struct vocabulary rule_type_words = VOCABULARY("device type", rule_type_names);

/* In files of cgroup.* a container's limits would move its processes or its tree. */
static const char *const group_files[] = {
    "cgroup.max.depth",
    "cgroup.max.descendants",
    "cgroup.pressure",
};

static void check_rule_number(bool present, int64_t number, int64_t max, const char *path,
                              struct findings *findings)
{
    if (present && (number < -1 || number > max)) {
        findings_error(findings, path, "%lld is out of range, expected 0 to %lld, or -1 for all",
                       (long long) number, (long long) max);
    }
}

static void check_device_rules(const struct spec_device_rules *rules, struct findings *findings)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct spec_device_rule *rule = &rules->items[i];

        if (rule->type != NULL) {
            (void) check_word(&rule_type_words, rule->type,
                              WHERE("linux.resources.devices[%zu].type", i), findings);
        }
        if (rule->access != NULL && rule->access[strspn(rule->access, "rwm")] != '\0') {
            findings_error(findings, WHERE("linux.resources.devices[%zu].access", i),
                           "unknown access " QUOTED ", expected letters of 'rwm'", rule->access);
        }
        check_rule_number((rule->has & SPEC_DEVICE_RULE_MAJOR) != 0, rule->major, MAJOR_MAX,
                          WHERE("linux.resources.devices[%zu].major", i), findings);
        check_rule_number((rule->has & SPEC_DEVICE_RULE_MINOR) != 0, rule->minor, MINOR_MAX,
                          WHERE("linux.resources.devices[%zu].minor", i), findings);
    }
}

/* -1 is unlimited; 0 is what engines write for "not set". */
static void check_bytes(int64_t bytes, const char *path, struct findings *findings)
{
    if (bytes < -1) {
        findings_error(findings, path, "%lld bytes, expected a positive number, or -1 for no limit",
                       (long long) bytes);
    }
}

static void check_swap(const struct spec_memory *memory, struct findings *findings)
{
    bool limited = (memory->has & SPEC_MEMORY_LIMIT) != 0 && memory->limit_bytes > 0;

    if ((memory->has & SPEC_MEMORY_SWAP) == 0 || memory->swap_bytes <= 0)
        return;
    if (!limited) {
        findings_error(findings, "linux.resources.memory.swap",
                       "needs linux.resources.memory.limit, it counts memory and swap together");
    } else if (memory->swap_bytes < memory->limit_bytes) {
        findings_error(findings, "linux.resources.memory.swap",
                       "%lld is below the memory limit %lld, it counts memory and swap together",
                       (long long) memory->swap_bytes, (long long) memory->limit_bytes);
    }
}

static void check_memory(const struct spec_memory *memory, struct findings *findings)
{
    if (memory == NULL)
        return;
    check_bytes(memory->limit_bytes, "linux.resources.memory.limit", findings);
    check_bytes(memory->reservation_bytes, "linux.resources.memory.reservation", findings);
    check_bytes(memory->swap_bytes, "linux.resources.memory.swap", findings);
    if (memory->limit_bytes > 0 && memory->limit_bytes < MEMORY_MIN_BYTES) {
        findings_error(findings, "linux.resources.memory.limit",
                       "%lld bytes are too few to start a process, expected at least %d",
                       (long long) memory->limit_bytes, MEMORY_MIN_BYTES);
    }
    check_swap(memory, findings);
    if ((memory->has & SPEC_MEMORY_KERNEL) != 0 && memory->kernel_bytes > 0)
        findings_warning(findings, "linux.resources.memory.kernel", v1_only);
    if ((memory->has & SPEC_MEMORY_KERNEL_TCP) != 0 && memory->kernel_tcp_bytes > 0)
        findings_warning(findings, "linux.resources.memory.kernelTCP", v1_only);
    if ((memory->has & SPEC_MEMORY_SWAPPINESS) != 0)
        findings_warning(findings, "linux.resources.memory.swappiness", v1_only);
    if (memory->disable_oom_killer)
        findings_warning(findings, "linux.resources.memory.disableOOMKiller", v1_only);
}

static void check_cpu(const struct spec_cpu *cpu, struct findings *findings)
{
    if (cpu == NULL)
        return;
    if (cpu->quota_us < -1 || (cpu->quota_us > 0 && cpu->quota_us < CPU_MIN_US)) {
        findings_error(findings, "linux.resources.cpu.quota",
                       "%lld microseconds, expected at least %d, or -1 for no limit",
                       (long long) cpu->quota_us, CPU_MIN_US);
    }
    if (cpu->period_us != 0 &&
        (cpu->period_us < CPU_MIN_US || cpu->period_us > CPU_PERIOD_MAX_US)) {
        findings_error(findings, "linux.resources.cpu.period",
                       "%llu microseconds, expected %d to %d", (unsigned long long) cpu->period_us,
                       CPU_MIN_US, CPU_PERIOD_MAX_US);
    }
    if (cpu->quota_us > 0 && cpu->burst_us > (uint64_t) cpu->quota_us) {
        findings_error(findings, "linux.resources.cpu.burst", "%llu is above the quota %lld",
                       (unsigned long long) cpu->burst_us, (long long) cpu->quota_us);
    }
    if ((cpu->has & SPEC_CPU_IDLE) != 0)
        (void) check_range(cpu->idle, 0, 1, "linux.resources.cpu.idle", findings);
    if (cpu->cpus != NULL)
        (void) check_cpu_list(cpu->cpus, "linux.resources.cpu.cpus", findings);
    if (cpu->mems != NULL)
        (void) check_cpu_list(cpu->mems, "linux.resources.cpu.mems", findings);
    if (cpu->realtime_runtime_us != 0)
        findings_warning(findings, "linux.resources.cpu.realtimeRuntime", v1_only);
    if (cpu->realtime_period_us != 0)
        findings_warning(findings, "linux.resources.cpu.realtimePeriod", v1_only);
}

/* 0 is what engines write for "not set". */
static void check_weight(uint32_t weight, const char *path, struct findings *findings)
{
    if (weight != 0)
        (void) check_range(weight, WEIGHT_MIN, WEIGHT_MAX, path, findings);
}

static void check_disk(int64_t major, int64_t minor, const char *path, struct findings *findings)
{
    (void) check_range(major, 0, MAJOR_MAX, WHERE("%s.major", path), findings);
    (void) check_range(minor, 0, MINOR_MAX, WHERE("%s.minor", path), findings);
}

static void check_throttle(const char *field, const struct spec_throttle_devices *devices,
                           struct findings *findings)
{
    for (size_t i = 0; i < devices->count; i++) {
        check_disk(devices->items[i].major, devices->items[i].minor,
                   WHERE("linux.resources.blockIO.%s[%zu]", field, i), findings);
    }
}

static void check_block_io(const struct spec_block_io *io, struct findings *findings)
{
    if (io == NULL)
        return;
    check_weight(io->weight, "linux.resources.blockIO.weight", findings);
    if (io->leaf_weight != 0)
        findings_warning(findings, "linux.resources.blockIO.leafWeight", v1_only);
    for (size_t i = 0; i < io->weight_device.count; i++) {
        const struct spec_weight_device *device = &io->weight_device.items[i];
        const char *path = WHERE("linux.resources.blockIO.weightDevice[%zu]", i);

        check_disk(device->major, device->minor, path, findings);
        check_weight(device->weight, WHERE("%s.weight", path), findings);
        if (device->leaf_weight != 0)
            findings_warning(findings, WHERE("%s.leafWeight", path), v1_only);
        if (device->has == 0)
            findings_error(findings, path, "neither weight nor leafWeight, expected one of them");
    }
    check_throttle("throttleReadBpsDevice", &io->throttle_read_bps, findings);
    check_throttle("throttleWriteBpsDevice", &io->throttle_write_bps, findings);
    check_throttle("throttleReadIOPSDevice", &io->throttle_read_iops, findings);
    check_throttle("throttleWriteIOPSDevice", &io->throttle_write_iops, findings);
}

static bool is_page_size(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits < 8 && text[0] != '0' && text[digits] != '\0' &&
           strchr("KMG", text[digits]) != NULL && strcmp(text + digits + 1, "B") == 0;
}

static void check_hugepages(const struct spec_hugepage_limits *limits, struct findings *findings)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (!is_page_size(limits->items[i].page_size)) {
            findings_error(findings, WHERE("linux.resources.hugepageLimits[%zu].pageSize", i),
                           QUOTED " is no page size, expected one such as '2MB'",
                           limits->items[i].page_size);
        }
    }
}

static void check_rdma(const struct spec_rdma *rdma, struct findings *findings)
{
    for (size_t i = 0; i < rdma->count; i++) {
        const struct spec_rdma_device *device = &rdma->items[i];
        const char *path = WHERE("linux.resources.rdma['%.48s']", device->device);

        if (device->device[0] == '\0' || strpbrk(device->device, " \t\n/") != NULL)
            findings_error(findings, path, "not the name of a device");
        if (device->has == 0) {
            findings_error(findings, path,
                           "neither hcaHandles nor hcaObjects, expected one of them");
        }
    }
}

static bool is_knob(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char) *at) && strchr("._-", *at) == NULL)
            return false;
    }
    return name[0] != '.' && strchr(name, '.') != NULL && strstr(name, "..") == NULL;
}

static bool moves_processes(const char *name)
{
    if (strncmp(name, "cgroup.", strlen("cgroup.")) != 0)
        return false;
    for (size_t i = 0; i < sizeof group_files / sizeof *group_files; i++) {
        if (strcmp(group_files[i], name) == 0)
            return false;
    }
    return true;
}

static void check_unified(const struct spec_pairs *unified, struct findings *findings)
{
    for (size_t i = 0; i < unified->count; i++) {
        const char *name = unified->items[i].key;
        const char *path = WHERE("linux.resources.unified['%.64s']", name);

        if (!is_knob(name)) {
            findings_error(findings, path,
                           "not the name of a cgroup file, expected one such as 'memory.high'");
        } else if (moves_processes(name)) {
            findings_error(findings, path, "not a limit, expected a controller's file");
        }
    }
}

static void check_network(const struct spec_network *network, struct findings *findings)
{
    if (network == NULL)
        return;
    if ((network->has & SPEC_NETWORK_CLASS_ID) != 0 && network->class_id != 0)
        findings_warning(findings, "linux.resources.network.classID", v1_only);
    if (network->priorities.count > 0)
        findings_warning(findings, "linux.resources.network.priorities", v1_only);
}

int spec_check_resources(const struct spec_resources *resources, struct findings *findings)
{
    check_device_rules(&resources->devices, findings);
    check_memory(resources->memory, findings);
    check_cpu(resources->cpu, findings);
    if (resources->pids != NULL && resources->pids->limit < -1) {
        findings_error(findings, "linux.resources.pids.limit",
                       "%lld is out of range, expected a positive number, or -1 for no limit",
                       (long long) resources->pids->limit);
    }
    check_block_io(resources->block_io, findings);
    check_hugepages(&resources->hugepage_limits, findings);
    check_network(resources->network, findings);
    check_rdma(&resources->rdma, findings);
    check_unified(&resources->unified, findings);
    return findings->error_count > 0 ? -EINVAL : 0;
}
