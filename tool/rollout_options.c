/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `bowline rollout` take. plan_options.c reads those that
 * are members of a plan. */
#include "options.h"

/* The groups of "rollout status --wait". */
#define WAITS "finished settled confirmed paused aborted"
#define STATES "approval scheduled running paused aborted finished"
#define MANY_OF(name, value, help)                                            \
    {                                                                         \
        name, value, help, ANY, NULL, true, 0                                 \
    }

/* What may be changed later, too. */
#define PLAN                                                                  \
    VALUE("name", "TEXT", "a name for people"),                               \
        VALUE("stages", "LIST",                                               \
              "as 1,10,100 (percent; the default) or 10,1%,100% (devices "    \
              "first)"),                                                      \
        VALUE("confirmed", "PERCENT",                                         \
              "a stage ends when so many confirmed; else 95"),                \
        VALUE("sample", "N", "and so many have decided; else 5"),             \
        VALUE("soak", "TIME", "and stayed well for so long; else 1h"),        \
        VALUE("max-failed", "PERCENT",                                        \
              "pause when so many fail; 100: never; else 10"),                \
        VALUE("min-failed", "N", "never pause for fewer; else 2"),            \
        CHOICE("manual", "YESNO", "an operator must advance each stage",      \
               "yes no"),                                                     \
        VALUE("start-at", "WHEN",                                             \
              "as \"2026-02-01 02:00\" (UTC) or +2h; else at once"),          \
        VALUE("deadline", "WHEN",                                             \
              "then windows, consent, battery and links count no more; or "   \
              "none"),                                                        \
        MANY_OF("window", "DAYS-TIMES",                                       \
                "as \"mon-fri 02:00-05:00\", local to the device; or none"),  \
        VALUE("rate", "N", "new offers in an hour; 0: no limit"),             \
        VALUE("max-downloads", "N", "downloads at once; 0: no limit"),        \
        VALUE("priority", "N", "-100 to 100, before those with less"),        \
        CHOICE("on-failure", "WHAT",                                          \
               "with updated devices, when it pauses by itself; else pause",  \
               "pause return"),                                               \
        CHOICE("consent", "YESNO", "a person at the device must agree",       \
               "yes no"),                                                     \
        VALUE("min-battery", "PERCENT", "devices with less wait"),            \
        CHOICE("metered", "YESNO", "also over metered links; else yes",       \
               "yes no"),                                                     \
        CHOICE("roaming", "YESNO", "also when roaming; else yes", "yes no"),  \
        VALUE("attempts", "N", "so often may a device try; else 2"),          \
        VALUE("quarantine", "TIME", "then it is left alone; else 24h")

#define PERMIT_DAYS                                                           \
    VALUE("permit-days", "N",                                                 \
          "permits for a return by itself are good for so long; else 30")

const struct option options_rollout_start[] = {
    PLAN,
    CHOICE("strategy", "NAME", "the stages by a name",
           "staged canary immediate"),
    VALUE("query", "QUERY", "only these devices; see docs/ROLLOUTS.md"),
    VALUE("channel", "NAME", "only devices of this channel"),
    MANY_OF("include", "DEVICE", "only these, by name or id"),
    MANY_OF("exclude", "DEVICE", "not this one"),
    FLAG("security", "goes before every rollout that is not"),
    PERMIT_DAYS,
    FLAG("dry-run", "the same as bowline rollout preview"),
    PRODUCT,
    END};

const struct option options_rollout_set[] = {PLAN, PERMIT_DAYS, PRODUCT, END};

const struct option options_rollout_status[] = {
    FLAG("watch", "a live view, until the rollout ends or you stop it"),
    CHOICE("wait", "STATE", "wait for this state; exit 1 when it cannot come",
           WAITS),
    VALUE("timeout", "SECONDS", "how long to wait; else 600"),
    VALUE("interval", "SECONDS", "how often to ask; else 1"),
    PRODUCT,
    END};

const struct option options_rollout_list[] = {
    CHOICE("state", "STATE", "only these", STATES), PRODUCT, END};

const struct option options_rollout_pause[] = {
    VALUE("reason", "TEXT", "kept with the rollout, for the others"), PRODUCT,
    END};

const struct option options_rollout_abort[] = {
    FLAG("keep", "let the devices that have begun finish"),
    FLAG("recall", "call back those that have not installed it yet; so it "
                   "is anyway, but for --keep"),
    PRODUCT, END};

const struct option options_rollout_advance[] = {
    FLAG("force", "also when a gate has not passed, or devices failed"),
    PRODUCT, END};

const struct option options_rollout_approve[] = {
    VALUE("note", "TEXT", "kept with your word"), PRODUCT, END};

const struct option options_rollout_return[] = {
    FLAG("preview", "say who would go back to what; change nothing"),
    VALUE("days", "N", "the permits are good for so long; else 7"), PRODUCT,
    END};

const struct option options_rollout_bucket[] = {
    VALUE("rollout", "ID", "else the newest of the device's product"), END};

const struct option options_rollout_apply[] = {FLAG("yes", "without asking"),
                                               END};
