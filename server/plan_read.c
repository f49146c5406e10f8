/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to a plan: objects and their members. */
#include "plan_private.h"

#include <inttypes.h>

enum { NAME = 255, PERMIT_TEXT = 32768 };

/* --- Members ------------------------------------------------------------- */

/* Is it one of the words divided by spaces? */
static bool is_among(const char *name, const char *words)
{
    size_t n = strlen(name);

    while (n > 0 && *words != '\0') {
        size_t word = strcspn(words, " ");

        if (word == n && memcmp(words, name, n) == 0) {
            return true;
        }
        words += word + (words[word] == ' ');
    }
    return false;
}

static const struct plan_member *find(const struct plan_table *table,
                                      const char *name)
{
    for (size_t i = 0; i < table->n; i++) {
        if (strcmp(table->row[i].name, name) == 0) {
            return &table->row[i];
        }
    }
    return NULL;
}

static int read_member(const json_t *value, const struct plan_member *m,
                       void *base, struct error *err)
{
    json_int_t number = json_integer_value(value);

    if (m->kind == PLAN_BOOL) {
        if (!json_is_boolean(value)) {
            return error_set(err, "%s must be true or false", m->name);
        }
        plan_put(base, m, json_is_true(value));
        return 0;
    }
    if (!json_is_integer(value) || number < m->low || number > m->high) {
        return error_set(
            err, "%s must be a whole number from %" PRId64 " to %" PRId64,
            m->name, m->low, m->high);
    }
    plan_put(base, m, number);
    return 0;
}

int plan_read_members(const json_t *object, const struct plan_table *table,
                      const char *others, void *base, struct error *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object)) {
        return error_set(err, "must be an object");
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct plan_member *m = find(table, name);

        if (m == NULL && !is_among(name, others)) {
            return error_set(err, "there is no member %.40s", name);
        }
        if (m != NULL && read_member(value, m, base, err) != 0) {
            return -1;
        }
    }
    return 0;
}

const char *plan_read_text(const json_t *value, size_t least, size_t most,
                           struct error *err)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);

    if (text == NULL || strlen(text) != n || n < least || n > most) {
        (void)error_set(err, "must be a text of %zu to %zu bytes", least,
                        most);
        return NULL;
    }
    return text;
}

/* --- Target -------------------------------------------------------------- */

static int read_query(const json_t *value, struct plan *p, struct error *err)
{
    const char *text = plan_read_text(value, 0, QUERY_TEXT, err);
    struct error why = {BL_OK, 0, ""};

    if (text == NULL) {
        return -1;
    }
    p->query = query_compile(text, &why);
    if (p->query == NULL && why.text[0] != '\0') {
        return error_set(err, "%s", why.text);
    }
    memcpy(p->query_text, text, strlen(text) + 1);
    return 0;
}

static int read_channel(const json_t *value, struct plan *p, struct error *err)
{
    const char *text = plan_read_text(value, 0, PLAN_CHANNEL - 1, err);

    if (text == NULL) {
        return -1;
    }
    for (const char *c = text; *c != '\0'; c++) {
        bool good = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
                    (*c == '-' && c != text);

        if (!good) {
            return error_set(err, "must be of a-z, 0-9 and -");
        }
    }
    memcpy(p->channel, text, strlen(text) + 1);
    return 0;
}

static int read_include(const json_t *value, struct plan *p, struct error *err)
{
    return plan_read_ids(value, &p->include, err);
}

static int read_exclude(const json_t *value, struct plan *p, struct error *err)
{
    return plan_read_ids(value, &p->exclude, err);
}

/* Of a rollback: the API hands it to core. */
static int read_permit(const json_t *value, struct plan *p, struct error *err)
{
    (void)p;
    return plan_read_text(value, 1, PERMIT_TEXT, err) == NULL ? -1 : 0;
}

struct reader {
    const char *name;
    int (*read)(const json_t *value, struct plan *p, struct error *err);
};

/* Calls the reader of each member that is there. */
static int read_each(const json_t *object, const struct reader *readers,
                     size_t n, struct plan *p, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(object, readers[i].name);

        if (value != NULL && readers[i].read(value, p, err) != 0) {
            return error_prefix(err, "%s", readers[i].name);
        }
    }
    return 0;
}

static int read_target(const json_t *value, struct plan *p, struct error *err)
{
    static const struct plan_table none = {NULL, 0};
    static const struct reader readers[] = {{"query", read_query},
                                            {"channel", read_channel},
                                            {"include", read_include},
                                            {"exclude", read_exclude}};

    if (plan_read_members(value, &none, "query channel include exclude", p,
                          err) != 0) {
        return -1;
    }
    return read_each(value, readers, sizeof readers / sizeof readers[0], p,
                     err);
}

/* --- The other objects --------------------------------------------------- */

static int read_retry(const json_t *value, struct plan *p, struct error *err)
{
    return plan_read_members(value, &plan_retries, "", p, err);
}

static int read_on_failure(const json_t *value, struct plan *p,
                           struct error *err)
{
    const char *text = json_string_value(value);

    if (text == NULL || !is_among(text, "pause return")) {
        return error_set(err, "must be \"pause\" or \"return\"");
    }
    p->on_failure = strcmp(text, "return") == 0 ? PLAN_RETURN : PLAN_PAUSE;
    return 0;
}

/* What only the catalog knows: here, that it is a text. */
static int read_name(const json_t *value, struct plan *p, struct error *err)
{
    (void)p;
    return plan_read_text(value, 0, NAME, err) == NULL ? -1 : 0;
}

/* --- Stages -------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t n;
    struct plan_stage stage[3];
} strategies[] = {
    {"staged", 3, {{.percent = 1}, {.percent = 10}, {.percent = 100}}},
    {"canary", 2, {{.count = 10}, {.percent = 100}}},
    {"immediate", 1, {{.percent = 100}}}};

static int use_strategy(const json_t *value, const struct plan_gates *gates,
                        struct plan *p, struct error *err)
{
    const char *name = value == NULL ? "staged" : json_string_value(value);

    for (size_t i = 0; name != NULL && i < 3; i++) {
        if (strcmp(strategies[i].name, name) != 0) {
            continue;
        }
        p->n_stages = strategies[i].n;
        for (uint32_t k = 0; k < p->n_stages; k++) {
            p->stage[k] = strategies[i].stage[k];
            p->stage[k].gates = *gates;
        }
        return 0;
    }
    return error_set(err, "strategy must be \"staged\", \"canary\" or "
                          "\"immediate\"");
}

static int read_stages(const json_t *json, struct plan *p, struct error *err)
{
    const json_t *gates = json_object_get(json, "gates");
    const json_t *stages = json_object_get(json, "stages");
    struct plan_gates standard;

    plan_put_standards(&plan_gate_rows, &standard);
    if (gates != NULL &&
        plan_read_members(gates, &plan_gate_rows, "", &standard, err) != 0) {
        return error_prefix(err, "gates");
    }
    /* Its name is checked even where it decides nothing. */
    if (use_strategy(json_object_get(json, "strategy"), &standard, p, err) !=
        0) {
        return -1;
    }
    if (stages == NULL) {
        return 0;
    }
    return plan_read_stages(stages, &standard, p, err);
}

/* --- The whole ----------------------------------------------------------- */

static int read_all(const json_t *json, struct plan *p, struct error *err)
{
    static const struct reader readers[] = {
        {"product", read_name},         {"version", read_name},
        {"manifest", read_name},        {"name", read_name},
        {"target", read_target},        {"windows", plan_read_windows},
        {"retry", read_retry},          {"on_failure", read_on_failure},
        {"permits", plan_read_permits}, {"permit", read_permit}};
    static const char others[] = "product version manifest name strategy "
                                 "stages gates target windows on_failure "
                                 "retry permits permit";

    plan_put_standards(&plan_scalars, p);
    plan_put_standards(&plan_retries, p);
    if (!json_is_object(json)) {
        return error_set(err, "a plan must be a JSON object");
    }
    if (plan_read_members(json, &plan_scalars, others, p, err) != 0 ||
        read_stages(json, p, err) != 0 ||
        read_each(json, readers, sizeof readers / sizeof readers[0], p, err) !=
            0) {
        return -1;
    }
    if (p->deadline != 0 && p->deadline <= p->start_at) {
        return error_set(err, "deadline must be after start_at");
    }
    return 0;
}

int plan_read(const json_t *json, struct plan *p, struct error *err)
{
    memset(p, 0, sizeof *p);
    if (read_all(json, p, err) != 0) {
        plan_free(p);
        return -1;
    }
    return 0;
}
