/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client without a manifest is sent: by the function that decides at a
 * poll (rollout.c), with what is known of such a client, which is less.
 *
 *   - A stage of p percent holds it when its own bucket is below p: never
 *     more, also where a stage was raised to its first managed device. A
 *     stage of a count of devices holds no such client.
 *   - Without identity: what has come to 100 percent, and nothing else.
 *   - Nothing counts as begun: a paused or ended rollout sends nothing more,
 *     not the rest of a download either.
 *   - What only a device can answer (consent, battery, its link) keeps the
 *     release from it until the plan's deadline.
 *   - What a version stands before (stepping stones, the least version) is
 *     sent only to who says what it runs.
 */
#ifndef SERVER_UNMANAGED_DECIDE_H
#define SERVER_UNMANAGED_DECIDE_H

#include "server.h"
#include "unmanaged.h"

/* So long after it was sent a release whole, who does not say what it runs is
 * not sent it again: it may boot into it, ask, and boot again for ever. */
enum { UNMANAGED_AGAIN_S = 86400 };

struct give {
    struct release *release; /* NULL: nothing now */
    struct rollout *rollout; /* that sends it */
    bool never;              /* nothing was ever rolled out here */
    uint32_t wait_s;         /* until it is worth asking again; 0: not known */
    char why[UNMANAGED_WHY]; /* in words */
};

/* The catalog is locked. `u->runs`, `told` and `goes_on` are set; `named`: it
 * has an identity. */
void unmanaged_decide(struct server *s, const struct product *product,
                      const struct unmanaged *u, bool named, struct give *out);

/* The release of the product that a client says it runs, by the digest of
 * its image or else by its version; 0: not known. The catalog is locked. */
uint32_t unmanaged_runs(struct server *s, const struct product *product,
                        const struct ask *ask);

#endif
