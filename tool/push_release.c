/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent: a firmware as it is, or a release as one file. */
#include "push.h"

#include <string.h>
#include <unistd.h>

#include "bowline/push_package.h"
#include "bowline/sha256.h"
#include "bowline/suit.h"
#include "release.h"

/* Where the release verb puts it, or in payloads/ beside the envelope. */
static const char *find_payload(struct call *c, const char *path,
                                const uint8_t digest[32])
{
    const char *hex = keep_hex(c, digest, 32);
    const char *slash = strrchr(path, '/');
    const char *found = slash == NULL ? keep(c, "payloads/%s", hex)
                                      : keep(c, "%.*s/payloads/%s",
                                             (int)(slash - path), path, hex);

    if (access(found, F_OK) == 0) {
        return found;
    }
    return keep(c, "%s/payloads/%s", releases_folder(c), hex);
}

static int add_payload(struct call *c, const char *path,
                       const struct bl_suit_fetch *fetch, struct buffer *out)
{
    struct buffer payload = BUFFER(PUSH_LIMIT);
    const char *from = find_payload(c, path, fetch->digest);
    uint8_t digest[32];
    uint8_t head[BL_PUSH_HEAD];
    int code = read_input(c, from, PUSH_LIMIT, &payload);

    if (code == 0) {
        bl_sha256(payload.p, payload.n, digest);
        if (payload.n != fetch->size ||
            memcmp(digest, fetch->digest, 32) != 0) {
            code = refuse(c, EXIT_INPUT,
                          "%s is not the payload that %s names: it was "
                          "changed after the release was made; release it "
                          "anew with a higher version",
                          from, path);
        }
    }
    if (code == 0 &&
        (buffer_append(out, head, bl_push_head((uint32_t)payload.n, head),
                       &c->err) != 0 ||
         buffer_append(out, payload.p, payload.n, &c->err) != 0)) {
        code = EXIT_INPUT;
    }
    buffer_free(&payload);
    return code;
}

/* Alternatives, and both slots, may ask for the same. */
static bool is_new(struct call *c, json_t *seen, const uint8_t digest[32])
{
    const char *hex = keep_hex(c, digest, 32);
    bool is = json_object_get(seen, hex) == NULL;

    put_bool(seen, hex, true);
    return is;
}

static int add_payloads(struct call *c, const char *path, bl_span envelope,
                        struct buffer *out)
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    struct bl_suit_fetch fetch;
    json_t *seen = json_object();
    bl_status status = bl_suit_read(envelope, &e);
    int code = 0;

    if (status == BL_OK) {
        status = bl_suit_scan(&e, NULL, &m);
    }
    if (status != BL_OK) {
        (void)error_status(&c->err, status, "%s", path);
        code = EXIT_INPUT;
    }
    for (uint8_t slot = 0; code == 0 && slot < 2; slot++) {
        for (uint32_t i = 0;
             code == 0 &&
             bl_suit_every_payload(&e, &m, slot, i, &fetch) == BL_OK;
             i++) {
            if (fetch.integrated.n == 0 && is_new(c, seen, fetch.digest)) {
                code = add_payload(c, path, &fetch, out);
            }
        }
    }
    json_decref(seen);
    return code;
}

/* A file that has payloads behind its envelope already stays as it is. */
static int is_bare_envelope(struct call *c, const char *path,
                            const struct buffer *file, bool *bare)
{
    struct buffer envelope = BUFFER(PUSH_LIMIT);
    bl_span rest = buffer_span(file);
    struct bl_push_reader reader;
    struct bl_push_part part;
    bl_status status = BL_TOO_LARGE;
    int code = 0;

    if (buffer_reserve(&envelope, file->n, &c->err) != 0) {
        return EXIT_LOCAL;
    }
    bl_push_reader_init(&reader, envelope.p, (uint32_t)file->n);
    status = bl_push_take(&reader, &rest, &part);
    if (status != BL_OK || part.what != BL_PUSH_ENVELOPE) {
        code =
            refuse(c, EXIT_INPUT,
                   "%s begins like a release and is none: is it whole?", path);
    }
    *bare = rest.n == 0;
    buffer_free(&envelope);
    return code;
}

int push_read(struct call *c, const char *path, struct buffer *out,
              bool *release)
{
    struct buffer envelope = BUFFER(PUSH_LIMIT);
    bool bare = false;
    int code = read_input(c, path, PUSH_LIMIT, out);

    *release = code == 0 && bl_push_is_package(buffer_span(out));
    if (*release) {
        code = is_bare_envelope(c, path, out, &bare);
    }
    if (code == 0 && bare) {
        if (buffer_append(&envelope, out->p, out->n, &c->err) != 0) {
            code = EXIT_LOCAL;
        } else {
            code = add_payloads(c, path, buffer_span(&envelope), out);
        }
    }
    buffer_free(&envelope);
    return code;
}
