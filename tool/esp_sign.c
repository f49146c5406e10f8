/* SPDX-License-Identifier: Apache-2.0 */
/* bowline esp sign, esp verify, esp digest: Secure Boot V2. */
#include <string.h>

#include "esp_keys.h"
#include "options.h"
#include "print.h"

const struct option options_esp_sign[] = {
    FILES("key", "private key to sign with, as PEM; up to three"),
    FLAG("append", "put the signature beside those that are there"),
    OUTPUT("where the signed image goes; else in place"),
    FLAG("force", "replace the file when it is there"), END};

const struct option options_esp_verify[] = {
    FILES("key", "a key that counts, public or private"),
    {"digest", "HEX", "digest of a key that counts", ANY, NULL, true, 0},
    CHOICE("secure-boot", "ONOFF",
           "is it burnt into the chips? Else the first block alone counts",
           "on off"),
    END};

const struct option options_esp_digest[] = {
    OUTPUT("write the 32 bytes there, as tools for eFuses take them"),
    FLAG("force", "replace the file when it is there"), END};

static void print_blocks(struct call *c, const json_t *blocks)
{
    static const char *const columns[] = {"block", "scheme", "key", "good"};

    if (json_array_size(blocks) > 0) {
        print_table(c, blocks, columns, 4);
    }
}

/* --- esp sign ---------------------------------------------------------------
 */

struct signers {
    struct author_esp_signer one[AUTHOR_ESP_BLOCKS];
    uint32_t n;
};

static void close_signers(struct signers *s)
{
    while (s->n > 0) {
        author_esp_signer_close(&s->one[--s->n]);
    }
}

static int open_signers(struct call *c, struct signers *out)
{
    const char *path[MANY];
    int n = cli_values(c, "key", path);
    int i;

    if (n == 0) {
        return refuse(c, EXIT_USAGE, "say which key signs: --key FILE");
    }
    if (n > AUTHOR_ESP_BLOCKS) {
        return refuse(c, EXIT_USAGE, "%d keys; an image carries at most three",
                      n);
    }
    for (i = 0; i < n; i++) {
        if (author_esp_signer_open(path[i], &out->one[i], &c->err) != 0) {
            return EXIT_INPUT;
        }
        out->n++;
    }
    return 0;
}

/* The last page that the chip maps should end with what is signed. */
static bool ends_on_page(const struct bl_esp_image *e)
{
    unsigned log2 = e->app.mmu_page_log2;
    uint64_t page = (uint64_t)1 << (log2 >= 12 && log2 <= 16 ? log2 : 16);

    return e->role != BL_ESP_APPLICATION || e->length % page == 0;
}

static void hint(struct call *c, const struct esp_file *f)
{
    if (!ends_on_page(&f->image.esp)) {
        note(c, "The image does not end on a page of flash: its build has no "
                "signed apps (CONFIG_SECURE_SIGNED_APPS, or elf2image "
                "--secure-pad-v2), so devices may not check what is signed.");
    }
    if (f->sector.n > 1 && esp_one_block(&f->image)) {
        note(c, "The ESP32 reads the first signature only.");
    }
}

static int sign(struct call *c, const struct esp_file *f,
                const struct signers *keys, struct buffer *out)
{
    if (!f->image.valid) {
        return refuse(c, EXIT_INPUT, "%s: %s, damaged: %s; build it again",
                      f->path, f->image.what, f->image.problem);
    }
    if (author_esp_sign(f->bytes, f->image.esp.length, keys->one, keys->n,
                        cli_flag(c, "append"), out, &c->err) != 0) {
        (void)error_prefix(&c->err, "%s", f->path);
        return EXIT_INPUT;
    }
    return 0;
}

static int write_signed(struct call *c, const struct esp_file *f, bl_span made)
{
    const char *output = cli_value(c, "output");

    if (output != NULL) {
        return write_output(c, output, made, 0644);
    }
    return file_write(f->path, made, 0644, &c->err) == 0 ? 0 : EXIT_LOCAL;
}

/* What was written, read as anybody would. */
static void report_signed(struct call *c, struct esp_file *f, bl_span made)
{
    const char *output = cli_value(c, "output");
    json_t *r = c->result;

    author_esp_read(made, f->image.esp.length, &f->sector);
    put_text(r, "file", output == NULL ? f->path : output);
    put_number(r, "size", made.n);
    put_number(r, "sector", f->sector.at);
    esp_put_blocks(c, &f->sector, "blocks", r);
    show(c, "%s%s%s: signed, %u block%s at 0x%llx", color(c, STRONG),
         output == NULL ? f->path : output, color(c, PLAIN), f->sector.n,
         f->sector.n == 1 ? "" : "s", (unsigned long long)f->sector.at);
    print_blocks(c, json_object_get(r, "blocks"));
    hint(c, f);
}

int verb_esp_sign(struct call *c)
{
    const char *path = c->argument[0];
    struct buffer file = {0};
    struct buffer made = BUFFER(ESP_FILE_LIMIT + 2 * AUTHOR_ESP_SECTOR);
    struct signers keys = {0};
    struct esp_file f;
    int code = open_signers(c, &keys);

    code = code == 0 ? read_input(c, path, ESP_FILE_LIMIT, &file) : code;
    code = code == 0 ? esp_file_read(c, path, buffer_span(&file), &f) : code;
    code = code == 0 ? sign(c, &f, &keys, &made) : code;
    code = code == 0 ? write_signed(c, &f, buffer_span(&made)) : code;
    if (code == 0) {
        report_signed(c, &f, buffer_span(&made));
    }
    close_signers(&keys);
    buffer_free(&made);
    buffer_free(&file);
    return code;
}

/* --- esp verify
 * -------------------------------------------------------------- */

static int add_key_files(struct call *c, struct esp_rule *rule)
{
    const char *path[MANY];
    int n = cli_values(c, "key", path);
    struct author_esp_public public;
    int i;

    for (i = 0; i < n; i++) {
        if (author_esp_public_open(path[i], &public, &c->err) != 0) {
            return EXIT_INPUT;
        }
        if (!esp_rule_add(rule, public.digest)) {
            return refuse(c, EXIT_USAGE, "more than %d keys", ESP_KEYS);
        }
        rule->there = true;
    }
    return 0;
}

/* Keys and digests of the command line come instead of the project's. With
 * nothing said of secure boot, every block counts. */
static int verify_rule(struct call *c, struct esp_rule *rule)
{
    int code = esp_rule_load(c, rule);

    if (code == 0 && cli_flag(c, "key") && !cli_flag(c, "digest")) {
        rule->n = 0;
    }
    if (code == 0 && setting(c, "esp_secure_boot") == NULL) {
        rule->hardware = true;
    }
    code = code == 0 ? add_key_files(c, rule) : code;
    return code == 0 ? esp_rule_revoke(c, rule) : code;
}

static const char *key_problem(struct call *c, const struct esp_file *f,
                               const struct esp_rule *rule)
{
    uint32_t block = 0;
    /* Which chip it is counts when the mode was said. */
    bool one =
        esp_one_block(&f->image) && setting(c, "esp_secure_boot") != NULL;

    switch (esp_judge(&f->sector, rule, one, &block)) {
    case ESP_NOT_FIRST:
        return keep(c,
                    "a key that counts signed block %u, but devices look at "
                    "the first one only",
                    block + 1);
    case ESP_OTHER_KEY:
        return "it is signed, but by none of the keys that count";
    default:
        return NULL;
    }
}

static const char *problem_of(struct call *c, const struct esp_file *f,
                              const struct esp_rule *rule)
{
    const char *problem = esp_sector_problem(c, &f->sector);

    if (!f->image.valid) {
        return keep(c, "%s", f->image.problem);
    }
    if (problem != NULL) {
        return problem;
    }
    return rule->there ? key_problem(c, f, rule) : NULL;
}

static void print_verdict(struct call *c, const struct esp_rule *rule,
                          const char *problem)
{
    if (problem != NULL) {
        show(c, "  %sDOES NOT VERIFY: %s%s", color(c, BAD), problem,
             color(c, PLAIN));
        return;
    }
    show(c, "  %sverifies%s%s", color(c, GOOD),
         rule->there ? "" : " with the keys that it carries", color(c, PLAIN));
    if (!rule->there) {
        note(c, "Anybody can sign with a key of his own: say whose counts, "
                "by --key or --digest.");
    }
}

static int report_verify(struct call *c, const struct esp_file *f,
                         const struct esp_rule *rule)
{
    const char *problem = problem_of(c, f, rule);
    json_t *r = c->result;

    put_text(r, "file", f->path);
    put_bool(r, "signed", f->sector.there);
    put_number(r, "sector", f->sector.at);
    esp_put_blocks(c, &f->sector, "blocks", r);
    put_bool(r, "verifies", problem == NULL);
    put(r, "known_key",
        rule->there ? json_boolean(problem == NULL) : json_null());
    put_text(r, "problem", problem);
    show(c, "%s%s%s", color(c, STRONG), f->path, color(c, PLAIN));
    print_blocks(c, json_object_get(r, "blocks"));
    print_verdict(c, rule, problem);
    return problem == NULL ? EXIT_YES : EXIT_NO;
}

int verb_esp_verify(struct call *c)
{
    const char *path = c->argument[0];
    struct buffer file = {0};
    struct esp_rule rule;
    struct esp_file f;
    int code = verify_rule(c, &rule);

    code = code == 0 ? read_input(c, path, ESP_FILE_LIMIT, &file) : code;
    code = code == 0 ? esp_file_read(c, path, buffer_span(&file), &f) : code;
    code = code == 0 ? report_verify(c, &f, &rule) : code;
    buffer_free(&file);
    return code;
}

/* --- esp digest
 * -------------------------------------------------------------- */

struct found { /* the one to write, when it is the only one */
    uint8_t digest[32];
    unsigned n;
};

static void add_digest(struct call *c, const struct author_esp_public *public,
                       uint32_t block, const char *path, struct found *found)
{
    json_t *row = json_object();
    const char *scheme = author_esp_scheme_name(public->scheme);
    const char *hex = keep_hex(c, public->digest, 32);

    put_text(row, "file", path);
    put(row, "block", block == 0 ? json_null() : json_integer(block));
    put_text(row, "scheme", scheme);
    put_text(row, "digest", hex);
    (void)json_array_append_new(json_object_get(c->result, "keys"), row);
    show(c, "%s  %-11s  %s%s", hex, scheme, path,
         block == 0 ? "" : keep(c, ", block %u", block));
    memcpy(found->digest, public->digest, 32);
    found->n++;
}

static int digest_image(struct call *c, const char *path, bl_span bytes,
                        struct found *found)
{
    struct esp_file f;
    uint32_t i;
    int code = esp_file_read(c, path, bytes, &f);

    if (code != 0) {
        return code;
    }
    if (!author_esp_is_good(&f.sector)) {
        return refuse(c, EXIT_INPUT, "%s: %s", path,
                      f.sector.there ? "its signature does not hold; bowline "
                                       "esp verify says why"
                                     : f.sector.problem);
    }
    for (i = 0; i < f.sector.n; i++) {
        add_digest(c, &f.sector.block[i].public, i + 1, path, found);
    }
    return 0;
}

static int digest_file(struct call *c, const char *path, struct found *found)
{
    struct author_esp_public public;
    struct buffer file = {0};
    int code = read_input(c, path, ESP_FILE_LIMIT, &file);

    if (code == 0 && file.p[0] == 0xE9) {
        code = digest_image(c, path, buffer_span(&file), found);
    } else if (code == 0) {
        code = author_esp_public_open(path, &public, &c->err) == 0
                   ? 0
                   : EXIT_INPUT;
        if (code == 0) {
            add_digest(c, &public, 0, path, found);
        }
    }
    buffer_wipe(&file);
    return code;
}

int verb_esp_digest(struct call *c)
{
    const char *output = cli_value(c, "output");
    struct found found = {{0}, 0};
    int code = 0;
    int i;

    put(c->result, "keys", json_array());
    for (i = 0; code == 0 && i < c->n_arguments; i++) {
        code = digest_file(c, c->argument[i], &found);
    }
    if (code == 0 && output != NULL) {
        code =
            found.n == 1
                ? write_output(c, output, bl_span_of(found.digest, 32), 0644)
                : refuse(c, EXIT_INPUT,
                         "%u keys; --output is for one, so name one key",
                         found.n);
    }
    return code;
}
