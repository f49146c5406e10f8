/* SPDX-License-Identifier: Apache-2.0 */
/* Gates, and the verdict over them. */
#include "steer.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* Two-sided 90%. */
static const double quantile = 1.6448536269514722;

/* --- Numbers ------------------------------------------------------------- */

void steer_wilson(uint32_t k, uint32_t n, double z, double *low, double *high)
{
    double p = n == 0 ? 0 : (double)k / n;
    double zz = z * z;
    double middle;
    double half;

    *low = 0;
    *high = 1;
    if (n == 0) {
        return;
    }
    middle = (p + zz / (2.0 * n)) / (1 + zz / n);
    half = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4.0 * n * n));
    /* At the ends the interval is exact; rounding must not say else. */
    *low = k == 0 ? 0 : fmax(0, middle - half);
    *high = k == n ? 1 : fmin(1, middle + half);
}

/* How many of `all` are at least `percent`. */
static uint32_t share(uint32_t all, uint32_t percent)
{
    return (uint32_t)(((uint64_t)all * percent + 99) / 100);
}

/* Rounded down: 94.9% is not the 95% that are needed. */
static unsigned percent_of(uint32_t part, uint32_t all)
{
    return all == 0 ? 0 : (unsigned)((uint64_t)part * 100 / all);
}

void steer_duration(uint64_t seconds, char *out, size_t size)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } unit[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    int i = 0;
    uint64_t more;

    while (i < 3 && seconds < unit[i].seconds) {
        i++;
    }
    more = i < 3 ? seconds % unit[i].seconds / unit[i + 1].seconds : 0;
    if (more == 0) {
        (void)snprintf(out, size, "%" PRIu64 " %s", seconds / unit[i].seconds,
                       unit[i].name);
    } else {
        (void)snprintf(out, size, "%" PRIu64 " %s %" PRIu64 " %s",
                       seconds / unit[i].seconds, unit[i].name, more,
                       unit[i + 1].name);
    }
}

/* --- The state of a stage ------------------------------------------------ */

enum failing { FINE, UNCLEAR, BAD };

struct judge {
    const struct steer_facts *f;
    const struct plan_gates *gates;
    struct steer_verdict *v;
    uint32_t left;   /* devices that have not decided */
    uint32_t needed; /* confirmed */
    enum failing failing;
    bool pausable;   /* min_failed is reached, and failures are judged */
    bool overridden; /* an operator resumed in spite of as many failures */
};

static uint32_t add(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static bool ceiling_reached(const struct judge *j)
{
    return (uint64_t)j->v->failures * 100 >=
           (uint64_t)j->v->sample * j->gates->max_failed_percent;
}

static enum failing judge_failures(const struct judge *j)
{
    double ceiling = j->gates->max_failed_percent / 100.0;

    if (j->gates->max_failed_percent >= 100 || j->v->failures == 0 ||
        !ceiling_reached(j)) {
        return FINE;
    }
    if (!j->pausable) {
        return UNCLEAR;
    }
    return j->v->failed_low >= ceiling || j->left == 0 ? BAD : UNCLEAR;
}

static void begin(struct judge *j, const struct steer_facts *f,
                  struct steer_verdict *v)
{
    const struct steer_counts *n = &f->now;

    memset(v, 0, sizeof *v);
    memset(j, 0, sizeof *j);
    j->f = f;
    j->v = v;
    j->gates = &f->plan->stage[f->stage].gates;
    v->failures = add(add(n->returned, n->failed), add(n->refused, n->silent));
    v->sample = add(n->confirmed, v->failures);
    steer_wilson(v->failures, v->sample, quantile, &v->failed_low,
                 &v->failed_high);
    j->left = add(add(n->offered, n->untouched), n->retrying);
    j->needed = share(n->devices, j->gates->confirmed_percent);
    j->pausable = v->failures >= j->gates->min_failed && v->failures > 0 &&
                  j->gates->max_failed_percent < 100;
    j->overridden = v->failures <= f->seen_failures;
    j->failing = judge_failures(j);
}

/* --- Sentences ----------------------------------------------------------- */

static void say(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(char *out, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(out, size, format, args);
    va_end(args);
}

#define SAY(array, ...) say(array, sizeof(array), __VA_ARGS__)

static const char *s_of(uint32_t n)
{
    return n == 1 ? "" : "s";
}

/* "1 of 20 devices has", "0 of 1 device has", "12 of 20 devices have" */
static const char *have(uint32_t n, uint32_t all)
{
    return n == 1 || all == 1 ? "has" : "have";
}

static const char *are(uint32_t n)
{
    return n == 1 ? "is" : "are";
}

/* "2 of 10 failed: between 7% and 46% of all would" */
static void say_failures(const struct judge *j, char *out, size_t size)
{
    const struct steer_verdict *v = j->v;

    say(out, size,
        "%" PRIu32 " of %" PRIu32
        " failed: between %.0f%% and %.0f%% of all would",
        v->failures, v->sample, v->failed_low * 100, v->failed_high * 100);
}

/* "fewer than 10% may" */
static void say_allowed(const struct judge *j, char *out, size_t size)
{
    unsigned ceiling = j->gates->max_failed_percent;

    if (ceiling == 0) {
        say(out, size, "none may");
    } else {
        say(out, size, "fewer than %u%% may", ceiling);
    }
}

/* --- Gates --------------------------------------------------------------- */

static struct steer_gate *gate(struct judge *j, enum steer_gate_name name,
                               bool passed, uint32_t value, uint32_t wanted)
{
    struct steer_gate *g = &j->v->gate[name];

    g->name = name;
    g->state = passed ? GATE_PASSED : GATE_WAITING;
    g->value = value;
    g->wanted = wanted;
    return g;
}

static void judge_sample(struct judge *j)
{
    uint32_t devices = j->f->now.devices;
    uint32_t wanted =
        j->gates->min_sample < devices ? j->gates->min_sample : devices;
    uint32_t sample = j->v->sample;
    struct steer_gate *g =
        gate(j, GATE_SAMPLE, devices > 0 && sample >= wanted, sample, wanted);

    if (devices == 0) {
        SAY(g->text, "no device is in this stage");
    } else if (g->state == GATE_PASSED) {
        SAY(g->text, "%" PRIu32 " device%s %s decided; %" PRIu32 " %s needed",
            sample, s_of(sample), have(sample, sample), wanted, are(wanted));
    } else {
        SAY(g->text,
            "%" PRIu32 " of %" PRIu32 " device%s %s decided; %" PRIu32
            " %s needed",
            sample, devices, s_of(devices), have(sample, devices), wanted,
            are(wanted));
    }
}

static void judge_confirmed(struct judge *j)
{
    uint32_t devices = j->f->now.devices;
    uint32_t confirmed = j->f->now.confirmed;
    struct steer_gate *g =
        gate(j, GATE_CONFIRMED, confirmed >= j->needed, confirmed, j->needed);

    SAY(g->text,
        "%" PRIu32 " of %" PRIu32 " device%s %s confirmed (%u%%); %" PRIu32
        " %s needed",
        confirmed, devices, s_of(devices), have(confirmed, devices),
        percent_of(confirmed, devices), j->needed, are(j->needed));
}

/* value: percent that failed; wanted: below this. */
static void judge_failed(struct judge *j)
{
    const struct steer_verdict *v = j->v;
    unsigned percent = percent_of(v->failures, v->sample);
    struct steer_gate *g = gate(j, GATE_FAILED, j->failing == FINE, percent,
                                j->gates->max_failed_percent);
    char seen[96];
    char allowed[32];

    say_failures(j, seen, sizeof seen);
    say_allowed(j, allowed, sizeof allowed);
    if (j->gates->max_failed_percent >= 100) {
        SAY(g->text, "%" PRIu32 " failed; failures are not judged",
            v->failures);
    } else if (v->sample == 0) {
        SAY(g->text, "none has failed; %s", allowed);
    } else if (j->failing == FINE) {
        SAY(g->text, "%" PRIu32 " of %" PRIu32 " failed (%u%%); %s",
            v->failures, v->sample, percent, allowed);
    } else if (j->failing == BAD) {
        g->state = GATE_FAILING;
        SAY(g->text, "%s; %s", seen, allowed);
    } else if (j->left > 0) {
        SAY(g->text, "%s; waiting for more devices before judging", seen);
    } else {
        SAY(g->text, "%s; fewer than %" PRIu32 " failures never pause", seen,
            j->gates->min_failed);
    }
}

static void judge_soak(struct judge *j)
{
    const struct steer_facts *f = j->f;
    uint32_t wanted = j->gates->soak_s;
    uint64_t since = f->gates_since != 0 ? f->gates_since : f->time;
    uint64_t done = f->time > since ? f->time - since : 0;
    bool passed = j->v->gates_met && done >= wanted;
    struct steer_gate *g =
        gate(j, GATE_SOAK, passed,
             !j->v->gates_met ? 0 : (uint32_t)(done < wanted ? done : wanted),
             wanted);
    char soaked[32];
    char all[32];

    steer_duration(g->value, soaked, sizeof soaked);
    steer_duration(wanted, all, sizeof all);
    if (wanted == 0) {
        g->state = GATE_PASSED;
        SAY(g->text, "no soak time");
    } else if (passed) {
        SAY(g->text, "soaked for %s", all);
    } else if (j->v->gates_met) {
        SAY(g->text, "soaking: %s of %s", soaked, all);
    } else {
        SAY(g->text, "soaks for %s once enough devices are well", all);
    }
}

static void judge_manual(struct judge *j)
{
    bool agreed = j->f->advance_asked;
    struct steer_gate *g = gate(j, GATE_MANUAL, !j->gates->manual || agreed,
                                agreed, j->gates->manual);

    SAY(g->text, "%s",
        !j->gates->manual ? "no operator's word is needed"
        : agreed          ? "an operator said to advance"
                          : "an operator must say advance");
}

/* --- The verdict --------------------------------------------------------- */

static bool passed(const struct judge *j, enum steer_gate_name name)
{
    return j->v->gate[name].state == GATE_PASSED;
}

static bool fresh_signature(const struct judge *j)
{
    return j->f->now.bad_signature > j->f->seen_bad_signature;
}

/* All have decided, enough failed to judge, and too few are confirmed. */
static bool at_an_end(const struct judge *j)
{
    return j->f->now.devices > 0 && j->left == 0 && j->pausable &&
           !passed(j, GATE_CONFIRMED);
}

static void pause_for(struct judge *j)
{
    struct steer_verdict *v = j->v;
    uint32_t bad = j->f->now.bad_signature;
    char seen[96];
    char allowed[32];

    say_failures(j, seen, sizeof seen);
    say_allowed(j, allowed, sizeof allowed);
    v->action = STEER_PAUSE;
    if (fresh_signature(j)) {
        SAY(v->reason,
            "%" PRIu32 " device%s refused the release's signature: the "
            "release, or the way to the devices, is wrong for all of them",
            bad, s_of(bad));
    } else if (j->failing == BAD) {
        SAY(v->reason, "%s; %s", seen, allowed);
    } else {
        SAY(v->reason,
            "no device is left to decide: %" PRIu32 " of %" PRIu32
            " confirmed (%u%%), %" PRIu32 " %s needed; %" PRIu32 " failed",
            j->f->now.confirmed, j->f->now.devices,
            percent_of(j->f->now.confirmed, j->f->now.devices), j->needed,
            are(j->needed), v->failures);
    }
}

static void go_on(struct judge *j)
{
    struct steer_verdict *v = j->v;
    const struct steer_counts *n = &j->f->now;

    v->action = j->f->last ? STEER_FINISH : STEER_ADVANCE;
    SAY(v->reason,
        "every gate is passed: %" PRIu32 " of %" PRIu32
        " device%s %s confirmed, %" PRIu32 " failed; %s",
        n->confirmed, n->devices, s_of(n->devices),
        have(n->confirmed, n->devices), v->failures,
        j->f->last ? "the rollout is finished" : "the next stage begins");
}

/* Why the failures, which block the stage, have not paused it. */
static const char *why_no_pause(const struct judge *j)
{
    if (passed(j, GATE_FAILED) && j->v->failures == 0) {
        return "";
    }
    if (j->gates->max_failed_percent >= 100) {
        return ", which is not judged";
    }
    return j->pausable ? ", and a person resumed it in spite of them"
                       : ", too few to pause";
}

/* Nobody is left who could change it. */
static void say_stuck(struct judge *j)
{
    const struct steer_counts *n = &j->f->now;
    char allowed[32];
    bool few = passed(j, GATE_FAILED);

    say_allowed(j, allowed, sizeof allowed);
    SAY(j->v->reason,
        "no device is left to decide, and this stage cannot pass by itself: "
        "%" PRIu32 " of %" PRIu32 " confirmed, %" PRIu32 " %s needed; %" PRIu32
        " failed%s%s%s%s; advance by hand, retry or abort",
        n->confirmed, n->devices, j->needed, are(j->needed), j->v->failures,
        few ? "" : " (", few ? "" : allowed, few ? "" : ")", why_no_pause(j));
}

static bool is_stuck(const struct judge *j)
{
    return j->f->now.devices > 0 && j->left == 0 && !j->v->gates_met;
}

/* All that could pass by itself has, or nothing more will. */
static bool needs_person(const struct judge *j)
{
    bool by_hand = j->v->gates_met && passed(j, GATE_SOAK);

    return by_hand || is_stuck(j) ||
           j->v->gate[GATE_FAILED].state == GATE_FAILING;
}

static void hold(struct judge *j)
{
    static const enum steer_gate_name order[] = {
        GATE_FAILED, GATE_SAMPLE, GATE_CONFIRMED, GATE_SOAK, GATE_MANUAL};
    uint64_t start_at = j->f->plan->start_at;
    char left[32];

    j->v->action = STEER_HOLD;
    if (start_at > j->f->time) {
        steer_duration(start_at - j->f->time, left, sizeof left);
        SAY(j->v->reason, "starts in %s", left);
        return;
    }
    j->v->person = needs_person(j);
    if (is_stuck(j)) {
        say_stuck(j);
        return;
    }
    for (size_t i = 0; i < STEER_GATES; i++) {
        const struct steer_gate *g = &j->v->gate[order[i]];

        if (g->state != GATE_PASSED) {
            SAY(j->v->reason, "%s%s", g->text,
                g->state == GATE_FAILING
                    ? "; an operator resumed in spite of it"
                    : "");
            return;
        }
    }
    SAY(j->v->reason, "every gate is passed; the server was started a moment "
                      "ago, and lets devices report first");
}

void steer_decide(const struct steer_facts *facts, struct steer_verdict *v)
{
    struct judge j;

    begin(&j, facts, v);
    judge_sample(&j);
    judge_confirmed(&j);
    judge_failed(&j);
    v->gates_met = passed(&j, GATE_SAMPLE) && passed(&j, GATE_CONFIRMED) &&
                   passed(&j, GATE_FAILED);
    judge_soak(&j);
    judge_manual(&j);
    if (fresh_signature(&j) ||
        (!j.overridden && (j.failing == BAD || at_an_end(&j)))) {
        pause_for(&j);
    } else if (v->gates_met && passed(&j, GATE_SOAK) &&
               passed(&j, GATE_MANUAL) &&
               facts->plan->start_at <= facts->time && !facts->unwatched) {
        go_on(&j);
    } else {
        hold(&j);
    }
}

const char *steer_gate_title(enum steer_gate_name name)
{
    static const char *const title[STEER_GATES] = {"sample", "confirmed",
                                                   "failed", "soak", "manual"};

    return title[name];
}

const char *steer_gate_state_name(enum steer_gate_state state)
{
    static const char *const name[] = {"passed", "waiting", "failing"};

    return name[state];
}
