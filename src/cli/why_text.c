/* SPDX-License-Identifier: Apache-2.0 */
/* What a finding says to the operator of the host, and what can be done about it. */
#include <stdio.h>
#include <string.h>

#include "sublet/account/summary.h"
#include "sublet/account/why.h"
#include "sublet/base/buf.h"
#include "sublet/json.h"

#include "period.h"
#include "report.h"
#include "say.h"
#include "why.h"

#define COLUMNS_MAX 80
#define BLAMED_MAX  6
#define RECORDS_FEW 10 /* correlation over fewer is chance */

struct telling {
    struct buf *buf;
    const struct summary *summary;
    const struct summary_row *row;
    const struct why *why;
};

static const char *const headlines[WHY_CAUSES] = {
    [WHY_OOM] = "processes were killed at a memory limit",
    [WHY_TASKS] = "new processes were refused at the limit of tasks",
    [WHY_NEIGHBOUR] = "neighbours used CPU time that it was entitled to",
    [WHY_HOST] = "the host itself used CPU time that it was entitled to",
    [WHY_OWN_CAP] = "its own cap stopped it",
    [WHY_CONTRACT] = "it had all that its contract promises, and wanted more",
    [WHY_MEMORY_OWN] = "its own memory limit slowed it",
    [WHY_MEMORY_NEIGHBOUR] = "the host ran short of memory, which others took",
    [WHY_IO_NEIGHBOUR] = "it waited for a disk that neighbours used",
    [WHY_IO_LIMIT] = "its own limit of a disk stopped it",
    [WHY_IO_OWN] = "it waited for its own disk operations",
    [WHY_OWN_THREADS] = "its own threads waited for each other",
};

static const char *const remedies[WHY_CAUSES] = {
    [WHY_OOM] = "raise '--memory' of the tenant or of the container, or find what grew: "
                "'sublet stats' shows who uses how much.",
    [WHY_TASKS] = "raise '--pids' of the tenant or of the container, or find what forks.",
    [WHY_NEIGHBOUR] = "sell less of the machine, so that what is promised is there (see "
                      "'sublet tenant list'); give the neighbour a ceiling ('--cpu \"elastic N "
                      "ceiling M\"'); or give this tenant CPUs of its own ('--cpu \"pinned N\"').",
    [WHY_HOST] = "find what runs outside of the tenants (systemd-cgtop), move it into a tenant, "
                 "or raise the host's reserve; stolen time is the doing of the machine below.",
    [WHY_OWN_CAP] = "raise the cap or, if its work comes in bursts, give it a burst: 'sublet "
                    "tenant set'; a container's own '--cpu' may be the cap as well.",
    [WHY_CONTRACT] = "nothing is broken: what was idle was lent to others as well. Who wants it "
                     "to be faster raises what it is entitled to.",
    [WHY_MEMORY_OWN] = "raise '--memory', or make it need less; it reads again and again what "
                       "does not fit.",
    [WHY_MEMORY_NEIGHBOUR] = "give those named a memory limit, and this tenant protected memory "
                             "('--memory-low').",
    [WHY_IO_NEIGHBOUR] = "limit the neighbour's disk ('--io /path=50MB/s,500iops'), or give this "
                         "tenant a larger '--io-weight' where the kernel has io.cost.",
    [WHY_IO_LIMIT] = "raise '--io' of the tenant: 'sublet tenant show' tells what it is, 'sublet "
                     "tenant set' changes it at once.",
    [WHY_IO_OWN] = "it is as fast as the disk, or as the limit of one of its containers: compare "
                   "with 'sublet stats'.",
    [WHY_OWN_THREADS] = "it has more threads that can run than CPUs it gets: start fewer, or "
                        "entitle it to more CPUs.",
};

/* ---- lines of 80 columns ---- */

static void put_wrapped(struct buf *buf, const char *first, const char *indent, const char *text)
{
    size_t column = strlen(first), begin = strlen(indent);

    buf_puts(buf, first);
    while (*text != '\0') {
        size_t length = strcspn(text, " ");

        if (column > begin && column + length > COLUMNS_MAX) {
            if (buf->length > 0 && buf->data[buf->length - 1] == ' ')
                buf->data[--buf->length] = '\0';
            buf_printf(buf, "\n%s", indent);
            column = begin;
        }
        buf_add(buf, text, length);
        column += length;
        text += length;
        if (*text == ' ') {
            buf_putc(buf, ' ');
            column++;
            text++;
        }
    }
    buf_putc(buf, '\n');
}

static void put_seconds(struct buf *buf, uint64_t us)
{
    report_amount(buf, 0, us, 1000000);
    buf_puts(buf, " s");
}

static void put_share(struct buf *buf, uint64_t part, uint64_t whole)
{
    uint64_t permille = whole == 0 ? 0 : (uint64_t) ((unsigned __int128) part * 1000 / whole);

    buf_printf(buf, "%llu.%llu %%", (unsigned long long) (permille / 10),
               (unsigned long long) (permille % 10));
}

/* ---- what the figures say ---- */

static void put_shortfall(struct buf *text, const struct telling *telling,
                          const struct why_finding *finding)
{
    const uint64_t *sums = telling->row->sums;

    buf_puts(text, "It was entitled to ");
    put_seconds(text, sums[SUM_ENTITLED]);
    buf_puts(text, " of CPU time, used ");
    put_seconds(text, sums[SUM_USED]);
    buf_puts(text, ", and lacked ");
    put_seconds(text, finding->us);
    buf_puts(text, " that it asked for, in ");
    buf_printf(text, "%llu of %llu windows.", (unsigned long long) finding->count,
               (unsigned long long) sums[SUM_WINDOWS]);
    if (finding->cause != WHY_HOST)
        return;

    const struct summary_host *host = &telling->summary->host;
    buf_puts(text, " The host used ");
    put_seconds(text, host->own_us);
    buf_puts(text, " itself; ");
    put_seconds(text, host->reserved_us);
    buf_puts(text, " are reserved for it");
    if (host->steal_us > 0) {
        buf_puts(text, "; ");
        put_seconds(text, host->steal_us);
        buf_puts(text, " were stolen by the machine below");
    }
    buf_putc(text, '.');
}

static void put_cap(struct buf *text, const struct telling *telling)
{
    const uint64_t *sums = telling->row->sums;

    buf_printf(text, "The cap held it in %llu of %llu periods and kept ",
               (unsigned long long) sums[SUM_THROTTLED_PERIODS],
               (unsigned long long) sums[SUM_PERIODS]);
    put_seconds(text, sums[SUM_THROTTLED]);
    buf_puts(text, " of CPU time from its threads.");
    if (telling->row->contract != NULL) {
        buf_puts(text, " Its contract is '");
        say_escape(text, telling->row->contract);
        buf_puts(text, "'.");
    }
}

static void put_memory(struct buf *text, const struct telling *telling)
{
    const uint64_t *sums = telling->row->sums;
    uint64_t refaults = sums[SUM_REFAULTS_ANON] + sums[SUM_REFAULTS_FILE];
    char peak[16];

    buf_printf(text,
               "It met its limit %llu times (soft) and %llu times (hard), with %s of memory at "
               "most, and read %llu pages anew that had not fitted.",
               (unsigned long long) sums[SUM_MEMORY_HIGH],
               (unsigned long long) sums[SUM_MEMORY_MAX],
               report_bytes(telling->row->memory_peak_bytes, peak), (unsigned long long) refaults);
}

static void put_disk(struct buf *text, const struct telling *telling)
{
    const uint64_t *sums = telling->row->sums;
    char read[16], written[16];

    buf_printf(text, "It read %s in %llu operations and wrote %s in %llu itself.",
               report_bytes(sums[SUM_READ_BYTES], read), (unsigned long long) sums[SUM_READS],
               report_bytes(sums[SUM_WRITTEN_BYTES], written),
               (unsigned long long) sums[SUM_WRITES]);
}

static void put_figures(struct buf *text, const struct telling *telling,
                        const struct why_finding *finding)
{
    switch (finding->cause) {
    case WHY_NEIGHBOUR:
    case WHY_HOST:
        put_shortfall(text, telling, finding);
        break;
    case WHY_OWN_CAP:
        put_cap(text, telling);
        break;
    case WHY_CONTRACT:
        buf_puts(text, "It borrowed ");
        put_seconds(text, telling->row->sums[SUM_BORROWED]);
        buf_printf(text, " beyond its entitlement and waited in %llu windows for more.",
                   (unsigned long long) finding->count);
        break;
    case WHY_MEMORY_OWN:
        put_memory(text, telling);
        break;
    case WHY_IO_NEIGHBOUR:
    case WHY_IO_LIMIT:
    case WHY_IO_OWN:
        put_disk(text, telling);
        break;
    case WHY_OOM:
    case WHY_TASKS:
        buf_printf(text, "%llu times.", (unsigned long long) finding->count);
        break;
    default:
        buf_puts(text, "Nothing of it ran, or not all that could, in that time.");
    }
}

static bool names_others(enum why_cause cause, enum summary_resource *ret_resource)
{
    *ret_resource = cause == WHY_NEIGHBOUR      ? SUMMARY_CPU
                    : cause == WHY_IO_NEIGHBOUR ? SUMMARY_IO
                                                : SUMMARY_MEMORY;
    return cause == WHY_NEIGHBOUR || cause == WHY_IO_NEIGHBOUR || cause == WHY_MEMORY_NEIGHBOUR;
}

/* Those who are blamed for it, the most first. */
static size_t sort_blame(const struct summary_row *row, enum summary_resource resource,
                         const struct summary_blame *ret_sorted[SUMMARY_BLAME_MAX])
{
    size_t count = 0, at;

    for (size_t i = 0; i < row->blame_count; i++) {
        const struct summary_blame *blame = &row->blame[i];

        if (blame->us[resource] == 0 ||
            (resource != SUMMARY_MEMORY && strcmp(blame->by, "host") == 0))
            continue;
        for (at = count++; at > 0 && ret_sorted[at - 1]->us[resource] < blame->us[resource]; at--)
            ret_sorted[at] = ret_sorted[at - 1];
        ret_sorted[at] = blame;
    }
    return count;
}

static void put_names(const struct telling *telling, const struct why_finding *finding)
{
    const struct summary_blame *sorted[SUMMARY_BLAME_MAX];
    const struct summary_row *row = telling->row;
    enum summary_resource resource;
    struct buf *buf = telling->buf;

    if (!names_others(finding->cause, &resource))
        return;
    size_t count = sort_blame(row, resource, sorted);
    for (size_t i = 0; i < count && i < BLAMED_MAX; i++) {
        const struct summary_blame *blame = sorted[i];

        buf_puts(buf, "     ");
        say_escape(buf, blame->by);
        buf_puts(buf, ": ");
        put_seconds(buf, blame->us[resource]);
        buf_puts(buf, ", ");
        put_share(buf, blame->us[resource], finding->us);
        buf_printf(buf, " of it, in %llu of %llu records%s\n",
                   (unsigned long long) blame->records[resource],
                   (unsigned long long) row->fallen_records[resource],
                   row->fallen_records[resource] < RECORDS_FEW ? " (few: little evidence)" : "");
    }
}

static void put_finding(const struct telling *telling, const struct why_finding *finding,
                        size_t number)
{
    OWNED_BUF text = BUF(4096);
    char first[16];
    struct buf *buf = telling->buf;

    (void) snprintf(first, sizeof first, "%2zu. ", number);
    buf_puts(&text, headlines[finding->cause]);
    if (finding->us > 0) {
        buf_puts(&text, ": ");
        put_seconds(&text, finding->us);
        buf_puts(&text, ", ");
        put_share(&text, finding->us, telling->why->metered_us);
        buf_puts(&text, " of the time");
    }
    buf_puts(&text, ". ");
    put_figures(&text, telling, finding);
    put_wrapped(buf, first, "    ", buf_text(&text));
    put_names(telling, finding);
    put_wrapped(buf, "    What can be done: ", "    ", remedies[finding->cause]);
    buf_putc(buf, '\n');
}

/* ---- the whole ---- */

static void put_head(const struct telling *telling)
{
    const struct summary_query *query = &telling->summary->query;
    char from[PERIOD_TEXT], to[PERIOD_TEXT], length[PERIOD_TEXT], metered[PERIOD_TEXT];
    struct buf *buf = telling->buf;

    say_escape(buf, telling->row->tenant);
    if (telling->row->contract != NULL) {
        buf_puts(buf, " (");
        say_escape(buf, telling->row->contract);
        buf_putc(buf, ')');
    }
    buf_printf(buf, ", %s to %s:\n%s, %s of it metered\n\n", period_moment(query->from_us, from),
               period_moment(query->to_us, to),
               period_length(query->to_us - query->from_us, length),
               period_length(telling->why->metered_us, metered));
}

static void put_verdict(const struct telling *telling)
{
    const struct why *why = telling->why;
    const uint64_t *sums = telling->row->sums;
    OWNED_BUF text = BUF(4096);

    if (why->verdict == WHY_UNKNOWN) {
        put_wrapped(telling->buf, "", "",
                    "Nobody can tell: no meter watched it in this period ('sublet meter').");
        return;
    }
    if (why->verdict == WHY_SLOW) {
        buf_printf(&text, "It was slow. The main cause: %s.", headlines[why->findings[0].cause]);
        put_wrapped(telling->buf, "", "", buf_text(&text));
        buf_putc(telling->buf, '\n');
        return;
    }
    buf_puts(&text, "Nothing was wrong: it used ");
    put_seconds(&text, sums[SUM_USED]);
    buf_puts(&text, " of CPU time, was entitled to ");
    put_seconds(&text, sums[SUM_ENTITLED]);
    buf_puts(&text, ", and what it asked for it got.");
    put_wrapped(telling->buf, "", "", buf_text(&text));
}

static void put_minor(const struct telling *telling)
{
    const struct why *why = telling->why;
    OWNED_BUF text = BUF(4096);

    if (why->verdict == WHY_UNKNOWN || why->matter_count == why->count)
        return;
    for (size_t i = why->matter_count; i < why->count; i++) {
        buf_printf(&text, "%s%s ", i == why->matter_count ? "" : "; ",
                   headlines[why->findings[i].cause]);
        put_seconds(&text, why->findings[i].us);
        buf_puts(&text, " (");
        put_share(&text, why->findings[i].us, why->metered_us);
        buf_putc(&text, ')');
    }
    buf_putc(&text, '.');
    put_wrapped(telling->buf, "Too little to matter: ", "", buf_text(&text));
}

static void tell_caveat(void *context, const char *text)
{
    struct buf *buf = context;
    OWNED_BUF clean = BUF(4096);

    say_escape(&clean, text);
    put_wrapped(buf, "Note: ", "  ", buf_text(&clean));
}

void why_text(struct buf *buf, const struct summary *summary, const struct summary_row *row,
              const struct why *why)
{
    const struct telling telling = {buf, summary, row, why};

    put_head(&telling);
    put_verdict(&telling);
    for (size_t i = 0; i < why->matter_count; i++)
        put_finding(&telling, &why->findings[i], i + 1);
    put_minor(&telling);
    report_caveats(summary, tell_caveat, buf);
}

static void json_by(struct json_writer *writer, const struct summary_row *row,
                    const struct why_finding *finding)
{
    const struct summary_blame *sorted[SUMMARY_BLAME_MAX];
    enum summary_resource resource;

    if (!names_others(finding->cause, &resource))
        return;
    size_t count = sort_blame(row, resource, sorted);
    json_write_array(writer, "by");
    for (size_t i = 0; i < count; i++) {
        const struct summary_blame *blame = sorted[i];

        json_write_object(writer, NULL);
        json_write_string(writer, "name", blame->by);
        json_write_u64(writer, "us", blame->us[resource]);
        json_write_u64(writer, "records", blame->records[resource]);
        json_write_u64(writer, "of_records", row->fallen_records[resource]);
        json_write_end(writer);
    }
    json_write_end(writer);
}

void why_json(struct buf *buf, const struct summary *summary, const struct summary_row *row,
              const struct why *why)
{
    static const char *const verdicts[] = {
        [WHY_UNKNOWN] = "unknown", [WHY_FINE] = "fine", [WHY_SLOW] = "slow"};
    struct json_writer writer;
    char from[PERIOD_TEXT], to[PERIOD_TEXT];

    json_writer_init(&writer, buf, 2);
    json_write_object(&writer, NULL);
    json_write_string(&writer, "tenant", row->tenant);
    if (row->contract != NULL)
        json_write_string(&writer, "contract", row->contract);
    json_write_string(&writer, "from", period_moment(summary->query.from_us, from));
    json_write_string(&writer, "to", period_moment(summary->query.to_us, to));
    json_write_u64(&writer, "metered_wall_us", why->metered_us);
    json_write_string(&writer, "verdict", verdicts[why->verdict]);
    json_write_array(&writer, "causes");
    for (size_t i = 0; i < why->count; i++) {
        const struct why_finding *finding = &why->findings[i];

        json_write_object(&writer, NULL);
        json_write_string(&writer, "cause", why_cause_name(finding->cause));
        json_write_bool(&writer, "matters", finding->matters);
        json_write_u64(&writer, "us", finding->us);
        json_write_u64(&writer, "permille", finding->permille);
        json_write_u64(&writer, "count", finding->count);
        json_by(&writer, row, finding);
        json_write_string(&writer, "text", headlines[finding->cause]);
        json_write_end(&writer);
    }
    json_write_end(&writer);
    json_write_u64(&writer, "gap_wall_us", summary->gap_us);
    json_write_u64(&writer, "torn", summary->ledger.torn);
    json_write_end(&writer);
    buf_putc(buf, '\n');
}
