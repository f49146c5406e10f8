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

#if BL_DELTA_ENCODE
#define BL_NAME(name) bl_encode_##name
#else
#define BL_NAME(name) bl_delta_##name
#endif

#define bl_view_address BL_NAME(view_address)
#define bl_view_offset BL_NAME(view_offset)
#define bl_view_executable BL_NAME(view_executable)
#define bl_view_ram BL_NAME(view_ram)
#define bl_view_byte BL_NAME(view_byte)
#define bl_view_half BL_NAME(view_half)
#define bl_view_word BL_NAME(view_word)
#define bl_view_read BL_NAME(view_read)
#define bl_view_esp BL_NAME(view_esp)
#define bl_isa_of BL_NAME(isa_of)
#define bl_sweep_start BL_NAME(sweep_start)
#define bl_site_find BL_NAME(site_find)
#define bl_site_word BL_NAME(site_word)
#define bl_site_write BL_NAME(site_write)
#define bl_site_read BL_NAME(site_read)
#define bl_site_after BL_NAME(site_after)
#define bl_site_class BL_NAME(site_class)
#define bl_isa_plain BL_NAME(isa_plain)
#define bl_isa_thumb BL_NAME(isa_thumb)
#define bl_isa_riscv BL_NAME(isa_riscv)
#define bl_isa_xtensa BL_NAME(isa_xtensa)
#define bl_isa_aarch64 BL_NAME(isa_aarch64)
#define bl_isa_x86_64 BL_NAME(isa_x86_64)
#define bl_riscv_low BL_NAME(riscv_low)

#endif
