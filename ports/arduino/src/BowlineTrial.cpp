/* SPDX-License-Identifier: Apache-2.0 */
#include "BowlineTrial.h"

bool BowlineTrial::add(const char *name, BowlineCheck check)
{
    if (count_ == CHECKS || !check) {
        return false;
    }
    check_[count_].name = name != nullptr ? name : "health";
    check_[count_].check = check;
    count_++;
    return true;
}

void BowlineTrial::begin(uint32_t now_ms)
{
    running_ = true;
    given_up_ = false;
    failures_ = 0;
    asked_ = false;
    started_ms_ = now_ms;
}

/* All are asked, also behind one that failed: a check may need its turn to
 * get on. */
BowlineHealth BowlineTrial::ask(const char **which)
{
    BowlineHealth all =
        count_ == 0 ? BowlineHealth::Pending : BowlineHealth::Pass;

    *which = "";
    for (unsigned i = 0; i < count_; i++) {
        BowlineHealth one = check_[i].check();

        if (one == BowlineHealth::Fail ||
            (one == BowlineHealth::Pending && all == BowlineHealth::Pass)) {
            all = one;
            *which = check_[i].name;
        }
    }
    return all;
}

BowlineTrial::Verdict BowlineTrial::back(const char *why)
{
    running_ = false;
    why_ = why;
    return Verdict::Return;
}

void BowlineTrial::giveUp(const char *why)
{
    given_up_ = true;
    why_ = why != nullptr ? why : "";
}

BowlineTrial::Verdict BowlineTrial::handle(uint32_t now_ms, bool reachable)
{
    const char *which = "";
    BowlineHealth health;

    if (!running_) {
        return Verdict::None;
    }
    if (given_up_) {
        return back(why_);
    }
    if (!asked_ || now_ms - asked_ms_ >= interval_ * 1000UL) {
        asked_ = true;
        asked_ms_ = now_ms;
        health = count_ == 0 && reachable ? BowlineHealth::Pass : ask(&which);
        if (health == BowlineHealth::Pass) {
            running_ = false;
            return Verdict::Confirmed;
        }
        failures_ = health == BowlineHealth::Fail ? failures_ + 1 : 0;
        if (failures_ == FAILURES) {
            return back(which);
        }
    }
    if (now_ms - started_ms_ >= deadline_ * 1000UL) {
        return back("not confirmed in time");
    }
    return Verdict::None;
}
