/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout status: once, live, or until something is reached. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rollout.h"

enum { LOST = 60, TEXT_LIMIT = 65536 };

/* Devices of the open stage with which nothing is under way any more. */
static long long settled(const json_t *r)
{
    return rollout_count(r, "confirmed") + rollout_lost(r);
}

static int ask(struct call *c, struct api *api, const char *id,
               json_t **rollout)
{
    return api_call(api, "GET", keep(c, "/rollouts/%s", id), NULL, rollout);
}

static bool state_is(const json_t *r, const char *state)
{
    const char *is = json_string_value(json_object_get(r, "state"));

    return is != NULL && strcmp(is, state) == 0;
}

enum reached { NOT_YET, REACHED, NEVER };

/* Has the rollout come to where --wait wants it? */
static enum reached reached(const json_t *r, const char *wanted)
{
    bool ended = state_is(r, "finished") || state_is(r, "aborted");
    long long all = rollout_count(r, "eligible");

    if (strcmp(wanted, "settled") == 0) {
        return settled(r) >= all ? REACHED : ended ? NEVER : NOT_YET;
    }
    if (strcmp(wanted, "confirmed") == 0) {
        if (all > 0 && rollout_count(r, "confirmed") >= all) {
            return REACHED;
        }
        return ended || (all > 0 && settled(r) >= all) ? NEVER : NOT_YET;
    }
    if (state_is(r, wanted)) {
        return REACHED;
    }
    return ended ? NEVER : NOT_YET;
}

static uint64_t seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec;
}

struct view {
    struct call *c;
    struct api *api;
    const char *id;
    const char *wanted; /* NULL: do not wait */
    bool watch;
    struct watch drawn;
    uint64_t timeout;
    uint64_t interval;
};

/* False: nobody looks any more. */
static bool redraw(struct view *v, const json_t *r)
{
    struct buffer text = BUFFER(TEXT_LIMIT);

    if (v->watch && !v->c->json) {
        rollout_text(v->c, r, &text);
        watch_draw(&v->drawn, buffer_span(&text));
    }
    buffer_free(&text);
    return ferror(stdout) == 0;
}

/* What to do after one look; NOT_YET: look again. */
static int judge(const struct view *v, const json_t *r, bool *again)
{
    const char *wanted = v->wanted;
    enum reached how;

    *again = false;
    if (wanted == NULL && !v->watch) {
        return EXIT_YES;
    }
    how = reached(r, wanted == NULL ? "finished" : wanted);
    if (how == REACHED) {
        return EXIT_YES;
    }
    if (how == NEVER) {
        return wanted == NULL ? EXIT_YES : EXIT_NO;
    }
    *again = true;
    return EXIT_YES;
}

static int follow(struct view *v, json_t **rollout)
{
    uint64_t begun = seconds();
    struct timespec pause = {(time_t)v->interval, 0};
    bool known = false; /* it answered once: it may be restarting */
    int lost = 0;
    struct kept *kept = v->c->kept; /* each look's text goes with it */

    for (;;) {
        bool again;
        int code;

        keep_drop(v->c, kept);
        json_decref(*rollout);
        *rollout = NULL;
        code = ask(v->c, v->api, v->id, rollout);
        if (code == EXIT_UNREACHABLE && known && lost++ < LOST &&
            (v->wanted == NULL || seconds() - begun < v->timeout)) {
            note(v->c, "%s; once more", v->c->err.text);
            (void)nanosleep(&pause, NULL);
            continue;
        }
        if (code == 0) {
            known = true;
            lost = 0;
            if (!redraw(v, *rollout)) {
                return EXIT_YES;
            }
        }
        if (code != 0) {
            return code;
        }
        code = judge(v, *rollout, &again);
        if (!again) {
            return code;
        }
        if (v->wanted != NULL && seconds() - begun >= v->timeout) {
            return refuse(v->c, EXIT_TIMEOUT,
                          "rollout %s: not %s after %llu s", v->id, v->wanted,
                          (unsigned long long)v->timeout);
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int finish(const struct view *v, json_t *r, int code)
{
    struct call *c = v->c;
    json_t *devices = json_object_get(r, "devices");

    put(c->result, "rollout", json_incref(r));
    put(c->result, "devices",
        devices == NULL ? json_array() : json_incref(devices));
    if (!v->watch) {
        rollout_print(c, r);
    }
    if (code == EXIT_NO) {
        note(c, "%s is not reached any more.", v->wanted);
    }
    return code;
}

int verb_rollout_status(struct call *c)
{
    struct view v = {0};
    json_t *rollout = NULL;
    int code;

    v.c = c;
    v.wanted = cli_value(c, "wait");
    v.watch = cli_flag(c, "watch");
    v.timeout = 600;
    v.interval = 1;
    code = cli_number(c, "timeout", 1, 604800, &v.timeout);
    code = code == 0 ? cli_number(c, "interval", 1, 3600, &v.interval) : code;
    if (code != 0) {
        return code;
    }
    v.api = api_open(c, &code);
    v.id = v.api == NULL ? NULL : rollout_id(c, v.api, false, &code);
    if (v.id != NULL) {
        code = follow(&v, &rollout);
        if (rollout != NULL) {
            code = finish(&v, rollout, code);
        }
    }
    json_decref(rollout);
    api_close(v.api);
    return code;
}
