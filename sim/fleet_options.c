/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

const char fleet_help[] =
    "bowline-sim: a fleet of simulated devices, each the real device code,\n"
    "against a running bowlined. It registers them, runs them, and says what\n"
    "they truly run.\n"
    "\n"
    "Usage: bowline-sim --server URL --product NAME --token-file FILE ...\n"
    "\n"
    "Where:\n"
    "  --server URL         https://HOST:PORT\n"
    "  --ca-file FILE       certificate authority of the server, PEM\n"
    "  --token-file FILE    an operator's token\n"
    "  --product NAME       what the devices are\n"
    "Which devices:\n"
    "  --devices N          how many (100)\n"
    "  --from VERSION       the release they leave the factory with; the\n"
    "                       product's oldest one when not said\n"
    "  --release FILE       ... its envelope, from a file\n"
    "  --payload FILE       ... and its image (beside it, payloads/SHA256)\n"
    "  --root FILE          root document; the server's first when not said\n"
    "  --slot-size N        bytes of a slot (65536)\n"
    "  --hardware LIST      revisions: rev-a:70%,rev-b:30%\n"
    "  --profile LIST       normal, sleepy, roaming, dying, with shares\n"
    "  --attribute LIST     region=eu:50%,us:50%; may be repeated\n"
    "  --tags LIST          of all of them: sim,lab\n"
    "  --deltas SHARE       devices that take patches instead of whole\n"
    "                       payloads (100%)\n"
    "  --delta-memory N     bytes of memory that they have for it (12288)\n"
    "  --esp32              they boot by otadata, as ESP-IDF's bootloader "
    "does\n"
    "  --name PREFIX        of their names (sim-, and some of the seed)\n"
    "What goes wrong:\n"
    "  --loss SHARE         exchanges that break (0)\n"
    "  --power-cuts SHARE   boots and transfers after which the power is cut\n"
    "                       in a flash operation (0)\n"
    "  --bad-patches SHARE  transfers of patches that are damaged (0)\n"
    "  --behaviour RULE     1.2.0=crash:30%,hang:5%,health:10%,pending:5%,\n"
    "                       silent:2%,flaky:5%; VERSION * is any that comes\n"
    "                       later; may be repeated\n"
    "  --bad-release SHARE  releases that are bad, of those without a rule\n"
    "Time:\n"
    "  --speed N            device clocks run N times faster (1)\n"
    "  --poll S, --first-poll S, --backoff S, --backoff-max S,\n"
    "  --ticket-interval S, --confirm-deadline S, --health-interval S,\n"
    "  --watchdog S         as a device has them (1800, 60, 60, 3600, 86400,\n"
    "                       600, 10, 10), in its own time\n"
    "How long:\n"
    "  --run-for T          30s, 5m, 2h of the wall clock\n"
    "  --until settled      until nothing happens for --calm T (10s)\n"
    "  --hold               until SIGTERM or SIGINT; when nothing else is "
    "said\n"
    "  --settle T           at the end faults stop, and devices have so long\n"
    "                       to come to rest (30s; a second signal ends it)\n"
    "What it says:\n"
    "  --report FILE        what each device truly runs, a JSON object a "
    "line\n"
    "  --compare            ask the server, and tell each difference\n"
    "  --json               the summary as JSON\n"
    "  --quiet              no progress\n"
    "How:\n"
    "  --seed N             the same devices and behaviours again\n"
    "  --state DIR          keeps the fleet for the next run\n"
    "  --threads N          (2)\n"
    "  --connections N      open at a time (256)\n"
    "  --fresh-connections  each exchange by a connection of its own\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done; 1 a device runs something else than the server\n"
    "believes, has not come to rest, or it could not be done; 2 wrong "
    "usage.\n";

enum {
    O_SERVER = 256,
    O_CA_FILE,
    O_TOKEN_FILE,
    O_PRODUCT,
    O_ROOT,
    O_RELEASE,
    O_PAYLOAD,
    O_FROM,
    O_NAME,
    O_TAGS,
    O_REPORT,
    O_STATE,
    O_DEVICES,
    O_THREADS,
    O_CONNECTIONS,
    O_SLOT_SIZE,
    O_POLL,
    O_FIRST_POLL,
    O_BACKOFF,
    O_BACKOFF_MAX,
    O_TICKET_INTERVAL,
    O_CONFIRM_DEADLINE,
    O_HEALTH_INTERVAL,
    O_WATCHDOG,
    O_DELTA_MEMORY,
    O_LOSS,
    O_POWER_CUTS,
    O_DELTAS,
    O_BAD_PATCHES,
    O_BAD_RELEASE,
    O_BEHAVIOUR,
    O_HARDWARE,
    O_PROFILE,
    O_ATTRIBUTE,
    O_SPEED,
    O_SEED,
    O_RUN_FOR,
    O_UNTIL,
    O_CALM,
    O_SETTLE,
    O_FRESH,
    O_ESP32,
    O_HOLD,
    O_COMPARE,
    O_JSON,
    O_QUIET,
    O_HELP,
    O_PROGRAM
};

static const struct option long_options[] = {
    {"server", required_argument, NULL, O_SERVER},
    {"ca-file", required_argument, NULL, O_CA_FILE},
    {"token-file", required_argument, NULL, O_TOKEN_FILE},
    {"product", required_argument, NULL, O_PRODUCT},
    {"root", required_argument, NULL, O_ROOT},
    {"release", required_argument, NULL, O_RELEASE},
    {"payload", required_argument, NULL, O_PAYLOAD},
    {"from", required_argument, NULL, O_FROM},
    {"name", required_argument, NULL, O_NAME},
    {"tags", required_argument, NULL, O_TAGS},
    {"report", required_argument, NULL, O_REPORT},
    {"state", required_argument, NULL, O_STATE},
    {"devices", required_argument, NULL, O_DEVICES},
    {"threads", required_argument, NULL, O_THREADS},
    {"connections", required_argument, NULL, O_CONNECTIONS},
    {"slot-size", required_argument, NULL, O_SLOT_SIZE},
    {"poll", required_argument, NULL, O_POLL},
    {"first-poll", required_argument, NULL, O_FIRST_POLL},
    {"backoff", required_argument, NULL, O_BACKOFF},
    {"backoff-max", required_argument, NULL, O_BACKOFF_MAX},
    {"ticket-interval", required_argument, NULL, O_TICKET_INTERVAL},
    {"confirm-deadline", required_argument, NULL, O_CONFIRM_DEADLINE},
    {"health-interval", required_argument, NULL, O_HEALTH_INTERVAL},
    {"watchdog", required_argument, NULL, O_WATCHDOG},
    {"delta-memory", required_argument, NULL, O_DELTA_MEMORY},
    {"loss", required_argument, NULL, O_LOSS},
    {"power-cuts", required_argument, NULL, O_POWER_CUTS},
    {"deltas", required_argument, NULL, O_DELTAS},
    {"bad-patches", required_argument, NULL, O_BAD_PATCHES},
    {"bad-release", required_argument, NULL, O_BAD_RELEASE},
    {"behaviour", required_argument, NULL, O_BEHAVIOUR},
    {"hardware", required_argument, NULL, O_HARDWARE},
    {"profile", required_argument, NULL, O_PROFILE},
    {"attribute", required_argument, NULL, O_ATTRIBUTE},
    {"speed", required_argument, NULL, O_SPEED},
    {"seed", required_argument, NULL, O_SEED},
    {"run-for", required_argument, NULL, O_RUN_FOR},
    {"until", required_argument, NULL, O_UNTIL},
    {"calm", required_argument, NULL, O_CALM},
    {"settle", required_argument, NULL, O_SETTLE},
    {"fresh-connections", no_argument, NULL, O_FRESH},
    {"esp32", no_argument, NULL, O_ESP32},
    {"hold", no_argument, NULL, O_HOLD},
    {"compare", no_argument, NULL, O_COMPARE},
    {"json", no_argument, NULL, O_JSON},
    {"quiet", no_argument, NULL, O_QUIET},
    {"help", no_argument, NULL, O_HELP},
    {"version", no_argument, NULL, O_PROGRAM},
    {NULL, 0, NULL, 0},
};

/* --- Values -------------------------------------------------------------- */

static int number(const char *text, uint32_t least, uint32_t most,
                  uint32_t *out, struct error *err)
{
    char *end = NULL;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' ||
        value < least || value > most) {
        return error_set(err, "\"%s\" is no number from %u to %u", text,
                         (unsigned)least, (unsigned)most);
    }
    *out = (uint32_t)value;
    return 0;
}

static int duration(const char *text, uint32_t *out, struct error *err)
{
    char *end = NULL;
    double value = strtod(text, &end);
    double unit = strcmp(end, "m") == 0   ? 60
                  : strcmp(end, "h") == 0 ? 3600
                  : strcmp(end, "d") == 0 ? 86400
                                          : 1;

    if (end == text || (unit < 2 && strcmp(end, "s") != 0 && *end != '\0') ||
        !(value * unit >= 1 && value * unit < 1e8)) {
        return error_set(err, "\"%s\" is no time; say 30s, 5m, 2h", text);
    }
    *out = (uint32_t)(value * unit);
    return 0;
}

static int speed(const char *text, double *out, struct error *err)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0.1 && value <= 100000)) {
        return error_set(err, "\"%s\" is no number from 0.1 to 100000", text);
    }
    *out = value;
    return 0;
}

static int seed(const char *text, uint64_t *out, struct error *err)
{
    char *end = NULL;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || text[0] == '-'
               ? error_set(err, "\"%s\" is no number", text)
               : 0;
}

static int attribute(struct fleet_options *o, const char *text,
                     struct error *err)
{
    const char *equals = strchr(text, '=');
    struct fleet_attribute *a = &o->attribute[o->n_attributes];

    if (o->n_attributes == FLEET_ATTRIBUTES) {
        return error_set(err, "more than %d", FLEET_ATTRIBUTES);
    }
    if (equals == NULL || equals == text ||
        equals - text > BL_ATTRIBUTE_NAME ||
        text + strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-") !=
            equals) {
        return error_set(err,
                         "\"%s\": say NAME=VALUE:SHARE,..., the name of at "
                         "most %d a-z 0-9 _ . -",
                         text, BL_ATTRIBUTE_NAME);
    }
    memcpy(a->name, text, (size_t)(equals - text));
    o->n_attributes++;
    return fleet_shares_parse(equals + 1, &a->values, err);
}

static int profile(const char *text, struct fleet_shares *out,
                   struct error *err)
{
    if (fleet_shares_parse(text, out, err) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < out->n; i++) {
        const char *word = out->name[i];

        if (strcmp(word, "normal") != 0 && strcmp(word, "sleepy") != 0 &&
            strcmp(word, "roaming") != 0 && strcmp(word, "dying") != 0) {
            return error_set(err,
                             "\"%s\" is none of normal, sleepy, roaming, "
                             "dying",
                             word);
        }
    }
    return 0;
}

/* --- One option ---------------------------------------------------------- */

static const char **text_place(struct fleet_options *o, int option)
{
    const char **const place[] = {
        &o->server,    &o->ca_file,      &o->token_file,   &o->product,
        &o->root_file, &o->release_file, &o->payload_file, &o->from,
        &o->prefix,    &o->tags,         &o->report,       &o->state};

    return option <= O_STATE ? place[option - O_SERVER] : NULL;
}

static int take_number(struct fleet_options *o, int option, const char *text,
                       struct error *err)
{
    const struct {
        uint32_t least;
        uint32_t most;
        uint32_t *place;
    } table[] = {
        {1, 1000000, &o->devices},
        {1, 64, &o->threads},
        {1, 20000, &o->connections},
        {FLEET_TEXT, 1U << 28, &o->slot_size},
        {1, 604800, &o->timing.poll},
        {0, 86400, &o->timing.first_poll},
        {1, 86400, &o->timing.backoff},
        {1, 86400, &o->timing.backoff_max},
        {1, 604800, &o->timing.ticket_interval},
        {1, 86400, &o->timing.confirm_deadline},
        {1, 3600, &o->timing.health_interval},
        {1, 3600, &o->watchdog_s},
        {6144, 1U << 20, &o->delta_memory},
    };
    int i = option - O_DEVICES;

    return number(text, table[i].least, table[i].most, table[i].place, err);
}

static int take_other(struct fleet_options *o, int option, const char *text,
                      struct error *err)
{
    switch (option) {
    case O_LOSS:
        return fleet_share_parse(text, &o->loss, err);
    case O_POWER_CUTS:
        return fleet_share_parse(text, &o->power_cuts, err);
    case O_DELTAS:
        return fleet_share_parse(text, &o->deltas, err);
    case O_BAD_PATCHES:
        return fleet_share_parse(text, &o->bad_patches, err);
    case O_BAD_RELEASE:
        return fleet_share_parse(text, &o->rules.bad_release, err);
    case O_BEHAVIOUR:
        return fleet_rule_parse(&o->rules, text, err);
    case O_HARDWARE:
        return fleet_shares_parse(text, &o->hardware, err);
    case O_PROFILE:
        return profile(text, &o->profile, err);
    case O_ATTRIBUTE:
        return attribute(o, text, err);
    case O_SPEED:
        return speed(text, &o->speed, err);
    case O_SEED:
        return seed(text, &o->rules.seed, err);
    case O_RUN_FOR:
        return duration(text, &o->run_for_s, err);
    case O_UNTIL:
        o->until_settled = true;
        return strcmp(text, "settled") == 0
                   ? 0
                   : error_set(err, "\"%s\": say settled", text);
    case O_CALM:
        return duration(text, &o->calm_s, err);
    default:
        return duration(text, &o->settle_s, err);
    }
}

static void take_flag(struct fleet_options *o, int option)
{
    o->fresh = o->fresh || option == O_FRESH;
    o->esp32 = o->esp32 || option == O_ESP32;
    o->hold = o->hold || option == O_HOLD;
    o->compare = o->compare || option == O_COMPARE;
    o->json = o->json || option == O_JSON;
    o->quiet = o->quiet || option == O_QUIET;
}

static int take(struct fleet_options *o, int option, struct error *err)
{
    const char *name = "";

    for (const struct option *l = long_options; l->name != NULL; l++) {
        name = l->val == option ? l->name : name;
    }
    if (option <= O_STATE) {
        *text_place(o, option) = optarg;
        return 0;
    }
    if (option >= O_FRESH) {
        take_flag(o, option);
        return 0;
    }
    if ((option <= O_DELTA_MEMORY ? take_number(o, option, optarg, err)
                                  : take_other(o, option, optarg, err)) != 0) {
        return error_prefix(err, "--%s", name);
    }
    return 0;
}

/* --- All of them --------------------------------------------------------- */

static int preset(struct fleet_options *o, struct error *err)
{
    memset(o, 0, sizeof *o);
    o->devices = 100;
    o->threads = 2;
    o->connections = 256;
    o->slot_size = 65536;
    o->speed = 1;
    o->deltas = 1;
    o->delta_memory = 12288;
    o->timing = bl_timing_default;
    o->watchdog_s = 10;
    o->calm_s = 10;
    o->settle_s = 30;
    if (getrandom(&o->rules.seed, sizeof o->rules.seed, 0) !=
        (ssize_t)sizeof o->rules.seed) {
        return error_errno(err, "cannot draw a seed");
    }
    o->rules.seed >>= 16; /* a number that a person can copy */
    return fleet_shares_parse("rev-a", &o->hardware, err);
}

static int check(struct fleet_options *o, struct error *err)
{
    static const struct {
        const char *name;
        size_t place;
    } needed[] = {
        {"server", offsetof(struct fleet_options, server)},
        {"token-file", offsetof(struct fleet_options, token_file)},
        {"product", offsetof(struct fleet_options, product)},
    };

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const char *const *text =
            (const void *)((const char *)o + needed[i].place);

        if (*text == NULL || **text == '\0') {
            return error_set(err, "--%s is missing; --help tells the rest",
                             needed[i].name);
        }
    }
    if (strncmp(o->server, "https://", 8) != 0 || strlen(o->server) > 256 ||
        o->server[strlen(o->server) - 1] == '/') {
        return error_set(err, "--server: \"%s\" is not https://HOST:PORT",
                         o->server);
    }
    if (o->prefix == NULL) {
        (void)snprintf(o->own_prefix, sizeof o->own_prefix, "sim-%04x",
                       (unsigned)(o->rules.seed % 0x10000));
        o->prefix = o->own_prefix;
    }
    if (o->threads > o->devices) {
        o->threads = o->devices;
    }
    o->delta_memory -= o->delta_memory % 8; /* the next one's place */
    if (o->run_for_s == 0 && !o->until_settled) {
        o->hold = true;
    }
    return 0;
}

int fleet_options_parse(struct fleet_options *o, int argc, char **argv,
                        struct error *err)
{
    int option;

    if (preset(o, err) != 0) {
        return -1;
    }
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == O_HELP) {
            (void)fputs(fleet_help, stdout);
            return 1;
        }
        if (option == O_PROGRAM) {
            (void)puts("bowline-sim " BOWLINE_VERSION);
            return 1;
        }
        if (option == '?') {
            return error_set(err,
                             "%s: no such option, or its value is "
                             "missing; --help lists them",
                             argv[optind - 1]);
        }
        if (take(o, option, err) != 0) {
            return -1;
        }
    }
    if (optind != argc) {
        return error_set(err, "\"%s\" is not expected here; --help",
                         argv[optind]);
    }
    return check(o, err);
}
