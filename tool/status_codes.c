/* SPDX-License-Identifier: Apache-2.0 */
/* bowline status-codes, version. */
#include "bowline/status.h"
#include "print.h"

static const struct {
    unsigned number;
    int reason;
    const char *name;
    const char *meaning;
} codes[] = {
#define ROW(name, number, reason, text, meaning)                              \
    {number, reason, text, meaning},
    BL_STATUS_LIST(ROW)
#undef ROW
};

int verb_status_codes(struct call *c)
{
    json_t *list = json_array();
    size_t i;

    put(c->result, "codes", list);
    show(c, "%snumber  reason  %-24s meaning%s", color(c, DIM), "name",
         color(c, PLAIN));
    for (i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        json_t *row = json_object();

        put_number(row, "number", codes[i].number);
        put_text(row, "name", codes[i].name);
        put_text(row, "meaning", codes[i].meaning);
        put_number(row, "suit_reason", (uint64_t)codes[i].reason);
        (void)json_array_append_new(list, row);
        show(c, "%6u  %6d  %-24s %s", codes[i].number, codes[i].reason,
             codes[i].name, codes[i].meaning);
    }
    return EXIT_YES;
}

int verb_version(struct call *c)
{
    put_text(c->result, "version", BOWLINE_VERSION);
    show(c, "bowline %s", BOWLINE_VERSION);
    return EXIT_YES;
}
