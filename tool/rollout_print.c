/* SPDX-License-Identifier: Apache-2.0 */
/* How a rollout goes, as text for a person. */
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "rollout.h"

enum { BAR = 40, SHOWN = 10, NAME = 14, NAME_MAX = 24, TEXT_LIMIT = 65536 };

struct page {
    struct call *c;
    const json_t *r;
    struct buffer *out;
};

long long rollout_count(const json_t *rollout, const char *name)
{
    return (long long)json_integer_value(
        json_object_get(json_object_get(rollout, "counts"), name));
}

long long rollout_lost(const json_t *r)
{
    return rollout_count(r, "returned") + rollout_count(r, "failed") +
           rollout_count(r, "refused");
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* Of another program: made printable, and kept. */
static const char *text(const struct page *p, const json_t *object,
                        const char *key)
{
    return print_scalar(p->c, key, json_object_get(object, key));
}

/* The beginning of a line, with its name in the left column. */
static void begin(const struct page *p, const char *name)
{
    (void)buffer_printf(p->out, NULL, "  %s%-*s%s ", color(p->c, DIM), NAME,
                        name, color(p->c, PLAIN));
}

static const char *devices(const struct page *p, long long n)
{
    return keep(p->c, "%lld device%s", n, n == 1 ? "" : "s");
}

/* "first 10" or " 10%", one below the other. */
static const char *size_of(const struct page *p, const json_t *stage,
                           bool counted)
{
    const json_t *count = json_object_get(stage, "count");
    const char *size =
        json_is_integer(count)
            ? keep(p->c, "first %lld", (long long)json_integer_value(count))
            : keep(p->c, "%lld%%", number(stage, "percent"));

    return keep(p->c, "%*s", counted ? 9 : 4, size);
}

static bool any_counted(const json_t *stages)
{
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *count =
            json_object_get(json_array_get(stages, i), "count");

        if (json_is_integer(count)) {
            return true;
        }
    }
    return false;
}

/* Why the open stage does not end yet, gate by gate. */
static void gates(const struct page *p, const json_t *stage)
{
    static const struct {
        const char *state;
        const char *mark;
        enum color color;
    } known[] = {
        {"passed", "+", GOOD}, {"waiting", "-", WARN}, {"failing", "x", BAD}};
    const json_t *list = json_object_get(stage, "gates");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *gate = json_array_get(list, i);
        const char *state = text(p, gate, "state");

        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            if (strcmp(state, known[k].state) == 0) {
                begin(p, "");
                (void)buffer_printf(p->out, NULL, "  %s%s%s %s\n",
                                    color(p->c, known[k].color), known[k].mark,
                                    color(p->c, PLAIN), text(p, gate, "text"));
            }
        }
    }
}

static void stages(const struct page *p)
{
    const json_t *list = json_object_get(p->r, "stages");
    size_t open = (size_t)number(p->r, "stage");
    const char *state = json_string_value(json_object_get(p->r, "state"));
    bool begun = state == NULL || (strcmp(state, "approval") != 0 &&
                                   strcmp(state, "scheduled") != 0);
    bool under_way = state != NULL && (strcmp(state, "running") == 0 ||
                                       strcmp(state, "paused") == 0);
    bool counted = any_counted(list);
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        const json_t *stage = json_array_get(list, i);

        begin(p, i == 0 ? "stages" : "");
        (void)buffer_printf(p->out, NULL, "%s  %s  %s\n",
                            size_of(p, stage, counted),
                            devices(p, number(stage, "devices")),
                            i < open             ? "done"
                            : i == open && begun ? "open"
                                                 : "closed");
        if (i == open && under_way) {
            gates(p, stage);
        }
    }
}

static void part(const struct page *p, enum color which, char mark,
                 long long n, int *left)
{
    long long all = rollout_count(p->r, "eligible");
    int width = (int)(n * BAR / all);

    if (n > 0 && width == 0) {
        width = 1;
    }
    if (width > *left) {
        width = *left;
    }
    *left -= width;
    (void)buffer_printf(p->out, NULL, "%s", color(p->c, which));
    while (width-- > 0) {
        (void)buffer_append(p->out, &mark, 1, NULL);
    }
    (void)buffer_printf(p->out, NULL, "%s", color(p->c, PLAIN));
}

static void bar(const struct page *p)
{
    long long all = rollout_count(p->r, "eligible");
    long long confirmed = rollout_count(p->r, "confirmed");
    long long under_way =
        rollout_count(p->r, "offered") + rollout_count(p->r, "waiting") +
        rollout_count(p->r, "downloading") + rollout_count(p->r, "verifying") +
        rollout_count(p->r, "installing") + rollout_count(p->r, "rebooting") +
        rollout_count(p->r, "testing");
    int left = BAR;

    if (all <= 0) {
        return;
    }
    (void)buffer_printf(p->out, NULL, "  [");
    part(p, GOOD, '#', confirmed, &left);
    part(p, BAD, 'x', rollout_lost(p->r), &left);
    part(p, WARN, '~', under_way, &left);
    (void)buffer_printf(p->out, NULL, "%*s] %lld of %lld confirmed\n", left,
                        "", confirmed, all);
}

static void counts(const struct page *p)
{
    static const char *const name[] = {
        "eligible",  "untouched",  "offered",   "waiting", "downloading",
        "verifying", "installing", "rebooting", "testing", "confirmed",
        "returned",  "failed",     "refused",   "silent",  "quarantined"};
    size_t i;

    for (i = 0; i < sizeof name / sizeof name[0]; i++) {
        if (i == 0 || rollout_count(p->r, name[i]) > 0) {
            begin(p, name[i]);
            (void)buffer_printf(p->out, NULL, "%lld\n",
                                rollout_count(p->r, name[i]));
        }
    }
}

static void blocked(const struct page *p)
{
    const json_t *why = json_object_get(p->r, "blocked");

    if (number(why, "count") > 0) {
        begin(p, "blocked");
        (void)buffer_printf(p->out, NULL, "%s%s%s\n", color(p->c, WARN),
                            text(p, why, "reason"), color(p->c, PLAIN));
    }
}

static void by_deltas(const struct page *p)
{
    const json_t *bytes = json_object_get(p->r, "bytes");
    long long n = number(bytes, "delta_devices");

    if (n > 0) {
        begin(p, "patches");
        (void)buffer_printf(
            p->out, NULL, "%lld device%s by a patch: %s saved\n", n,
            n == 1 ? "" : "s",
            keep_size(p->c, (uint64_t)number(bytes, "delta_saved")));
    }
}

/* Clients that are not ours: in no other count. */
static void unmanaged(const struct page *p)
{
    const json_t *n = json_object_get(p->r, "unmanaged");
    const char *base = setting(p->c, "server");

    if (number(n, "got") > 0) {
        begin(p, "unmanaged");
        (void)buffer_printf(p->out, NULL,
                            "sent to %lld, of which %lld say they run it "
                            "(bowline device unmanaged)\n",
                            number(n, "got"), number(n, "runs"));
    }
    if (json_is_string(json_object_get(n, "path"))) {
        begin(p, "address");
        (void)buffer_printf(p->out, NULL, "%s%s\n", base == NULL ? "" : base,
                            text(p, n, "path"));
    }
}

/* A device's name, or the beginning of its id. */
static const char *called(const struct page *p, const json_t *device)
{
    const char *name = text(p, device, "name");

    return strcmp(name, "-") != 0 ? name
                                  : keep(p->c, "%.8s", text(p, device, "id"));
}

static void more(const struct page *p, long long n)
{
    if (n > 0) {
        begin(p, "");
        (void)buffer_printf(p->out, NULL, "and %lld more\n", n);
    }
}

static void waiting_for(const struct page *p)
{
    const json_t *waiting = json_object_get(p->r, "waiting_for");
    const json_t *list = json_object_get(waiting, "devices");
    size_t n = json_array_size(list);
    size_t i;

    n = n > SHOWN ? SHOWN : n;
    for (i = 0; i < n; i++) {
        const json_t *d = json_array_get(list, i);
        bool seen = number(d, "last_seen") > 0;

        begin(p, i == 0 ? "waiting for" : "");
        (void)buffer_printf(p->out, NULL, "%s (%s%s%s)\n", called(p, d),
                            text(p, d, "why"), seen ? ", last seen " : "",
                            seen ? text(p, d, "last_seen") : "");
    }
    more(p, n == 0 ? 0 : number(waiting, "count") - (long long)n);
}

/* What became of it: "boot-tries (crash): the image did not ...". */
static const char *reason(const struct page *p, const json_t *d)
{
    const char *reset = text(p, d, "reset");
    bool told = strcmp(reset, "-") != 0 && strcmp(reset, "unknown") != 0;

    return keep(p->c, "%s%s%s%s: %s", text(p, d, "code"), told ? " (" : "",
                told ? reset : "", told ? ")" : "", text(p, d, "meaning"));
}

static void lost(const struct page *p)
{
    const json_t *list = json_object_get(p->r, "devices");
    size_t n = json_array_size(list);
    int width = 1;
    size_t i;

    n = n > SHOWN ? SHOWN : n;
    for (i = 0; i < n; i++) {
        int w = (int)strlen(called(p, json_array_get(list, i)));

        width = w > width ? w : width;
    }
    width = width > NAME_MAX ? NAME_MAX : width;
    if (n > 0) {
        (void)buffer_printf(p->out, NULL, "%sThese need a look%s\n",
                            color(p->c, STRONG), color(p->c, PLAIN));
    }
    for (i = 0; i < n; i++) {
        const json_t *d = json_array_get(list, i);

        (void)buffer_printf(p->out, NULL, "  %-*s  %s%-8s%s  %s\n", width,
                            called(p, d), color(p->c, BAD),
                            text(p, d, "outcome"), color(p->c, PLAIN),
                            reason(p, d));
    }
    if (n > 0 && rollout_lost(p->r) > (long long)n) {
        (void)buffer_printf(p->out, NULL, "  and %lld more\n",
                            rollout_lost(p->r) - (long long)n);
    }
}

/* What it does now, and why it waits. */
static void status(const struct page *p)
{
    static const char *const key[] = {"status", "state_reason"};

    for (int i = 0; i < 2; i++) {
        const char *said = json_string_value(json_object_get(p->r, key[i]));

        if (said != NULL && said[0] != '\0') {
            (void)buffer_printf(p->out, NULL, "  %s\n", text(p, p->r, key[i]));
            break;
        }
    }
    if (number(p->r, "expected_finish") > 0) {
        begin(p, "expected end");
        (void)buffer_printf(
            p->out, NULL, "%s\n",
            keep_time(p->c, (uint64_t)number(p->r, "expected_finish")));
    }
}

/* Which failures there are, the most frequent first. */
static void reasons(const struct page *p)
{
    const json_t *list = json_object_get(p->r, "reasons");

    for (size_t i = 0; i < json_array_size(list) && i < SHOWN; i++) {
        const json_t *row = json_array_get(list, i);
        const char *hardware = text(p, row, "hardware");
        bool known = strcmp(hardware, "-") != 0;

        begin(p, i == 0 ? "reasons" : "");
        (void)buffer_printf(p->out, NULL, "%lld x %s%s%s%s: %s\n",
                            number(row, "count"), text(p, row, "code"),
                            known ? " (" : "", known ? hardware : "",
                            known ? ")" : "", text(p, row, "advice"));
    }
}

void rollout_text(struct call *c, const json_t *r, struct buffer *out)
{
    const struct page p = {c, r, out};
    const char *name = text(&p, r, "name");
    bool named = strcmp(name, "-") != 0;

    (void)buffer_printf(out, NULL, "%srollout %s%s%s%s: %s %s%s, %s\n",
                        color(c, STRONG), text(&p, r, "id"), named ? " (" : "",
                        named ? name : "", named ? ")" : "",
                        text(&p, r, "product"), text(&p, r, "version"),
                        color(c, PLAIN), text(&p, r, "state"));
    status(&p);
    stages(&p);
    bar(&p);
    counts(&p);
    blocked(&p);
    by_deltas(&p);
    unmanaged(&p);
    waiting_for(&p);
    reasons(&p);
    lost(&p);
}

void rollout_print(struct call *c, const json_t *r)
{
    struct buffer out = BUFFER(TEXT_LIMIT);

    if (!c->json) {
        rollout_text(c, r, &out);
        (void)fwrite(out.p, 1, out.n, stdout);
    }
    buffer_free(&out);
}
