/* SPDX-License-Identifier: Apache-2.0 */
/* bowline conformance: the program's side of conformance.c. */
#include "conformance.h"
#include "tool.h"

static long long count(const json_t *result, const char *key)
{
    return (long long)json_integer_value(json_object_get(result, key));
}

int verb_conformance(struct call *c)
{
    char message[CONFORMANCE_MESSAGE] = "";
    int verdict = conformance_check(c->argument, (size_t)c->n_arguments,
                                    c->json || c->quiet ? NULL : stdout,
                                    c->result, message);

    if (verdict == CONFORMANCE_ERROR) {
        return refuse(c, EXIT_INPUT, "%s", message);
    }
    if (c->quiet) { /* else its last line says so already */
        show(c, "%lld as expected, %lld differ, %lld not supported here",
             count(c->result, "same"), count(c->result, "differs"),
             count(c->result, "unsupported"));
    }
    return verdict == CONFORMANCE_SAME ? EXIT_YES : EXIT_NO;
}
