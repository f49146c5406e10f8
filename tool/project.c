/* SPDX-License-Identifier: Apache-2.0 */
/* Options before environment before bowline.conf, found by walking up. */
#include <libconfig.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "project.h"
#include "tool.h"

struct project {
    config_t config;
    char *folder; /* of the file; kept by the call */
};

const struct setting settings[] = {
    {"product", "product", NULL, TEXT, "Name of the product."},
    {"vendor_domain", "vendor", NULL, TEXT,
     "A domain of yours. It and the product's name make the ids that\n"
     "# devices check, so it never changes."},
    {"chip", "chip", NULL, TEXT,
     "The chip of an ESP32 product, as ESP32-C3: a release for another one\n"
     "# is refused. Without it, the release before counts."},
    {"component", "component", NULL, TEXT,
     "What a release replaces on the device."},
    {"release_keys", "key", NULL, PATHS,
     "Private keys that sign releases: as many as the root document\n"
     "# asks for. They need not be on the update server, and should not."},
    {"root", "root", NULL, PATH,
     "The newest root document: releases are checked with it."},
    {"releases", "releases", NULL, PATH, "Where releases are put."},
    {"server", "server", "BOWLINE_SERVER", URL,
     "The update server, and the certificate to know it by."},
    {"ca_file", "ca-file", "BOWLINE_CA_FILE", PATH, NULL},
    {"token_file", "token-file", "BOWLINE_TOKEN_FILE", PATH,
     "A file with your token. The token itself never stands here."},
    {"esp_secure_boot", "secure-boot", NULL, TEXT,
     "Signed images of the ESP32 family (bowline esp sign): \"on\" when the\n"
     "# chips' own secure boot is burnt in, else \"off\". Then devices take\n"
     "# only the key that they run, as an image's first signature."},
    {"esp_key_digests", "digest", NULL, TEXTS,
     "The keys that the fleet takes (bowline esp digest); else those of the\n"
     "# release before. Others are refused before a release is made."},
    {"esp_revoked_digests", "revoked-digest", NULL, TEXTS,
     "Keys that the chips have revoked."},
    {NULL, NULL, NULL, TEXT, NULL}};

bool setting_is_list(enum setting_kind kind)
{
    return kind == PATHS || kind == TEXTS;
}

static const struct setting *find(const char *name)
{
    const struct setting *s;

    for (s = settings; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0) {
            break;
        }
    }
    return s;
}

/* bowline.conf here or above; kept, or NULL. */
static char *search(struct call *c)
{
    char folder[PATH_MAX];
    char *slash;

    if (getcwd(folder, sizeof folder) == NULL) {
        return NULL;
    }
    do {
        char *path = keep(c, "%s/%s", folder, PROJECT_FILE);

        if (access(path, F_OK) == 0) {
            return path;
        }
        slash = strrchr(folder, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    } while (slash != NULL);
    return NULL;
}

static char *folder_of(struct call *c, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        return keep(c, ".");
    }
    return keep(c, "%.*s", (int)(slash - path), path);
}

/* Every name in the file must be one we know: a typing error that is silently
 * ignored costs an hour. */
static int check_names(struct call *c, const char *path)
{
    const config_setting_t *root = config_root_setting(&c->project->config);
    int n = config_setting_length(root);
    int i;

    for (i = 0; i < n; i++) {
        const config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        const struct setting *known = find(config_setting_name(s));
        int type = config_setting_type(s);
        bool list = type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;

        if (known->name == NULL) {
            return refuse(c, EXIT_INPUT,
                          "%s:%u: \"%s\" is no setting; see "
                          "bowline init --help",
                          path, config_setting_source_line(s),
                          config_setting_name(s));
        }
        if (list != setting_is_list(known->kind) ||
            (!list && type != CONFIG_TYPE_STRING)) {
            return refuse(c, EXIT_INPUT, "%s:%u: %s must be %s", path,
                          config_setting_source_line(s), known->name,
                          setting_is_list(known->kind)
                              ? "a list of texts: ( \"...\" )"
                              : "a text in quotes");
        }
    }
    return 0;
}

int project_load(struct call *c)
{
    const char *path = cli_value(c, "config");

    if (path == NULL) {
        path = getenv("BOWLINE_CONFIG");
    }
    if (path == NULL || path[0] == '\0') {
        path = search(c);
    }
    if (path == NULL) {
        return 0;
    }
    c->project = calloc(1, sizeof *c->project);
    if (c->project == NULL) {
        return refuse(c, EXIT_LOCAL, "out of memory");
    }
    config_init(&c->project->config);
    c->project->folder = folder_of(c, path);
    if (config_read_file(&c->project->config, path) != CONFIG_TRUE) {
        const char *text = config_error_text(&c->project->config);

        if (config_error_type(&c->project->config) == CONFIG_ERR_PARSE) {
            return refuse(c, EXIT_INPUT, "%s:%d: %s", path,
                          config_error_line(&c->project->config), text);
        }
        return refuse(c, EXIT_INPUT, "%s: cannot be read; is it a file?",
                      path);
    }
    return check_names(c, path);
}

void project_free(struct call *c)
{
    if (c->project != NULL) {
        config_destroy(&c->project->config);
        free(c->project);
        c->project = NULL;
    }
}

static const char *place(struct call *c, const struct setting *s,
                         const char *value)
{
    if (s->kind == TEXT || s->kind == TEXTS || s->kind == URL ||
        value[0] == '/') {
        return value;
    }
    return keep(c, "%s/%s", c->project->folder, value);
}

const char *setting(struct call *c, const char *name)
{
    const struct setting *s = find(name);
    const char *value = cli_value(c, s->option);

    if (value == NULL && s->environment != NULL) {
        value = getenv(s->environment);
        value = value != NULL && value[0] == '\0' ? NULL : value;
    }
    if (value != NULL) {
        return value;
    }
    if (c->project == NULL ||
        config_lookup_string(&c->project->config, name, &value) !=
            CONFIG_TRUE ||
        value[0] == '\0') {
        return NULL;
    }
    return place(c, s, value);
}

const char *setting_needed(struct call *c, const char *name)
{
    const char *value = setting(c, name);

    if (value == NULL) {
        const struct setting *s = find(name);

        (void)refuse(c, EXIT_INPUT,
                     "no %s: say --%s, or set %s in %s (bowline "
                     "init makes one)",
                     name, s->option, name, PROJECT_FILE);
    }
    return value;
}

int setting_list(struct call *c, const char *name, const char *out[MANY])
{
    const struct setting *s = find(name);
    int n = cli_values(c, s->option, out);
    const config_setting_t *list;
    int used = 0;
    int i;

    if (n > 0 || c->project == NULL) {
        return n;
    }
    list = config_lookup(&c->project->config, name);
    n = list == NULL ? 0 : config_setting_length(list);
    for (i = 0; i < n && used < MANY; i++) {
        const char *value = config_setting_get_string_elem(list, i);

        out[used++] = place(c, s, value == NULL ? "" : value);
    }
    return used;
}

int setting_keys(struct call *c, const char *out[MANY])
{
    return setting_list(c, "release_keys", out);
}
