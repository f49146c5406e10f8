/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors about signatures alone: COSE, HSS/LMS, Wycheproof. */
#include <string.h>

#include "bowline/cbor.h"
#include "bowline/cose.h"
#include "bowline/hss.h"
#include "conformance_private.h"
#include "posix/crypto.h"

static bl_status judged(bl_status status, bl_verdict verdict)
{
    return status != BL_OK      ? status
           : verdict == BL_GOOD ? BL_OK
                                : BL_SIGNATURE;
}

/* --- COSE ------------------------------------------------------------------
 */

/* Signature number `i` of a COSE_Sign, or that of a COSE_Sign1, whatever
 * headers it has: Bowline's own reader takes its own header forms only. */
static bl_status any_signature(bl_span cose, bool several, unsigned i,
                               bl_span *out)
{
    struct bl_cbor r;
    uint32_t items;
    uint64_t tag;
    bl_span skipped;
    unsigned k;

    bl_cbor_init(&r, cose);
    if (bl_cbor_peek(&r) == BL_CBOR_TAG && bl_cbor_tag(&r, &tag) != BL_OK) {
        return BL_CBOR;
    }
    if (bl_cbor_array(&r, &items) != BL_OK || items != 4) {
        return BL_COSE;
    }
    for (k = 0; k < 3; k++) {
        if (bl_cbor_item(&r, &skipped) != BL_OK) {
            return BL_CBOR;
        }
    }
    if (several) {
        if (bl_cbor_array(&r, &items) != BL_OK || i >= items) {
            return BL_COSE;
        }
        while (i-- > 0) {
            if (bl_cbor_item(&r, &skipped) != BL_OK) {
                return BL_CBOR;
            }
        }
        if (bl_cbor_array(&r, &items) != BL_OK || items != 3 ||
            bl_cbor_item(&r, &skipped) != BL_OK ||
            bl_cbor_item(&r, &skipped) != BL_OK) {
            return BL_COSE;
        }
    }
    return bl_cbor_bstr(&r, out);
}

/* By core's own COSE reader. BL_COSE, BL_ALGORITHM: a form that it does not
 * take. */
static bl_status own_reader(bl_span cose, bool several, unsigned i,
                            bl_span aad, const struct bl_key *key)
{
    struct bl_cose_sign1 one;
    struct bl_cose_sign many;
    bl_verdict verdict = BL_BAD;
    bl_status status;

    if (several) {
        status = bl_cose_sign_read(cose, &many);
        if (status == BL_OK && i >= many.n) {
            status = BL_COSE;
        }
        if (status == BL_OK) {
            status = bl_cose_sign_verify(&many, i, aad, key, &posix_crypto,
                                         &verdict);
        }
    } else {
        status = bl_cose_sign1_read(cose, &one);
        if (status == BL_OK && !one.attached) {
            status = BL_COSE;
        }
        if (status == BL_OK) {
            status = bl_cose_sign1_verify(&one, aad, one.payload, key,
                                          &posix_crypto, &verdict);
        }
    }
    return judged(status, verdict);
}

static bl_status by_structure(bl_span cose, bool several, unsigned i,
                              bl_span tbs, const struct bl_key *key)
{
    bl_verdict verdict = BL_BAD;
    bl_span signature;
    bl_status status = any_signature(cose, several, i, &signature);

    if (status == BL_OK) {
        status = bl_signature_verify(&posix_crypto, key, &tbs, 1, signature,
                                     &verdict);
    }
    return judged(status, verdict);
}

/* The algorithm as the key's: polymorphic ones only with their own curve. */
static bool known_algorithm(const json_t *vector, struct bl_key *key)
{
    const json_t *alg = json_object_get(vector, "alg");
    int32_t number;

    if (!json_is_integer(alg)) {
        return false;
    }
    number = (int32_t)json_integer_value(alg);
    if (number == key->alg || (number == -7 && key->alg == BL_ALG_ESP256) ||
        (number == -8 && key->alg == BL_ALG_ED25519)) {
        key->alg = number;
        return true;
    }
    return false;
}

static void unknown_algorithm(struct check *c, const json_t *vector,
                              bool expect)
{
    const json_t *alg = json_object_get(vector, "alg");
    const char *name = text_of(c, vector, "name");
    char what[80];

    if (!expect) {
        result(c, name, expect, BL_ALGORITHM, NULL);
        return;
    }
    (void)snprintf(what, sizeof what, "COSE algorithm %lld with %s",
                   (long long)json_integer_value(alg),
                   optional_text(vector, "crv"));
    unsupported(c, name, what);
}

void check_cose(struct check *c, const json_t *vector)
{
    const char *name = text_of(c, vector, "name");
    bool several = strcmp(text_of(c, vector, "type"), "COSE_Sign") == 0;
    bool expect = json_is_true(json_object_get(vector, "verified"));
    const char *hash = strrchr(name, '#');
    unsigned i = hash == NULL ? 0 : (unsigned)(hash[1] - '0');
    bl_span cose = hex_of(c, vector, "cose");
    bl_span tbs = hex_of(c, vector, "tbs");
    bl_span aad = hex_of(c, vector, "external_aad");
    struct bl_key key;
    bool known = key_of(c, vector, &key) && known_algorithm(vector, &key);
    bl_status status;

    if (failed(c)) {
        return;
    }
    if (!known) {
        unknown_algorithm(c, vector, expect);
        return;
    }
    status = own_reader(cose, several, i, aad, &key);
    /* A form that Bowline refuses is refused; where the vector is good, its
     * signature at least is verified over the published structure. */
    if (expect && status != BL_OK && status != BL_SIGNATURE) {
        status = by_structure(cose, several, i, tbs, &key);
        if (status == BL_OK) {
            unsupported(c, name,
                        "COSE header form (the signature itself verifies)");
            return;
        }
    }
    result(c, name, expect, status, NULL);
}

/* --- HSS/LMS ---------------------------------------------------------------
 */

void check_lms(struct check *c, const json_t *vector)
{
    const char *name = text_of(c, vector, "name");
    bool expect = strcmp(text_of(c, vector, "expected"), "valid") == 0;
    bl_span key = hex_of(c, vector, "public_key");
    bl_span message = hex_of(c, vector, "message");
    bl_span signature = hex_of(c, vector, "signature");

    if (!failed(c)) {
        result(c, name, expect,
               judged(BL_OK, bl_hss_verify(key, &message, 1, signature)),
               NULL);
    }
}

/* --- Wycheproof ------------------------------------------------------------
 */

static bool wycheproof_key(struct check *c, const json_t *group,
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

static void wycheproof_test(struct check *c, const char *algorithm,
                            const json_t *test, const struct bl_key *key)
{
    const char *expected = text_of(c, test, "result");
    bl_span message = hex_of(c, test, "msg");
    bl_verdict verdict = BL_BAD;
    bl_span signature;
    char name[MAX_NAME];
    bl_status status;

    (void)snprintf(name, sizeof name, "%s %llu %s", algorithm,
                   (unsigned long long)number_of(c, test, "tcId"),
                   optional_text(test, "comment"));
    if (key == NULL) {
        unsupported(c, name, algorithm);
        return;
    }
    signature = hex_of(c, test, "sig");
    if (failed(c)) {
        return;
    }
    status = bl_signature_verify(&posix_crypto, key, &message, 1, signature,
                                 &verdict);
    status = judged(status, verdict);
    /* Either verdict is right for "acceptable". */
    result(c, name,
           strcmp(expected, "acceptable") == 0
               ? status == BL_OK
               : strcmp(expected, "valid") == 0,
           status, NULL);
}

void check_wycheproof(struct check *c, const json_t *file)
{
    const char *algorithm = text_of(c, file, "algorithm");
    const json_t *groups = json_object_get(file, "testGroups");
    const json_t *group;
    const json_t *test;
    struct bl_key key;
    bool known;
    size_t i;
    size_t k;

    json_array_foreach(groups, i, group)
    {
        known = wycheproof_key(c, group, &key);
        json_array_foreach(json_object_get(group, "tests"), k, test)
        {
            if (!failed(c)) {
                wycheproof_test(c, algorithm, test, known ? &key : NULL);
            }
        }
    }
}
