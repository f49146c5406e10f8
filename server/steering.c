/* SPDX-License-Identifier: Apache-2.0 */
#include "steering.h"

#include <stdio.h>
#include <stdlib.h>

static void get_text(const json_t *from, const char *key, char *out,
                     size_t size)
{
    const char *text = json_string_value(json_object_get(from, key));

    snprintf(out, size, "%s", text == NULL ? "" : text);
}

static uint64_t get_number(const json_t *from, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(from, key));

    return v < 0 ? 0 : (uint64_t)v;
}

static uint32_t get_list(const json_t *from, const char *key, uint64_t *out,
                         uint32_t most)
{
    const json_t *list = json_object_get(from, key);
    size_t n = json_array_size(list);
    uint32_t i;

    for (i = 0; i < n && i < most; i++) {
        json_int_t v = json_integer_value(json_array_get(list, i));

        out[i] = v < 0 ? 0 : (uint64_t)v;
    }
    return i;
}

static void get_approvals(const json_t *from, struct steering *s)
{
    const json_t *list = json_object_get(from, "approvals");
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        struct steering_approval *a = &s->approval[s->n_approvals];

        if (s->n_approvals == STEERING_APPROVALS) {
            return;
        }
        get_text(one, "by", a->by, sizeof a->by);
        get_text(one, "person", a->person, sizeof a->person);
        get_text(one, "note", a->note, sizeof a->note);
        a->when = get_number(one, "when");
        s->n_approvals++;
    }
}

int steering_read(const char *text, struct steering *s)
{
    json_t *from;

    memset(s, 0, sizeof *s);
    s->recall = true;
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    from = json_loads(text, 0, NULL);
    if (!json_is_object(from)) {
        json_decref(from);
        return -1;
    }
    get_text(from, "created_by", s->created_by, sizeof s->created_by);
    get_text(from, "person", s->person, sizeof s->person);
    get_text(from, "reason", s->reason, sizeof s->reason);
    get_text(from, "by", s->by, sizeof s->by);
    s->started = get_number(from, "started");
    s->gates_since = get_number(from, "gates_since");
    s->watched = get_number(from, "watched");
    s->confirmed_at_start = (uint32_t)get_number(from, "confirmed_at_start");
    s->seen_failures = (uint32_t)get_number(from, "seen_failures");
    s->seen_bad_signature = (uint32_t)get_number(from, "seen_bad_signature");
    s->sent = get_number(from, "sent");
    s->saved = get_number(from, "saved");
    s->delta_saved = get_number(from, "delta_saved");
    s->delta_devices = get_number(from, "delta_devices");
    s->returns_from = get_number(from, "returns_from");
    s->advance_asked = json_is_true(json_object_get(from, "advance_asked"));
    s->recall = json_is_true(json_object_get(from, "recall"));
    s->returned = json_is_true(json_object_get(from, "returned"));
    get_list(from, "since", s->since, PLAN_STAGES);
    get_list(from, "until", s->until, PLAN_STAGES);
    s->n_returns = get_list(from, "returns", s->returns, STEERING_RETURNS);
    get_approvals(from, s);
    json_decref(from);
    return 0;
}

static json_t *list_json(const uint64_t *from, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(list, json_integer((json_int_t)from[i]));
    }
    return list;
}

static json_t *approvals_json(const struct steering *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < s->n_approvals; i++) {
        const struct steering_approval *a = &s->approval[i];

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:I, s:s}", "by", a->by,
                                        "person", a->person, "when",
                                        (json_int_t)a->when, "note", a->note));
    }
    return list;
}

char *steering_text(const struct steering *s)
{
    json_t *out = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:o, s:o, "
        "s:o,"
        " s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "created_by", s->created_by, "person", s->person, "reason", s->reason,
        "by", s->by, "started", (json_int_t)s->started, "gates_since",
        (json_int_t)s->gates_since, "confirmed_at_start",
        (json_int_t)s->confirmed_at_start, "returns_from",
        (json_int_t)s->returns_from, "advance_asked", s->advance_asked,
        "recall", s->recall, "returned", s->returned, "since",
        list_json(s->since, PLAN_STAGES), "until",
        list_json(s->until, PLAN_STAGES), "returns",
        list_json(s->returns, s->n_returns), "approvals", approvals_json(s),
        "seen_failures", (json_int_t)s->seen_failures, "seen_bad_signature",
        (json_int_t)s->seen_bad_signature, "sent", (json_int_t)s->sent,
        "saved", (json_int_t)s->saved, "watched", (json_int_t)s->watched,
        "delta_saved", (json_int_t)s->delta_saved, "delta_devices",
        (json_int_t)s->delta_devices);
    char *text = json_dumps(out, JSON_COMPACT);

    json_decref(out);
    return text;
}
