/* SPDX-License-Identifier: Apache-2.0 */
/* The truth table of bl_policy_wait. */
#include "support/cmocka_all.h"

#include "bowline/policy.h"

#include <string.h>

static const struct bl_policy anything = {0};
static const struct bl_conditions unknown = {BL_OFFSET_UNKNOWN,
                                             BL_BATTERY_UNKNOWN, 0};

static struct bl_conditions with(uint8_t battery, uint8_t flags)
{
    struct bl_conditions c = unknown;

    c.battery = battery;
    c.flags = flags;
    return c;
}

struct row {
    const char *name;
    struct bl_policy policy;
    uint8_t battery;
    uint8_t flags;
    bl_consent consent;
    bl_wait expected;
};

enum { LINK = BL_LINK_KNOWN, NO_BATTERY = BL_BATTERY_UNKNOWN };

static const struct row rows[] = {
    {"nothing asked", {0}, 1, LINK | 6, BL_CONSENT_OPEN, BL_WAIT_NONE},
    {"window", {.closed = true}, 100, 0, BL_CONSENT_YES, BL_WAIT_WINDOW},
    {"battery below", {.min_battery = 30}, 29, 0, 0, BL_WAIT_BATTERY},
    {"battery just", {.min_battery = 30}, 30, 0, 0, BL_WAIT_NONE},
    {"on power", {.min_battery = 30}, 3, BL_POWERED, 0, BL_WAIT_NONE},
    {"no battery", {.min_battery = 30}, NO_BATTERY, 0, 0, BL_WAIT_NONE},
    {"nonsense", {.min_battery = 100}, 101, 0, 0, BL_WAIT_NONE},
    {"metered",
     {.no_metered = true},
     NO_BATTERY,
     LINK | BL_METERED,
     0,
     BL_WAIT_NETWORK},
    {"roaming",
     {.no_roaming = true},
     NO_BATTERY,
     LINK | BL_ROAMING,
     0,
     BL_WAIT_NETWORK},
    {"metered roams",
     {.no_roaming = true},
     NO_BATTERY,
     LINK | BL_METERED,
     0,
     BL_WAIT_NONE},
    {"link not known",
     {.no_metered = true, .no_roaming = true},
     NO_BATTERY,
     BL_METERED | BL_ROAMING,
     0,
     BL_WAIT_NONE},
    {"consent", {.consent = true}, 100, 0, BL_CONSENT_OPEN, BL_WAIT_CONSENT},
    {"consented", {.consent = true}, 100, 0, BL_CONSENT_YES, BL_WAIT_NONE},
    {"no", {.consent = true}, 100, 0, BL_CONSENT_NO, BL_WAIT_CONSENT},
    {"unasked no", {0}, 100, 0, BL_CONSENT_NO, BL_WAIT_CONSENT},
    {"unasked later", {0}, 100, 0, BL_CONSENT_LATER, BL_WAIT_CONSENT},
    {"window first",
     {.closed = true, .min_battery = 30, .consent = true},
     10,
     0,
     0,
     BL_WAIT_WINDOW},
    {"battery before network",
     {.min_battery = 30, .no_metered = true},
     10,
     LINK | BL_METERED,
     0,
     BL_WAIT_BATTERY},
    {"network before consent",
     {.no_metered = true, .consent = true},
     100,
     LINK | BL_METERED,
     0,
     BL_WAIT_NETWORK},
    {"forced",
     {.forced = true,
      .closed = true,
      .min_battery = 90,
      .no_metered = true,
      .no_roaming = true,
      .consent = true},
     5,
     LINK | BL_METERED | BL_ROAMING,
     BL_CONSENT_NO,
     BL_WAIT_NONE},
    {"forced, dying", {.forced = true}, 4, 0, 0, BL_WAIT_BATTERY},
    {"forced, on power", {.forced = true}, 4, BL_POWERED, 0, BL_WAIT_NONE},
};

static void every_row_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct bl_conditions c = with(r->battery, r->flags);

        if (bl_policy_wait(&r->policy, &c, r->consent) != r->expected) {
            fail_msg("%s", r->name);
        }
    }
}

static struct bl_policy policy_of(unsigned bits)
{
    struct bl_policy p = anything;

    p.closed = (bits & 1) != 0;
    p.min_battery = (bits & 2) != 0 ? 50 : 0;
    p.no_metered = (bits & 4) != 0;
    p.no_roaming = (bits & 8) != 0;
    p.consent = (bits & 16) != 0;
    return p;
}

typedef void (*visitor)(const struct bl_policy *p,
                        const struct bl_conditions *c, bl_consent consent,
                        unsigned bits);

static void everything(visitor visit)
{
    static const uint8_t battery[] = {0, 4, 5, 49, 50, 100, 101, 255};

    for (unsigned bits = 0; bits < 32; bits++) {
        struct bl_policy p = policy_of(bits);

        for (unsigned flags = 0; flags < 32; flags++) {
            for (size_t b = 0; b < sizeof(battery); b++) {
                struct bl_conditions c = with(battery[b], (uint8_t)flags);

                for (int consent = 0; consent <= BL_CONSENT_LATER; consent++) {
                    visit(&p, &c, (bl_consent)consent, bits);
                }
            }
        }
    }
}

/* One rule less never makes a device wait that did not. */
static void a_rule_less(const struct bl_policy *p,
                        const struct bl_conditions *c, bl_consent consent,
                        unsigned bits)
{
    if (bl_policy_wait(p, c, consent) != BL_WAIT_NONE) {
        return;
    }
    for (unsigned bit = 1; bit < 32; bit <<= 1) {
        struct bl_policy less = policy_of(bits & ~bit);

        assert_int_equal(bl_policy_wait(&less, c, consent), BL_WAIT_NONE);
    }
}

static void fewer_rules_never_wait_more(void **state)
{
    (void)state;
    everything(a_rule_less);
}

static void forced(const struct bl_policy *p, const struct bl_conditions *c,
                   bl_consent consent, unsigned bits)
{
    struct bl_policy f = *p;
    bool dying = c->battery < 5 && (c->flags & BL_POWERED) == 0;

    (void)bits;
    f.forced = true;
    assert_int_equal(bl_policy_wait(&f, c, consent),
                     dying ? BL_WAIT_BATTERY : BL_WAIT_NONE);
}

static void forced_waits_for_a_dying_battery_only(void **state)
{
    (void)state;
    everything(forced);
}

static void not_known(const struct bl_policy *p, const struct bl_conditions *c,
                      bl_consent consent, unsigned bits)
{
    bl_wait wait = bl_policy_wait(p, &unknown, consent);

    (void)c;
    (void)bits;
    assert_true(wait != BL_WAIT_BATTERY && wait != BL_WAIT_NETWORK);
}

static void what_is_not_known_never_waits(void **state)
{
    (void)state;
    everything(not_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_holds),
        cmocka_unit_test(fewer_rules_never_wait_more),
        cmocka_unit_test(forced_waits_for_a_dying_battery_only),
        cmocka_unit_test(what_is_not_known_never_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
