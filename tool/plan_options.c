/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_options.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "amount.h"
#include "device.h"

/* The object `key` of `plan`, made when it is not there. */
static json_t *part(json_t *plan, const char *key)
{
    json_t *object = json_object_get(plan, key);

    if (object == NULL) {
        object = json_object();
        put(plan, key, object);
    }
    return object;
}

/* --- Numbers, switches, texts -------------------------------------------- */

struct row {
    const char *option;
    const char *inside; /* NULL: the plan itself */
    const char *member;
};

/* The server says what is too much. */
static int put_numbers(struct call *c, json_t *plan)
{
    static const struct row rows[] = {
        {"confirmed", "gates", "confirmed_percent"},
        {"sample", "gates", "min_sample"},
        {"max-failed", "gates", "max_failed_percent"},
        {"min-failed", "gates", "min_failed"},
        {"rate", NULL, "rate_per_hour"},
        {"max-downloads", NULL, "max_downloads"},
        {"min-battery", NULL, "min_battery_percent"},
        {"attempts", "retry", "attempts"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t n = 0;
        int code = cli_number(c, rows[i].option, 0, 1000000000, &n);

        if (code != 0) {
            return code;
        }
        if (cli_value(c, rows[i].option) != NULL) {
            put_number(rows[i].inside == NULL ? plan
                                              : part(plan, rows[i].inside),
                       rows[i].member, n);
        }
    }
    return 0;
}

static void put_switches(const struct call *c, json_t *plan)
{
    static const struct row rows[] = {{"manual", "gates", "manual"},
                                      {"consent", NULL, "consent"},
                                      {"metered", NULL, "metered"},
                                      {"roaming", NULL, "roaming"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = cli_value(c, rows[i].option);

        if (value != NULL) {
            put_bool(rows[i].inside == NULL ? plan
                                            : part(plan, rows[i].inside),
                     rows[i].member, strcmp(value, "yes") == 0);
        }
    }
    if (cli_flag(c, "security")) {
        put_bool(plan, "security", true);
    }
}

static void put_texts(const struct call *c, json_t *plan)
{
    static const struct row rows[] = {{"name", NULL, "name"},
                                      {"strategy", NULL, "strategy"},
                                      {"on-failure", NULL, "on_failure"},
                                      {"query", "target", "query"},
                                      {"channel", "target", "channel"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = cli_value(c, rows[i].option);

        if (value != NULL) {
            put_text(rows[i].inside == NULL ? plan
                                            : part(plan, rows[i].inside),
                     rows[i].member, value);
        }
    }
}

static int put_priority(struct call *c, json_t *plan)
{
    const char *text = cli_value(c, "priority");
    char *end;
    long n;

    if (text == NULL) {
        return 0;
    }
    n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || n < -100 || n > 100) {
        return refuse(c, EXIT_USAGE,
                      "--priority %s: say a whole number from -100 to 100",
                      text);
    }
    put(plan, "priority", json_integer(n));
    return 0;
}

/* --- Times --------------------------------------------------------------- */

static int put_durations(struct call *c, json_t *plan)
{
    static const struct row rows[] = {{"soak", "gates", "soak_s"},
                                      {"quarantine", "retry", "quarantine_s"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = cli_value(c, rows[i].option);
        uint64_t seconds;

        if (text == NULL) {
            continue;
        }
        if (!amount_duration(text, &seconds)) {
            return refuse(c, EXIT_USAGE,
                          "--%s %s: say a time, as 90s, 12min, 1h or 2d",
                          rows[i].option, text);
        }
        put_number(part(plan, rows[i].inside), rows[i].member, seconds);
    }
    return 0;
}

static int resolve_time(struct call *c, json_t *plan, const char *member)
{
    const char *text = json_string_value(json_object_get(plan, member));
    uint64_t seconds;

    if (text == NULL) {
        return 0;
    }
    if (strcmp(text, "none") == 0) {
        seconds = 0;
    } else if (!amount_time(text, (uint64_t)time(NULL), &seconds)) {
        return refuse(c, EXIT_INPUT,
                      "%s \"%s\": say a time in UTC, as \"2026-02-01 02:00\", "
                      "or +2h",
                      member, text);
    }
    put_number(plan, member, seconds);
    return 0;
}

int plan_resolve_times(struct call *c, json_t *plan)
{
    int code = resolve_time(c, plan, "start_at");

    return code == 0 ? resolve_time(c, plan, "deadline") : code;
}

static int put_times(struct call *c, json_t *plan)
{
    static const struct row rows[] = {{"start-at", NULL, "start_at"},
                                      {"deadline", NULL, "deadline"}};
    int code;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (cli_value(c, rows[i].option) != NULL) {
            put_text(plan, rows[i].member, cli_value(c, rows[i].option));
        }
    }
    code = plan_resolve_times(c, plan);
    return code == 0 ? 0 : EXIT_USAGE;
}

static int put_windows(struct call *c, json_t *plan)
{
    const char *text[MANY];
    int n = cli_values(c, "window", text);
    json_t *list = n == 0 ? NULL : json_array();

    for (int i = 0; i < n; i++) {
        json_t *window = amount_window(text[i]);

        if (n == 1 && strcmp(text[i], "none") == 0) {
            break;
        }
        if (window == NULL) {
            json_decref(list);
            return refuse(c, EXIT_USAGE,
                          "--window %s: say it as \"mon-fri 02:00-05:00\" or "
                          "\"22:00-06:00\"",
                          text[i]);
        }
        (void)json_array_append_new(list, window);
    }
    if (list != NULL) {
        put(plan, "windows", list);
    }
    return 0;
}

static int put_stages(struct call *c, json_t *plan)
{
    const char *text = cli_value(c, "stages");
    json_t *list = text == NULL ? NULL : amount_stages(text);

    if (text != NULL && list == NULL) {
        return refuse(c, EXIT_USAGE,
                      "--stages %s: say rising percents, as 1,10,100, or "
                      "devices first, as 10,1%%,100%%",
                      text);
    }
    if (list != NULL) {
        put(plan, "stages", list);
    }
    return 0;
}

/* --- Devices ------------------------------------------------------------- */

static bool is_id(const char *text)
{
    uint8_t id[16];

    return hex_decode(text, strlen(text), id, sizeof id) == 0;
}

static int resolve_list(struct call *c, struct api *api, json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        json_t *device = NULL;
        int code;

        if (text == NULL || is_id(text)) {
            continue; /* the server says what is wrong with it */
        }
        code = device_find(c, api, text, &device);
        if (code != 0) {
            return code;
        }
        (void)json_array_set(list, i, json_object_get(device, "id"));
        json_decref(device);
    }
    return 0;
}

int plan_resolve_devices(struct call *c, struct api *api, json_t *plan)
{
    const json_t *target = json_object_get(plan, "target");
    int code = resolve_list(c, api, json_object_get(target, "include"));

    return code == 0 ? resolve_list(c, api, json_object_get(target, "exclude"))
                     : code;
}

static void put_devices(const struct call *c, json_t *plan, const char *name)
{
    const char *text[MANY];
    int n = cli_values(c, name, text);
    json_t *list = n == 0 ? NULL : json_array();

    for (int i = 0; i < n; i++) {
        (void)json_array_append_new(list, json_string(text[i]));
    }
    if (list != NULL) {
        put(part(plan, "target"), name, list);
    }
}

int plan_from_options(struct call *c, struct api *api, json_t *plan)
{
    int code = put_numbers(c, plan);

    put_switches(c, plan);
    put_texts(c, plan);
    put_devices(c, plan, "include");
    put_devices(c, plan, "exclude");
    code = code == 0 ? put_priority(c, plan) : code;
    code = code == 0 ? put_durations(c, plan) : code;
    code = code == 0 ? put_times(c, plan) : code;
    code = code == 0 ? put_windows(c, plan) : code;
    code = code == 0 ? put_stages(c, plan) : code;
    return code == 0 ? plan_resolve_devices(c, api, plan) : code;
}
