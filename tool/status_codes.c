/* SPDX-License-Identifier: Apache-2.0 */
/* bowline status-codes, version. With --markdown: docs/CODES.md. */
#include "bowline/status.h"
#include "host/advice.h"
#include "host/why.h"
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

static const struct word {
    const char *name;
    const char *meaning;
    const char *advice;
} whys[] =
    {
#define ROW(name, word, meaning, advice) {word, meaning, advice},
        WHY_LIST(ROW) WHY_MORE_LIST(ROW)
#undef ROW
},
  waits[] = {
#define ROW(number, word, meaning, advice) {word, meaning, advice},
      WHY_WAIT_LIST(ROW)
#undef ROW
};

enum { CODES = sizeof codes / sizeof codes[0] };
enum { WHYS = sizeof whys / sizeof whys[0] };
enum { WAITS = sizeof waits / sizeof waits[0] };

static void words_markdown(const struct word *word, size_t n)
{
    size_t i;

    printf("| Code | It means | Do |\n|---|---|---|\n");
    for (i = 0; i < n; i++) {
        printf("| `%s` | %s | %s |\n", word[i].name, word[i].meaning,
               word[i].advice);
    }
}

static void codes_markdown(void)
{
    size_t i;

    printf("# Codes\n\n"
           "Made by `bowline status-codes --markdown`; change the lists in "
           "`core/include/bowline/status.h`, `host/src/advice.c` and "
           "`host/include/host/why.h`.\n\n"
           "## What devices report\n\n"
           "The number travels and is stored; it never changes. A report in "
           "the form of SUIT carries the reason.\n\n"
           "| Number | Code | Reason | It means | Do |\n"
           "|---|---|---|---|---|\n");
    for (i = 0; i < CODES; i++) {
        printf("| %u | `%s` | %d | %s | %s |\n", codes[i].number,
               codes[i].name, codes[i].reason, codes[i].meaning,
               status_advice((bl_status)codes[i].number));
    }
    printf("\n## Why a device has no update\n\n"
           "`why_code` of a device, and what `bowline device why` says in a "
           "sentence, with numbers.\n\n");
    words_markdown(whys, WHYS);
    printf("\n## What a device waits for\n\n"
           "`wait` of a device that has an offer and says that it "
           "waits.\n\n");
    words_markdown(waits, WAITS);
}

static json_t *words_json(const struct word *word, size_t n)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < n; i++) {
        json_t *row = json_object();

        put_text(row, "name", word[i].name);
        put_text(row, "meaning", word[i].meaning);
        put_text(row, "advice", word[i].advice);
        (void)json_array_append_new(list, row);
    }
    return list;
}

int verb_status_codes(struct call *c)
{
    json_t *list = json_array();
    size_t i;

    put(c->result, "codes", list);
    if (cli_flag(c, "markdown")) {
        if (c->json) {
            return refuse(c, EXIT_USAGE, "--markdown or --json, not both");
        }
        codes_markdown();
        return EXIT_YES;
    }
    show(c, "%snumber  reason  %-24s meaning%s", color(c, DIM), "name",
         color(c, PLAIN));
    for (i = 0; i < CODES; i++) {
        json_t *row = json_object();

        put_number(row, "number", codes[i].number);
        put_text(row, "name", codes[i].name);
        put_text(row, "meaning", codes[i].meaning);
        put_text(row, "advice", status_advice((bl_status)codes[i].number));
        put_number(row, "suit_reason", (uint64_t)codes[i].reason);
        (void)json_array_append_new(list, row);
        show(c, "%6u  %6d  %-24s %s", codes[i].number, codes[i].reason,
             codes[i].name, codes[i].meaning);
    }
    put(c->result, "whys", words_json(whys, WHYS));
    put(c->result, "waits", words_json(waits, WAITS));
    return EXIT_YES;
}

int verb_version(struct call *c)
{
    put_text(c->result, "version", BOWLINE_VERSION);
    show(c, "bowline %s", BOWLINE_VERSION);
    return EXIT_YES;
}
