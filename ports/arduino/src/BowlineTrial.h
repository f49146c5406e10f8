/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new image is on trial until it has shown that it works. The Arduino core
 * would confirm it before setup(); this library defines the core's weak
 * verifyRollbackLater(), so that the image stays as the bootloader left it
 * (PENDING_VERIFY) until BowlineOTA.handle() says otherwise. A reset before
 * that, of whatever cause, and the bootloader starts the former image.
 */
#ifndef BOWLINE_TRIAL_H
#define BOWLINE_TRIAL_H

#include <stdint.h>

#include <functional>

/* What a health check says. */
enum class BowlineHealth : uint8_t {
    Pending = 0, /* cannot say yet: asked again */
    Pass = 1,
    Fail = 2 /* three rounds in a row with a Fail: back to the former image */
};

typedef std::function<BowlineHealth(void)> BowlineCheck;

class BowlineTrial
{
  public:
    enum { CHECKS = 8, FAILURES = 3, DEADLINE = 600 /* s */ };

    /* What handle() found. Confirmed and Return are said once. */
    enum class Verdict : uint8_t { None, Confirmed, Return };

    /* False: there are CHECKS of them already. */
    bool add(const char *name, BowlineCheck check);
    void setDeadline(uint32_t seconds)
    {
        deadline_ = seconds;
    }
    void setInterval(uint32_t seconds)
    {
        interval_ = seconds;
    }
    uint32_t deadline() const
    {
        return deadline_;
    }
    uint32_t interval() const
    {
        return interval_;
    }

    void begin(uint32_t now_ms);
    /* Asks all checks once an interval; all pass in one round: Confirmed.
     * `reachable` stands in for a sketch that has no check of its own. */
    Verdict handle(uint32_t now_ms, bool reachable);
    /* The sketch's own judgement. */
    void giveUp(const char *why);
    bool givenUp() const
    {
        return given_up_;
    }
    void takeBack()
    {
        given_up_ = false;
    }

    bool running() const
    {
        return running_;
    }
    /* Why the image is given up: a check's name or words. Never NULL. */
    const char *why() const
    {
        return why_;
    }

    /* One round of all checks. Fail if one failed, else Pending if one
     * is pending or none is there. `*which`: the name of that check. */
    BowlineHealth ask(const char **which);
    unsigned count() const
    {
        return count_;
    }

  private:
    struct Named {
        const char *name;
        BowlineCheck check;
    };

    Verdict back(const char *why);

    Named check_[CHECKS];
    unsigned count_ = 0;
    unsigned failures_ = 0;
    bool running_ = false;
    bool given_up_ = false;
    const char *why_ = "";
    uint32_t started_ms_ = 0;
    uint32_t asked_ms_ = 0;
    bool asked_ = false;
    uint32_t deadline_ = DEADLINE;
    uint32_t interval_ = 10;
};

#endif
