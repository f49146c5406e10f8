/* SPDX-License-Identifier: Apache-2.0 */
/* Help as JSON, from the table of verbs. */
#include <string.h>

#include "tool.h"

static bool add_option(const struct option *option, void *ctx)
{
    json_t *list = ctx;
    json_t *o = json_object();

    put_text(o, "name", option->name);
    put_text(o, "value", option->value);
    put_text(o, "help", option->help);
    put_text(o, "choices", option->complete == WORDS ? option->words : NULL);
    put_bool(o, "repeated", option->many);
    (void)json_array_append_new(list, o);
    return false;
}

static json_t *exits(unsigned mask)
{
    json_t *list = json_array();

#define ITEM(name, number, meaning)                                           \
    if ((mask & (1U << (number))) != 0) {                                     \
        (void)json_array_append_new(list, json_integer(number));              \
    }
    EXIT_LIST(ITEM)
#undef ITEM
    return list;
}

static void describe(json_t *out, const struct verb *v)
{
    put_text(out, "verb", v->name);
    put_text(out, "arguments", v->arguments);
    put_text(out, "summary", v->summary);
}

void help_json_list(json_t *out, const char *group)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        if (group == NULL || verb_in_group(&verbs[i], group)) {
            json_t *v = json_object();

            describe(v, &verbs[i]);
            (void)json_array_append_new(list, v);
        }
    }
    put(out, "verbs", list);
}

void help_json_verb(json_t *out, const struct verb *v)
{
    json_t *options = json_array();

    describe(out, v);
    put_text(out, "about", v->about);
    (void)verb_option(v, add_option, options);
    put(out, "options", options);
    put(out, "exits", exits(v->exits));
    put_text(out, "json", v->json);
    put_text(out, "example", v->example);
}
