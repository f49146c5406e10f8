/* SPDX-License-Identifier: Apache-2.0 */
/* bowline check sdkconfig FILE. */
#include "check.h"

#include <string.h>

enum { SDKCONFIG_LIMIT = 1 << 20 };

static const char *const verdict_name[] = {"holds", "broken", "bricks",
                                           "told"};
static const enum color verdict_color[] = {GOOD, WARN, BAD, DIM};

/* "CONFIG_A=y; CONFIG_B=y" as a list. */
static json_t *lines(const char *change)
{
    json_t *list = json_array();

    while (change != NULL) {
        const char *end = strstr(change, "; ");
        size_t n = end == NULL ? strlen(change) : (size_t)(end - change);

        (void)json_array_append_new(list, json_stringn(change, n));
        change = end == NULL ? NULL : end + 2;
    }
    return list;
}

static void put_line(json_t *row, const struct sdkconfig_entry *e)
{
    if (e == NULL) {
        put(row, "line", json_null());
    } else {
        put_number(row, "line", e->line);
    }
}

/* " (line 12)" */
static const char *place(struct check *k, const char *setting)
{
    const struct sdkconfig_entry *e =
        setting == NULL ? NULL : sdkconfig_find(k->config, setting);

    return e == NULL ? "" : keep(k->c, " (line %u)", e->line);
}

void check_add(struct check *k, const char *name, enum verdict verdict,
               const char *said, const char *setting, const char *change)
{
    json_t *row = json_object();

    put_text(row, "promise", name);
    put_text(row, "verdict", verdict_name[verdict]);
    put_text(row, "said", said);
    put_text(row, "setting",
             setting == NULL ? NULL : keep(k->c, "CONFIG_%s", setting));
    put_line(row, setting == NULL ? NULL : sdkconfig_find(k->config, setting));
    put(row, "change", lines(change));
    (void)json_array_append_new(k->findings, row);
    k->bricks = k->bricks || verdict == BRICKS;

    show(k->c, "  %s%-7s%s %s%s%s%s", color(k->c, verdict_color[verdict]),
         verdict_name[verdict], color(k->c, PLAIN), name,
         said == NULL ? "" : ": ", said == NULL ? "" : said,
         verdict == HOLDS ? "" : place(k, setting));
}

/* What to write, each line once. */
static void print_changes(struct check *k)
{
    json_t *seen = json_object();
    size_t i;
    size_t n;
    json_t *row;
    json_t *line;

    json_array_foreach(k->findings, i, row)
    {
        json_array_foreach(json_object_get(row, "change"), n, line)
        {
            const char *text = json_string_value(line);

            if (json_object_get(seen, text) == NULL) {
                put(seen, text, json_true());
                show(k->c, "  %s", text);
            }
        }
    }
    json_decref(seen);
}

static bool has_changes(const struct check *k)
{
    size_t i;
    json_t *row;

    json_array_foreach(k->findings, i, row)
    {
        if (json_array_size(json_object_get(row, "change")) > 0) {
            return true;
        }
    }
    return false;
}

/* ESP-IDF reads sdkconfig.defaults only for what sdkconfig does not say; of
 * two lines in one file the last counts. */
static void print_where(struct check *k)
{
    show(k->c, "%s%s%s", color(k->c, STRONG),
         k->config->complete
             ? "add to the end of sdkconfig and of sdkconfig.defaults, and "
               "build anew"
             : "add to sdkconfig.defaults, and to the end of sdkconfig if "
               "there is one, and build anew",
         color(k->c, PLAIN));
}

static void print_head(struct check *k)
{
    const struct sdkconfig *config = k->config;
    const char *target = sdkconfig_text(k->c, config, "IDF_TARGET");
    const char *idf = config->idf.n == 0 ? ""
                                         : keep(k->c, ", ESP-IDF %s",
                                                keep_text(k->c, config->idf));

    put_text(k->c->result, "file", config->path);
    put_text(k->c->result, "target", target[0] == '\0' ? NULL : target);
    put_text(k->c->result, "idf",
             config->idf.n == 0 ? NULL : keep_text(k->c, config->idf));
    put_bool(k->c->result, "complete", config->complete);
    show(k->c, "%s%s%s%s%s%s", color(k->c, STRONG), config->path,
         color(k->c, PLAIN), target[0] == '\0' ? "" : ": ", target, idf);
    if (!config->complete) {
        note(k->c, "A part of an sdkconfig: what it does not say is taken as "
                   "ESP-IDF chooses it.");
    }
}

static int check(struct call *c, const struct sdkconfig *config)
{
    struct check k = {c, config, json_array(), false};
    bool factory;
    int code;

    put(c->result, "checks", json_incref(k.findings));
    print_head(&k);
    code = check_partitions(&k, &factory);
    if (code == 0) {
        check_rules(&k, factory);
        put_bool(c->result, "bricks", k.bricks);
        if (has_changes(&k)) {
            print_where(&k);
            print_changes(&k);
        }
        show(c, "%s%s%s", color(c, k.bricks ? BAD : GOOD),
             k.bricks ? "a device could be bricked"
                      : "no device is bricked by an update",
             color(c, PLAIN));
        code = k.bricks ? EXIT_NO : 0;
    }
    json_decref(k.findings);
    return code;
}

int verb_check_sdkconfig(struct call *c)
{
    struct sdkconfig config = {0};
    struct buffer text = {0};
    int code = read_input(c, c->argument[0], SDKCONFIG_LIMIT, &text);

    if (code == 0) {
        code = sdkconfig_read(c, c->argument[0], buffer_span(&text), &config);
    }
    if (code == 0) {
        code = check(c, &config);
    }
    sdkconfig_free(&config);
    buffer_free(&text);
    return code;
}
