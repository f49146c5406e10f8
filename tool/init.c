/* SPDX-License-Identifier: Apache-2.0 */
/* bowline init: the project file, with a comment on each setting. */
#include <libconfig.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "author/author.h"
#include "bowline/esp_chip.h"
#include "project.h"
#include "release.h"

struct values {
    const char *name;
    const char *value;
};

static const char *folder_name(struct call *c)
{
    char folder[PATH_MAX];
    const char *slash;

    if (getcwd(folder, sizeof folder) == NULL) {
        return NULL;
    }
    slash = strrchr(folder, '/');
    return slash == NULL || slash[1] == '\0' ? NULL : keep(c, "%s", slash + 1);
}

/* In quotes, as libconfig reads it. */
static int quoted(struct buffer *out, const char *text, struct error *err)
{
    int result = buffer_append(out, "\"", 1, err);

    for (; result == 0 && *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            result = buffer_append(out, "\\", 1, err);
        }
        if (result == 0) {
            result = buffer_append(out, text, 1, err);
        }
    }
    return result != 0 ? -1 : buffer_append(out, "\"", 1, err);
}

static int one_setting(struct buffer *out, const struct setting *s,
                       const char *value, struct error *err)
{
    if (s->comment != NULL &&
        buffer_printf(out, err, "\n# %s\n", s->comment) != 0) {
        return -1;
    }
    if (buffer_printf(out, err, "%s%s = %s", value == NULL ? "#" : "", s->name,
                      setting_is_list(s->kind) ? "( " : "") != 0 ||
        quoted(out, value == NULL ? "" : value, err) != 0) {
        return -1;
    }
    return buffer_printf(out, err, "%s;\n",
                         setting_is_list(s->kind) ? " )" : "");
}

static int file_text(struct call *c, const struct values *values, size_t n,
                     struct buffer *out)
{
    const struct setting *s;
    int result = buffer_printf(
        out, &c->err,
        "# %s: what the program bowline knows of this project. Options and\n"
        "# the environment come before it. Paths are relative to this file.\n",
        PROJECT_FILE);

    for (s = settings; result == 0 && s->name != NULL; s++) {
        const char *value = NULL;
        size_t i;

        for (i = 0; i < n; i++) {
            if (strcmp(values[i].name, s->name) == 0) {
                value = values[i].value;
            }
        }
        result = one_setting(out, s, value, &c->err);
    }
    return result == 0 ? 0 : EXIT_LOCAL;
}

static const char *if_there(const char *path)
{
    return access(path, F_OK) == 0 ? path : NULL;
}

/* The address is in the server's configuration: its port, and the name that
 * its first comment line says. */
static const char *server_of(struct call *c, const char *folder)
{
    struct buffer text = BUFFER(65536);
    const char *at;
    const char *url = NULL;

    if (file_read(keep(c, "%s/bowlined.conf", folder), &text, &c->err) != 0) {
        return NULL;
    }
    at = strstr((const char *)text.p, "https://");
    if (at != NULL) {
        url = keep(c, "%.*s", (int)strcspn(at, " ,;\"\n"), at);
    }
    buffer_free(&text);
    return url;
}

/* The newest root document of the folder: root-N.cbor. */
static const char *root_of(struct call *c, const char *folder)
{
    const char *found = NULL;
    int i;

    for (i = 1; i < 10000; i++) {
        const char *path = if_there(keep(c, "%s/root-%d.cbor", folder, i));

        if (path == NULL) {
            break;
        }
        found = path;
    }
    return found;
}

static int report(struct call *c, const char *product, const char *vendor,
                  const char *key)
{
    uint8_t vendor_id[16];
    uint8_t class_id[16];

    author_vendor_id(vendor, vendor_id);
    author_class_id(vendor_id, product, class_id);
    put_text(c->result, "file", PROJECT_FILE);
    put_text(c->result, "product", product);
    put_text(c->result, "vendor_domain", vendor);
    put_text(c->result, "vendor_id", keep_hex(c, vendor_id, 16));
    put_text(c->result, "class_id", keep_hex(c, class_id, 16));
    show(c, "%s: product %s of %s", PROJECT_FILE, product, vendor);
    field(c, "vendor id", "%s", keep_hex(c, vendor_id, 16));
    field(c, "class id", "%s", keep_hex(c, class_id, 16));
    put_text(c->result, "release_key", key);
    field(c, "release key", "%s",
          key != NULL ? key
                      : "not there: say where it is in release_keys of "
                        "bowline.conf, or by --key");
    note(c, "Next: bowline release FIRMWARE");
    return EXIT_YES;
}

int verb_init(struct call *c)
{
    const char *from = cli_value(c, "from");
    const char *server = cli_value(c, "server");
    const char *component = cli_value(c, "component");
    const char *chip = cli_value(c, "chip");
    const char *product = cli_value(c, "product");
    const char *vendor = cli_value(c, "vendor");
    const char *key = from == NULL
                          ? "release.pem"
                          : if_there(keep(c, "%s/offline/release.pem", from));
    struct buffer text = BUFFER(65536);
    int code;

    product = product == NULL ? folder_name(c) : product;
    if (product == NULL || product[0] == '\0') {
        return refuse(c, EXIT_USAGE, "say the product's name: --product NAME");
    }
    if (vendor == NULL) {
        return refuse(c, EXIT_USAGE,
                      "say a domain of yours, which devices "
                      "will know you by: --vendor example.com");
    }
    if (chip != NULL && strcmp(chip, "none") != 0 &&
        bl_esp_chip_named(chip) == NULL) {
        return refuse(c, EXIT_USAGE,
                      "--chip: \"%s\" is none that is known; say it as "
                      "ESP32, ESP32-S3, ESP8266",
                      chip);
    }
    if (server == NULL && from != NULL) {
        server = server_of(c, from);
        if (server == NULL) {
            (void)error_prefix(&c->err,
                               "%s is not a folder of bowline server "
                               "init",
                               from);
            return EXIT_INPUT;
        }
    }
    {
        const struct values values[] = {
            {"product", product},
            {"vendor_domain", vendor},
            {"chip", chip},
            {"component", component == NULL ? "app" : component},
            {"release_keys", key},
            {"root", from == NULL ? NULL : root_of(c, from)},
            {"releases", "releases"},
            {"server", server == NULL ? "https://localhost:8443" : server},
            {"ca_file",
             from == NULL ? NULL : if_there(keep(c, "%s/ca.pem", from))},
            {"token_file",
             from == NULL ? NULL
                          : if_there(keep(c, "%s/operator.token", from))}};

        code = file_text(c, values, sizeof values / sizeof values[0], &text);
    }
    if (code == 0) {
        code = write_output(c, PROJECT_FILE, buffer_span(&text), 0644);
    }
    buffer_free(&text);
    return code == 0 ? report(c, product, vendor, key) : code;
}
