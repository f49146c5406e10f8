/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds a device, changed from outside, and a person's word. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "board.h"
#include "host/file.h"
#include "posix/conditions.h"
#include "posix/platform.h"

static const char set_help[] =
    "bowline-device set --dir DIR [KEY=VALUE ...]\n"
    "\n"
    "Says what a device is in, switched on or not; it looks several times a\n"
    "second. Without KEY=VALUE: what was said. VALUE \"unknown\" takes a "
    "word\n"
    "back.\n"
    "\n"
    "  battery=0..100        percent\n"
    "  power=yes|no          external power\n"
    "  metered=yes|no        the link costs by the byte\n"
    "  roaming=yes|no        the link is a foreign network's\n"
    "  utc_offset=MINUTES    local time, east of UTC: -840 to 840\n"
    "  consent=ask|auto      when the operator wants a person's consent\n"
    "  report.NAME=TEXT      an attribute, for the server\n";

static const char consent_help[] =
    "bowline-device consent --dir DIR yes | no | later TIME\n"
    "\n"
    "What the person at the device says of the update on offer. \"no\" holds\n"
    "until another release is offered or the deadline has passed; \"later\"\n"
    "for TIME: 30m, 1h, 2d, or seconds.\n";

/* "--dir DIR" and the rest; 1 for --help. */
static int parse(int argc, char **argv, const char **dir)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd') {
            *dir = optarg;
        } else {
            return option == 'h' ? 1 : -1;
        }
    }
    return *dir == NULL ? -1 : 0;
}

/* --- set -------------------------------------------------------------------
 */

enum kind { NUMBER, TRUTH, TEXT };

static const struct key {
    const char *name;
    enum kind kind;
} keys[] = {
    {"battery", NUMBER}, {"power", TRUTH},       {"metered", TRUTH},
    {"roaming", TRUTH},  {"utc_offset", NUMBER}, {"consent", TEXT},
};

static bool find_kind(const char *name, enum kind *out)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            *out = keys[i].kind;
            return true;
        }
    }
    return false;
}

static int put(config_setting_t *group, const char *name, enum kind kind,
               const char *value, struct error *err)
{
    static const int types[] = {CONFIG_TYPE_INT, CONFIG_TYPE_BOOL,
                                CONFIG_TYPE_STRING};
    config_setting_t *setting;
    bool yes = strcmp(value, "yes") == 0;
    char *end = NULL;
    long number = strtol(value, &end, 10);

    (void)config_setting_remove(group, name);
    if (strcmp(value, "unknown") == 0) {
        return 0;
    }
    if ((kind == NUMBER &&
         (end == value || *end != '\0' || number < -840 || number > 840)) ||
        (kind == TRUTH && !yes && strcmp(value, "no") != 0)) {
        return error_set(err, "%s: \"%s\" is not possible; --help says more",
                         name, value);
    }
    setting = config_setting_add(group, name, types[kind]);
    if (setting == NULL) {
        return error_set(err, "\"%s\" is no name for a setting", name);
    }
    if (kind == NUMBER) {
        (void)config_setting_set_int(setting, (int)number);
    } else if (kind == TRUTH) {
        (void)config_setting_set_bool(setting, yes);
    } else {
        (void)config_setting_set_string(setting, value);
    }
    return 0;
}

static int put_report(config_t *file, const char *name, const char *value,
                      struct error *err)
{
    config_setting_t *root = config_root_setting(file);
    config_setting_t *group = config_setting_get_member(root, "report");

    if (group == NULL) {
        group = config_setting_add(root, "report", CONFIG_TYPE_GROUP);
    }
    if (group == NULL) {
        return error_set(err, "out of memory");
    }
    return put(group, name, TEXT, value, err);
}

static int change(config_t *file, const char *argument, struct error *err)
{
    const char *equals = strchr(argument, '=');
    char name[64];
    enum kind kind;

    if (equals == NULL || equals == argument ||
        equals - argument >= (long)sizeof name) {
        return error_set(err, "\"%s\" is not KEY=VALUE", argument);
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals - argument),
                   argument);
    if (strncmp(name, "report.", 7) == 0) {
        return put_report(file, name + 7, equals + 1, err);
    }
    if (!find_kind(name, &kind)) {
        return error_set(err, "\"%s\" is no key; --help lists them", name);
    }
    return put(config_root_setting(file), name, kind, equals + 1, err);
}

static char *text_of(config_t *file)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (out == NULL) {
        return NULL;
    }
    config_write(file, out);
    (void)fclose(out);
    return text;
}

/* What a device could not read must not get to it. */
static int write_file(const char *dir, const char *path, config_t *file,
                      struct error *err)
{
    struct conditions conditions;
    struct device_config config;
    char *text;
    int failed = device_config_load(&config, dir, err) != 0 ||
                 conditions_check(&conditions, &config, file, err) != 0;

    device_config_free(&config);
    if (failed) {
        return -1;
    }
    text = text_of(file);
    if (text == NULL) {
        return error_set(err, "out of memory");
    }
    failed = file_write(path, bl_span_of(text, strlen(text)), 0600, err);
    free(text);
    return failed;
}

static int set(const char *dir, int n, char **arguments, struct error *err)
{
    char path[FLASH_PATH];
    config_t file;
    int failed = 0;

    (void)snprintf(path, sizeof path, "%s/conditions.conf", dir);
    config_init(&file);
    if (access(path, F_OK) == 0 &&
        config_read_file(&file, path) == CONFIG_FALSE) {
        failed = error_set(err, "%s: line %d: %s", path,
                           config_error_line(&file), config_error_text(&file));
    }
    for (int i = 0; i < n && failed == 0; i++) {
        failed = change(&file, arguments[i], err);
    }
    if (failed == 0 && n > 0) {
        failed = write_file(dir, path, &file, err);
    } else if (failed == 0) {
        config_write(&file, stdout);
    }
    config_destroy(&file);
    return failed;
}

int board_set(int argc, char **argv)
{
    const char *dir = NULL;
    struct error err = {0};
    int parsed = parse(argc, argv, &dir);

    if (parsed != 0) {
        (void)fputs(set_help, parsed > 0 ? stdout : stderr);
        return parsed > 0 ? 0 : BOARD_EXIT_USAGE;
    }
    return set(dir, argc - optind, argv + optind, &err) == 0
               ? 0
               : board_fail("set", &err);
}

/* --- consent ---------------------------------------------------------------
 */

/* "90", "30m", "1h", "2d" in seconds, a year at most; 0: none of these. */
static uint32_t seconds(const char *text)
{
    static const struct unit {
        const char *name;
        uint32_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    const unsigned long most = 365UL * 86400;
    char *end = NULL;
    unsigned long n;

    if (text[0] < '0' || text[0] > '9') {
        return 0;
    }
    n = strtoul(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0 && n <= most / units[i].seconds) {
            return (uint32_t)n * units[i].seconds;
        }
    }
    return 0;
}

static int tell(const char *dir, const char *word, struct error *err)
{
    char path[FLASH_PATH];

    (void)snprintf(path, sizeof path, "%s/device.conf", dir);
    if (access(path, R_OK) != 0) {
        return error_errno(err, "%s cannot be read; is %s a device?", path,
                           dir);
    }
    (void)snprintf(path, sizeof path, "%s/consent", dir);
    return file_write(path, bl_span_of(word, strlen(word)), 0600, err);
}

/* The device takes the file away when it has heard. */
static void see_it_heard(const char *dir)
{
    char path[FLASH_PATH];

    (void)snprintf(path, sizeof path, "%s/consent", dir);
    for (int i = 0; i < 30; i++) {
        if (access(path, F_OK) != 0) {
            return;
        }
        platform_sleep_ms(100);
    }
    (void)printf("the device is off; it will hear it when it runs\n");
}

int board_consent(int argc, char **argv)
{
    const char *dir = NULL;
    struct error err = {0};
    int parsed = parse(argc, argv, &dir);
    int n = argc - optind;
    const char *said = n > 0 ? argv[optind] : "";
    uint32_t time = n == 2 ? seconds(argv[optind + 1]) : 0;
    bool later = n == 2 && strcmp(said, "later") == 0 && time > 0;
    bool plain =
        n == 1 && (strcmp(said, "yes") == 0 || strcmp(said, "no") == 0);
    char word[32];

    if (parsed != 0 || (!later && !plain)) {
        (void)fputs(consent_help, parsed > 0 ? stdout : stderr);
        return parsed > 0 ? 0 : BOARD_EXIT_USAGE;
    }
    (void)snprintf(word, sizeof word, "%s %" PRIu32 "\n", said, time);
    if (tell(dir, word, &err) != 0) {
        return board_fail("consent", &err);
    }
    see_it_heard(dir);
    return 0;
}
