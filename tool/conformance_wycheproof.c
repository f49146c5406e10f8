/* SPDX-License-Identifier: Apache-2.0 */
/* Wycheproof's files: signatures, and HMAC over core's SHA-256. */
#include <string.h>

#include "bowline/sha256.h"
#include "conformance_private.h"
#include "posix/crypto.h"

static bool signature_key(struct check *c, const json_t *group,
                          struct bl_key *key)
{
    const json_t *public_key = json_object_get(group, "publicKey");
    const char *type = optional_text(group, "type");
    bl_span point;

    memset(key, 0, sizeof *key);
    if (strcmp(type, "EddsaVerify") == 0 &&
        strcmp(optional_text(public_key, "curve"), "edwards25519") == 0) {
        key->alg = BL_ALG_ED25519;
        key->x = hex_of(c, public_key, "pk");
        return true;
    }
    if (strcmp(type, "EcdsaP1363Verify") == 0 &&
        strcmp(optional_text(public_key, "curve"), "secp256r1") == 0 &&
        strcmp(optional_text(group, "sha"), "SHA-256") == 0) {
        key->alg = BL_ALG_ESP256;
        point = hex_of(c, public_key, "uncompressed");
        if (point.n != 65) {
            fail(c, "a P-256 point of %zu bytes", point.n);
            return false;
        }
        key->x = bl_span_of(point.p + 1, 32);
        key->y = bl_span_of(point.p + 33, 32);
        return true;
    }
    return false;
}

/* RFC 2104 with SHA-256. */
static void hmac(bl_span key, bl_span message, uint8_t tag[BL_SHA256_SIZE])
{
    enum { BLOCK = 64, INNER = 0x36, OUTER = 0x5C };
    uint8_t pad[BLOCK] = {0};
    struct bl_sha256 sha;
    size_t i;

    if (key.n > BLOCK) {
        bl_sha256(key.p, key.n, pad);
    } else {
        memcpy(pad, key.p, key.n);
    }
    for (i = 0; i < BLOCK; i++) {
        pad[i] ^= INNER;
    }
    bl_sha256_init(&sha);
    bl_sha256_update(&sha, pad, BLOCK);
    bl_sha256_update(&sha, message.p, message.n);
    bl_sha256_final(&sha, tag);
    for (i = 0; i < BLOCK; i++) {
        pad[i] ^= INNER ^ OUTER;
    }
    bl_sha256_init(&sha);
    bl_sha256_update(&sha, pad, BLOCK);
    bl_sha256_update(&sha, tag, BL_SHA256_SIZE);
    bl_sha256_final(&sha, tag);
}

/* A tag is the first `size` bytes of the HMAC, no less and no more. */
static bl_status mac_status(struct check *c, const json_t *test, size_t size)
{
    bl_span tag = hex_of(c, test, "tag");
    uint8_t own[BL_SHA256_SIZE];

    hmac(hex_of(c, test, "key"), hex_of(c, test, "msg"), own);
    return tag.n == size && bl_equal(own, tag.p, size) == BL_GOOD
               ? BL_OK
               : BL_SIGNATURE;
}

static bl_status signature_status(struct check *c, const json_t *test,
                                  const struct bl_key *key)
{
    bl_span message = hex_of(c, test, "msg");
    bl_span signature = hex_of(c, test, "sig");
    bl_verdict verdict = BL_BAD;
    bl_status status;

    if (failed(c)) {
        return BL_ARGUMENT;
    }
    status = bl_signature_verify(&posix_crypto, key, &message, 1, signature,
                                 &verdict);
    return judged(status, verdict);
}

static void named(struct check *c, const char *algorithm, const json_t *test,
                  char name[MAX_NAME])
{
    (void)snprintf(name, MAX_NAME, "%s %llu %s", algorithm,
                   (unsigned long long)number_of(c, test, "tcId"),
                   optional_text(test, "comment"));
}

/* Either verdict is right for "acceptable". */
static bool expects(struct check *c, const json_t *test, bl_status status)
{
    const char *expected = text_of(c, test, "result");

    return strcmp(expected, "acceptable") == 0
               ? status == BL_OK
               : strcmp(expected, "valid") == 0;
}

/* Bytes of a group's tags; 0 when it is not of MACs over SHA-256. */
static size_t mac_size(struct check *c, const char *algorithm,
                       const json_t *group)
{
    uint64_t bits;

    if (strcmp(algorithm, "HMACSHA256") != 0 ||
        strcmp(optional_text(group, "type"), "MacTest") != 0) {
        return 0;
    }
    bits = number_of(c, group, "tagSize");
    if (bits == 0 || bits % 8 != 0 || bits > 8 * BL_SHA256_SIZE) {
        fail(c, "tags of %llu bits", (unsigned long long)bits);
        return 0;
    }
    return (size_t)(bits / 8);
}

static void check_group(struct check *c, const char *algorithm,
                        const json_t *group)
{
    struct bl_key key;
    size_t mac = mac_size(c, algorithm, group);
    bool signs = mac == 0 && signature_key(c, group, &key);
    char name[MAX_NAME];
    const json_t *test;
    bl_status status;
    size_t i;

    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        if (failed(c)) {
            return;
        }
        named(c, algorithm, test, name);
        if (mac == 0 && !signs) {
            unsupported(c, name, algorithm);
            continue;
        }
        status =
            signs ? signature_status(c, test, &key) : mac_status(c, test, mac);
        result(c, name, expects(c, test, status), status, NULL);
    }
}

void check_wycheproof(struct check *c, const json_t *file)
{
    const char *algorithm = text_of(c, file, "algorithm");
    const json_t *group;
    size_t i;

    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        check_group(c, algorithm, group);
    }
}
