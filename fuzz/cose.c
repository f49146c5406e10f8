/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1 and COSE_Sign; the first 64 bytes of input serve as HSS key. */
#include "bowline/cose.h"
#include "accept_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bl_cose_sign many;
    struct bl_cose_sign1 one;
    struct bl_key key = {
        BL_ALG_HSS_LMS, {data, size < 60 ? size : 60}, {NULL, 0}};
    bl_span aad = bl_span_of("aad", 3);
    bl_verdict verdict = BL_BAD;
    bl_status status;

    if (bl_cose_sign1_read(bl_span_of(data, size), &one) == BL_OK) {
        key.alg = one.alg;
        status = bl_cose_sign1_verify(&one, aad, one.payload, &key,
                                      &accept_all, &verdict);
        (void)status;
    }
    if (bl_cose_sign_read(bl_span_of(data, size), &many) == BL_OK) {
        for (uint32_t i = 0; i < many.n; i++) {
            key.alg = many.signature[i].alg;
            status = bl_cose_sign_verify(&many, i, aad, &key, &accept_all,
                                         &verdict);
            (void)status;
        }
    }
    return 0;
}
