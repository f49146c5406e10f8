/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors about signatures alone: COSE, HSS/LMS. */
#include <string.h>

#include "bowline/cbor.h"
#include "bowline/cose.h"
#include "bowline/hss.h"
#include "conformance_private.h"
#include "posix/crypto.h"

bl_status judged(bl_status status, bl_verdict verdict)
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

static const char *algorithm_name(long long number)
{
    switch (number) {
    case -7:
        return "ES256";
    case -8:
        return "EdDSA";
    case -35:
        return "ES384";
    case -36:
        return "ES512";
    default:
        return "COSE algorithm";
    }
}

static void unknown_algorithm(struct check *c, const json_t *vector,
                              bool expect)
{
    long long number = json_integer_value(json_object_get(vector, "alg"));
    const char *name = text_of(c, vector, "name");
    char what[80];

    if (!expect) {
        result(c, name, expect, BL_ALGORITHM, NULL);
        return;
    }
    (void)snprintf(what, sizeof what, "%s (%lld) with %s",
                   algorithm_name(number), number,
                   optional_text(vector, "crv"));
    unsupported(c, name, what);
}

void check_cose(struct check *c, const json_t *vector)
{
    const char *name = text_of(c, vector, "name");
    bool several = strcmp(text_of(c, vector, "type"), "COSE_Sign") == 0;
    const json_t *verified = json_object_get(vector, "verified");
    bool expect = json_is_true(verified);
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
    /* The header forms that Bowline takes are few. Where its reader refuses
     * one, the signature is judged over the published structure; a message
     * that the vectors call unreadable stays refused. */
    if (json_is_boolean(verified) && status != BL_OK &&
        status != BL_SIGNATURE) {
        result_noted(c, name, expect,
                     by_structure(cose, several, i, tbs, &key),
                     "header form outside the profile, signature over the "
                     "published structure");
        return;
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

/* One member of a set beside what core computes with. */
static const char *parameter_differs(struct check *c, const json_t *set,
                                     const struct bl_hss_parameters *p)
{
    const struct {
        const char *name;
        uint64_t own;
    } member[] = {
        {"n", p->n},
        {"m", p->n},
        {"w", p->w},
        {"p", p->p},
        {"ls", p->ls},
        {"h", p->h},
        {"hss_public_key_bytes", p->key_size},
        {"hss_signature_bytes_L1", p->signature_size},
        {"chain_hashes_worst", (uint64_t)p->p * ((1u << p->w) - 1)},
        {"signatures", (uint64_t)1 << p->h},
    };
    size_t i;

    for (i = 0; i < sizeof member / sizeof member[0]; i++) {
        if (number_of(c, set, member[i].name) != member[i].own) {
            return member[i].name;
        }
    }
    return NULL;
}

void check_parameters(struct check *c, const json_t *sets)
{
    struct bl_hss_parameters own;
    const json_t *set;
    const char *name;
    size_t i;
    bool known;

    json_array_foreach(sets, i, set)
    {
        name = text_of(c, set, "name");
        known =
            bl_hss_parameters((uint32_t)number_of(c, set, "lms_type"),
                              (uint32_t)number_of(c, set, "lmots_type"), &own);
        if (failed(c)) {
            return;
        }
        if (!known) {
            result(c, name, true, BL_ALGORITHM, NULL);
        } else {
            result(c, name, true, BL_OK, parameter_differs(c, set, &own));
        }
    }
}
