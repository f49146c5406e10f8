/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a rollout steers itself, pure: counts in, verdict out. The truth table
 * is tests/server/test_steer.c.
 *
 * A stage passes when all its gates do. Failures are judged with their
 * confidence interval (Wilson, 90% two-sided): one of three is not 33%, it is
 * "between 8% and 75%". So there are three answers:
 *   fine     the share seen is below the ceiling, or nothing failed
 *   unclear  it is not, but the interval's low end is, or fewer than
 *            min_failed failed: the stage does not pass, and waits for more
 *            devices to decide
 *   bad      the low end reaches the ceiling, and min_failed is reached; or it
 *            is unclear, min_failed is reached and no device of the stage is
 *            left to decide: the rollout pauses
 * Devices that are unknown count as not confirmed. A ceiling of 100 percent
 * judges nothing.
 *
 * When every device of the stage has decided and it cannot pass: with
 * min_failed failures the rollout pauses; with fewer (1 of 1, say) it holds,
 * and `reason` says that only a person can go on. That person's "advance"
 * opens the next stage without asking here.
 */
#ifndef SERVER_STEER_H
#define SERVER_STEER_H

#include "plan.h"

/* Of the devices that the stage (with those before it) holds. */
struct steer_counts {
    uint32_t devices; /* that the rollout wants, and can take it */
    uint32_t offered; /* under way: offered .. testing, not silent */
    uint32_t confirmed;
    uint32_t returned;
    uint32_t failed;
    uint32_t refused;
    uint32_t silent;        /* under way or confirmed, expected back and not
                               seen */
    uint32_t untouched;     /* not offered yet */
    uint32_t bad_signature; /* of the refused: bl_status BL_SIGNATURE */
    uint32_t retrying; /* of those that failed: one more try is to come, or
                          under way. Not those in quarantine. */
};

struct steer_facts {
    const struct plan *plan;
    uint32_t stage;
    bool last; /* stage + 1 == n_stages */
    struct steer_counts now;
    uint64_t time; /* seconds since 1970 */
    uint64_t stage_since;
    uint64_t gates_since; /* when the gates but soak were first met together;
                             0: they are not */
    bool unwatched;       /* the server has just begun: devices have not had
                             the time to tell what became of them */
    bool advance_asked;   /* an operator agrees: all that GATE_MANUAL wants */
    /* What there was when an operator last resumed it: no pause until there
     * is more of it. 0: never paused. */
    uint32_t seen_failures;
    uint32_t seen_bad_signature;
};

enum steer_gate_name {
    GATE_SAMPLE,
    GATE_CONFIRMED,
    GATE_FAILED,
    GATE_SOAK,
    GATE_MANUAL,
    STEER_GATES
};

enum steer_gate_state { GATE_PASSED, GATE_WAITING, GATE_FAILING };

struct steer_gate {
    enum steer_gate_name name;
    enum steer_gate_state state;
    uint32_t value;
    uint32_t wanted;
    char text[160]; /* "3 of 5 devices have confirmed; 5 are needed" */
};

enum steer_action { STEER_HOLD, STEER_ADVANCE, STEER_PAUSE, STEER_FINISH };

struct steer_verdict {
    enum steer_action action;
    bool gates_met; /* all but soak and manual: start, or keep, gates_since */
    struct steer_gate gate[STEER_GATES];
    bool person; /* held, and only a person can change that */
    uint32_t failures;
    uint32_t sample;   /* devices that have decided, silent ones included */
    double failed_low; /* 0..1 */
    double failed_high;
    char reason[256]; /* one sentence: why it waits, advances or pauses */
};

void steer_decide(const struct steer_facts *facts, struct steer_verdict *v);

/* Wilson's interval for `k` of `n` at normal quantile `z`; n 0: 0 and 1. */
void steer_wilson(uint32_t k, uint32_t n, double z, double *low, double *high);

/*
 * When will the rollout be finished? From what was confirmed how fast, the
 * rate limit, what is left in this stage and the later ones, and soak times.
 * A later stage is taken to need as long as this one, if the rate limit lets
 * it. 0: nothing to say yet, or an operator's word is needed on the way.
 */
struct steer_pace {
    uint64_t now;
    uint64_t stage_since;
    uint64_t gates_since;                /* as in steer_facts */
    uint32_t stage_devices[PLAN_STAGES]; /* with those of the stages before */
    uint32_t confirmed;                  /* in the present stage */
    uint32_t confirmed_at_start;         /* when the stage began */
    uint32_t poll_interval_s;
};

uint64_t steer_finish(const struct plan *plan, uint32_t stage,
                      const struct steer_pace *pace);

/* Text like "1 h 30 min", at most two units. */
void steer_duration(uint64_t seconds, char *out, size_t size);

/* "sample", "confirmed", "failed", "soak", "manual" */
const char *steer_gate_title(enum steer_gate_name name);
/* "passed", "waiting", "failing" */
const char *steer_gate_state_name(enum steer_gate_state state);

#endif
