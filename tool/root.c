/* SPDX-License-Identifier: Apache-2.0 */
/* bowline root new, root sign. */
#include <string.h>
#include <time.h>

#include "describe.h"
#include "print.h"

enum { DOCUMENT_LIMIT = 64 * 1024 };

static const char *const role_name[] = {"", "root", "release", "ticket"};

struct draft {
    struct author_root root;
    struct keys given[4]; /* by role */
    struct keys carried;  /* of the document before */
    struct buffer previous;
};

static void carry_role(struct call *c, struct draft *d,
                       const struct bl_root *old, int number)
{
    const struct bl_root_role *from = &old->role[number];
    struct author_role *to = &d->root.role[number];
    uint32_t i;

    to->threshold = from->threshold;
    for (i = 0; i < old->n_keys; i++) {
        if ((from->keys & (1U << i)) != 0) {
            to->key[to->n_keys++] = d->carried.key[i];
        }
    }
    to->n_kinds = from->n_kinds;
    memcpy(to->kind, from->kind, sizeof to->kind);
    to->n_prefixes = from->n_prefixes;
    for (i = 0; i < from->n_prefixes; i++) {
        to->prefix[i] = describe_component(c, from->prefix[i]);
    }
}

static int carry(struct call *c, struct draft *d)
{
    const char *path = cli_value(c, "from");
    struct bl_root old;
    bl_status status;
    uint32_t i;
    int code;

    d->root.version = 1;
    if (path == NULL) {
        return 0;
    }
    code = read_input(c, path, DOCUMENT_LIMIT, &d->previous);
    if (code != 0) {
        return code;
    }
    status = bl_root_read(buffer_span(&d->previous), &old);
    if (status != BL_OK) {
        (void)error_status(&c->err, status, "%s", path);
        return EXIT_INPUT;
    }
    for (i = 0; i < old.n_keys; i++) {
        d->carried.key[i] = key_from_public(&old.key[i].key, &c->err);
        if (d->carried.key[i] == NULL) {
            return EXIT_INPUT;
        }
        d->carried.n = i + 1;
    }
    d->root.version = old.version + 1;
    d->root.floor = old.floor;
    d->root.ceiling = old.ceiling == UINT64_MAX ? 0 : old.ceiling;
    for (i = BL_ROLE_ROOT; i <= BL_ROLE_TICKET; i++) {
        carry_role(c, d, &old, (int)i);
    }
    return 0;
}

/* "esp256,hss" */
static int read_kinds(struct call *c, const char *option,
                      struct author_role *role)
{
    const char *p = cli_value(c, option);

    if (p == NULL) {
        return 0;
    }
    role->n_kinds = 0;
    while (*p != '\0') {
        size_t n = strcspn(p, ",");
        int32_t alg = key_algorithm(p, n);

        if (alg == 0 || role->n_kinds == BL_ROOT_KINDS) {
            return refuse(c, EXIT_USAGE,
                          "--%s %s: say a list of esp256, "
                          "ed25519, hss",
                          option, cli_value(c, option));
        }
        role->kind[role->n_kinds++] = alg;
        p += n + (p[n] == ',');
    }
    return 0;
}

static int read_role(struct call *c, struct draft *d, int number)
{
    struct author_role *role = &d->root.role[number];
    const char *name = role_name[number];
    const char *path[MANY];
    int n = cli_values(c, keep(c, "%s-key", name), path);
    uint64_t threshold = role->threshold == 0 ? 1 : role->threshold;
    uint32_t i;
    int code = cli_number(c, keep(c, "%s-threshold", name), 1, BL_ROOT_KEYS,
                          &threshold);

    if (code == 0) {
        code = keys_open(c, path, n, true, &d->given[number]);
    }
    if (code != 0) {
        return code;
    }
    role->threshold = (uint32_t)threshold;
    if (n > 0) {
        role->n_keys = d->given[number].n;
        for (i = 0; i < role->n_keys; i++) {
            role->key[i] = d->given[number].key[i];
        }
    }
    if (role->n_keys == 0) {
        return refuse(c, EXIT_USAGE, "no key for the role %s: say --%s-key",
                      name, name);
    }
    if (role->threshold > role->n_keys) {
        return refuse(c, EXIT_USAGE,
                      "the role %s has %u keys, so %u cannot "
                      "sign; say --%s-threshold",
                      name, role->n_keys, role->threshold, name);
    }
    return 0;
}

static int read_draft(struct call *c, struct draft *d)
{
    struct author_role *release = &d->root.role[BL_ROLE_RELEASE];
    const char *prefix[MANY];
    int n = cli_values(c, "release-component", prefix);
    int code = carry(c, d);
    int i;

    for (i = BL_ROLE_ROOT; code == 0 && i <= BL_ROLE_TICKET; i++) {
        code = read_role(c, d, i);
    }
    if (code == 0) {
        code = read_kinds(c, "root-kinds", &d->root.role[BL_ROLE_ROOT]);
    }
    if (code == 0) {
        code = read_kinds(c, "release-kinds", release);
    }
    if (code == 0) {
        code = cli_number(c, "floor", 0, INT64_MAX, &d->root.floor);
    }
    if (code == 0) {
        code = cli_number(c, "ceiling", 1, INT64_MAX, &d->root.ceiling);
    }
    if (code == 0 && n > BL_ROOT_PREFIXES) {
        code = refuse(c, EXIT_USAGE, "at most %d --release-component",
                      BL_ROOT_PREFIXES);
    }
    for (i = 0; code == 0 && i < n; i++) {
        release->prefix[i] = prefix[i];
        release->n_prefixes = (uint32_t)i + 1;
    }
    d->root.issued = (uint64_t)time(NULL);
    return code;
}

static int write_draft(struct call *c, const struct draft *d, const char *path)
{
    struct buffer document = BUFFER(DOCUMENT_LIMIT);
    struct buffer copy = {0};
    struct bl_root content;
    bool is_signed;
    bl_status status;
    int code = EXIT_INPUT;

    if (author_root_new(&d->root, &document, &c->err) == 0) {
        status = root_read_draft(buffer_span(&document), &copy, &content,
                                 &is_signed);
        if (status != BL_OK) {
            (void)error_status(&c->err, status, "the new root document");
        } else {
            code = write_output(c, path, buffer_span(&document), 0644);
        }
    }
    if (code == 0) {
        put_text(c->result, "file", path);
        describe_root_content(c, &content, c->result);
        print_object(c, c->result);
        note(c, "Next: bowline root sign %s --key ROOT-KEY", path);
    }
    buffer_free(&copy);
    buffer_free(&document);
    return code;
}

int verb_root_new(struct call *c)
{
    const char *path = cli_value(c, "output");
    struct draft d = {0};
    int code;
    int i;

    if (path == NULL) {
        return refuse(c, EXIT_USAGE, "say where it goes: --output FILE");
    }
    code = read_draft(c, &d);
    if (code == 0) {
        code = write_draft(c, &d, path);
    }
    for (i = 0; i < 4; i++) {
        keys_close(&d.given[i]);
    }
    keys_close(&d.carried);
    buffer_free(&d.previous);
    return code;
}

/* --- root sign
 * ------------------------------------------------------------------ */

static int add_signatures(struct call *c, const struct keys *keys,
                          bl_span previous, struct buffer *document)
{
    uint32_t i;

    for (i = 0; i < keys->n; i++) {
        struct buffer next = BUFFER(DOCUMENT_LIMIT);

        if (author_root_sign(buffer_span(document), previous, keys->key[i],
                             &next, &c->err) != 0) {
            buffer_free(&next);
            (void)error_prefix(&c->err, "%s", keys->path[i]);
            return EXIT_INPUT;
        }
        buffer_free(document);
        *document = next;
    }
    return 0;
}

static void report(struct call *c, const char *path,
                   const struct buffer *document, bl_span previous)
{
    struct trust none = {0};
    struct subject s = {c, path, buffer_span(document), &none};
    json_t *all = json_object();
    struct bl_root before;
    struct bl_root after;
    bl_status status = BL_OK;

    if (previous.n > 0) {
        status = bl_root_read(previous, &before);
    }
    if (status == BL_OK) {
        status = bl_root_accept(s.bytes, previous.n > 0 ? &before : NULL,
                                &tool_crypto, &after);
    }
    describe_root(&s, all);
    put_text(c->result, "file", path);
    put(c->result, "version", json_incref(json_object_get(all, "version")));
    put(c->result, "signed_by",
        json_incref(json_object_get(all, "signed_by")));
    put_bool(c->result, "complete", status == BL_OK);
    put_text(c->result, "missing",
             status == BL_OK ? NULL : describe_status(c, status));
    json_decref(all);
    print_object(c, c->result);
}

int verb_root_sign(struct call *c)
{
    const char *path = c->argument[0];
    const char *output = cli_value(c, "output");
    const char *before = cli_value(c, "previous");
    const char *key_path[MANY];
    int n = cli_values(c, "key", key_path);
    struct buffer document = {0};
    struct buffer previous = {0};
    struct keys keys = {0};
    int code;

    if (n == 0) {
        return refuse(c, EXIT_USAGE, "say which key signs: --key FILE");
    }
    code = read_input(c, path, DOCUMENT_LIMIT, &document);
    if (code == 0 && before != NULL) {
        code = read_input(c, before, DOCUMENT_LIMIT, &previous);
    }
    if (code == 0) {
        code = keys_open(c, key_path, n, false, &keys);
    }
    if (code == 0) {
        code = add_signatures(c, &keys, buffer_span(&previous), &document);
    }
    if (code == 0 && file_write(output == NULL ? path : output,
                                buffer_span(&document), 0644, &c->err) != 0) {
        code = EXIT_LOCAL;
    }
    if (code == 0) {
        report(c, output == NULL ? path : output, &document,
               buffer_span(&previous));
    }
    keys_close(&keys);
    buffer_free(&document);
    buffer_free(&previous);
    return code;
}
