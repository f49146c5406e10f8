/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/policy.h"

static bool battery_below(const struct bl_conditions *c, uint8_t percent)
{
    return (c->flags & BL_POWERED) == 0 && c->battery <= 100 &&
           c->battery < percent;
}

static bool link_forbidden(const struct bl_policy *p,
                           const struct bl_conditions *c)
{
    if ((c->flags & BL_LINK_KNOWN) == 0) {
        return false;
    }
    return (p->no_metered && (c->flags & BL_METERED) != 0) ||
           (p->no_roaming && (c->flags & BL_ROAMING) != 0);
}

static bool not_agreed(const struct bl_policy *p, bl_consent consent)
{
    return consent == BL_CONSENT_NO || consent == BL_CONSENT_LATER ||
           (p->consent && consent != BL_CONSENT_YES);
}

bl_wait bl_policy_wait(const struct bl_policy *p,
                       const struct bl_conditions *c, bl_consent consent)
{
    if (p->forced) {
        return battery_below(c, BL_BATTERY_LEAST) ? BL_WAIT_BATTERY
                                                  : BL_WAIT_NONE;
    }
    if (p->closed) {
        return BL_WAIT_WINDOW;
    }
    if (battery_below(c, p->min_battery)) {
        return BL_WAIT_BATTERY;
    }
    if (link_forbidden(p, c)) {
        return BL_WAIT_NETWORK;
    }
    return not_agreed(p, consent) ? BL_WAIT_CONSENT : BL_WAIT_NONE;
}
