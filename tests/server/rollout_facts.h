/* SPDX-License-Identifier: Apache-2.0 */
/* Facts for tests of the rollout decision, and what they must come to. */
#ifndef TESTS_SERVER_ROLLOUT_FACTS_H
#define TESTS_SERVER_ROLLOUT_FACTS_H

#include "support/cmocka_all.h"

#include "rollout.h"

static const uint8_t v1[32] = {1};
static const uint8_t v2[32] = {2};
static const uint8_t v3[32] = {3};
static const uint8_t id[16] = {0xAB};

/* Runs v1 (sequence 1), confirmed, never offered anything. */
static struct rollout_device device(void)
{
    struct rollout_device d = {.id = id,
                               .manifest = v1,
                               .sequence = 1,
                               .floor = 1,
                               .confirmed = true};

    return d;
}

static struct rollout_candidate update(uint64_t number, uint64_t sequence,
                                       const uint8_t *manifest)
{
    struct rollout_candidate c = {.order = number * 2,
                                  .kind = ROLLOUT_UPDATE,
                                  .state = ROLLOUT_RUNNING,
                                  .cut = ROLLOUT_ALL,
                                  .sequence = sequence,
                                  .manifest = manifest};

    return c;
}

static void expect(const struct rollout_device *d,
                   const struct rollout_candidate *c, uint32_t n,
                   enum rollout_why why, int candidate, bool wanted)
{
    struct rollout_verdict v = rollout_decide(d, c, n, 1000);

    assert_string_equal(rollout_why_name(v.why), rollout_why_name(why));
    assert_int_equal(v.candidate, candidate);
    assert_int_equal(v.wanted, wanted);
}

#endif
