/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout's stages with their gates, and where it stands in a sentence. */
#include "rollout_view.h"

#include "rollout_steer.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

json_t *time_or_null(uint64_t seconds)
{
    return seconds == 0 ? json_null() : json_integer((json_int_t)seconds);
}

/* What has been passed stays passed, whatever became of devices since. */
static const char *gate_state(const struct rollout *r, uint32_t stage,
                              const struct steer_gate *g)
{
    bool over = stage < r->stage || r->state == ROLLOUT_FINISHED;

    return steer_gate_state_name(over ? GATE_PASSED : g->state);
}

static json_t *gates_json(const struct rollout *r, uint32_t stage,
                          const struct steer_verdict *v)
{
    json_t *list = json_array();

    for (int i = 0; i < STEER_GATES; i++) {
        const struct steer_gate *g = &v->gate[i];

        if (i == GATE_MANUAL && !r->plan.stage[stage].gates.manual) {
            continue;
        }
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:I, s:I, s:s}", "name",
                      steer_gate_title(g->name), "state",
                      gate_state(r, stage, g), "value", (json_int_t)g->value,
                      "wanted", (json_int_t)g->wanted, "text", g->text));
    }
    return list;
}

static const char *stage_state(const struct rollout *r, uint32_t stage)
{
    if (r->state == ROLLOUT_FINISHED || stage < r->stage) {
        return "done";
    }
    return stage > r->stage || r->steering.started == 0 ? "waiting"
                                                        : "running";
}

static json_t *percent_or_null(uint32_t n)
{
    return n == 0 ? json_null() : json_integer(n);
}

json_t *rollout_stages_json(const struct server *s, const struct rollout *r,
                            const struct census *c)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < r->plan.n_stages; i++) {
        struct steer_facts f;
        struct steer_verdict v;

        rollout_steer_facts(s, r, i, c, &f);
        f.now.devices = rollout_devices(r, i, c);
        steer_decide(&f, &v);
        json_array_append_new(
            list,
            json_pack(
                "{s:o, s:o, s:I, s:I, s:s, s:o, s:o, s:o, s:I, s:I}",
                "percent", percent_or_null(r->plan.stage[i].percent), "count",
                percent_or_null(r->plan.stage[i].count), "limit_bucket",
                (json_int_t)rollout_limit(r, i), "devices",
                (json_int_t)f.now.devices, "state", stage_state(r, i), "since",
                time_or_null(r->steering.since[i]), "until",
                time_or_null(r->steering.until[i]), "gates",
                gates_json(r, i, &v), "confirmed", (json_int_t)f.now.confirmed,
                "failed", (json_int_t)v.failures));
    }
    return list;
}

/* --- In a sentence --------------------------------------------------------
 */

static void utc_text(uint64_t at, char out[32])
{
    time_t t = (time_t)at;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm);
}

/* Of what the devices wait for, that no gate shows. */
static void say_waiting(const struct census_rollout *c, char *out, size_t size)
{
    static const struct {
        enum rollout_why why;
        const char *text;
    } kind[] = {
        {ROLLOUT_WINDOW, "wait for their window to open"},
        {ROLLOUT_RATE, "wait for the rate limit"},
        {ROLLOUT_DOWNLOADS, "wait until others have downloaded"},
        {ROLLOUT_QUARANTINE, "are in quarantine"},
        {ROLLOUT_MINIMUM, "run less than its minimum version"},
    };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        uint32_t n = c->why[kind[i].why];
        int wrote = n == 0 ? 0
                           : snprintf(out + used, size - used,
                                      "; %" PRIu32 " %s", n, kind[i].text);

        if (wrote < 0 || used + (size_t)wrote >= size) {
            return;
        }
        used += (size_t)wrote;
    }
}

static void say_running(const struct server *s, const struct rollout *r,
                        const struct census *c, char *out, size_t size)
{
    const struct census_rollout *found = census_of(c, r->id);
    struct steer_facts f;
    struct steer_verdict v;
    char more[200] = "";

    if (found == NULL || !c->whole) {
        snprintf(out, size, "it has just begun: devices are being counted");
        return;
    }
    rollout_steer_facts(s, r, r->stage, c, &f);
    steer_decide(&f, &v);
    say_waiting(found, more, sizeof more);
    snprintf(out, size, "stage %" PRIu32 " of %" PRIu32 ": %s%s", r->stage + 1,
             r->plan.n_stages, v.reason, more);
}

/* Late devices get an update, but nobody is brought back for coming late. */
static void say_finished(const struct rollout *r, char *out, size_t size)
{
    if (r->steering.returned) {
        snprintf(out, size, "%s", r->steering.reason);
    } else if (r->kind == ROLLOUT_RETURN) {
        snprintf(out, size, "finished: the devices run what they ran before");
    } else {
        snprintf(out, size, "finished: whoever comes late gets it, too");
    }
}

void rollout_status(const struct server *s, const struct rollout *r,
                    const struct census *c, char *out, size_t size)
{
    const struct steering *st = &r->steering;
    char at[32];

    switch (r->state) {
    case ROLLOUT_APPROVAL:
        snprintf(out, size, "waits for the approval of somebody else than %s",
                 st->created_by);
        break;
    case ROLLOUT_SCHEDULED:
        utc_text(r->plan.start_at, at);
        snprintf(out, size, "starts at %s", at);
        break;
    case ROLLOUT_RUNNING:
        say_running(s, r, c, out, size);
        break;
    case ROLLOUT_FINISHED:
        say_finished(r, out, size);
        break;
    default:
        snprintf(out, size, "%s%s%s", rollout_state_name(r->state),
                 st->by[0] == '\0' ? "" : " by ", st->by);
        if (st->reason[0] != '\0') {
            snprintf(out, size, "%s", st->reason);
        }
        break;
    }
}
