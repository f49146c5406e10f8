# SPDX-License-Identifier: Apache-2.0
# Walking, predicting and modelling: compiled for both sides (src/names.h).
set(BOWLINE_DELTA_SHARED
    src/codec.c
    src/coder.c
    src/correct.c
    src/head.c
    src/map.c
    src/member.c
    src/model.c
    src/output.c
    src/place.c
    src/predict.c
    src/site.c
    src/site_aarch64.c
    src/site_form.c
    src/site_riscv.c
    src/site_thumb.c
    src/site_word.c
    src/site_x86_64.c
    src/site_xtensa.c
    src/unit.c
    src/view.c)
set(BOWLINE_DELTA_SOURCES ${BOWLINE_DELTA_SHARED}
    src/deflate_code.c
    src/deflate_read.c
    src/deflate_write.c
    src/delta.c
    src/in_place.c
    src/in_place_keep.c)
set(BOWLINE_DELTA_ENCODER src/encode.c)
