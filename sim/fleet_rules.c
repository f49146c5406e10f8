/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_rules.h"

#include "bowline/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A bad release fails on nearly every device, in one manner. */
static const double bad_share = 0.9;

static const char *const behaviours[FLEET_BEHAVIOURS] = {
    "good", "crash", "hang", "health", "pending", "silent", "flaky"};

const char *fleet_behaviour_name(enum fleet_behaviour behaviour)
{
    return behaviours[behaviour];
}

/* --- Reading ------------------------------------------------------------- */

int fleet_share_parse(const char *text, double *out, struct error *err)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end != text && strcmp(end, "%") == 0) {
        value /= 100;
        end++;
    }
    /* Written so that NaN is refused, too. */
    if (end == text || *end != '\0' || !(value >= 0 && value <= 1)) {
        return error_set(err, "\"%s\" is no share; say 30%% or 0.3", text);
    }
    *out = value;
    return 0;
}

static int add_word(struct fleet_shares *out, char *word, struct error *err)
{
    char *colon = strchr(word, ':');
    double share = -1;

    if (colon != NULL) {
        *colon = '\0';
        if (fleet_share_parse(colon + 1, &share, err) != 0) {
            return -1;
        }
    }
    if (word[0] == '\0' || strlen(word) >= FLEET_TEXT) {
        return error_set(err, "\"%s\" is no word of 1 to %d characters", word,
                         FLEET_TEXT - 1);
    }
    if (out->n == FLEET_KINDS) {
        return error_set(err, "more than %d words", FLEET_KINDS);
    }
    (void)snprintf(out->name[out->n], FLEET_TEXT, "%s", word);
    out->share[out->n++] = share;
    return 0;
}

static int even_out(struct fleet_shares *out, struct error *err)
{
    double sum = 0;
    uint32_t open = 0;

    for (uint32_t i = 0; i < out->n; i++) {
        open += out->share[i] < 0;
        sum += out->share[i] < 0 ? 0 : out->share[i];
    }
    if (sum > 1.000001) {
        return error_set(err, "the shares are more than 100%% together");
    }
    for (uint32_t i = 0; i < out->n; i++) {
        if (out->share[i] < 0) {
            out->share[i] = (1 - sum) / open;
        }
    }
    return 0;
}

static int split(const char *text, struct fleet_shares *out, struct error *err)
{
    char copy[1024];
    char *rest = NULL;

    memset(out, 0, sizeof *out);
    if (strlen(text) >= sizeof copy) {
        return error_set(err, "longer than %zu characters", sizeof copy - 1);
    }
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest)) {
        if (add_word(out, word, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int fleet_shares_parse(const char *text, struct fleet_shares *out,
                       struct error *err)
{
    return split(text, out, err) != 0 ? -1 : even_out(out, err);
}

static int behaviour_parse(const char *word)
{
    for (int i = 0; i < FLEET_BEHAVIOURS; i++) {
        if (strcmp(word, behaviours[i]) == 0) {
            return i;
        }
    }
    return -1;
}

int fleet_rule_parse(struct fleet_rules *rules, const char *text,
                     struct error *err)
{
    const char *equals = strchr(text, '=');
    struct fleet_shares shares;
    struct fleet_rule *rule = &rules->rule[rules->n];

    if (rules->n == FLEET_RULES) {
        return error_set(err, "more than %d rules", FLEET_RULES);
    }
    if (equals == NULL || equals == text || equals - text >= FLEET_TEXT) {
        return error_set(err,
                         "\"%s\": say VERSION=BEHAVIOUR:SHARE,... with "
                         "crash, hang, health, pending, silent, flaky",
                         text);
    }
    if (fleet_shares_parse(equals + 1, &shares, err) != 0) {
        return error_prefix(err, "%s", text);
    }
    memset(rule, 0, sizeof *rule);
    memcpy(rule->version, text, (size_t)(equals - text));
    for (uint32_t i = 0; i < shares.n; i++) {
        int behaviour = behaviour_parse(shares.name[i]);

        if (behaviour < 0) {
            return error_set(err,
                             "%s: \"%s\" is none of good, crash, hang, "
                             "health, pending, silent, flaky",
                             text, shares.name[i]);
        }
        rule->share[behaviour] += shares.share[i];
    }
    rules->n++;
    return 0;
}

/* --- Deciding ------------------------------------------------------------ */

double fleet_chance(uint64_t seed, const char *purpose, uint64_t number)
{
    char text[128];
    uint8_t digest[32];
    uint64_t value = 0;
    int n = snprintf(text, sizeof text, "%llu/%.80s/%llu",
                     (unsigned long long)seed, purpose,
                     (unsigned long long)number);

    bl_sha256(text, (size_t)n, digest);
    for (int i = 0; i < 6; i++) {
        value = value << 8 | digest[i];
    }
    return (double)value / (double)(1ULL << 48);
}

const char *fleet_shares_pick(const struct fleet_shares *shares, uint64_t seed,
                              const char *purpose, uint64_t number)
{
    double at = fleet_chance(seed, purpose, number);
    uint32_t i = 0;

    if (shares->n == 0) {
        return "";
    }
    while (i + 1 < shares->n && at >= shares->share[i]) {
        at -= shares->share[i++];
    }
    return shares->name[i];
}

/* "*" is of releases that come later: a factory tests what it ships. */
static const struct fleet_rule *rule_of(const struct fleet_rules *rules,
                                        const char *version, bool factory)
{
    const struct fleet_rule *any = NULL;

    for (uint32_t i = 0; i < rules->n; i++) {
        if (strcmp(rules->rule[i].version, version) == 0) {
            return &rules->rule[i];
        }
        if (!factory && strcmp(rules->rule[i].version, "*") == 0) {
            any = &rules->rule[i];
        }
    }
    return any;
}

bool fleet_release_is_bad(const struct fleet_rules *rules, const char *version,
                          bool factory)
{
    char purpose[64];

    (void)snprintf(purpose, sizeof purpose, "release %s", version);
    return !factory && rule_of(rules, version, factory) == NULL &&
           fleet_chance(rules->seed, purpose, 0) < rules->bad_release;
}

/* The manner in which a bad release fails: crash, hang, health or pending. */
static enum fleet_behaviour manner(const struct fleet_rules *rules,
                                   const char *version)
{
    char purpose[64];

    (void)snprintf(purpose, sizeof purpose, "manner %s", version);
    return (enum fleet_behaviour)(
        FLEET_CRASH + (int)(4 * fleet_chance(rules->seed, purpose, 0)));
}

enum fleet_behaviour fleet_behaviour_of(const struct fleet_rules *rules,
                                        const char *version, bool factory,
                                        uint64_t number)
{
    const struct fleet_rule *rule = rule_of(rules, version, factory);
    char purpose[64];
    double at;

    (void)snprintf(purpose, sizeof purpose, "behaviour %s", version);
    at = fleet_chance(rules->seed, purpose, number);
    if (rule == NULL) {
        return fleet_release_is_bad(rules, version, factory) && at < bad_share
                   ? manner(rules, version)
                   : FLEET_GOOD;
    }
    for (int i = FLEET_CRASH; i < FLEET_BEHAVIOURS; i++) {
        if (at < rule->share[i]) {
            return (enum fleet_behaviour)i;
        }
        at -= rule->share[i];
    }
    return FLEET_GOOD;
}
