/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the factory does to a new device: burns in who it is, and writes the
 * chip: root document, the first release into slot A as confirmed, the state
 * record with the floor at that release.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "board.h"
#include "esp.h"
#include "factory.h"
#include "host/buffer.h"
#include "host/file.h"
#include "posix/esp_flash.h"

enum { DOCUMENT_LIMIT = 1U << 20, IMAGE_LIMIT = 64U << 20 };

static const char help[] =
    "bowline-device provision --dir DIR --id HEX --server URL --root FILE\n"
    "                         --factory ENVELOPE [options]\n"
    "\n"
    "Makes a device. The vendor and class id are those of the factory's\n"
    "release, which must be signed under the root document.\n"
    "\n"
    "  --dir DIR            folder to make; refused when it is a device\n"
    "  --id HEX             device id, 32 hex digits\n"
    "  --server URL         its update server, --backup-server URL another\n"
    "  --root FILE          root document that it will trust\n"
    "  --factory ENVELOPE   the release it leaves the factory with\n"
    "  --payload FILE       that release's image; else it is looked for "
    "where\n"
    "                       bowline release puts it\n"
    "  --name NAME          for the log; default: the folder's name\n"
    "  --product NAME       for people; --hardware REV its revision\n"
    "  --ca FILE            certificate authority of the server\n"
    "  --token-file FILE    the device's token, copied into the folder\n"
    "  --cert FILE --key FILE   client certificate instead of a token\n"
    "  --holder             holds another chip's image, does not run it\n"
    "  --chip ESP32-S3      an emulated ESP32 with 4 MB of flash: boots by\n"
    "                       otadata, as ESP-IDF's bootloader does; "
    "--bootloader\n"
    "                       FILE is written where the chip looks for it\n"
    "  --clock              the wall clock is to be believed\n"
    "  --attribute KEY=TEXT setting of the simulated hardware, repeatable\n"
    "  --slot-size BYTES    1048576; also --erase-size 4096 --write-size 4\n"
    "  --delta-memory BYTES for patches: 32768, of a holder 12288; 0: takes "
    "none\n"
    "  --stage-size BYTES   room for patches of releases that have their own\n"
    "  --push-password-file FILE   take pushed releases (bowline push) from\n"
    "                       who knows the password; copied into the folder\n"
    "  --push-scheme NAME   pbkdf2; md5 for tools before 2025; none: no "
    "password\n"
    "  --push-port PORT     3232\n"
    "  --push-developer     takes whatever is pushed, signed or not: for the "
    "bench\n"
    "  --watchdog SECONDS   10; also --boot-tries 3 --health-failures 3\n"
    "  --poll SECONDS       1800; also --first-poll 60 --backoff 60\n"
    "                       --backoff-max 3600 --ticket-interval 86400\n"
    "                       --confirm-deadline 600 --health-interval 10\n";

enum setting {
    DIR = 1000,
    ID,
    SERVER,
    BACKUP,
    ROOT,
    FACTORY,
    PAYLOAD,
    NAME,
    PRODUCT,
    HARDWARE,
    CA,
    TOKEN,
    CERT,
    KEY,
    COMPONENT,
    PUSH_PASSWORD,
    PUSH_SCHEME,
    CHIP,
    BOOTLOADER,
    N_TEXTS,
    HOLDER = N_TEXTS,
    CLOCK,
    PUSH_DEVELOPER,
    ATTRIBUTE,
    HELP,
    NUMBER /* + index into `numbers` */
};

enum { MAX_ATTRIBUTES = 16 };

#define UNSAID UINT32_MAX /* left out: what is usual depends on others */

/* Settings that are numbers: option, group and name in device.conf. */
static const struct number {
    const char *option;
    const char *group;
    const char *name;
    uint32_t value;
} numbers[] = {
    {"slot-size", "flash", NULL, 1048576},
    {"erase-size", "flash", "erase_size", 4096},
    {"write-size", "flash", "write_size", 4},
    {"root-size", "flash", "root", 8192},
    {"state-size", "flash", "state", 4096},
    {"journal-size", "flash", "journal", 4096},
    {"manifest-size", "flash", "manifest", 16384},
    {"stage-size", "flash", "stage", UNSAID},
    {"poll", "timing", "poll", 1800},
    {"first-poll", "timing", "first_poll", 60},
    {"backoff", "timing", "backoff", 60},
    {"backoff-max", "timing", "backoff_max", 3600},
    {"ticket-interval", "timing", "ticket_interval", 86400},
    {"confirm-deadline", "timing", "confirm_deadline", 600},
    {"health-interval", "timing", "health_interval", 10},
    {"watchdog", "", "watchdog", 10},
    {"boot-tries", "", "boot_tries", 3},
    {"download-attempts", "", "download_attempts", 10},
    {"health-failures", "", "health_failures", 3},
    {"delta-memory", "", "delta_memory", UNSAID},
    {"push-port", "push", "port", UNSAID},
};

enum { N_NUMBERS = sizeof numbers / sizeof numbers[0] };

struct provision {
    const char *text[N_TEXTS - DIR];
    uint32_t number[N_NUMBERS];
    bool holder;
    bool clock;
    bool push_developer;
    const char *attribute[MAX_ATTRIBUTES];
    int n_attributes;
};

static const char *text_of(const struct provision *p, enum setting which)
{
    return p->text[which - DIR];
}

/* --- The command line -----------------------------------------------------
 */

static const struct option text_options[] = {
    {"dir", required_argument, NULL, DIR},
    {"id", required_argument, NULL, ID},
    {"server", required_argument, NULL, SERVER},
    {"backup-server", required_argument, NULL, BACKUP},
    {"root", required_argument, NULL, ROOT},
    {"factory", required_argument, NULL, FACTORY},
    {"payload", required_argument, NULL, PAYLOAD},
    {"name", required_argument, NULL, NAME},
    {"product", required_argument, NULL, PRODUCT},
    {"hardware", required_argument, NULL, HARDWARE},
    {"ca", required_argument, NULL, CA},
    {"token-file", required_argument, NULL, TOKEN},
    {"cert", required_argument, NULL, CERT},
    {"key", required_argument, NULL, KEY},
    {"component", required_argument, NULL, COMPONENT},
    {"push-password-file", required_argument, NULL, PUSH_PASSWORD},
    {"push-scheme", required_argument, NULL, PUSH_SCHEME},
    {"chip", required_argument, NULL, CHIP},
    {"bootloader", required_argument, NULL, BOOTLOADER},
    {"holder", no_argument, NULL, HOLDER},
    {"clock", no_argument, NULL, CLOCK},
    {"push-developer", no_argument, NULL, PUSH_DEVELOPER},
    {"attribute", required_argument, NULL, ATTRIBUTE},
    {"help", no_argument, NULL, HELP},
};

enum { N_OPTIONS = sizeof text_options / sizeof text_options[0] };

static int take_number(struct provision *p, int which, struct error *err)
{
    char *end = NULL;
    unsigned long value;

    errno = 0;
    value = strtoul(optarg, &end, 10);
    if (errno != 0 || *end != '\0' || optarg[0] == '-' ||
        value > IMAGE_LIMIT) {
        return error_set(err, "--%s: \"%s\" is no number that is possible",
                         numbers[which].option, optarg);
    }
    p->number[which] = (uint32_t)value;
    return 0;
}

static int take_option(struct provision *p, int option, struct error *err)
{
    if (option >= NUMBER) {
        return take_number(p, option - NUMBER, err);
    }
    if (option == HOLDER) {
        p->holder = true;
    } else if (option == CLOCK) {
        p->clock = true;
    } else if (option == PUSH_DEVELOPER) {
        p->push_developer = true;
    } else if (option == ATTRIBUTE) {
        if (p->n_attributes == MAX_ATTRIBUTES) {
            return error_set(err, "more than 16 attributes");
        }
        p->attribute[p->n_attributes++] = optarg;
    } else {
        p->text[option - DIR] = optarg;
    }
    return 0;
}

static int require(const struct provision *p, struct error *err)
{
    static const enum setting needed[] = {DIR, ID, SERVER, ROOT, FACTORY};

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (text_of(p, needed[i]) == NULL) {
            return error_set(err, "--%s is needed; --help says more",
                             text_options[needed[i] - DIR].name);
        }
    }
    return 0;
}

/* -1 with the error set, 1 for --help. */
static int parse(struct provision *p, int argc, char **argv, struct error *err)
{
    struct option options[N_OPTIONS + N_NUMBERS + 1] = {0};
    int option;

    memcpy(options, text_options, sizeof text_options);
    for (int i = 0; i < N_NUMBERS; i++) {
        p->number[i] = numbers[i].value;
        options[N_OPTIONS + i] = (struct option){
            numbers[i].option, required_argument, NULL, NUMBER + i};
    }
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == HELP) {
            return 1;
        }
        if (option == '?') {
            return error_set(err, "--help lists the options");
        }
        if (take_option(p, option, err) != 0) {
            return -1;
        }
    }
    if (optind != argc) {
        return error_set(err, "\"%s\" is not understood", argv[optind]);
    }
    return require(p, err);
}

/* --- device.conf -----------------------------------------------------------
 */

/* Text in libconfig's quotes; nothing that would need an escape. */
static int quote(struct buffer *out, const char *name, const char *value,
                 struct error *err)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c < ' ' || *c == '"' || *c == '\\' || *c == 0x7F) {
            return error_set(err,
                             "%s: \"%s\" holds a character that may "
                             "not be there",
                             name, value);
        }
    }
    return buffer_printf(out, err, "%s = \"%s\";\n", name, value);
}

static int optional(struct buffer *out, const char *name, const char *value,
                    struct error *err)
{
    return value == NULL ? 0 : quote(out, name, value, err);
}

static int group(const struct provision *p, struct buffer *out,
                 const char *which, struct error *err)
{
    const char *indent = which[0] == '\0' ? "" : "    ";
    int failed = 0;

    for (int i = 0; i < N_NUMBERS && failed == 0; i++) {
        if (numbers[i].name != NULL && p->number[i] != UNSAID &&
            strcmp(numbers[i].group, which) == 0) {
            failed = buffer_printf(out, err, "%s%s = %" PRIu32 ";\n", indent,
                                   numbers[i].name, p->number[i]);
        }
    }
    return failed;
}

static int attributes(const struct provision *p, struct buffer *out,
                      struct error *err)
{
    int failed = buffer_printf(
        out, err, "\n# The simulated hardware.\nattributes = {\n");

    for (int i = 0; i < p->n_attributes && failed == 0; i++) {
        const char *equals = strchr(p->attribute[i], '=');
        char name[64];

        if (equals == NULL || equals == p->attribute[i] ||
            equals - p->attribute[i] >= (long)sizeof name) {
            return error_set(err, "--attribute: \"%s\" is not KEY=TEXT",
                             p->attribute[i]);
        }
        (void)snprintf(name, sizeof name, "%.*s",
                       (int)(equals - p->attribute[i]), p->attribute[i]);
        failed = buffer_printf(out, err, "    ") != 0 ||
                 quote(out, name, equals + 1, err) != 0;
    }
    return failed != 0 ? -1 : buffer_printf(out, err, "};\n");
}

static int who(const struct provision *p, const struct factory *factory,
               struct buffer *out, struct error *err)
{
    const char *dir = text_of(p, DIR);
    const char *slash = strrchr(dir, '/');
    const char *name = text_of(p, NAME);
    char vendor[33];
    char class[33];

    if (name == NULL) {
        name = slash == NULL || slash[1] == '\0' ? dir : slash + 1;
    }
    hex_encode(factory->vendor_id, 16, vendor);
    hex_encode(factory->class_id, 16, class);
    if (buffer_printf(out, err,
                      "# One device. bowline-device reads this at each "
                      "reset.\n\n") != 0 ||
        quote(out, "name", name, err) != 0 ||
        quote(out, "id", text_of(p, ID), err) != 0 ||
        quote(out, "vendor_id", vendor, err) != 0 ||
        quote(out, "class_id", class, err) != 0 ||
        optional(out, "product", text_of(p, PRODUCT), err) != 0) {
        return -1;
    }
    return optional(out, "hardware", text_of(p, HARDWARE), err);
}

static int whom_to_ask(const struct provision *p, struct buffer *out,
                       struct error *err)
{
    const char *ca = text_of(p, CA) == NULL ? NULL : "ca.pem";
    const char *token = text_of(p, TOKEN) == NULL ? NULL : "token";
    const char *cert = text_of(p, CERT) == NULL ? NULL : "cert.pem";
    const char *key = text_of(p, KEY) == NULL ? NULL : "key.pem";

    if (buffer_printf(out, err, "\n") != 0 ||
        quote(out, "server", text_of(p, SERVER), err) != 0 ||
        optional(out, "backup_server", text_of(p, BACKUP), err) != 0 ||
        optional(out, "ca_file", ca, err) != 0 ||
        optional(out, "token_file", token, err) != 0 ||
        optional(out, "cert_file", cert, err) != 0) {
        return -1;
    }
    return optional(out, "key_file", key, err);
}

static int chip(const struct provision *p, struct buffer *out,
                struct error *err)
{
    const char *component = text_of(p, COMPONENT);

    if (buffer_printf(out, err, "\nflash = {\n") != 0 ||
        group(p, out, "flash", err) != 0) {
        return -1;
    }
    return buffer_printf(
        out, err,
        "    # two slots of each; the first is booted\n"
        "    components = ( { id = \"%s\"; size = %" PRIu32 "; } );\n};\n",
        component == NULL ? "app" : component,
        text_of(p, CHIP) == NULL ? p->number[0] : DEVICE_ESP_SLOT_SIZE);
}

static bool takes_pushes(const struct provision *p)
{
    return text_of(p, PUSH_PASSWORD) != NULL ||
           text_of(p, PUSH_SCHEME) != NULL || p->push_developer;
}

static int pushes(const struct provision *p, struct buffer *out,
                  struct error *err)
{
    const char *file = text_of(p, PUSH_PASSWORD);

    if (!takes_pushes(p)) {
        return 0;
    }
    if (buffer_printf(out, err,
                      "\n# Firmware may be pushed over the local network.\n"
                      "push = {\n") != 0 ||
        optional(out, "    scheme", text_of(p, PUSH_SCHEME), err) != 0 ||
        optional(out, "    password_file",
                 file == NULL ? NULL : "push.password", err) != 0 ||
        group(p, out, "push", err) != 0) {
        return -1;
    }
    return buffer_printf(out, err, "%s};\n",
                         p->push_developer
                             ? "    # Whatever is pushed is installed, signed "
                               "or not: never leave it so.\n"
                               "    developer = true;\n"
                             : "");
}

static int describe(const struct provision *p, const struct factory *factory,
                    struct error *err)
{
    struct buffer out = BUFFER(65536);
    char path[FLASH_PATH];
    int failed;

    (void)snprintf(path, sizeof path, "%s/device.conf", text_of(p, DIR));
    failed =
        who(p, factory, &out, err) != 0 || whom_to_ask(p, &out, err) != 0 ||
        buffer_printf(&out, err, "clock = %s;\nholder = %s;\n",
                      p->clock ? "true" : "false",
                      p->holder ? "true" : "false") != 0 ||
        optional(&out, "chip", text_of(p, CHIP), err) != 0 ||
        group(p, &out, "", err) != 0 ||
        buffer_printf(&out, err, "\n# Seconds.\ntiming = {\n") != 0 ||
        group(p, &out, "timing", err) != 0 ||
        buffer_printf(&out, err, "};\n") != 0 || pushes(p, &out, err) != 0 ||
        chip(p, &out, err) != 0 || attributes(p, &out, err) != 0 ||
        file_write(path, buffer_span(&out), 0600, err) != 0;
    buffer_free(&out);
    return failed ? -1 : 0;
}

/* --- The folder ------------------------------------------------------------
 */

static int copy(const struct provision *p, enum setting from, const char *name,
                struct error *err)
{
    struct buffer content = BUFFER(DOCUMENT_LIMIT);
    char path[FLASH_PATH];
    int failed;

    if (text_of(p, from) == NULL) {
        return 0;
    }
    (void)snprintf(path, sizeof path, "%s/%s", text_of(p, DIR), name);
    failed = file_read(text_of(p, from), &content, err) != 0 ||
             file_write(path, buffer_span(&content), 0600, err) != 0;
    buffer_wipe(&content);
    return failed ? -1 : 0;
}

static int make_folder(const struct provision *p, struct error *err)
{
    char path[FLASH_PATH];

    if (strlen(text_of(p, DIR)) >= DEVICE_TEXT) {
        return error_set(err, "the path %s is too long", text_of(p, DIR));
    }
    (void)snprintf(path, sizeof path, "%s/flash.bin", text_of(p, DIR));
    if (access(path, F_OK) == 0) {
        return error_set(err,
                         "%s is a device already; remove the folder "
                         "first to make it anew",
                         text_of(p, DIR));
    }
    if (file_make_dirs(text_of(p, DIR), 0700, err) != 0 ||
        copy(p, CA, "ca.pem", err) != 0 || copy(p, TOKEN, "token", err) != 0 ||
        copy(p, PUSH_PASSWORD, "push.password", err) != 0 ||
        copy(p, CERT, "cert.pem", err) != 0) {
        return -1;
    }
    return copy(p, KEY, "key.pem", err);
}

static int write_esp(const struct provision *p, struct device_config *config,
                     struct error *err)
{
    struct buffer bootloader = BUFFER(DOCUMENT_LIMIT);
    struct flash_file flash;
    int failed = -1;

    if (config->chip[0] == '\0') {
        return 0;
    }
    if (text_of(p, BOOTLOADER) != NULL &&
        file_read(text_of(p, BOOTLOADER), &bootloader, err) != 0) {
        return -1;
    }
    if (device_config_flash(config, &flash, err) == 0) {
        failed = esp_factory(config, buffer_span(&bootloader), err);
        flash_file_close(&flash);
    }
    buffer_free(&bootloader);
    return failed;
}

static int write_chip(const struct provision *p, const struct factory *factory,
                      struct error *err)
{
    struct device_config config;
    int failed = -1;

    if (device_config_load(&config, text_of(p, DIR), err) == 0 &&
        flash_file_create(config.flash_path, config.geometry.size, err) == 0) {
        failed = factory_write(factory, &config, err) != 0 ||
                         write_esp(p, &config, err) != 0
                     ? -1
                     : 0;
        if (failed != 0) {
            (void)unlink(config.flash_path); /* half a device is none */
        }
    }
    device_config_free(&config);
    return failed;
}

static int read_image(const struct provision *p, bl_span envelope,
                      struct buffer *image, struct error *err)
{
    char path[FLASH_PATH];

    if (text_of(p, PAYLOAD) != NULL) {
        return file_read(text_of(p, PAYLOAD), image, err);
    }
    if (factory_payload_path(text_of(p, FACTORY), envelope, path, sizeof path,
                             err) != 0) {
        return -1;
    }
    return file_read(path, image, err);
}

static int provision(const struct provision *p, struct error *err)
{
    struct buffer root = BUFFER(DOCUMENT_LIMIT);
    struct buffer envelope = BUFFER(DOCUMENT_LIMIT);
    struct buffer image = BUFFER(IMAGE_LIMIT);
    struct factory factory;
    int failed = file_read(text_of(p, ROOT), &root, err) != 0 ||
                 file_read(text_of(p, FACTORY), &envelope, err) != 0 ||
                 read_image(p, buffer_span(&envelope), &image, err) != 0;

    failed = failed ||
             factory_open(&factory, buffer_span(&root), buffer_span(&envelope),
                          buffer_span(&image), err) != 0 ||
             make_folder(p, err) != 0 || describe(p, &factory, err) != 0 ||
             write_chip(p, &factory, err) != 0;
    if (!failed) {
        (void)printf("%s: release %" PRIu64 " (%s), %zu bytes, in slot A\n",
                     text_of(p, DIR), factory.manifest.sequence,
                     factory.version, image.n);
    }
    buffer_free(&root);
    buffer_free(&envelope);
    buffer_free(&image);
    return failed ? -1 : 0;
}

int board_provision(int argc, char **argv)
{
    struct provision p = {0};
    struct error err = {0};
    int parsed = parse(&p, argc, argv, &err);

    if (parsed > 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (parsed < 0) {
        (void)board_fail("provision", &err);
        return BOARD_EXIT_USAGE;
    }
    return provision(&p, &err) == 0 ? 0 : board_fail("provision", &err);
}
