/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to a plan: the members that are lists. */
#include "base64.h"
#include "plan_private.h"

#include "host/file.h"

#include <stdlib.h>

enum { COUNT_MAX = 1000000000, PERMIT_MAX = 16384 };

static const struct plan_table no_members = {NULL, 0};

/* Its length; -1 when it is no list, or has not `least` to `most`. */
static int list_size(const json_t *list, size_t least, size_t most,
                     struct error *err)
{
    size_t n = json_array_size(list);

    if (!json_is_array(list) || n < least || n > most) {
        return error_set(err, "must be a list of %zu to %zu", least, most);
    }
    return (int)n;
}

/* --- Stages -------------------------------------------------------------- */

static int read_size(const json_t *percent, const json_t *count,
                     struct plan_stage *stage, struct error *err)
{
    json_int_t most = percent != NULL ? 100 : COUNT_MAX;
    const json_t *value = percent != NULL ? percent : count;
    json_int_t n = json_integer_value(value);

    if ((percent == NULL) == (count == NULL)) {
        return error_set(err, "must have either percent or count");
    }
    if (!json_is_integer(value) || n < 1 || n > most) {
        return error_set(
            err, "%s must be a whole number from 1 to %" JSON_INTEGER_FORMAT,
            percent != NULL ? "percent" : "count", most);
    }
    if (percent != NULL) {
        stage->percent = (uint8_t)n;
    } else {
        stage->count = (uint32_t)n;
    }
    return 0;
}

/* A plain number is a percentage. */
static int read_stage(const json_t *value, const struct plan_gates *standard,
                      struct plan_stage *stage, struct error *err)
{
    const json_t *gates = json_object_get(value, "gates");

    memset(stage, 0, sizeof *stage);
    stage->gates = *standard;
    if (json_is_integer(value)) {
        return read_size(value, NULL, stage, err);
    }
    if (plan_read_members(value, &no_members, "percent count gates", NULL,
                          err) != 0 ||
        read_size(json_object_get(value, "percent"),
                  json_object_get(value, "count"), stage, err) != 0) {
        return -1;
    }
    if (gates != NULL && plan_read_members(gates, &plan_gate_rows, "",
                                           &stage->gates, err) != 0) {
        return error_prefix(err, "gates");
    }
    return 0;
}

/* Percentages rise, counts rise; which of both is more, only the fleet
 * knows. */
static int check_rise(const struct plan *p, uint32_t at, struct error *err)
{
    const struct plan_stage *new = &p->stage[at];

    for (uint32_t i = 0; i < at; i++) {
        const struct plan_stage *old = &p->stage[i];

        if (old->percent == 100) {
            return error_set(err, "comes after the stage of 100 percent, "
                                  "which holds every device");
        }
        if (new->percent > 0 && old->percent >= new->percent) {
            return error_set(err, "percent must be more than the %u before",
                             old->percent);
        }
        if (new->percent == 0 && old->count >= new->count) {
            return error_set(err, "count must be more than the %u before",
                             old->count);
        }
    }
    return 0;
}

int plan_read_stages(const json_t *list, const struct plan_gates *standard,
                     struct plan *p, struct error *err)
{
    int n = list_size(list, 1, PLAN_STAGES, err);

    if (n < 0) {
        return error_prefix(err, "stages");
    }
    p->n_stages = (uint32_t)n;
    for (uint32_t i = 0; i < p->n_stages; i++) {
        if (read_stage(json_array_get(list, i), standard, &p->stage[i], err) !=
                0 ||
            check_rise(p, i, err) != 0) {
            return error_prefix(err, "stages[%u]", i);
        }
    }
    return 0;
}

/* --- Windows ------------------------------------------------------------- */

static int read_days(const json_t *list, uint8_t *days, struct error *err)
{
    int n = list == NULL ? 0 : list_size(list, 1, 7, err);

    *days = list == NULL ? 0x7F : 0;
    if (n < 0) {
        return error_prefix(err, "days");
    }
    for (int i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, (size_t)i));
        unsigned day = 0;

        while (name != NULL && day < 7 && strcmp(plan_days[day], name) != 0) {
            day++;
        }
        if (name == NULL || day == 7) {
            return error_set(err,
                             "days[%d] must be \"mon\", \"tue\", "
                             "\"wed\", \"thu\", \"fri\", \"sat\" or "
                             "\"sun\"",
                             i);
        }
        *days |= (uint8_t)(1U << day);
    }
    return 0;
}

static int two_digits(const char *text)
{
    return text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9'
               ? (text[0] - '0') * 10 + (text[1] - '0')
               : -1;
}

static int read_minute(const json_t *value, const char *name, int most,
                       uint16_t *minute, struct error *err)
{
    const char *text = json_string_value(value);
    int hour = -1;
    int rest = -1;

    if (text != NULL && strlen(text) == 5 && text[2] == ':') {
        hour = two_digits(text);
        rest = two_digits(text + 3);
    }
    if (hour < 0 || rest < 0 || rest > 59 || hour * 60 + rest > most) {
        return error_set(err, "%s must be a time from 00:00 to %02d:%02d",
                         name, most / 60, most % 60);
    }
    *minute = (uint16_t)(hour * 60 + rest);
    return 0;
}

static int read_window(const json_t *value, struct plan_window *w,
                       struct error *err)
{
    if (plan_read_members(value, &no_members, "days from to", NULL, err) !=
            0 ||
        read_days(json_object_get(value, "days"), &w->days, err) != 0 ||
        read_minute(json_object_get(value, "from"), "from",
                    PLAN_MINUTES_A_DAY - 1, &w->from_minute, err) != 0 ||
        read_minute(json_object_get(value, "to"), "to", PLAN_MINUTES_A_DAY,
                    &w->to_minute, err) != 0) {
        return -1;
    }
    if (w->from_minute == w->to_minute) {
        return error_set(err, "to must differ from \"from\"; a whole day is "
                              "00:00 to 24:00");
    }
    return 0;
}

int plan_read_windows(const json_t *list, struct plan *p, struct error *err)
{
    int n = list_size(list, 0, PLAN_WINDOWS, err);

    for (int i = 0; i < n; i++) {
        if (read_window(json_array_get(list, (size_t)i), &p->window[i], err) !=
            0) {
            return error_prefix(err, "[%d]", i);
        }
    }
    p->n_windows = n < 0 ? 0 : (uint32_t)n;
    return n < 0 ? -1 : 0;
}

/* --- Ids ----------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* Once each, in order. */
static void put_in_order(struct plan_ids *ids)
{
    uint32_t kept = 0;

    qsort(ids->at, ids->n, sizeof ids->at[0], compare);
    for (uint32_t i = 0; i < ids->n; i++) {
        if (i == 0 || compare(ids->at[i], ids->at[kept - 1]) != 0) {
            memmove(ids->at[kept++], ids->at[i], 16);
        }
    }
    ids->n = kept;
}

int plan_read_ids(const json_t *list, struct plan_ids *ids, struct error *err)
{
    int n = list_size(list, 0, PLAN_IDS, err);

    if (n <= 0) {
        return n;
    }
    ids->at = malloc((size_t)n * sizeof ids->at[0]);
    if (ids->at == NULL) {
        return error_set(err, "no memory");
    }
    for (int i = 0; i < n; i++) {
        const char *hex = json_string_value(json_array_get(list, (size_t)i));

        if (hex == NULL || hex_decode(hex, strlen(hex), ids->at[i], 16) != 0) {
            return error_set(err,
                             "[%d] must be the id of a device: 32 hex "
                             "digits",
                             i);
        }
    }
    ids->n = (uint32_t)n;
    put_in_order(ids);
    return 0;
}

/* --- Permits ------------------------------------------------------------- */

static int read_permit_bytes(const json_t *value, struct plan_permit *permit,
                             struct error *err)
{
    const char *text = json_string_value(value);
    size_t size = text == NULL ? 0 : strlen(text) / 4 * 3;
    uint8_t *bytes;
    int n;

    if (size == 0 || size > PERMIT_MAX) {
        return error_set(err,
                         "permit must be the permit in base64, of at "
                         "most %d bytes",
                         PERMIT_MAX);
    }
    bytes = malloc(size);
    if (bytes == NULL) {
        return error_set(err, "no memory");
    }
    n = base64_decode(text, bytes, size);
    if (n <= 0) {
        free(bytes);
        return error_set(err, "permit is no base64");
    }
    permit->permit = bl_span_of(bytes, (size_t)n);
    return 0;
}

static int read_permit(const json_t *value, struct plan *p, struct error *err)
{
    struct plan_permit *permit = &p->permit[p->n_permits];
    const char *hex = json_string_value(json_object_get(value, "manifest"));

    if (plan_read_members(value, &no_members, "manifest permit", NULL, err) !=
        0) {
        return -1;
    }
    if (hex == NULL ||
        hex_decode(hex, strlen(hex), permit->manifest, 32) != 0) {
        return error_set(err, "manifest must be 64 hex digits");
    }
    for (uint32_t i = 0; i < p->n_permits; i++) {
        if (memcmp(p->permit[i].manifest, permit->manifest, 32) == 0) {
            return error_set(err, "manifest has a permit already");
        }
    }
    return read_permit_bytes(json_object_get(value, "permit"), permit, err);
}

int plan_read_permits(const json_t *list, struct plan *p, struct error *err)
{
    int n = list_size(list, 0, PLAN_PERMITS, err);

    for (int i = 0; i < n; i++) {
        if (read_permit(json_array_get(list, (size_t)i), p, err) != 0) {
            return error_prefix(err, "[%d]", i);
        }
        p->n_permits++;
    }
    return n < 0 ? -1 : 0;
}
