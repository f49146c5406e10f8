/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This folder is compiled twice: as the device's decoder, and with
 * BL_DELTA_ENCODE=1 as the encoder's coder in diff/, so that both walk,
 * predict and model with the same lines. A program that holds both (a test,
 * the tool) needs two names for each function: the second compilation's are
 * made here.
 */
#ifndef BL_DELTA_NAMES_H
#define BL_DELTA_NAMES_H

#ifndef BL_DELTA_ENCODE
#define BL_DELTA_ENCODE 0
#endif

/* Bit n: enum bl_delta_isa n is in this build. */
#ifdef BL_DELTA_NO_THUMB
#define BL_ISA_THUMB 0U
#else
#define BL_ISA_THUMB (1U << 1)
#endif
#ifdef BL_DELTA_NO_RISCV
#define BL_ISA_RISCV 0U
#else
#define BL_ISA_RISCV (1U << 2)
#endif
#ifdef BL_DELTA_NO_XTENSA
#define BL_ISA_XTENSA 0U
#else
#define BL_ISA_XTENSA (1U << 3)
#endif
#ifdef BL_DELTA_NO_AARCH64
#define BL_ISA_AARCH64 0U
#else
#define BL_ISA_AARCH64 (1U << 4)
#endif
#ifdef BL_DELTA_NO_X86_64
#define BL_ISA_X86_64 0U
#else
#define BL_ISA_X86_64 (1U << 5)
#endif
#define BL_ISAS                                                               \
    (1U | BL_ISA_THUMB | BL_ISA_RISCV | BL_ISA_XTENSA | BL_ISA_AARCH64 |      \
     BL_ISA_X86_64)

/* Parts that a build may leave out, beside instruction sets. ESP images have
 * Xtensa or RISC-V code; literals are looked for by their content with Xtensa
 * only. */
#if defined(BL_DELTA_NO_ESP) ||                                               \
    (defined(BL_DELTA_NO_XTENSA) && defined(BL_DELTA_NO_RISCV))
#define BL_DELTA_ESP 0
#else
#define BL_DELTA_ESP 1
#endif
#ifdef BL_DELTA_NO_XTENSA
#define BL_DELTA_CONTENT 0
#else
#define BL_DELTA_CONTENT 1
#endif
/* Thumb firmware has no tables of distances. */
#if defined(BL_DELTA_NO_XTENSA) && defined(BL_DELTA_NO_RISCV) &&              \
    defined(BL_DELTA_NO_AARCH64) && defined(BL_DELTA_NO_X86_64)
#define BL_DELTA_RELATIVE 0
#else
#define BL_DELTA_RELATIVE 1
#endif
#ifdef BL_DELTA_NO_DEFLATE
#define BL_DELTA_DEFLATE 0
#else
#define BL_DELTA_DEFLATE 1
#endif
/* BL_PAGED: the pages of a codec or of a view; NULL: it is not in place. */
#ifdef BL_DELTA_NO_IN_PLACE
#define BL_DELTA_IN_PLACE 0
#define BL_PAGED(x) ((struct bl_place *)0)
#else
#define BL_DELTA_IN_PLACE 1
#define BL_PAGED(x) ((x)->paged)
#endif
/* Images of 8 MB and more: map entries of 8 bytes. */
#ifdef BL_DELTA_NO_LARGE
#define BL_DELTA_LARGE 0
#else
#define BL_DELTA_LARGE 1
#endif
#ifdef BL_DELTA_NO_PIC
#define BL_DELTA_PIC 0
#else
#define BL_DELTA_PIC 1
#endif

/* Tables of ELF files (symbols, relocations, exceptions): Linux programs and
 * libraries, as is position-independent code. */
#define BL_DELTA_ELF BL_DELTA_PIC

/* Small functions that are called from many places: once each is less code. */
#ifdef __GNUC__
#define BL_ONCE __attribute__((noinline))
#else
#define BL_ONCE
#endif

#if BL_DELTA_ENCODE
#define BL_NAME(name) bl_encode_##name
#else
#define BL_NAME(name) bl_delta_##name
#endif

#define bl_view_address BL_NAME(view_address)
#define bl_view_offset BL_NAME(view_offset)
#define bl_view_loaded BL_NAME(view_loaded)
#define bl_view_role BL_NAME(view_role)
#define bl_view_executable BL_NAME(view_executable)
#define bl_view_ram BL_NAME(view_ram)
#define bl_view_byte BL_NAME(view_byte)
#define bl_view_word BL_NAME(view_word)
#define bl_view_here BL_NAME(view_here)
#define bl_view_close BL_NAME(view_close)
#define bl_view_near BL_NAME(view_near)
#define bl_view_esp BL_NAME(view_esp)
#define bl_view_forget BL_NAME(view_forget)
#define bl_place_memory BL_NAME(place_memory)
#define bl_place_link BL_NAME(place_link)
#define bl_place_start BL_NAME(place_start)
#define bl_place_gone BL_NAME(place_gone)
#define bl_place_lost BL_NAME(place_lost)
#define bl_place_stashed BL_NAME(place_stashed)
#define bl_place_slot BL_NAME(place_slot)
#define bl_place_next BL_NAME(place_next)
#define bl_place_goes_on BL_NAME(place_goes_on)
#define bl_place_copy BL_NAME(place_copy)
#define bl_isa_of BL_NAME(isa_of)
#define bl_high_take BL_NAME(high_take)
#define bl_high_drop BL_NAME(high_drop)
#define bl_high_of BL_NAME(high_of)
#define bl_sweep_start BL_NAME(sweep_start)
#define bl_form_none BL_NAME(form_none)
#define bl_form_find BL_NAME(form_find)
#define bl_form_near BL_NAME(form_near)
#define bl_form_write BL_NAME(form_write)
#define bl_form_read BL_NAME(form_read)
#define bl_gather BL_NAME(gather)
#define bl_scatter BL_NAME(scatter)
#define bl_site_find BL_NAME(site_find)
#define bl_site_skip BL_NAME(site_skip)
#define bl_site_may_word BL_NAME(site_may_word)
#define bl_site_word BL_NAME(site_word)
#define bl_site_write BL_NAME(site_write)
#define bl_site_read BL_NAME(site_read)
#define bl_site_after BL_NAME(site_after)
#define bl_site_traits BL_NAME(site_traits)
#define bl_get BL_NAME(get)
#define bl_set BL_NAME(set)
#define bl_isa_plain BL_NAME(isa_plain)
#define bl_isa_thumb BL_NAME(isa_thumb)
#define bl_isa_riscv BL_NAME(isa_riscv)
#define bl_isa_xtensa BL_NAME(isa_xtensa)
#define bl_isa_aarch64 BL_NAME(isa_aarch64)
#define bl_isa_x86_64 BL_NAME(isa_x86_64)
#define bl_riscv_low BL_NAME(riscv_low)
#define bl_coder_start BL_NAME(coder_start)
#define bl_coder_finish BL_NAME(coder_finish)
#define bl_coder_bit BL_NAME(coder_bit)
#define bl_coder_bits BL_NAME(coder_bits)
#define bl_counters BL_NAME(counters)
#define bl_count BL_NAME(count)
#define bl_coder_flag BL_NAME(coder_flag)
#define bl_coder_number BL_NAME(coder_number)
#define bl_coder_signed BL_NAME(coder_signed)
#define bl_code_round BL_NAME(code_round)
#define bl_model_start BL_NAME(model_start)
#define bl_model_byte BL_NAME(model_byte)
#define bl_model_gate BL_NAME(model_gate)
#define bl_head_read BL_NAME(head_read)
#define bl_head_write BL_NAME(head_write)
#define bl_head_memory BL_NAME(head_memory)
#define bl_map_find BL_NAME(map_find)
#define bl_map_set BL_NAME(map_set)
#define bl_map_start_at BL_NAME(map_start_at)
#define bl_map_shift BL_NAME(map_shift)
#define bl_map_place BL_NAME(map_place)
#define bl_codec_link BL_NAME(codec_link)
#define bl_codec_start BL_NAME(codec_start)
#define bl_codec_step BL_NAME(codec_step)
#define bl_unit_copy BL_NAME(unit_copy)
#define bl_unit_place BL_NAME(unit_place)
#define bl_unit_predict BL_NAME(unit_predict)
#define bl_unit_correct BL_NAME(unit_correct)
#define bl_code_bytes BL_NAME(code_bytes)
#define bl_now_byte BL_NAME(now_byte)
#define bl_unit_literal BL_NAME(unit_literal)
#define bl_unit_start BL_NAME(unit_start)
#define bl_put BL_NAME(put)
#define bl_put_word BL_NAME(put_word)
#define bl_put_old BL_NAME(put_old)
#define bl_put_flush BL_NAME(put_flush)
#define bl_tail_find BL_NAME(tail_find)
#define bl_tail_put BL_NAME(tail_put)
#define bl_now_word BL_NAME(now_word)
#define bl_member_learn_nothing BL_NAME(member_learn_nothing)
#define bl_member_start BL_NAME(member_start)
#define bl_member_step BL_NAME(member_step)

#endif
