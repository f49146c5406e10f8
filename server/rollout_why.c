/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_why.h"

#include "host/advice.h"
#include "steer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct text {
    char *at;
    size_t size;
};

static void say(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends; what does not fit is left out. */
static void say(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->at, t->size, format, args);
    va_end(args);
    if (n > 0) {
        size_t wrote = (size_t)n < t->size ? (size_t)n : t->size - 1;

        t->at += wrote;
        t->size -= wrote;
    }
}

static void say_time(struct text *t, uint64_t at)
{
    time_t seconds = (time_t)at;
    char text[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
    say(t, "%s", text);
}

static void say_rollout(struct text *t, const struct why_rollout *r)
{
    if (r->id == 0) {
        say(t, "%s, wanted of this device alone,", r->version);
    } else {
        say(t, "%s of rollout %" PRIu64, r->version, r->id);
    }
}

static void say_wait(struct text *t, uint32_t seconds)
{
    char text[32];

    if (seconds > 0) {
        steer_duration(seconds, text, sizeof text);
        say(t, ", in %s", text);
    }
}

static void say_share(struct text *t, const struct plan_stage *stage)
{
    if (stage->percent > 0) {
        say(t, "%d percent of the devices", stage->percent);
    } else {
        say(t, "%" PRIu32 " device%s", stage->count,
            stage->count == 1 ? "" : "s");
    }
}

static void say_stage(struct text *t, const struct why_rollout *r)
{
    say(t, "its turn has not come: rollout %" PRIu64, r->id);
    if (r->stage < r->n_stages) {
        say(t, " is at stage %" PRIu32 " of %" PRIu32 ", for ", r->stage + 1,
            r->n_stages);
        say_share(t, &r->stages[r->stage]);
    }
    if (r->own_stage < r->n_stages) {
        say(t, "; this one comes with stage %" PRIu32 ", for ",
            r->own_stage + 1);
        say_share(t, &r->stages[r->own_stage]);
    } else {
        say(t, "; this one is in none of its stages");
    }
}

static void say_not_yet(struct text *t, const struct why_facts *f,
                        const struct why_rollout *r, enum rollout_why why)
{
    if (why == ROLLOUT_STAGE) {
        say_stage(t, r);
    } else if (why == ROLLOUT_UNAPPROVED) {
        say(t, "rollout %" PRIu64 " of %s waits for approval", r->id,
            r->version);
    } else {
        say(t, "rollout %" PRIu64 " of %s starts at ", r->id, r->version);
        say_time(t, f->start_at);
    }
}

static const char *did_to(uint8_t outcome)
{
    return outcome == BL_STATE_RETURNED  ? "returned from"
           : outcome == BL_STATE_REFUSED ? "refused"
                                         : "could not install";
}

/* Is the sentence about what it did not keep? */
static bool is_own(const struct why_facts *f)
{
    return f->own != NULL && f->about != NULL && f->own->id == f->about->id;
}

static void say_tried(struct text *t, const struct why_facts *f)
{
    const struct rollout_device *d = f->device;

    say(t, "it tried this release and did not keep it");
    if (!is_own(f)) {
        return;
    }
    say(t, ": it %s %s: %s", did_to(d->outcome), f->about->version,
        bl_status_meaning((bl_status)d->code));
    if (f->about->id != 0) {
        say(t, "; to let it try again: bowline rollout retry %" PRIu64,
            f->about->id);
    }
}

/* What it made of the release the last time. */
static void say_again(struct text *t, const struct rollout_device *d)
{
    say(t, "; it has tried it before and %s: %s",
        d->outcome == BL_STATE_RETURNED  ? "returned"
        : d->outcome == BL_STATE_REFUSED ? "refused it"
                                         : "failed",
        bl_status_meaning((bl_status)d->code));
}

static void say_offer(struct text *t, const struct why_facts *f)
{
    const struct rollout_device *d = f->device;

    say(t, "an update is offered: ");
    if (f->stone != NULL) {
        say(t, "%s first, a stepping stone to ", f->stone);
    }
    say_rollout(t, f->about);
    if (f->wait[0] != '\0') {
        say(t, "; the device waits for %s", f->wait);
    } else if (rollout_under_way(d->outcome) && d->offer != 0) {
        say(t, "; it is %s",
            bl_device_state_name((bl_device_state)d->outcome));
        if (f->v->wait_s > 0) {
            say(t, ", and waits for its window");
            say_wait(t, f->v->wait_s);
        }
    } else if (is_own(f)) {
        say_again(t, d);
    }
}

static void say_runs(struct text *t, const struct why_facts *f)
{
    say(t, "it runs what it should%s",
        f->device->confirmed ? "" : ", still on trial");
    if (f->held != NULL) {
        say(t, "; ");
        say_not_yet(t, f, f->held, f->v->held_why);
    }
}

static void say_quarantine(struct text *t, const struct why_facts *f)
{
    say(t, "it failed %u time%s to install %s (%s) and is left alone until ",
        f->device->attempts, f->device->attempts == 1 ? "" : "s",
        f->about->version, bl_status_meaning((bl_status)f->device->code));
    say_time(t, f->device->quarantined_until);
    say(t, "; it may try again then");
    say_wait(t, f->v->wait_s);
}

static void say_brakes(struct text *t, const struct why_facts *f)
{
    switch (f->v->why) {
    case ROLLOUT_PAUSE:
        say(t, "the rollout is paused: rollout %" PRIu64 " of %s",
            f->about->id, f->about->version);
        break;
    case ROLLOUT_WINDOW:
        say(t, "its window for ");
        say_rollout(t, f->about);
        say(t, " is closed; it opens");
        say_wait(t, f->v->wait_s);
        break;
    case ROLLOUT_RATE:
        say(t,
            "rollout %" PRIu64 " has made as many offers as it may in an "
            "hour; the next one",
            f->about->id);
        say_wait(t, f->v->wait_s);
        break;
    case ROLLOUT_DOWNLOADS:
        say(t,
            "as many devices download %s as may at once; it is offered when "
            "one is done",
            f->about->version);
        break;
    case ROLLOUT_QUARANTINE:
        say_quarantine(t, f);
        break;
    default:
        say(t, "the image it runs is still on trial");
        break;
    }
}

static void say_versions(struct text *t, const struct why_facts *f)
{
    switch (f->v->why) {
    case ROLLOUT_NEWER:
        say(t, "it has, or has tried, something newer than %s",
            f->about->version);
        break;
    case ROLLOUT_FLOOR:
        say(t,
            "its anti-rollback floor is above the release's sequence number "
            "(%" PRIu64 " and %" PRIu64 "); release it again, under a new "
            "version",
            f->floor, f->sequence);
        break;
    case ROLLOUT_PERMIT:
        say(t,
            "the way back to %s needs a permit: bowline rollout return "
            "makes it",
            f->about->version);
        break;
    default:
        say(t,
            "it runs %s, and %s needs at least %s before it; roll such a "
            "release out first and mark it as a stepping stone",
            f->device->version,
            f->stone != NULL ? f->stone : f->about->version, f->min_version);
        break;
    }
}

static void say_target(struct text *t, const struct why_facts *f)
{
    const char *channel = f->device->channel;

    if (f->v->why == ROLLOUT_CHANNEL) {
        say(t,
            "rollout %" PRIu64 " of %s is for another channel; this device is "
            "in %s",
            f->about->id, f->about->version,
            channel == NULL || channel[0] == '\0' ? "stable" : channel);
    } else {
        say(t,
            "rollout %" PRIu64 " of %s leaves it out, by its query or lists",
            f->about->id, f->about->version);
    }
}

/* What it did itself says more than what others may have for it. */
static void say_own(struct text *t, const struct why_facts *f)
{
    enum rollout_why why = f->v->why;

    if (f->own == NULL || !f->own_first ||
        (is_own(f) && (why == ROLLOUT_TRIED || why == ROLLOUT_QUARANTINE ||
                       why == ROLLOUT_OFFER))) {
        return;
    }
    say(t, "it %s ", did_to(f->device->outcome));
    say_rollout(t, f->own);
    say(t, ": %s; ", bl_status_meaning((bl_status)f->device->code));
}

void rollout_sentence(const struct why_facts *f, char *out, size_t size)
{
    struct text t = {out, size};
    enum rollout_why why = f->v->why;

    if (size > 0) {
        out[0] = '\0';
    }
    if (!f->seen) {
        say(&t, "it has not been seen yet");
        return;
    }
    say_own(&t, f);
    if (f->about == NULL) {
        say(&t, "no rollout wants anything of it");
        return;
    }
    switch (why) {
    case ROLLOUT_OFFER:
        say_offer(&t, f);
        break;
    case ROLLOUT_RUNS:
        say_runs(&t, f);
        break;
    case ROLLOUT_STAGE:
    case ROLLOUT_UNAPPROVED:
    case ROLLOUT_NOT_YET:
        say_not_yet(&t, f, f->about, why);
        break;
    case ROLLOUT_TRIED:
        say_tried(&t, f);
        break;
    case ROLLOUT_NEWER:
    case ROLLOUT_FLOOR:
    case ROLLOUT_PERMIT:
    case ROLLOUT_MINIMUM:
        say_versions(&t, f);
        break;
    case ROLLOUT_TARGET:
    case ROLLOUT_CHANNEL:
        say_target(&t, f);
        break;
    case ROLLOUT_NOTHING:
    case ROLLOUT_WHYS:
        say(&t, "no rollout wants anything of it");
        break;
    default:
        say_brakes(&t, f);
        break;
    }
}
