/* SPDX-License-Identifier: Apache-2.0 */
/* What operators write: a query, or ('{' first) a whole plan. What was read
 * is used, too: matched, and written and read again. */
#include <stdlib.h>

#include "accept_all.h"
#include "plan.h"

static const char *fact(void *ctx, const char *name, unsigned i)
{
    static const char *const value[] = {"1.4.0", "", "kitchen-2", "-70",
                                        "1.4-rc.1"};
    const unsigned *salt = ctx;

    if (name[0] == 'x' || i > 3) {
        return NULL;
    }
    return value[(*salt + (uint8_t)name[0] + i) % 5];
}

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void try_query(const char *text)
{
    struct error err = {BL_OK, 0, "?"};
    struct query *q = query_compile(text, &err);

    must((q == NULL) != (err.text[0] == '?'));
    must(q != NULL || err.text[0] == '\0' ||
         strncmp(err.text, "character ", 10) == 0);
    for (unsigned salt = 0; salt < 5; salt++) {
        bool first = query_match(q, fact, &salt);

        must(first == query_match(q, fact, &salt));
    }
    query_free(q);
}

static void try_plan(const char *text, size_t size)
{
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    json_t *written = NULL;
    json_t *twice = NULL;
    struct error err;
    struct plan p;
    struct plan again;

    if (json != NULL && plan_read(json, &p, &err) == 0) {
        uint32_t opens;
        uint32_t closes;

        must(p.n_stages >= 1 && p.n_stages <= PLAN_STAGES);
        must(plan_window_open(&p, size * 3571, (int)(size % 1681) - 840,
                              &opens, &closes) == (opens == 0));
        written = plan_json(&p);
        must(plan_read(written, &again, &err) == 0);
        twice = plan_json(&again);
        must(json_equal(written, twice) == 1);
        plan_free(&again);
        plan_free(&p);
    }
    json_decref(json);
    json_decref(written);
    json_decref(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (size > 0 && text[0] == '{') {
        try_plan(text, size);
    } else {
        try_query(text);
    }
    free(text);
    return 0;
}
