/* SPDX-License-Identifier: Apache-2.0 */
/* bowline rollout status: once, live, or until something is reached. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "print.h"
#include "rollout.h"

enum { BAR = 40, SHOWN = 10, LOST = 60 };

static long long count(const json_t *rollout, const char *name)
{
    return (long long)json_integer_value(
        json_object_get(json_object_get(rollout, "counts"), name));
}

/* Devices of the open stage with which nothing is under way any more. */
static long long settled(const json_t *r)
{
    return count(r, "confirmed") + count(r, "returned") + count(r, "failed") +
           count(r, "refused");
}

static long long under_way(const json_t *r)
{
    return count(r, "offered") + count(r, "waiting") +
           count(r, "downloading") + count(r, "installing") +
           count(r, "testing");
}

static void print_stages(const struct call *c, const json_t *r)
{
    const json_t *stages = json_object_get(r, "stages");
    long long open =
        (long long)json_integer_value(json_object_get(r, "stage"));
    size_t i;

    for (i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        const char *mark = (long long)i < open    ? "done"
                           : (long long)i == open ? "open"
                                                  : "closed";

        field(c, i == 0 ? "stages" : "", "%3lld%%  %lld devices  %s",
              (long long)json_integer_value(json_object_get(stage, "percent")),
              (long long)json_integer_value(json_object_get(stage, "devices")),
              mark);
    }
}

static void part(const struct call *c, enum color which, char mark,
                 long long n, long long all, int *left)
{
    int width = all == 0 ? 0 : (int)(n * BAR / all);

    if (n > 0 && width == 0) {
        width = 1;
    }
    if (width > *left) {
        width = *left;
    }
    *left -= width;
    (void)printf("%s", color(c, which));
    while (width-- > 0) {
        (void)putchar(mark);
    }
    (void)printf("%s", color(c, PLAIN));
}

static void print_bar(const struct call *c, const json_t *r)
{
    long long all = count(r, "eligible");
    int left = BAR;

    if (c->json || all == 0) {
        return;
    }
    (void)printf("  [");
    part(c, GOOD, '#', count(r, "confirmed"), all, &left);
    part(c, BAD, 'x', settled(r) - count(r, "confirmed"), all, &left);
    part(c, WARN, '~', under_way(r), all, &left);
    (void)printf("%*s] %lld of %lld confirmed\n", left, "",
                 count(r, "confirmed"), all);
}

static void print_counts(const struct call *c, const json_t *r)
{
    static const char *const name[] = {
        "eligible", "offered",   "waiting",  "downloading", "installing",
        "testing",  "confirmed", "returned", "failed",      "refused"};
    size_t i;

    for (i = 0; i < sizeof name / sizeof name[0]; i++) {
        if (i == 0 || count(r, name[i]) > 0) {
            field(c, name[i], "%lld", count(r, name[i]));
        }
    }
}

static void print_devices(struct call *c, const json_t *devices)
{
    static const char *const columns[] = {"id",    "name", "version",
                                          "state", "code", "history"};

    if (json_array_size(devices) > 0) {
        show(c, "%sThese need a look%s", color(c, STRONG), color(c, PLAIN));
        print_table(c, devices, columns, 6);
    }
}

void rollout_print(struct call *c, json_t *r, const json_t *devices)
{
    if (c->json) {
        return;
    }
    show(c, "%srollout %s: %s %s%s, %s", color(c, STRONG),
         print_scalar(c, "id", json_object_get(r, "id")),
         print_scalar(c, "product", json_object_get(r, "product")),
         print_scalar(c, "version", json_object_get(r, "version")),
         color(c, PLAIN),
         print_scalar(c, "state", json_object_get(r, "state")));
    print_stages(c, r);
    print_bar(c, r);
    print_counts(c, r);
    print_devices(c, devices);
}

/* --- Asking -------------------------------------------------------------- */

static int ask(struct call *c, struct api *api, const char *id,
               json_t **rollout)
{
    return api_call(api, "GET", keep(c, "/rollouts/%s", id), NULL, rollout);
}

/* Devices of the product that did not take the release. */
static int ask_devices(struct call *c, struct api *api, const json_t *r,
                       json_t **devices)
{
    static const char *const states[] = {"returned", "failed", "refused"};
    const char *product =
        print_scalar(c, "product", json_object_get(r, "product"));
    size_t i;

    *devices = json_array();
    for (i = 0; i < sizeof states / sizeof states[0]; i++) {
        json_t *items = NULL;
        int code;

        if (count(r, states[i]) == 0) {
            continue;
        }
        code = api_list(api,
                        keep(c, "/devices?product=%s&state=%s",
                             url_part(c, product), states[i]),
                        SHOWN, &items);
        if (code != 0) {
            return code;
        }
        (void)json_array_extend(*devices, items);
        json_decref(items);
    }
    return 0;
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
    long long all = count(r, "eligible");

    if (strcmp(wanted, "settled") == 0) {
        return settled(r) >= all ? REACHED : ended ? NEVER : NOT_YET;
    }
    if (strcmp(wanted, "confirmed") == 0) {
        if (all > 0 && count(r, "confirmed") >= all) {
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
    uint64_t timeout;
    uint64_t interval;
};

static int redraw(const struct view *v, json_t *r)
{
    json_t *devices = NULL;
    int code = 0;

    if (!v->watch || v->c->json) {
        return 0;
    }
    code = ask_devices(v->c, v->api, r, &devices);
    if (code == 0) {
        (void)printf("%s", isatty(STDOUT_FILENO) ? "\033[H\033[J" : "");
        rollout_print(v->c, r, devices);
        (void)fflush(stdout);
    }
    json_decref(devices);
    return code;
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

static int follow(const struct view *v, json_t **rollout)
{
    uint64_t begun = seconds();
    struct timespec pause = {(time_t)v->interval, 0};
    bool known = false; /* it answered once: it may be restarting */
    int lost = 0;

    for (;;) {
        bool again;
        int code;

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
            code = redraw(v, *rollout);
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
    json_t *devices = NULL;
    int asked = ask_devices(c, v->api, r, &devices);

    if (asked != 0 && code == EXIT_YES) {
        code = asked;
    }
    put(c->result, "rollout", json_incref(r));
    put(c->result, "devices", devices == NULL ? json_array() : devices);
    if (!v->watch) {
        rollout_print(c, r, devices);
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
